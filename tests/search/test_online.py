"""Searches that move hyperparameters while training runs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Online, RealTime
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.optimizers import Adam
from sklearn_hypergrad.search.probe import objectives

PENALTIES = {"alpha": Continuous(1e-4, 10.0, per="layer")}
RATES = {"learning_rate_init": Continuous(1e-3, 10.0), "momentum": Continuous(0.01, 0.99)}


def model_of(**params):
    small = {"hidden_layer_sizes": 4, "activation": "tanh", "n_steps": 60, "random_state": 0}
    return MLPClassifier(**{**small, **params})


def search_of(grid, method, model=None, **options):
    options = {"cv": 3, "max_iter": 20, "scoring": "neg_log_loss", **options}
    return HypergradSearchCV(model or model_of(), grid, hypergradient=method, **options)


@pytest.fixture
def wine(data):
    X, y = data("wine")
    rows = np.random.default_rng(0).permutation(len(y))[:90]
    return X[rows], y[rows]


CASES = pytest.mark.parametrize(
    ("grid", "method"),
    [
        (PENALTIES, Online(gauss_newton=True)),
        (PENALTIES, "real_time"),
        (RATES, "real_time"),
    ],
    ids=["online, penalties", "real time, penalties", "real time, rates"],
)


@CASES
def test_what_is_found_is_better_than_the_start(wine, grid, method):
    # Slow, or without a penalty to speak of.
    slow = {"learning_rate_init": 0.01} if grid is RATES else {}
    search = search_of(grid, method, model_of(**slow)).fit(*wine)
    found, start = search.cv_results_["mean_test_score"]
    assert found > start
    assert "it was asked for" in search.hypergradient_


@CASES
def test_what_is_reported_is_a_training_from_the_start(wine, grid, method):
    search = search_of(grid, method).fit(*wine)
    model = model_of(**search.cv_results_["params"][0])
    scores = cross_val_score(model, *wine, cv=3, scoring="neg_log_loss")
    assert_allclose(search.cv_results_["mean_test_score"][0], scores.mean(), rtol=1e-9)
    assert_allclose(-np.asarray(search.history_["loss"])[-1], scores.mean(), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:.*Neumann series:sklearn_hypergrad.exceptions.HypergradWarning")
def test_names_are_methods(wine):
    search = search_of(PENALTIES, "online", max_iter=3)
    assert search.fit(*wine).hypergradient_.startswith("alpha: Online()")


def objective_of(wine, grid, method, **options):
    (objective,) = objectives(search_of(grid, method, **options), *wine)
    return objective


def test_training_goes_on_from_call_to_call(wine):
    objective = objective_of(wine, PENALTIES, "real_time")
    theta = np.log([0.1, 0.1])
    # The first is where the search began.
    begun = objective.record(theta)
    assert objective(theta)[0] == begun.value
    values = [objective(theta)[0] for _ in range(19)]
    assert len({begun.value, *values}) == 20
    # All of them together are one training.
    assert_allclose(values[-1], objective.final(theta).value, rtol=1e-9)


def test_what_cannot_be_used_is_taken_back(wine):
    one, other = (objective_of(wine, PENALTIES, Online("identity")) for _ in range(2))
    thetas = np.log([[0.1, 0.1], [0.2, 0.1], [0.3, 0.2]])
    for theta in thetas[:2]:
        one(theta), other(theta)
    for _ in range(2):
        other(thetas[0])
        other.take_back()
    for mine, own in zip(one(thetas[2]), other(thetas[2]), strict=True):
        assert_array_equal(mine, own)


def test_divergence_is_taken_back_and_halved(wine):
    grid = {"learning_rate_init": Continuous(1e-3, 1e9)}
    search = search_of(grid, "real_time", optimizer=Adam(8.0), max_iter=20)
    with pytest.warns(HypergradWarning, match="taken back and halved"):
        search.fit(*wine)
    assert np.isfinite(search.best_score_)


class Path:
    """Remembers where it was; a call to a place beyond 0.5 fails, until it was taken back."""

    def __init__(self):
        self.accepted, self.pending = [], None

    def __call__(self, z):
        if self.pending is not None:
            self.accepted.append(self.pending)
        self.pending = float(z[0])
        return (np.inf if z[0] > 0.5 else -z[0]), np.array([-1.0])

    def take_back(self):
        self.pending = None


def test_the_optimizer_says_what_it_takes_back():
    fun = Path()
    Adam(0.2).minimize(fun, np.zeros(1), np.array([[-1.0, 1.0]]), tol=1e-9, max_iter=20)
    assert max(fun.accepted) <= 0.5
    assert np.all(np.diff(fun.accepted) > 0)


def test_training_goes_on_where_values_stand_still():
    fun = Path()
    bounds = np.array([[-1.0, 0.0]])
    minimum = Adam(0.2).minimize(fun, np.zeros(1), bounds, tol=1e-3, max_iter=20)
    assert len(fun.accepted) == 19
    assert minimum.message == "max_iter=20 steps of Adam"


def test_rates_are_refused_with_an_alternative(wine):
    with pytest.raises(ValueError, match=r"Cannot tune 'learning_rate_init', .*'real_time'"):
        search_of(RATES, "online").fit(*wine)


def test_schedules_are_refused_with_an_alternative(wine):
    grid = {"learning_rate_init": Continuous(per="step")}
    with pytest.raises(ValueError, match="has a value for every step.*'reverse'"):
        search_of(grid, "real_time").fit(*wine)


def test_models_that_are_solved_are_refused(data):
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, hypergradient=RealTime())
    with pytest.raises(ValueError, match="Ridge is solved, not trained .*'implicit'"):
        search.fit(*data("diabetes"))


def test_there_is_nothing_to_take_differences_of(wine):
    with pytest.raises(ValueError, match="'real_time' moves .* Check hypergradient='forward'"):
        check_hypergradient(search_of(RATES, "real_time"), *wine)


def test_line_searches_are_refused(wine):
    with pytest.raises(ValueError, match="optimizer=LBFGS.*optimizer='adam'"):
        search_of(PENALTIES, "online", optimizer="lbfgs").fit(*wine)
