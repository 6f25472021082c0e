import numpy as np
import pytest
from covering import beyond_covering
from cpu_time import CpuTime
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, TimeSeriesSplit

from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.problems import SplitData

LOADERS = {
    "diabetes": load_diabetes,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
}


def pytest_configure(config):
    config.pluginmanager.register(CpuTime(config))


# Before pytest deselects by markers.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in beyond_covering(items):
        item.add_marker("thorough")


@pytest.fixture(autouse=True)
def families_of_the_package():
    """A class that a test registers anew gets its own family back."""
    known = dict(family.registry)
    yield
    for estimator_class, implementation in known.items():
        if family.registry[estimator_class] is not implementation:
            family.register(estimator_class, implementation)


@pytest.fixture(scope="session")
def data():
    """``data(name)``: a data set of scikit-learn, scaled to unit variance."""

    def load(name):
        X, y = LOADERS[name](return_X_y=True)
        return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9), y

    return load


SPLITTERS = {
    "kfold": KFold(3, shuffle=True, random_state=0),
    "repeated": RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    "overlapping": ShuffleSplit(3, test_size=0.4, random_state=0),
    "time": TimeSeriesSplit(3),
}


def _splits(name, n_samples):
    if name != "bootstrap":
        return list(SPLITTERS[name].split(np.empty(n_samples)))
    rng = np.random.default_rng(0)
    trains = [rng.integers(n_samples, size=n_samples) for _ in range(3)]
    return [(train, np.setdiff1d(np.arange(n_samples), train)) for train in trains]


def _targets(kind, signal, n_outputs):
    """``(y, labels)``; regression targets are positive and far from zero."""
    n_samples = len(signal)
    if kind == "regression":
        y = signal[:, None] + np.sin(np.outer(signal, np.arange(n_outputs)))
        return y - y.min() + 30, y
    n_classes = 3 if kind == "multinomial" else 2
    labels = np.argsort(np.argsort(signal)) * n_classes // n_samples
    coded = {"multinomial": np.eye(3)[labels], "coded": 2.0 * labels[:, None] - 1}
    return coded.get(kind, labels[:, None].astype(float)), labels


@pytest.fixture(scope="session")
def make_block():
    """``make_block(kind, ...)``: splits of random data for regression or classification.

    ``kind`` is "regression", "binary" (0 and 1), "coded" (-1 and 1) or "multinomial" (one-hot).
    """

    def make(kind="regression", *, wide=False, thin=False, weighted=False, splits="kfold", **more):
        rng = np.random.default_rng(more.get("seed", 0))
        n_samples, n_features = (24, 40) if wide else (40, 5)
        X = rng.normal(size=(n_samples, n_features)) + 0.3
        if thin:
            X *= rng.uniform(size=X.shape) < 0.4
        signal = X @ rng.normal(size=n_features) / np.sqrt(n_features)
        y, labels = _targets(kind, signal + rng.normal(size=n_samples), more.get("n_outputs", 1))
        weight = rng.uniform(0.5, 2, n_samples) if weighted else np.ones(n_samples)
        trains, tests = zip(*_splits(splits, n_samples), strict=True)
        return SplitData(
            X=sparse.csr_array(X) if thin else X,
            y=y,
            trains=list(trains),
            tests=list(tests),
            weights=[weight[train] for train in trains],
            score_weight=weight,
            labels=labels,
        )

    return make


@pytest.fixture(scope="session")
def five_point():
    """``five_point(f, step)``: derivative of ``f`` at 0, with an error of the order ``step**4``."""

    def derivative(f, step):
        return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step)

    return derivative
