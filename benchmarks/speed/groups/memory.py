"""Peak memory beyond the data: of our search, of a whole fit, and of GridSearchCV with one value.

Each runs in a process of its own. The processes come from a fork server, as one that is spawned
inherits the peak of its parent. Data come from a file: making them would leave a peak behind.
"""

import multiprocessing
import queue
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.model_selection import GridSearchCV

from benchmarks.jobs import quiet
from benchmarks.speed import data
from benchmarks.speed.clock import QUICK, blas_threads
from benchmarks.speed.models import LOGISTIC, RIDGE
from benchmarks.speed.searches import SearchOnly, TimedSearch
from benchmarks.speed.task import Task

# What a process may use, and how long: others live on the machine too.
MOST_BYTES, MOST_SECONDS = 16 * 2**30, 600
UNIT = 1 if sys.platform == "darwin" else 1024
MODELS = {"ridge": RIDGE, "logistic": LOGISTIC}
DENSE, SPARSE = (100_000, 300), (100_000, 50_000, 0.001)
SMALL_DENSE, SMALL_SPARSE = (20_000, 50), (20_000, 2000, 0.01)


def measure(effort):
    dense, sparse_ = (SMALL_DENSE, SMALL_SPARSE) if effort == QUICK else (DENSE, SPARSE)
    for name, size, make in (
        ("ridge", dense, data.regression),
        ("logistic", dense, data.classification),
        ("logistic", sparse_, data.sparse_classification),
        ("ridge", sparse_, data.sparse_regression),
    ):
        kind = "dense" if len(size) == 2 else "sparse"
        title = f"{name}, {size[0]:,} x {size[1]:,}, {kind}"
        print(f"memory of {title}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            data_bytes = _save(folder, *make(*size))
            for contender in RUNS:
                common = {"task": title, "contender": contender, "data_bytes": data_bytes}
                yield common | {"bytes": None} | _in_process(name, contender, folder)


def _our_search(task):
    task.search(SearchOnly).fit(task.X, task.y)


def _our_fit(task):
    task.search(TimedSearch).fit(task.X, task.y)


def _grid_of_one(task):
    model = task.model
    grid = {model.key: [1.0]}
    GridSearchCV(model.plain, grid, scoring=model.scoring, cv=task.cv).fit(task.X, task.y)


RUNS = {"search": _our_search, "whole fit": _our_fit, "GridSearchCV, 1 value": _grid_of_one}


def _save(folder, X, y):
    """Write the data, and return the size of X."""
    np.save(Path(folder, "y.npy"), y)
    if sparse.issparse(X):
        sparse.save_npz(Path(folder, "X.npz"), X, compressed=False)
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    np.save(Path(folder, "X.npy"), X)
    return X.nbytes


def _load(folder):
    y = np.load(Path(folder, "y.npy"))
    if Path(folder, "X.npz").exists():
        return sparse.load_npz(Path(folder, "X.npz")), y
    return np.load(Path(folder, "X.npy")), y


def _in_process(*job):
    """What ``_peak`` of the job finds, or why it finds nothing."""
    context = multiprocessing.get_context("forkserver")
    answers = context.Queue()
    process = context.Process(target=_answer, args=(answers, *job))
    process.start()
    try:
        return answers.get(timeout=MOST_SECONDS)
    except queue.Empty:
        process.terminate()
        return {"note": f"no end within {MOST_SECONDS} s"}
    finally:
        process.join()


def _answer(answers, *job):
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    try:
        answers.put({"bytes": _peak(*job), "note": ""})
    except MemoryError:
        answers.put({"note": f"needs more than {MOST_BYTES / 2**30:.0f} GiB"})
    except Exception as error:
        answers.put({"note": f"{type(error).__name__}: {error}"[:200]})


def _peak(name, contender, folder):
    """Bytes beyond those before the fit."""
    quiet()
    run = RUNS[contender]
    with blas_threads(1):
        tiny = data.classification(60, 2)
        # Modules that are imported at the first fit are no memory of the second.
        run(Task("", MODELS[name], *tiny))
        task = Task("", MODELS[name], *_load(folder))
        before = _highest()
        run(task)
        return _highest() - before


def _highest():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
