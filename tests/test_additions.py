"""One addition of every kind, made here: nothing in the package has to know about it."""

import autograd.numpy as anp
import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import ParameterGrid, cross_val_score
from sklearn.utils.validation import validate_data

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.adapters import Hyperparameter, LinearFamily, LinearModel, family
from sklearn_hypergrad.adapters.base import RegressorFamily
from sklearn_hypergrad.adapters.ridge import RidgeFamily
from sklearn_hypergrad.differentiable import DifferentiableRegressor
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.inspection import CurveDisplay
from sklearn_hypergrad.linalg import InverseHessian, Solved
from sklearn_hypergrad.linear_model import Ridge as VectorRidge
from sklearn_hypergrad.losses import TrainedFromZero
from sklearn_hypergrad.optimizers import Minimum, Optimizer
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    L2Penalty,
    LinearProblem,
    ValidationLoss,
)
from sklearn_hypergrad.training.dynamics import Dynamics, State

VECTOR = {"alpha": Continuous(per="feature")}


@pytest.fixture
def diabetes(data):
    X, y = data("diabetes")
    return X, (y - y.mean()) / y.std()


# A convex family: least squares with another name of the penalty, and a loss of its own.


class QuarticLoss(TrainedFromZero):
    """``(z - y)^2 / 2 + (z - y)^4 / 12``: convex, and steeper far out."""

    shift_invariant = False

    def value(self, y, z):
        r = z - y
        return r**2 / 2 + r**4 / 12

    def gradient(self, y, z):
        r = z - y
        return r + r**3 / 3

    def factor(self, y, z):
        return 1 + (z - y) ** 2

    def evaluate(self, y, z):
        return self.value(y, z), self.gradient(y, z), 1 + (z - y) ** 2

    def hvp(self, factor, v):
        return factor * v

    def diagonal(self, factor):
        return factor


class QuarticRegressor(RegressorMixin, BaseEstimator):
    def __init__(self, strength=1.0):
        self.strength = strength

    def fit(self, X, y):
        X, y = validate_data(self, X, y, y_numeric=True)
        Z = np.column_stack([X, np.ones(len(X))])
        penalty, w = np.r_[np.full(X.shape[1], self.strength), 0.0], np.zeros(Z.shape[1])
        for _ in range(50):
            _, slope, factor = QuarticLoss().evaluate(y, Z @ w)
            hessian = Z.T @ (factor[:, None] * Z) + np.diag(penalty)
            w = w - np.linalg.solve(hessian, Z.T @ slope + penalty * w)
        self.coef_, self.intercept_ = w[:-1], w[-1]
        return self

    def predict(self, X):
        return validate_data(self, X, reset=False) @ self.coef_ + self.intercept_


class QuarticFamily(RegressorFamily, LinearFamily):
    estimator_class = QuarticRegressor
    hyperparameters = {"strength": Hyperparameter(regularizes=1)}

    def model(self, estimator, data, entries, seed):
        penalty = L2Penalty("strength", entries=entries["strength"])
        problem = LinearProblem(data, penalty, QuarticLoss(), fit_intercept=True)
        return LinearModel(problem, data)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = QuarticRegressor(estimator.strength)
        fitted.coef_, fitted.intercept_ = coef[0], intercept[0]
        fitted.n_features_in_ = coef.shape[1]
        return fitted


@family.register
def _(estimator: QuarticRegressor):
    return QuarticFamily()


def test_a_convex_family(diabetes):
    search = HypergradSearchCV(QuarticRegressor(), {"strength": [1e-2, 1e4]}, cv=3)
    assert check_hypergradient(search, *diabetes).max() < 1e-6
    search.fit(*diabetes)
    model = QuarticRegressor(**search.best_params_)
    assert search.best_score_ == pytest.approx(cross_val_score(model, *diabetes, cv=3).mean())
    near = [search.best_params_["strength"] * factor for factor in (0.9, 1.1)]
    scores = [cross_val_score(QuarticRegressor(s), *diabetes, cv=3).mean() for s in near]
    # The loss is flat there: it changes in the ninth digit.
    assert search.best_score_ >= max(scores) - 1e-8
    # A score without gradient judges what was visited.
    search.set_params(scoring="neg_median_absolute_error").fit(*diabetes)
    assert len(search.cv_results_["params"]) >= 2


