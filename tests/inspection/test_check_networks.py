"""Hypergradients of training against finite differences, and the checker against wrong ones."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import neural_network

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.hypergradients import Reverse, Truncated
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor

SCALARS = {
    "alpha": Continuous(),
    "learning_rate_init": Continuous(),
    "momentum": Continuous(),
    "init_scale": Continuous(),
}
SCHEDULES = {
    "learning_rate_init": Continuous(per=("step", "layer")),
    "alpha": Continuous(per="layer"),
    "momentum": [0.5, 0.99],
}
PIECES = {
    "alpha": Continuous(per="coefficient"),
    "init_scale": Continuous(per="layer"),
    "momentum": Continuous(per="step"),
}
REPLAYED = {"alpha": Continuous(), "learning_rate_init": Continuous()}
SMALL = {"hidden_layer_sizes": 4, "activation": "tanh", "random_state": 0}


def network(regression=False, **params):
    cls = MLPRegressor if regression else MLPClassifier
    return cls(**{**SMALL, "n_steps": 12, "learning_rate_init": 0.05, **params})


def replayed(regression=False, **params):
    cls = neural_network.MLPRegressor if regression else neural_network.MLPClassifier
    few = {"max_iter": 6, "batch_size": 30, "learning_rate_init": 0.02}
    return cls(**{**SMALL, **few, **params})


def search_of(model, grid=SCHEDULES, **options):
    return HypergradSearchCV(model, grid, **{"cv": 2, "max_iter": 4, **options})


@pytest.fixture
def some(data):
    """``some(name)``: the first samples of a data set in random order."""

    def load(name, n_samples=90):
        X, y = data(name)
        rows = np.random.default_rng(0).permutation(len(y))[:n_samples]
        y = (y - y.mean()) / y.std() if name == "diabetes" else y
        return X[rows], y[rows]

    return load


def check(model, grid, X, y, **options):
    return check_hypergradient(search_of(model, grid, **options), X, y, n_points=2)


@pytest.mark.parametrize("grid", [SCALARS, SCHEDULES, PIECES], ids=["scalars", "steps", "coefs"])
@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes"])
def test_hypergradients_agree_with_finite_differences(some, name, grid):
    X, y = some(name)
    model = network(name == "diabetes")
    errors = check(model, grid, X, y)
    assert errors.shape == (1, 2)
    assert errors.max() < 1e-6


@pytest.mark.parametrize("method", ["reverse", "reversible", "forward", Reverse(5), Truncated(12)])
def test_every_method_agrees(some, method):
    errors = check(network(), SCALARS, *some("wine"), hypergradient=method)
    assert errors.max() < 1e-6


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("regression", [False, True])
def test_replays_agree(some, solver, regression):
    X, y = some("diabetes" if regression else "wine")
    grid = {**REPLAYED, "momentum": Continuous()} if solver == "sgd" else REPLAYED
    assert check(replayed(regression, solver=solver), grid, X, y).max() < 1e-6


def test_several_labels_agree(some):
    X, y = some("wine")
    assert check(network(), SCALARS, X, np.c_[y == 0, y > 0]).max() < 1e-6
    assert check(replayed(), REPLAYED, X, np.c_[y == 0, y > 0]).max() < 1e-6


def test_what_is_checked_does_not_depend_on_draws_and_stays_in_bounds(some):
    X, y = some("wine")
    grids = [{"momentum": Continuous(0.895, 0.905), "alpha": [1e-3, 1e-2]}, SCALARS]
    errors = check(network(random_state=None), grids, X, y, resample="fresh")
    assert errors.shape == (2, 2)
    assert errors.max() < 1e-6


class Wrong(Reverse):
    """A hypergradient that is wrong by 0.1 % in one hyperparameter, or in all."""

    def __init__(self, name=None):
        super().__init__()
        self.name = name

    def evaluate(self, *args, **kwargs):
        evaluation = super().evaluate(*args, **kwargs)
        gradient = {
            name: value * (1.001 if self.name in (None, name) else 1)
            for name, value in evaluation.gradient.items()
        }
        return dataclasses.replace(evaluation, gradient=gradient)


@pytest.mark.parametrize("grid", [SCALARS, SCHEDULES, PIECES], ids=["scalars", "steps", "coefs"])
def test_a_gradient_that_is_wrong_by_a_thousandth_is_rejected(some, grid):
    errors = check(network(), grid, *some("wine"), hypergradient=Wrong())
    assert_allclose(errors, 1e-3, rtol=1e-2)


@pytest.mark.parametrize("name", SCALARS)
def test_one_wrong_hyperparameter_of_several_is_enough(some, name):
    errors = check(network(), SCALARS, *some("wine"), hypergradient=Wrong(name))
    assert errors.max() > 1e-6


def test_a_biased_gradient_is_rejected(some):
    errors = check(network(n_steps=20), SCALARS, *some("wine"), hypergradient=Truncated(5))
    assert errors.min() > 0.1


def test_there_is_nothing_to_check_where_training_diverges(some):
    X, y = some("diabetes")
    with pytest.raises(ValueError, match="is not finite where the search starts"):
        check(network(True, learning_rate_init=1e9, activation="relu"), SCALARS, X, y)


def test_check_leaves_the_search_as_it_is(some):
    search = search_of(network(), resample="fresh")
    check_hypergradient(search, *some("wine"), n_points=1)
    assert search.resample == "fresh"
    assert not hasattr(search, "history_")
