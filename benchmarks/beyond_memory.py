"""Searches of data that are larger than the memory that they may use.

``python -m benchmarks.beyond_memory [--rows N] [--folder DIR]`` writes a memory map of N x 100
floats (8 million rows: 3 GiB) into a folder, and deletes it afterwards. Every search is a process
of its own whose anonymous memory is limited to 1 GB; the map itself does not count. GridSearchCV
copies its data: it gets a quarter of the rows, and no limit. dask-ml gets a fortieth, where it is
installed. ``docs/beyond_memory.inc`` is written with all rows.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[1] / "docs" / "beyond_memory.inc"
N_FEATURES, CHUNK, PART = 100, 200_000, 250_000
ALL, FEW = 8_000_000, 20_000
LIMIT = 10**9
# Cases: whether memory is limited, and which share of the rows they get.
CASES = {
    "ridge": (True, 1),
    "ridge per feature": (True, 1),
    "logistic": (True, 1),
    "ridge, dask, 2 workers": (False, 1),
    "GridSearchCV, ridge, 2 values": (False, 4),
    "GridSearchCV, logistic, 2 values": (False, 4),
    "dask-ml, logistic, 2 values": (False, 40),
}
NAMES = {
    "ridge": "``Ridge()``, one ``alpha``",
    "ridge per feature": "``linear_model.Ridge()``, an ``alpha`` for each of 100 features",
    "logistic": "``LogisticRegression()``, one ``C``",
    "ridge, dask, 2 workers": "``Ridge()``, dask, two workers that read the map",
    "GridSearchCV, ridge, 2 values": "GridSearchCV of ``Ridge()``, two values",
    "GridSearchCV, logistic, 2 values": "GridSearchCV of ``LogisticRegression()``, two values",
    "dask-ml, logistic, 2 values": "dask-ml, its GridSearchCV of its ``LogisticRegression()`` "
    "(lbfgs), two values, two workers that read the map",
}


def make(folder, n_rows):
    """Write X, y and classes c, a chunk at a time: a weak signal in 20 of 100 features."""
    rng = np.random.default_rng(0)
    coef = np.zeros(N_FEATURES)
    coef[:20] = 0.03 * rng.normal(size=20)
    shapes = {"X": (n_rows, N_FEATURES), "y": (n_rows,), "c": (n_rows,)}
    maps = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, shape)
        for name, shape in shapes.items()
    }
    for start in range(0, n_rows, CHUNK):
        rows = slice(start, min(start + CHUNK, n_rows))
        X = rng.standard_normal((rows.stop - start, N_FEATURES), dtype=np.float32)
        z = X @ coef
        maps["X"][rows], maps["y"][rows] = X, z + rng.normal(size=len(z))
        maps["c"][rows] = rng.random(len(z)) < 1 / (1 + np.exp(-2 * z))


class Peak:
    """The peak of anonymous memory, in MB, of this process while it is inside."""

    def __enter__(self):
        self.megabytes, self._end = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.wait(0.05):
            lines = Path("/proc/self/status").read_text().splitlines()
            (now,) = [int(line.split()[1]) / 1e3 for line in lines if line.startswith("RssAnon")]
            self.megabytes = max(self.megabytes, now)


def loaded(folder, share):
    """Memory maps of X, y and c."""
    maps = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("X", "y", "c")]
    return [each[: len(each) // share] for each in maps]


def read(folder, name, start, stop):
    """Some rows of X or y, on a worker."""
    return np.load(folder / f"{name}.npy", mmap_mode="r")[start:stop]


def search_of(name):
    """The search of a case, and whether it is one of classes."""
    from sklearn.linear_model import LogisticRegression, Ridge

    from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model

    if "logistic" in name:
        return HypergradSearchCV(LogisticRegression(), {"C": Continuous()}, scoring="neg_log_loss")
    scoring = {"scoring": "neg_mean_squared_error"}
    if "feature" in name:
        grid = {"alpha": Continuous(per="feature")}
        return HypergradSearchCV(linear_model.Ridge(), grid, **scoring)
    return HypergradSearchCV(Ridge(), {"alpha": Continuous()}, **scoring)


def grid_search(name):
    """GridSearchCV with two values."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import GridSearchCV

    if "logistic" in name:
        return GridSearchCV(LogisticRegression(), {"C": [1e-3, 1]}, scoring="neg_log_loss")
    return GridSearchCV(Ridge(), {"alpha": [1, 1e3]}, scoring="neg_mean_squared_error")


def search_of_dask_ml():
    """GridSearchCV of dask-ml with two values, on rows of dask."""
    from dask_ml.linear_model import LogisticRegression
    from dask_ml.model_selection import GridSearchCV

    model = LogisticRegression(solver="lbfgs")
    return GridSearchCV(model, {"C": [1e-3, 1]}, scoring="neg_log_loss", cv=5)


def of_dask(folder, n_rows, target):
    """X and y or c, whose parts workers read from the maps."""
    import dask
    import dask.array as da

    load = dask.delayed(read)
    ends = [(start, min(start + PART, n_rows)) for start in range(0, n_rows, PART)]

    def array(name, *shape):
        parts = (
            da.from_delayed(load(folder, name, *pair), (pair[1] - pair[0], *shape), np.float32)
            for pair in ends
        )
        return da.concatenate(list(parts))

    return array("X", N_FEATURES), array(target)


