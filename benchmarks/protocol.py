"""Data sets and variants on which a vector of penalties is compared with one penalty.

Training rows are few in three of four variants: that is where penalties decide. All features are
standardised on the training rows, constant ones are dropped, and test features are clipped to the
training range plus 10 % on each side, for all methods alike.
"""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

# Searches of several classes take long.
N_SPLITS = {"regression": 4, "classification": 4, "multiclass": 2}
MOST_TEST_ROWS = 3000
CLIP = 0.1
DIGIT_PAIRS = ((3, 8), (4, 9))


@dataclasses.dataclass(frozen=True)
class Job:
    """One training and test set."""

    data: str
    task: str
    variant: str
    split: int
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


@dataclasses.dataclass(frozen=True)
class Variant:
    """How many rows to train on, and what is done to the columns."""

    rows: int
    per_feature: int = 0
    squares: int = 0
    noise: int = 0

    def n_rows(self, n_features):
        """Rows to train on."""
        return max(self.rows, self.per_feature * n_features)


VARIANTS = {
    "regression": {
        "raw": Variant(1000),
        "tiny": Variant(40, per_feature=2),
        "degree-2": Variant(300, squares=32),
        "noise": Variant(200, noise=50),
    },
    "classification": {
        "raw": Variant(500),
        "tiny": Variant(50, per_feature=2),
        "degree-2": Variant(200, squares=16),
        "noise": Variant(150, noise=40),
    },
}
# With a coefficient for each class, products of fewer columns.
VARIANTS["multiclass"] = {**VARIANTS["classification"], "degree-2": Variant(200, squares=8)}


def jobs(folder, task):
    """All jobs of a task."""
    for name, X, y, masks in SETS[task](folder):
        for variant in VARIANTS[task]:
            for split in range(N_SPLITS[task]):
                test = masks[:, split] if masks is not None else None
                yield _job(name, task, variant, split, X, y, test)


def _job(name, task, variant, split, X, y, test):
    rng = np.random.default_rng(split)
    train, test = _rows(rng, y, test, VARIANTS[task][variant].n_rows(X.shape[1]), task)
    how = VARIANTS[task][variant]
    if how.squares:
        X = _squares(_standardised(X, train)[:, : how.squares])
    if how.noise:
        X = np.c_[X, rng.normal(size=(len(X), how.noise))]
    X = _standardised(X, train)
    low, high = X[train].min(axis=0), X[train].max(axis=0)
    reach = CLIP * (high - low)
    X_test = np.clip(X[test], low - reach, high + reach)
    return Job(name, task, variant, split, X[train], y[train], X_test, y[test])


def _rows(rng, y, test, n_train, task):
    """Shuffled rows; classes keep their shares so that every one is trained."""
    order = rng.permutation(len(y))
    if test is None:
        n_train = min(n_train, int(0.75 * len(y)))
        parts = [order[y[order] == label] for label in np.unique(y)]
        cuts = [max(5, round(n_train * len(part) / len(y))) for part in parts]
        train = np.concatenate([part[:cut] for part, cut in zip(parts, cuts, strict=True)])
        held_out = np.concatenate([part[cut:] for part, cut in zip(parts, cuts, strict=True)])
        return rng.permutation(train), rng.permutation(held_out)[:MOST_TEST_ROWS]
    return order[~test[order]][:n_train], order[test[order]][:MOST_TEST_ROWS]


def _standardised(X, train):
    spread = X[train].std(axis=0)
    kept = spread > 1e-12 * np.maximum(1, np.abs(X[train]).max(axis=0))
    return (X[:, kept] - X[train][:, kept].mean(axis=0)) / spread[kept]


def _squares(X):
    i, j = np.triu_indices(X.shape[1])
    return np.c_[X, X[:, i] * X[:, j]]


def _regression(folder):
    for path in sorted((Path(folder) / "uci").iterdir()):
        table = np.loadtxt(gzip.open(path / "data.csv.gz", "rt"), delimiter=",", ndmin=2)
        masks = np.loadtxt(gzip.open(path / "test_mask.csv.gz", "rt"), delimiter=",", ndmin=2)
        yield path.name, table[:, :-1], table[:, -1], masks.astype(bool)


def _classification(folder):
    yield from _tables(folder, "binary")
    yield "breast_cancer", *load_breast_cancer(return_X_y=True), None
    X, y = load_digits(return_X_y=True)
    for a, b in DIGIT_PAIRS:
        chosen = (y == a) | (y == b)
        yield f"digits {a} or {b}", X[chosen], _codes(y[chosen]), None


def _codes(labels):
    return np.unique(np.asarray(labels).astype(str), return_inverse=True)[1]


def _multiclass(folder):
    yield from _tables(folder, "multiclass")
    for name, load in {"digits": load_digits, "iris": load_iris, "wine": load_wine}.items():
        yield name, *load(return_X_y=True), None


def _tables(folder, kind):
    for path in sorted((Path(folder) / kind).glob("*.csv.gz")):
        table = pd.read_csv(path, header=None, quotechar="'", skipinitialspace=True)
        X = pd.get_dummies(table.iloc[:, :-1]).to_numpy(float)
        yield path.name.split(".")[0], X, _codes(table.iloc[:, -1]), None


SETS = {
    "regression": _regression,
    "classification": _classification,
    "multiclass": _multiclass,
}
