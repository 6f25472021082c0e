"""Searches that move hyperparameters while training runs."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from threadpoolctl import threadpool_limits

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.differentiable import DifferentiableClassifier, Hyperparameter
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Online, RealTime
from sklearn_hypergrad.linalg import CG
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.optimizers import Adam
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives as objectives
from sklearn_hypergrad.training import Momentum
from sklearn_hypergrad.tuning.online_objective import OnlineObjective

PENALTIES = {"alpha": Continuous(1e-4, 10.0, per="layer")}
RATES = {"learning_rate_init": Continuous(1e-3, 10.0), "momentum": Continuous(0.01, 0.99)}


def model_of(**params):
    small = {"hidden_layer_sizes": 4, "activation": "tanh", "n_steps": 60, "random_state": 0}
    return MLPClassifier(**{**small, **params})


def search_of(grid, method, model=None, **options):
    options = {"cv": 3, "max_iter": 20, "scoring": "neg_log_loss", **options}
    return HypergradSearchCV(model or model_of(), grid, hypergradient=method, **options)


@pytest.fixture(scope="module")
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
def test_what_is_found_is_better_than_the_start_and_a_training_from_there(wine, grid, method):
    # Slow, or without a penalty to speak of.
    slow = {"learning_rate_init": 0.01} if grid is RATES else {}
    search = search_of(grid, method, model_of(**slow)).fit(*wine)
    found, start = search.cv_results_["mean_test_score"]
    assert found > start
    assert "it was asked for" in search.hypergradient_
    model = model_of(**search.cv_results_["params"][0])
    scores = cross_val_score(model, *wine, cv=3, scoring="neg_log_loss")
    assert_allclose(search.cv_results_["mean_test_score"][0], scores.mean(), rtol=1e-9)
    assert_allclose(-np.asarray(search.history_["loss"])[-1], scores.mean(), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:.*Neumann series:sklearn_hypergrad.exceptions.HypergradWarning")
def test_names_are_methods(wine):
    search = search_of(PENALTIES, "online", max_iter=3)
    assert search.fit(*wine).hypergradient_.startswith("alpha: Online()")


def test_what_the_last_solver_reported_is_said(wine):
    # In one iteration no system is solved.
    grid = {"alpha": Continuous(1e-9, 10.0)}
    search = search_of(grid, Online(CG(max_iter=1), gauss_newton=True), max_iter=3)
    with pytest.warns(HypergradWarning, match="linear system .* was not solved to tolerance"):
        search.fit(*wine)


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


def test_a_momentum_has_no_gradient_at_the_first_step(wine):
    # Before it the velocity is zero; the gradient at the second one has not exploded.
    grid = {"momentum": Continuous(0.01, 0.99)}
    search = search_of(grid, "real_time", max_iter=60).fit(*wine)
    assert search.history_["gradient_norm"][0] == 0
    found, start = (row["momentum"] for row in search.cv_results_["params"])
    assert abs(found - start) > 0.01


def interrupted(search, monkeypatch, wine, n_calls):
    """The search, fitted, with Ctrl-C at a call of its objective."""
    call, counted = OnlineObjective.__call__, []

    def pressed(objective, theta):
        counted.append(theta)
        if len(counted) == n_calls:
            raise KeyboardInterrupt
        return call(objective, theta)

    monkeypatch.setattr(OnlineObjective, "__call__", pressed)
    return search.fit(*wine)


@pytest.mark.parametrize("method", [Online("identity"), "real_time"], ids=repr)
def test_losses_on_the_way_are_not_compared_with_fits(wine, method, monkeypatch):
    grid = {"alpha": Continuous(1e-9, 10.0)}
    with pytest.warns(HypergradWarning) as caught:
        search = interrupted(search_of(grid, method), monkeypatch, wine, 9)
    assert search.stopping_reason_.startswith("interrupted after 8 of at most ")
    # No other warning, though these are far from each other.
    assert [str(warning.message) for warning in caught] == search.remarks_
    assert len(search.remarks_) == 1
    found = -search.cv_results_["mean_test_score"][0]
    assert abs(found - min(search.history_["loss"])) > 0.01 * found


def test_a_last_step_that_diverged_says_nothing_of_what_was_found(wine):
    objective = objective_of(wine, {"learning_rate_init": Continuous(1e-3, 1e99)}, "real_time")
    theta = np.log([0.1])
    objective(theta)
    assert objective(theta + 200)[0] == np.inf
    objective.take_back()
    assert objective.records[-1].statuses == (Status.DIVERGED,)
    assert set(objective.final(theta).statuses) == {Status.CONVERGED}
    assert objective.final(theta + 200).statuses == (Status.DIVERGED,)


def replayed_of(**params):
    small = {"hidden_layer_sizes": 4, "max_iter": 40, "batch_size": 20, "random_state": 0}
    return SklearnMLPClassifier(**{**small, "learning_rate_init": 0.1, **params})


STALLED = {"tol": 0.1, "n_iter_no_change": 2}
COURSES = pytest.mark.parametrize(
    "params",
    [{}, STALLED, {"solver": "sgd", "learning_rate": "adaptive", **STALLED}],
    ids=["all epochs", "stalled", "adaptive"],
)


@COURSES
@pytest.mark.parametrize("method", [Online("identity"), RealTime()], ids=repr)
@pytest.mark.thorough
def test_networks_of_scikit_learn_are_trained_once_and_as_long(wine, method, params):
    model = replayed_of(**params)
    objective = objective_of(wine, {"alpha": Continuous()}, method, model=model, max_iter=2, cv=2)
    theta = np.log([1e-4])
    # As many steps as the fits take, which may be fewer than max_iter says; two calls are even.
    first, last = objective(theta)[0], objective(theta)[0]
    n_steps = [term.problem.run({"alpha": 1e-4}).n_steps for term in objective.terms]
    taken = [session.t for session in objective._sessions]
    assert np.abs(np.subtract(taken, n_steps)).max() <= 1
    assert (min(n_steps) < 40 * 3) == bool(params)
    assert first != last
    if taken == n_steps:
        assert_allclose(last, objective.final(theta).value, rtol=1e-9)
    # Beyond the end it goes on.
    assert np.isfinite([objective(theta)[0] for _ in range(3)]).all()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning")
def test_networks_of_scikit_learn_are_tuned(wine):
    grid = {"learning_rate_init": Continuous(1e-4, 1.0), "alpha": Continuous(1e-6, 1.0)}
    model = replayed_of(learning_rate_init=1e-3)
    search = search_of(grid, "real_time", model).fit(*wine)
    found, start = search.cv_results_["mean_test_score"]
    assert found > start
    assert type(search.best_estimator_) is SklearnMLPClassifier


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_network_of_scikit_learn_that_diverges_at_the_start_says_so(wine):
    model = replayed_of(solver="sgd", activation="relu", learning_rate_init=1e30, **STALLED)
    with pytest.raises(ValueError, match="MLPClassifier diverges where the search starts"):
        search_of({"alpha": Continuous()}, "online", model).fit(*wine)


class OwnNetwork(DifferentiableClassifier):
    """One hidden layer, written by a user."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    dynamics, batch_size = Momentum(), 20

    def __init__(self, alpha=1e-4, learning_rate_init=0.02, momentum=0.5, n_steps=12):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.n_steps = n_steps

    def initial(self, X, y, rng):
        return [rng.normal(size=(X.shape[1], 4)) / 4, rng.normal(size=(4, y.shape[1])) / 2]

    def forward(self, w, X, h):
        return anp.dot(anp.tanh(anp.dot(X, w[0])), w[1])

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * sum(anp.sum(part**2) for part in w)


@pytest.mark.parametrize(
    ("grid", "method"),
    [({"alpha": Continuous(1e-6, 10.0)}, Online("identity")), (RATES, RealTime())],
    ids=["online", "real time"],
)
def test_own_models_are_tuned_alike_on_any_number_of_threads(wine, grid, method):
    histories = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            search = search_of(grid, method, OwnNetwork(), max_iter=4, cv=2).fit(*wine)
        histories.append(np.asarray(search.history_["loss"]))
    assert_array_equal(*histories)
    assert np.unique(histories[0]).size == 5


def test_fresh_draws_are_refused_with_an_alternative(wine):
    for method in ("online", "real_time"):
        with pytest.raises(ValueError, match="resample='fresh' draws .* trains once.*'reverse'"):
            search_of(PENALTIES, method, resample="fresh").fit(*wine)


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
