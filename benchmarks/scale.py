"""Ten thousand penalties of ridge, fifty thousand of logistic regression: time and memory.

Run ``python -m benchmarks.scale``; it writes ``docs/scale.inc``. Each problem runs in a process of
its own, so that its peak memory is its own. Times are CPU times on one BLAS thread.
"""

import argparse
import multiprocessing
import resource
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.metrics import log_loss

from benchmarks.cases import list_table
from benchmarks.speed.clock import blas_threads
from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge

PAGE = Path(__file__).parents[1] / "docs" / "scale.inc"
N_INFORMATIVE = 100
HEADER = (
    "",
    "CPU time, s",
    "memory, GiB",
    "evaluations",
    "penalties of their own",
    "loss on new rows",
    "with one penalty",
)


def dense_ridge(rng):
    """2,000 x 10,000 with 100 informative features, and as many rows to test on."""
    X = rng.normal(size=(4000, 10_000))
    coef = np.zeros(10_000)
    coef[:N_INFORMATIVE] = rng.normal(size=N_INFORMATIVE)
    y = X @ coef + rng.normal(size=4000) * np.sqrt(N_INFORMATIVE)
    return X, y


def sparse_text(rng):
    """5,000 x 50,000 with about 80 words a row, frequencies as in text, 100 of them telling."""
    frequency = 1 / np.arange(1, 50_001)
    words = rng.choice(50_000, size=(10_000, 120), p=frequency / frequency.sum())
    rows = np.repeat(np.arange(10_000), 120)
    X = sparse.csr_array((np.ones(words.size), (rows, words.ravel())), shape=(10_000, 50_000))
    X = X.multiply(1 / np.sqrt(X.multiply(X).sum(axis=1))[:, None]).tocsr()
    telling = rng.permutation(np.arange(20, 2000))[:N_INFORMATIVE]
    coef = np.zeros(50_000)
    coef[telling] = rng.choice([-20.0, 20.0], size=N_INFORMATIVE)
    y = rng.uniform(size=10_000) < 1 / (1 + np.exp(-X @ coef))
    return X, y.astype(int)


def mean_squared_error(model, X, y):
    return np.mean((y - model.predict(X)) ** 2)


def mean_log_loss(model, X, y):
    return log_loss(y, model.predict_proba(X))


JOBS = {
    "Ridge, 2,000 x 10,000": (dense_ridge, Ridge(), "alpha", "r2", mean_squared_error),
    "LogisticRegression, 5,000 x 50,000, sparse": (
        sparse_text,
        LogisticRegression(max_iter=1000),
        "C",
        "neg_log_loss",
        mean_log_loss,
    ),
}


def run(name, seed, queue):
    """Search, and put what there is to say of it into the queue."""
    make, model, parameter, scoring, loss = JOBS[name]
    X, y = make(np.random.default_rng(seed))
    half = X.shape[0] // 2
    search = HypergradSearchCV(model, {parameter: Continuous(per="feature")}, scoring=scoring)
    warnings.simplefilter("ignore")
    start = time.process_time()
    with blas_threads(1):
        search.fit(X[:half], y[:half])
    seconds = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    common = search.estimator.set_params(**search.cv_results_["params"][1]).fit(X[:half], y[:half])
    status = search.hyperparameters_["status"]
    queue.put(
        (
            seconds,
            memory,
            search.n_iter_,
            int(np.sum(np.asarray(status) != "pooled")),
            loss(search.best_estimator_, X[half:], y[half:]),
            loss(common, X[half:], y[half:]),
        )
    )


def main():
    """Run all jobs, print their rows, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--job", choices=list(JOBS), action="append")
    arguments = parser.parse_args()
    rows, context = [], multiprocessing.get_context("spawn")
    for name in arguments.job or JOBS:
        queue = context.Queue()
        process = context.Process(target=run, args=(name, arguments.seed, queue))
        process.start()
        seconds, memory, n_iter, n_left, loss, common = queue.get()
        process.join()
        times = f"{seconds:.0f}", f"{memory:.1f}", f"{n_iter}"
        rows.append((name, *times, f"{n_left:,}", f"{loss:.4g}", f"{common:.4g}"))
        print(" | ".join(rows[-1]), flush=True)
    if not arguments.job and not arguments.seed:
        page = list_table(HEADER, rows, widths="28 12 12 12 12 12 12")
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
