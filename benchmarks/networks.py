"""Learned penalties and schedules of a network against grid and random search.

``python -m benchmarks.networks [--data DIR] [--seeds N]``: digits, and with ``--data`` 10,000
training images of MNIST in ``DIR/mnist``. Every search may compute as many gradients of batches,
where a product with second derivatives counts as two. Prints validation and test scores.
"""

import argparse
import gzip
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedShuffleSplit,
    train_test_split,
)

from benchmarks.speed.tables import Table
from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.threads import one_blas_thread

N_EVALUATIONS = 30
RATES, PENALTIES, MOMENTA = (1e-3, 1.0), (1e-6, 1e-2), (0.5, 0.98)


def digits(seed):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    return train_test_split(X, y, test_size=0.33, stratify=y, random_state=seed)


def mnist(folder, seed):
    """10,000 of the training images, all test images."""
    images, test_images = (_idx(folder / f"{part}-images-idx3-ubyte.gz") for part in PARTS)
    labels, test_labels = (_idx(folder / f"{part}-labels-idx1-ubyte.gz") for part in PARTS)
    rows = np.random.default_rng(seed).permutation(len(images))[:10_000]
    X, X_test = ((a.reshape(len(a), -1) / 255).astype(np.float32) for a in (images, test_images))
    return X[rows], X_test, labels[rows], test_labels


PARTS = "train", "t10k"


def _idx(path):
    data = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def searches(model, cv, seed):
    """Searches by name, of about as many gradients."""
    # An evaluation is a training, and as many products with second derivatives; two rows are fits.
    n_fits = 3 * N_EVALUATIONS + 2
    common = {"scoring": "neg_log_loss", "cv": cv}
    grid = {
        "alpha": np.geomspace(*PENALTIES, 5),
        "learning_rate_init": np.geomspace(*RATES, 6),
        "momentum": [0.5, 0.9, 0.98],
    }
    ranges = {
        "alpha": loguniform(*PENALTIES),
        "learning_rate_init": loguniform(*RATES),
        "momentum": uniform(MOMENTA[0], MOMENTA[1] - MOMENTA[0]),
    }
    learned = {
        "alpha": Continuous(per="layer"),
        "learning_rate_init": Continuous(per=("step", "layer")),
        "momentum": Continuous(*MOMENTA),
    }
    scalars = {"alpha": Continuous(), "learning_rate_init": Continuous(), "momentum": Continuous()}
    budget = {"max_iter": N_EVALUATIONS, **common}
    return {
        "hypergradient, schedule and penalty per layer": HypergradSearchCV(
            model, learned, **budget
        ),
        "hypergradient, three numbers": HypergradSearchCV(model, scalars, **budget),
        "grid, 90": GridSearchCV(model, grid, **common),
        f"random, {n_fits}": RandomizedSearchCV(
            model, ranges, n_iter=n_fits, random_state=seed, **common
        ),
    }


def compared(data, hidden, n_steps, seed):
    """``{name: (validation score, test log loss, test accuracy, seconds)}``."""
    X, X_test, y, y_test = data
    cv = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed)
    model = MLPClassifier(hidden, n_steps=n_steps, random_state=seed)
    found = {}
    for name, search in searches(model, cv, seed).items():
        start = time.perf_counter()
        search.fit(X, y)
        seconds = time.perf_counter() - start
        found[name] = _scores(search, X_test, y_test, seconds)
    start = time.perf_counter()
    plain = clone(model).fit(X, y)
    plain.best_score_ = np.nan
    found["default"] = _scores(plain, X_test, y_test, time.perf_counter() - start)
    return found


def _scores(model, X, y, seconds):
    probability = model.predict_proba(X)
    return model.best_score_, log_loss(y, probability), np.mean(model.predict(X) == y), seconds


def table(title, runs):
    """Means and standard deviations over seeds."""
    header = "", "validation log loss", "test log loss", "test accuracy", "seconds"
    rows = []
    for name in runs[0]:
        values = np.array([run[name] for run in runs])
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        cells = [f"{abs(m):.4f} ± {d:.4f}" for m, d in zip(mean[:3], deviation[:3], strict=True)]
        rows.append((name, *cells, f"{mean[3]:.1f}"))
    return Table(title, header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with mnist/*.gz")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", HypergradWarning)
    tasks = {"digits, 64-50-10, 200 steps": (digits, (50,), 200)}
    if arguments.data is not None:
        folder = arguments.data / "mnist"
        tasks["MNIST, 784-100-10, 500 steps"] = (lambda seed: mnist(folder, seed), (100,), 500)
    with one_blas_thread():
        for title, (load, hidden, n_steps) in tasks.items():
            seeds = range(arguments.seeds)
            runs = [compared(load(seed), hidden, n_steps, seed) for seed in seeds]
            print(table(f"{title}, {arguments.seeds} seeds", runs).markdown(), flush=True)


if __name__ == "__main__":
    main()
