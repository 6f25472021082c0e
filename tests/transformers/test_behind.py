"""Every transformer before every kind of model: hypergradients of both, against differences."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.kernel_approximation import RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import HuberRegressor, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.hypergradients import Reverse
from sklearn_hypergrad.neural_network import MLPRegressor
from sklearn_hypergrad.problems import SplitData

TOL = 1e-13
# In nats: the error of the larger step is that of the formula, of the smaller one that of rounding.
STEPS = 3e-3, 1e-3
# More columns than the training part has rows.
WIDE = RBFSampler(n_components=25, gamma=0.05, random_state=2)
NETWORK = MLPRegressor(
    hidden_layer_sizes=(3,), activation="tanh", n_steps=8, learning_rate_init=0.05, random_state=0
)
MODELS = {
    "ridge": (Ridge(), "alpha", 0.7, False),
    "logistic": (LogisticRegression(), "C", 0.6, False),
    "kernel ridge": (KernelRidge(kernel="rbf", gamma=0.1), "alpha", 0.5, False),
    "support vectors": (SVC(gamma=0.1), "C", 0.8, False),
    "network": (NETWORK, "alpha", 0.1, False),
    "ridge, wide": (Ridge(), "alpha", 0.7, True),
    "logistic, wide": (LogisticRegression(), "C", 0.6, True),
}


def chain_of(row, name):
    """The model of one split, and hyperparameters of the step and of the model."""
    final, own, value, wide = MODELS[name]
    between = [("wide", clone(WIDE))] if wide else []
    pipeline = Pipeline([("step", clone(row.estimator)), *between, ("model", clone(final))])
    known, X, n_train = family(pipeline), row.X(), len(row.y())
    rng = np.random.default_rng(5)
    labels = rng.normal(size=X.shape[0])
    labels[:n_train] = row.y()
    if row.classes or known.takes != "numbers":
        labels = np.argsort(labels) % max(row.classes, 2)
    rows = np.arange(X.shape[0])
    data = SplitData(
        X=X,
        y=known.encode(labels),
        trains=[rows[:n_train]],
        tests=[rows[n_train:]],
        weights=[np.ones(n_train)],
        score_weight=np.ones(X.shape[0]),
        labels=labels,
    )
    h = {f"step__{key}": np.asarray(each, dtype=float) for key, each in row.h.items()}
    entries = {f"step__{key}": row.entries.get(key) for key in row.h} | {f"model__{own}": None}
    model = known.model(pipeline, data, entries, 0)
    if model.trained:
        model = model.differentiated(Reverse())
    return model, h | {f"model__{own}": np.asarray(value)}


@pytest.mark.parametrize("name", MODELS)
def test_hypergradients_agree_with_differences(row, name, five_point):
    final, *_ = MODELS[name]
    if not row.h or (row.classes > 2 and isinstance(final, SVC)):
        return
    (model, h), rng = chain_of(row, name), np.random.default_rng(6)
    direction = {key: rng.uniform(0.5, 1, value.shape) for key, value in h.items()}
    fitted = model.fit(h, None, TOL)
    g = rng.normal(size=fitted.z.shape)
    if g.shape[1] > 1:
        g -= g.mean(axis=1, keepdims=True)
    gradient = fitted.pullback(g).gradient
    assert {key: np.shape(slope) for key, slope in gradient.items()} == {
        key: value.shape for key, value in h.items()
    }

    def along(step):
        moved = {key: value * np.exp(step * direction[key]) for key, value in h.items()}
        return np.sum(g * model.train(moved, None, TOL).z)

    found = sum(np.sum(gradient[key] * h[key] * direction[key]) for key in h)
    expected = np.array([five_point(along, step) for step in STEPS])

    def error(value):
        return np.min(np.abs(expected - value)) / np.abs(value)

    assert error(found) < 1e-6
    assert error(1.001 * found) > 1e-6


@pytest.mark.parametrize(
    ("gamma", "value"), [(1e-3, 0.01), (1e-7, 1e-6)], ids=["rows differ", "rows hardly differ"]
)
def test_huber_regression_in_wide_rows(gamma, value, five_point):
    """A basis of their space lacks what products of the rows have."""
    rng, rows = np.random.default_rng(0), np.arange(40)
    X = rng.normal(size=(40, 3))
    y = X[:, 0] + 0.3 * rng.standard_t(3, size=40)
    step = RBFSampler(gamma=gamma, n_components=80, random_state=2)
    pipeline = Pipeline([("step", step), ("model", HuberRegressor(epsilon=1.5))])
    data = SplitData(
        X=X,
        y=family(pipeline).encode(y),
        trains=[rows[:28]],
        tests=[rows[28:]],
        weights=[np.ones(28)],
        score_weight=np.ones(40),
        labels=y,
    )
    h = {"step__gamma": np.array(gamma), "model__alpha": np.array(value)}
    model = family(pipeline).model(pipeline, data, dict.fromkeys(h), 0)
    fitted = model.fit(h, None, TOL)
    g = rng.normal(size=fitted.z.shape)

    def along(step):
        moved = h | {"step__gamma": gamma * np.exp(step)}
        return np.sum(g * model.train(moved, None, TOL).z)

    found = gamma * fitted.pullback(g).gradient["step__gamma"]
    expected = five_point(along, 3e-3)
    assert found == pytest.approx(expected, rel=1e-7)
    assert 1.001 * found != pytest.approx(expected, rel=1e-7)