class PenalisedTwice(Ridge):
    """A class of somebody else, whose family declares two hyperparameters."""

    def __init__(self, alpha=1.0, beta=1.0):
        super().__init__(alpha)
        self.beta = beta


class OnePenalty(RidgeFamily):
    estimator_class = PenalisedTwice
    hyperparameters = {"alpha": Hyperparameter(1), "beta": Hyperparameter(1)}


class TakesNoOwnValue(OnePenalty):
    def model(self, estimator, data, entries, seed):
        return super().model(estimator, data, {"alpha": None}, seed)


@pytest.mark.parametrize(
    ("own_family", "names", "message"),
    [
        (OnePenalty, ["alpha", "beta"], "one penalty, and alpha and beta are to be tuned together"),
        (TakesNoOwnValue, ["beta"], "TakesNoOwnValue needs the hyperparameter alpha, which is not"),
    ],
)
def test_two_hyperparameters_that_a_family_has_no_model_for(own_family, names, message, diabetes):
    @family.register
    def _(estimator: PenalisedTwice):
        return own_family()

    grid = {name: Continuous() for name in names}
    with pytest.raises(ValueError, match=f"Cannot tune '{', '.join(names)}'.*{message}"):
        HypergradSearchCV(PenalisedTwice(), grid, cv=3).fit(*diabetes)


def test_lists_that_a_family_has_no_model_for_are_enumerated(diabetes):
    @family.register
    def _(estimator: PenalisedTwice):
        return OnePenalty()

    grid = {"alpha": [1.0, 10.0], "beta": [1.0, 10.0]}
    search = HypergradSearchCV(PenalisedTwice(), grid, cv=3).fit(*diabetes)
    assert search.cv_results_["params"] == list(ParameterGrid(grid))
    assert "Tune one of them and fix the others" in search.hypergradient_


# A validation loss: a class, and one row with all that is known about it.


class LogCosh:
    """``log(cosh(z - y))``."""

    def value(self, y, z):
        return np.logaddexp(z - y, y - z) - np.log(2)

    def gradient(self, y, z):
        return np.tanh(z - y)


def mean_log_cosh(y, z):
    return float(np.mean(LogCosh().value(y, z)))


@pytest.fixture
def log_cosh(monkeypatch):
    row = ValidationLoss("log_cosh", LogCosh(), label="mean log-cosh", metric=mean_log_cosh)
    monkeypatch.setitem(VALIDATION_LOSSES, "log_cosh", row)
    return make_scorer(mean_log_cosh, greater_is_better=False)


@pytest.mark.filterwarnings("ignore:.*not converged:sklearn_hypergrad.HypergradWarning")
def test_a_validation_loss(diabetes, log_cosh):
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-2, 1e4]}, cv=3, scoring=log_cosh)
    assert check_hypergradient(search, *diabetes).max() < 1e-6
    search.fit(*diabetes)
    assert search.validation_loss_ == "log_cosh"
    assert min(search.history_["loss"]) == pytest.approx(-search.best_score_, rel=1e-9)
    # Everything that shows a loss knows this one.
    assert "log_cosh on 3 splits of cv" in str(search.report())
    assert "mean log-cosh" in CurveDisplay.from_search(search).label
    # So does what a vector needs: its scale as a likelihood.
    vector = HypergradSearchCV(VectorRidge(), VECTOR, cv=3, scoring=log_cosh, max_iter=3)
    assert vector.fit(*diabetes).validation_loss_ == "log_cosh"


# An optimizer.


