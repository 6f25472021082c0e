"""Searches for hyperparameters of scikit-learn's own networks."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from sklearn_hypergrad import Continuous, HypergradSearchCV

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:lbfgs failed:sklearn.exceptions.ConvergenceWarning"),
]


def search_of(grid, model, **options):
    return HypergradSearchCV(model, grid, **{"cv": 3, "max_iter": 4, **options})


@pytest.fixture
def wine(data):
    X, y = data("wine")
    rows = np.random.default_rng(0).permutation(len(y))[:90]
    return X[rows], y[rows]


def model_of(**params):
    small = {"hidden_layer_sizes": 4, "max_iter": 5, "batch_size": 20, "random_state": 0}
    return MLPClassifier(**{**small, **params})


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_fits_are_what_was_searched(wine, solver):
    grid = {"alpha": [1e-4, 1.0], "learning_rate_init": Continuous()}
    search = search_of(grid, model_of(solver=solver), scoring="neg_log_loss").fit(*wine)
    assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-8)
    assert type(search.best_estimator_) is MLPClassifier


def test_stalling_training_is_searched_to_where_it_ends(wine):
    model = model_of(max_iter=50, tol=0.1, n_iter_no_change=2)
    search = search_of({"learning_rate_init": [1e-3, 0.1]}, model, scoring="neg_log_loss")
    search.fit(*wine)
    assert search.best_estimator_.n_iter_ < 50
    assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-8)


def test_momentum_is_enumerated_where_there_is_none(wine):
    grid = {"momentum": [0.5, 0.9], "alpha": [1e-4, 1.0], "solver": ["adam", "sgd"]}
    search = search_of(grid, model_of(), max_iter=2).fit(*wine)
    rows = search.cv_results_["params"]
    assert {row["momentum"] for row in rows if row["solver"] == "adam"} == {0.5, 0.9}
    assert "MLPClassifier has no momentum with solver='adam'" in search.hypergradient_
    assert "momentum, alpha: Reverse()" in search.hypergradient_


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"early_stopping": True}, "the weights it returns are chosen by a validation score"),
        ({"solver": "lbfgs"}, "its steps cannot be differentiated"),
        ({"warm_start": True}, "training would go on from an earlier fit"),
    ],
)
def test_what_cannot_be_replayed_is_enumerated(wine, params, reason):
    grid = {"alpha": [1e-4, 1.0]}
    search = search_of(grid, model_of(**params)).fit(*wine)
    assert [row["alpha"] for row in search.cv_results_["params"]] == [1e-4, 1.0]
    assert reason in search.hypergradient_
    assert not hasattr(search, "history_")
