"""Ridge and logistic regression by gradient descent, where it has converged."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible, Truncated
from sklearn_hypergrad.linear_model import Ridge as VectorRidge
from sklearn_hypergrad.losses import LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import GramRidge, L2Penalty, LinearProblem
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives as objectives
from sklearn_hypergrad.training import GradientDescent, Training, training_of

DESCENT = GradientDescent(400, momentum=0.75)
METHODS = [m(descent=DESCENT) for m in (Reverse, Reversible, Forward)]
METHODS += [Reverse(20, descent=DESCENT), Truncated(200, descent=DESCENT)]
H = {"h": np.array(2.0)}


def problem_of(make_block, family):
    kind = {"ridge": "regression", "logistic": "binary"}.get(family, family)
    block, penalty = make_block(kind, weighted=True), L2Penalty("h")
    if family == "ridge":
        return GramRidge(block, penalty, fit_intercept=True)
    loss = {"logistic": LogisticLoss(), "multinomial": MultinomialLoss()}[family]
    return LinearProblem(block, penalty, loss, fit_intercept=True)


@pytest.fixture(params=["ridge", "logistic", "multinomial"])
def problem(make_block, request):
    return problem_of(make_block, request.param)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descends_to_the_minimum_of_all_splits(problem, momentum):
    training = GradientDescent(2000, momentum=momentum).training(problem, H)
    w = training.problem.shaped(training.run(H).final().w)
    assert_allclose(w, problem.solve(H, None, 1e-13).w, rtol=0, atol=1e-7)
    assert np.abs(w).max() > 0.1


def test_the_learning_rate_is_in_units_of_the_curvature(problem):
    zero = problem.start()
    units = np.eye(zero.size)
    dense = np.reshape([problem.hvp(zero, H, u.reshape(zero.shape)) for u in units], units.shape)
    largest = np.linalg.eigvalsh(dense)[-1]
    rate = GradientDescent(learning_rate=0.5).training(problem, H).settings["learning_rate_init"]
    # From below, with a margin of a tenth.
    assert 0.5 / 1.1 <= rate * largest < 0.5 / 1.1 * 1.05


def test_training_of(problem):
    training = training_of(problem, H, GradientDescent(7))
    assert (training.n_steps, training.settings["momentum"]) == (7, 0.9)
    assert isinstance(training, Training)
    assert training_of(training, H, None) is training
    with pytest.raises(TypeError, match="str cannot be trained step by step"):
        training_of("ridge", H, None)


def test_repr():
    assert repr(DESCENT) == "GradientDescent(n_steps=400, learning_rate=1.0, momentum=0.75)"


def diabetes(kind):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:80, :6] / X.std(axis=0)[:6], y[:80] / y.std()
    return X, y if kind == "regression" else y > np.median(y)


def search_of(kind, method):
    searched = {
        "regression": (Ridge(), {"alpha": [0.1, 1e3]}),
        "classification": (LogisticRegression(), {"C": [1e-3, 10]}),
    }
    return HypergradSearchCV(*searched[kind], hypergradient=method, cv=2)


@pytest.mark.parametrize("theta", [0.0, 2.0])
@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("kind", ["regression", "classification"])
@pytest.mark.thorough
def test_converged_training_is_implicit_differentiation(kind, method, theta):
    records = []
    for each in ("implicit", method):
        (objective,) = objectives(search_of(kind, each), *diabetes(kind))
        objective.tol = 1e-12
        records.append(objective.record([theta]))
    implicit, trained = records
    assert_allclose(trained.value, implicit.value, rtol=1e-9)
    assert_allclose(trained.gradient, implicit.gradient, rtol=1e-5)


# They take a thousand steps. That of large targets is reversible.
BY_NAME = [pytest.param(name, marks=pytest.mark.thorough) for name in ("reverse", "reversible")]


@pytest.mark.parametrize("method", [*BY_NAME, METHODS[0], METHODS[2], METHODS[4]], ids=str)
def test_searches_find_the_same_penalty(method):
    found = [search_of("regression", m).fit(*diabetes("regression")) for m in ("implicit", method)]
    implicit, trained = (search.best_params_["alpha"] for search in found)
    assert 0.2 < implicit < 500
    assert_allclose(trained, implicit, rtol=1e-2)
    assert "Ridge is trained by gradient descent" in found[1].hypergradient_


def test_large_targets_can_be_reversed():
    X, y = diabetes("regression")
    method = Reversible(descent=GradientDescent(150, momentum=0.75))
    found = [search_of("regression", m).fit(X, 1e5 * y) for m in ("implicit", method)]
    assert_allclose(*(search.best_params_["alpha"] for search in found), rtol=1e-2)


def test_a_vector_of_penalties():
    records, theta = [], np.linspace(0, 1, 6)
    grid = {"alpha": Continuous(0.1, 1e3, per="feature")}
    for method in ("implicit", METHODS[0]):
        search = HypergradSearchCV(VectorRidge(), grid, hypergradient=method, search_cv=2)
        (objective,) = objectives(search, *diabetes("regression"))
        objective.tol = 1e-12
        records.append(objective.record(theta))
    assert len(records[0].gradient) == 6
    assert_allclose(records[1].gradient, records[0].gradient, rtol=1e-5)
