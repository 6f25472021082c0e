"""Derivatives of the weights in a single hyperparameter, and starts that follow from them."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad import losses
from sklearn_hypergrad.hypergradients import Implicit, WarmStart
from sklearn_hypergrad.hypergradients.base import Tangent
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    L2Penalty,
    LinearProblem,
    PredictionLoss,
    Status,
)

TOL = 1e-13
LOSSES = {"binary": losses.LogisticLoss(), "multinomial": losses.MultinomialLoss()}


def linear(block, kind, entries=None):
    penalty = L2Penalty("h", inverse=True, entries=entries)
    problem = LinearProblem(block, penalty, LOSSES[kind], fit_intercept=True)
    problem.follows = True
    return problem, PredictionLoss(problem, block, VALIDATION_LOSSES["log_loss"])


def followed(problem, outer, h, factor=1.0):
    """Value, and its derivative in log(h) along the weights, times a factor."""
    fitted = Implicit().fit(problem, {"h": h}, None, TOL)
    values, grad_w, _ = outer(fitted.w, {"h": h})
    pulled = fitted.along(grad_w)
    assert pulled.statuses == (Status.CONVERGED,)
    assert pulled.gradient["h"].shape == h.shape
    return values.sum(), factor * float(np.sum(pulled.gradient["h"] * h)), pulled.state


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("value", [0.1, 3.0])
def test_the_derivative_along_the_weights_is_that_of_the_adjoint(
    make_block, five_point, kind, thin, value
):
    problem, outer = linear(make_block(kind, thin=thin, weighted=True), kind)
    h = np.array(value)
    _, slope, state = followed(problem, outer, h)
    evaluation = Implicit().evaluate(problem, outer, {"h": h}, None, TOL)
    assert_allclose(slope, evaluation.gradient["h"] * h, rtol=1e-8)
    expected = five_point(lambda s: followed(problem, outer, h * np.exp(s))[0], 1e-2)
    assert_allclose(slope, expected, rtol=1e-6)
    with pytest.raises(AssertionError):
        assert_allclose(followed(problem, outer, h, 1.001)[1], expected, rtol=1e-6)
    weights = five_point(lambda s: problem.solve({"h": h * np.exp(s)}, None, TOL).w, 1e-2)
    assert state.tangent.place == np.log(value)
    assert_allclose(state.tangent.slope, weights, rtol=1e-5, atol=1e-6 * np.abs(weights).max())


@pytest.mark.parametrize(
    ("method", "h", "follows"),
    [
        (Implicit(), np.ones(5), True),
        (Implicit(), np.array(0.0), True),
        (Implicit("cg"), np.array(1.0), True),
        (Implicit(gauss_newton=True), np.array(1.0), True),
        (Implicit(), np.array(1.0), False),
    ],
)
def test_others_are_not_followed(make_block, method, h, follows):
    block = make_block("binary")
    entries = np.arange(5)[:, None] if h.size > 1 else None
    penalty = L2Penalty("h", entries=entries)
    problem = LinearProblem(block, penalty, LOSSES["binary"], fit_intercept=True)
    problem.follows = follows
    assert method.fit(problem, {"h": h}, None, 1e-6).along is None


def cubic(place):
    """Weights that are cubic polynomials of the place, and their slopes."""
    rng = np.random.default_rng(0)
    powers = rng.normal(size=(4, 3, 2))
    w = sum(p * place**k for k, p in enumerate(powers))
    slope = sum(k * p * place ** (k - 1) for k, p in enumerate(powers) if k)
    return WarmStart(WarmStart.at(w).solution, None, Tangent(place, slope))


def test_weights_between_two_solutions_are_those_of_a_cubic():
    left, right = cubic(-1.0), cubic(2.0)
    start = left.between(left, right, 0.7)
    assert_allclose(start.solution.w, cubic(0.7).solution.w, rtol=1e-12)
    assert_allclose(start.tangent.slope, cubic(0.7).tangent.slope, rtol=1e-12)
    assert start.tangent.place == 0.7
    wrong = dataclasses.replace(right, tangent=Tangent(2.0, 1.001 * right.tangent.slope))
    w = left.between(left, wrong, 0.7).solution.w
    assert not np.allclose(w, cubic(0.7).solution.w, rtol=1e-5)


def test_weights_ahead_lie_in_a_straight_line_if_they_grow_slowly():
    w = np.array([[2.0, -1.0]])
    start = WarmStart(WarmStart.at(w).solution, None, Tangent(0.0, 0.2 * w))
    assert_allclose(start.ahead(3.0).solution.w, 1.6 * w)
    # Neither do they shrink so, nor grow fast.
    assert start.ahead(-1.0) is start
    assert start.ahead(20.0) is start


@pytest.mark.parametrize("kind", LOSSES)
def test_a_start_between_solutions_changes_no_digits_and_saves_work(make_block, kind):
    problem, outer = linear(make_block(kind), kind)
    sides = [followed(problem, outer, np.array(value))[2] for value in (0.5, 1.2)]
    h = {"h": np.array(0.8)}
    start = sides[0].between(*sides, float(np.log(0.8)))
    expected = problem.solve(h, None, TOL).w
    error = np.abs(start.solution.w - expected).max()
    assert error < 0.05 * np.abs(sides[0].solution.w - expected).max()
    solution = problem.solve(h, start.solution, 1e-10)
    assert solution.status is Status.CONVERGED
    assert_allclose(solution.w, expected, rtol=1e-7, atol=1e-9)
    # To the tolerance of a search: an old matrix does not lead to the last digits so fast.
    cold, warm = (problem.solve(h, begun, 1e-6) for begun in (None, start.solution))
    assert warm.n_solves < cold.n_solves