class Steepest(Optimizer):
    """Steepest descent with halved steps."""

    def __init__(self):
        self.sizes, self.facts = [], []

    def minimize(self, fun, z0, bounds, *, tol, max_iter, **facts):
        self.sizes.append(len(z0))
        self.facts.append(facts)
        (low, high), z = np.asarray(bounds).T, z0
        value, gradient = fun(z)
        step = 1.0 / max(1.0, np.abs(gradient).max())
        for _ in range(max_iter):
            moved = np.clip(z - step * gradient, low, high)
            new, slope = fun(moved)
            if new < value:
                z, value, gradient = moved, new, slope
            else:
                step *= 0.5
        return Minimum(z, True, "as far as it went")


def test_an_optimizer(diabetes):
    optimizer = Steepest()
    search = HypergradSearchCV(VectorRidge(), VECTOR, cv=3, optimizer=optimizer, max_iter=5)
    search.fit(*diabetes)
    # It moves the one value for all and the vector, whose values are log likelihoods.
    assert optimizer.sizes[0] == 1
    assert optimizer.sizes[-1] == 21
    assert optimizer.facts[-1] == {"likelihood": True}
    assert "as far as it went" in search.stopping_reason_


# An inverse Hessian.


class Dense(InverseHessian):
    """Forms the Hessian of every system, column by column."""

    def __repr__(self):
        return "Dense()"

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        columns = []
        for number in range(right.size):
            unit = np.zeros(right.size)
            unit[number] = 1.0
            columns.append(hvp(unit.reshape(right.shape)).ravel())
        solution = np.linalg.solve(np.column_stack(columns), right.ravel())
        return Solved(solution.reshape(right.shape), residual=0.0)


def test_an_inverse_hessian(diabetes):
    grid = {"alpha": [1e-2, 1e4]}
    search = HypergradSearchCV(Ridge(), grid, cv=3, hypergradient=Implicit(Dense()))
    assert check_hypergradient(search, *diabetes).max() < 1e-6
    search.fit(*diabetes)
    usual = HypergradSearchCV(Ridge(), grid, cv=3).fit(*diabetes)
    assert search.best_params_["alpha"] == pytest.approx(usual.best_params_["alpha"], rel=1e-6)
    assert search.hypergradient_.startswith("alpha: Implicit(solver=Dense())")


# Dynamics.


class PlainDescent(Dynamics):
    """``w' = w - learning_rate g``: nothing but the weights."""

    names = ("learning_rate_init",)
    n_slots = 0
    irreversible = "what a step rounds away is lost"

    def __repr__(self):
        return "PlainDescent()"

    def step(self, state, g, rates, t, out):
        np.subtract(state.w, rates["learning_rate_init"] * g, out=out.w)

    def pull(self, before, after, g, rates, t, adjoint, add):
        add("learning_rate_init", adjoint.w, g, -1.0)
        return -rates["learning_rate_init"] * adjoint.w

    def push(self, before, after, g, rates, t, tangent, g_tangent, rate_tangents):
        moved = rate_tangents.get("learning_rate_init", 0.0) * g
        return State(tangent.w - rates["learning_rate_init"] * g_tangent - moved, ())


class Descended(DifferentiableRegressor):
    """Least squares, trained by plain descent."""

    dynamics = PlainDescent()
    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}

    def __init__(self, alpha=0.1, learning_rate_init=0.1, n_steps=10, batch_size=None):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.n_steps = n_steps
        self.batch_size = batch_size

    def initial(self, X, y, rng):
        return np.zeros(X.shape[1])

    def forward(self, w, X, h):
        return anp.dot(X, w)

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * anp.sum(w**2)


@pytest.mark.parametrize("method", ["reverse", "forward"])
def test_dynamics(diabetes, method):
    grid = {"alpha": Continuous(), "learning_rate_init": Continuous()}
    search = HypergradSearchCV(Descended(), grid, cv=2, hypergradient=method, max_iter=2)
    assert check_hypergradient(search, *diabetes, n_points=2).max() < 1e-6
    assert "PlainDescent" not in str(search.fit(*diabetes).stopping_reason_)


def test_dynamics_that_cannot_be_undone_say_so(diabetes):
    search = HypergradSearchCV(Descended(), {"alpha": Continuous()}, hypergradient="reversible")
    with pytest.raises(ValueError, match="what a step rounds away is lost"):
        search.fit(*diabetes)