def measured(name, folder):
    """What one case takes: a dict of plain values."""
    limited, share = CASES[name]
    if limited:
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    from sklearn_hypergrad.rows import ArrayRows

    X, y, c = loaded(folder, share)
    y = c if "logistic" in name else y
    before = processor_seconds()
    with Peak() as peak:
        if "dask" in name:
            seconds, search = with_workers(name, folder, len(X))
        else:
            grid = name.startswith("Grid")
            search = grid_search(name) if grid else search_of(name)
            data = (X, y) if grid else (ArrayRows(X, y, part_rows=PART),)
            began = time.perf_counter()
            search.fit(*data)
            seconds = time.perf_counter() - began
    passes = [r for r in getattr(search, "remarks_", ()) if " over the rows in " in r]
    return {
        "name": name,
        "rows": len(X),
        "seconds": seconds,
        "processor": processor_seconds() - before,
        "passes": int(passes[0].split()[0]) if passes else None,
        "megabytes": peak.megabytes,
        "score": float(search.best_score_),
        "values": np.ravel(next(iter(search.best_params_.values()))).tolist(),
        "coef": np.ravel(search.best_estimator_.coef_).tolist(),
    }


def processor_seconds():
    """Processor time of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def imported():
    """Import on a worker what its tasks need."""
    import sklearn_hypergrad.search.by_blocks.rows_fit  # noqa: F401


def with_workers(name, folder, n_rows):
    """Seconds of the search on a cluster of two processes, once it is up, and the search."""
    import dask
    from dask.distributed import Client, LocalCluster

    # Freed memory stays with the workers: see the documentation.
    kept = {"MALLOC_TRIM_THRESHOLD_": 2**30, "MALLOC_MMAP_THRESHOLD_": 2**30}
    names = {f"distributed.nanny.pre-spawn-environ.{n}": value for n, value in kept.items()}
    options = {"threads_per_worker": 1, "dashboard_address": None}
    with dask.config.set(names), LocalCluster(2, **options) as cluster, Client(cluster) as client:
        client.run(imported)
        theirs = name.startswith("dask-ml")
        search = search_of_dask_ml() if theirs else search_of("ridge")
        data = of_dask(folder, n_rows, "c" if theirs else "y")
        began = time.perf_counter()
        search.fit(*data)
        return time.perf_counter() - began, search


def agreement(folder):
    """Differences from the search in memory on the first rows, on the same folds."""
    from sklearn.model_selection import KFold

    from sklearn_hypergrad.rows import ArrayRows

    X, y, c = (each[:FEW] for each in loaded(folder, 1))
    for name, target in (("ridge", y), ("ridge per feature", y), ("logistic", c)):
        search = search_of(name).set_params(cv=KFold(5), tol=1e-5)
        if name == "logistic":
            search.estimator.set_params(tol=1e-9, max_iter=1000)
        by_parts = search.fit(ArrayRows(X, target, part_rows=3000))
        own, score = next(iter(by_parts.best_params_.values())), by_parts.best_score_
        search.fit(np.asarray(X, dtype=float), np.asarray(target, dtype=float))
        theirs = next(iter(search.best_params_.values()))
        loss = abs(score / search.best_score_ - 1)
        apart = np.max(np.abs(np.log(np.asarray(own) / np.asarray(theirs))))
        print(f"{name}, {FEW:,} rows: loss {loss:.1e} relative, parameters {apart:.1e} relative")


def main():
    """Make the map, run every case in its own process, compare, and delete the map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ALL)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--only", default=",,".join(CASES), help="names, separated by two commas")
    parser.add_argument("--case", help="run one case in this process, for internal use")
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measured(arguments.case, arguments.folder)))
        return
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        make(folder, arguments.rows)
        agreement(folder)
        names = [name for name in arguments.only.split(",,") if name]
        report([in_process(name, folder) for name in names], arguments.rows)
    finally:
        shutil.rmtree(folder)


def in_process(name, folder):
    """The result of a case that ran in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.beyond_memory", "--case", name]
    found = subprocess.run(
        [*command, "--folder", str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        print(found.stderr[-2000:])
        return {"name": name}
    row = json.loads(found.stdout.splitlines()[-1])
    shown = {k: v for k, v in row.items() if k not in ("values", "coef")}
    print(shown, row["values"][:3], flush=True)
    return row


def report(rows, n_rows):
    """Print how the cases compare, and write the page of the documentation."""
    known = {row["name"]: row for row in rows if "seconds" in row}
    if {"ridge", "ridge, dask, 2 workers"} <= known.keys():
        here, there = known["ridge"], known["ridge, dask, 2 workers"]
        same = here["coef"] == there["coef"] and here["score"] == there["score"]
        ratio = there["seconds"] / here["seconds"]
        print(f"dask: {'the same' if same else 'other'} bits, {ratio:.2f} times the seconds")
    if n_rows == ALL and len(known) == len(CASES):
        PAGE.write_text(table(known.values()), encoding="utf-8")


def table(rows):
    """A list table of reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 44 14 12 14 16", ""]
    heads = "Search", "Million rows", "Passes", "Processor seconds", "Anonymous memory, GB"
    cells = [heads] + [
        (
            NAMES[row["name"]],
            f"{row['rows'] / 1e6:g}",
            "" if row["passes"] is None else str(row["passes"]),
            f"{row['processor']:.0f}",
            f"{row['megabytes'] / 1e3:.2f}",
        )
        for row in rows
    ]
    for row in cells:
        lines += [f"   {'* -' if not n else '  -'} {cell}".rstrip() for n, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
