"""The check of hypergradients warns of kinks, and of nothing else."""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression, Ridge

from sklearn_hypergrad import (
    Continuous,
    HypergradSearchCV,
    HypergradWarning,
    check_hypergradient,
)
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.neural_network import MLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = X[:, 0] - np.abs(X[:, 1]) + 0.3 * RNG.normal(size=40)
RIDGE = {"alpha": [1e-3, 1e3]}


class Rectified(DifferentiableRegressor):
    """A linear model whose predictions are at least a bound, sharply or softly."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}  # noqa: RUF012

    def __init__(self, alpha=0.1, sharp=True):
        self.alpha, self.sharp = alpha, sharp

    def initial(self, X, y, rng):
        return np.full(X.shape[1], 0.1)

    def forward(self, w, X, h):
        z = anp.dot(X, w)
        return anp.maximum(z, 0.0) if self.sharp else anp.logaddexp(z, 0.0)

    def loss(self, y, z, h):
        return (y - z) ** 2

    def penalty(self, w, h):
        return h["alpha"] * anp.sum(w**2)


def own(activation, hidden=(3,)):
    return MLPRegressor(hidden, activation, n_steps=5, learning_rate_init=0.05, random_state=0)


def warned(model, grid, **options):
    n_points = options.pop("n_points", 2)
    step = options.pop("step", None)
    search = HypergradSearchCV(model, grid, cv=2, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_hypergradient(search, X, Y, n_points=n_points, step=step)
    assert all(each.category is HypergradWarning for each in caught)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("model", [own("relu"), own("relu", (3, 2))], ids=repr)
def test_of_the_units_of_a_network(model):
    (message,) = warned(model, {"alpha": Continuous(), "learning_rate_init": Continuous()})
    assert "'relu'" in message
    assert "activation='tanh'" in message
    assert "step=1e-5" in message


@pytest.mark.thorough
def test_of_a_model_whose_differences_disagree():
    # The step is long enough for rows to pass the bound.
    (message,) = warned(Rectified(), {"alpha": Continuous(1e-3, 10)}, n_points=1, step=0.03)
    assert "at 1 of 1 points: its differences to both sides disagree" in message


def test_of_a_loss_with_kinks():
    options = {"scoring": "neg_mean_absolute_error", "n_points": 20}
    (message,) = warned(Ridge(), RIDGE, **options)
    assert "of 20 points" in message
    assert warned(Ridge(), RIDGE, step=1e-6, **options) == []


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (own("tanh"), {"alpha": Continuous()}),
        (own("relu", ()), {"alpha": Continuous()}),
        (Ridge(), RIDGE),
        (Ridge(), {"alpha": Continuous()}),
        (Rectified(sharp=False), {"alpha": Continuous(1e-3, 10)}),
    ],
    ids=repr,
)
def test_of_nothing_that_is_smooth(model, grid):
    assert warned(model, grid, n_points=1) == []


@pytest.mark.parametrize(
    ("model", "grid", "y", "scoring"),
    [
        (LogisticRegression(solver="saga", l1_ratio=1), {"C": [1e-6, 1e-5]}, Y > 0, "neg_log_loss"),
        (Lasso(), {"alpha": [1e5, 1e6]}, Y, "r2"),
    ],
)
def test_a_loss_is_flat_where_all_weights_are_zero(model, grid, y, scoring):
    search = HypergradSearchCV(model, grid, scoring=scoring)
    assert np.max(check_hypergradient(search, X, y)) == 0.0
