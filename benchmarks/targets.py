"""Encoding models: many targets, each with a penalty for every group of features.

Run ``python -m benchmarks.targets``: 500 rows of 2,000 features in four groups, and 200 rows that
no search sees. Every target is a sum of the groups with shares of its own, plus noise of the
variance of the signal. CPU times of whole fits on one BLAS thread, the peak of the memory of the
process, and the mean r2 of all targets on the other rows. Beside our search: one penalty for each
target, and the random search of himalaya (``pip install himalaya``), which tries the same 100 draws
of shares for all targets, with 20 penalties each. ``--targets`` chooses the numbers of targets.
"""

import argparse
import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import Ridge

N_TRAIN, N_TEST, N_FEATURES, N_GROUPS = 500, 200, 2000, 4
GROUPS = np.repeat(np.arange(N_GROUPS), N_FEATURES // N_GROUPS)
TABLE = Path(__file__).parents[1] / "docs" / "targets.inc"
HEADER = "Targets", "Search", "CPU time, s", "memory, GiB", "r2 on new rows"


def drawn(n_targets):
    """``(X, Y)`` of all rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_TRAIN + N_TEST, N_FEATURES))
    share = rng.dirichlet(np.full(N_GROUPS, 0.5), size=n_targets)[:, GROUPS].T
    coef = rng.normal(size=share.shape) * np.sqrt(share * N_GROUPS / N_FEATURES)
    return X, X @ coef + rng.normal(size=(len(X), n_targets))


def ours(X, Y, X_test):
    """One penalty per group and target."""
    continuous = Continuous(per=("group", "target"), groups=GROUPS.tolist())
    return HypergradSearchCV(Ridge(), {"alpha": continuous}).fit(X, Y).predict(X_test)


def per_target(X, Y, X_test):
    """One penalty per target, by leave-one-out."""
    alphas = np.logspace(-2, 6, 20)
    return RidgeCV(alphas, alpha_per_target=True).fit(X, Y).predict(X_test)


def himalaya(X, Y, X_test):
    """Kernels of the groups, weighted at random."""
    from himalaya.backend import set_backend
    from himalaya.kernel_ridge import MultipleKernelRidgeCV

    set_backend("numpy")
    x_mean, y_mean = X.mean(axis=0), Y.mean(axis=0)
    X, X_test = X - x_mean, X_test - x_mean
    parts = [(X[:, GROUPS == g], X_test[:, GROUPS == g]) for g in range(N_GROUPS)]
    parameters = {"n_iter": 100, "alphas": np.logspace(-2, 6, 20), "progress_bar": False}
    model = MultipleKernelRidgeCV("precomputed", solver_params=parameters, random_state=0)
    model.fit(np.stack([train @ train.T for train, _ in parts]), Y - y_mean)
    return y_mean + model.predict(np.stack([test @ train.T for train, test in parts]))


SEARCHES = {
    '``per=("group", "target")``': ours,
    "himalaya, MultipleKernelRidgeCV": himalaya,
    "RidgeCV, ``alpha_per_target=True``": per_target,
}


def measure(name, n_targets, queue):
    """Put time, memory and r2 of one search; in a process of its own."""
    X, Y = drawn(n_targets)
    before = time.process_time()
    predicted = SEARCHES[name](X[:N_TRAIN], Y[:N_TRAIN], X[N_TRAIN:])
    seconds, Y = time.process_time() - before, Y[N_TRAIN:]
    left = np.square(Y - predicted).sum(axis=0) / np.square(Y - Y.mean(axis=0)).sum(axis=0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    queue.put((seconds, memory, 1 - left.mean()))


def main():
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, nargs="+", default=[100, 1000])
    lines = [".. list-table::", "   :header-rows: 1", "   :width: 100%", ""]
    context = multiprocessing.get_context("spawn")
    lines += [f"   {'  -' if number else '* -'} {cell}" for number, cell in enumerate(HEADER)]
    for n_targets in parser.parse_args().targets:
        for name in SEARCHES:
            queue = context.Queue()
            process = context.Process(target=measure, args=(name, n_targets, queue))
            process.start()
            seconds, memory, r2 = queue.get()
            process.join()
            row = f"{n_targets:,}", name, f"{seconds:.1f}", f"{memory:.1f}", f"{r2:.3f}"
            print(" | ".join(row), flush=True)
            lines += [f"   {'  -' if number else '* -'} {cell}" for number, cell in enumerate(row)]
            TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
