"""Weights that the training loss does not determine: right hypergradients, or a status."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.scipy.special import logsumexp
from numpy.testing import assert_allclose

from sklearn_hypergrad.hypergradients import Implicit, hypergradient
from sklearn_hypergrad.linalg import Neumann
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    GramRidge,
    L2Penalty,
    LinearProblem,
    PredictionLoss,
    SplitData,
    Status,
)

RNG = np.random.default_rng(0)
X, HELD_OUT = RNG.normal(size=(2, 20, 3))
Y, CLASSES = RNG.normal(size=20), np.eye(3)[RNG.integers(3, size=20)]
# The last feature is a copy of the first.
COPIED = X[:, [0, 1, 2, 0]]
SOLVERS = ["auto", "cg", "cholesky", Neumann(2000)]
each_solver = pytest.mark.parametrize("solver", SOLVERS, ids=str)


def ignored(w, h):
    """The last two weights do nothing."""
    return anp.sum((w[:2] - h["t"]) ** 2)


def copied(w, h):
    return anp.mean((anp.dot(COPIED, w) - Y) ** 2) + h["t"] * anp.sum(w[1:3] ** 2)


def shifted(w, h):
    """A common shift of all classes changes nothing."""
    w = w.reshape(3, 3)
    z = anp.dot(X, w)
    loss = anp.mean(logsumexp(z, axis=1) - anp.sum(CLASSES * z, axis=1))
    return loss + h["t"] * anp.sum((w - anp.mean(w, axis=1)[:, None]) ** 2)


def log_loss(w, h):
    z = anp.dot(HELD_OUT, w.reshape(3, 3))
    return anp.mean(logsumexp(z, axis=1) - anp.sum(CLASSES * z, axis=1))


def squares(w, h):
    return anp.mean((anp.dot(HELD_OUT[:, [0, 1, 2, 0]], w) - Y[::-1]) ** 2)


CASES = {
    "ignored": (ignored, lambda w, h: anp.sum((w[:2] - 2) ** 2), 4),
    "copied": (copied, squares, 4),
    "shifted": (shifted, log_loss, 9),
}


def evaluated(inner, outer, n_weights, solver, t=0.5):
    start = np.zeros(n_weights)
    return hypergradient(inner, outer, {"t": t}, start, method=Implicit(solver), tol=1e-10)


def difference(case, t=0.5):
    ends = [evaluated(*case, "auto", t + s).values[0] for s in (-1e-4, 1e-4)]
    return (ends[1] - ends[0]) / 2e-4


@each_solver
@pytest.mark.parametrize("name", CASES)
def test_an_outer_loss_that_does_not_see_them_is_differentiated(name, solver):
    evaluation = evaluated(*CASES[name], solver)
    assert evaluation.statuses == (Status.CONVERGED, Status.CONVERGED)
    assert_allclose(evaluation.gradient["t"], difference(CASES[name]), rtol=1e-6)


@each_solver
@pytest.mark.parametrize("name", CASES)
def test_one_that_does_gets_a_status_and_the_derivative_from_a_fixed_start(name, solver):
    inner, outer, n_weights = CASES[name]
    slopes = np.arange(n_weights) + 1.0
    case = inner, lambda w, h: outer(w, h) + anp.dot(slopes, w), n_weights
    evaluation = evaluated(*case, solver)
    assert evaluation.statuses == (Status.CONVERGED, Status.UNDETERMINED)
    assert_allclose(evaluation.gradient["t"], difference(case), rtol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS[:3], ids=str)
@pytest.mark.parametrize("curvature", [1e-10, 1e-14])
def test_nearly_singular_losses_do_not_count_as_solved(solver, curvature):
    def inner(w, h):
        return (w[0] - h["t"]) ** 2 + curvature * (w[1] - h["t"]) ** 2

    seen = evaluated(inner, lambda w, h: anp.sum((w - 2) ** 2), 2, solver)
    assert np.isfinite(seen.gradient["t"])
    assert seen.statuses[1] in (Status.UNDETERMINED, Status.INNER_NOT_CONVERGED)
    unseen = evaluated(inner, lambda w, h: (w[0] - 2) ** 2, 2, solver)
    assert unseen.statuses[1] is Status.CONVERGED
    assert_allclose(unseen.gradient["t"], -3)


@each_solver
def test_penalties_of_zero_on_copies_are_where_a_minimum_jumps(solver):
    def inner(w, h):
        return anp.mean((anp.dot(COPIED, w) - Y) ** 2) + anp.sum(h["t"] * w**2)

    jumps = evaluated(inner, squares, 4, solver, np.array([0.0, 0, 1, 0]))
    assert jumps.statuses == (Status.CONVERGED, Status.UNDETERMINED)
    regular = evaluated(inner, squares, 4, solver, np.array([0.0, 0, 1, 1]))
    assert regular.statuses == (Status.CONVERGED, Status.CONVERGED)
    ends = [
        evaluated(inner, squares, 4, "auto", np.array([s, 0, 1, 1])).values[0]
        for s in (0, 1e-4, 2e-4)
    ]
    expected = (-3 * ends[0] + 4 * ends[1] - ends[2]) / 2e-4
    assert_allclose(regular.gradient["t"][0], expected, rtol=1e-5)


def data_of(features):
    rows = np.split(np.arange(20), 2)
    weights = [np.ones(10)] * 2
    return SplitData(features, Y[:, None], rows, rows[::-1], weights, np.ones(20))


def ridge(features, kind):
    block, penalty = (
        data_of(features),
        L2Penalty("h", entries=np.arange(features.shape[1])[:, None]),
    )
    if kind == "gram":
        problem = GramRidge(block, penalty, fit_intercept=True)
    else:
        problem = LinearProblem(block, penalty, HalfSquaredError(), fit_intercept=True)
    return problem, PredictionLoss(problem, block, VALIDATION_LOSSES["squared_error"])


@pytest.mark.parametrize("solver", SOLVERS[:3], ids=str)
@pytest.mark.parametrize("kind", ["gram", "newton"])
@pytest.mark.parametrize(
    ("features", "strengths", "status"),
    [
        (X, [0.0, 0, 1], "CONVERGED"),
        (COPIED, [0.0, 1, 1, 0], "UNDETERMINED"),
        (COPIED, [0.0, 1, 1, 1], "CONVERGED"),
        # A feature that is constant in one training part only.
        (np.c_[X, np.where(np.arange(20) < 10, 0, Y)], [1.0, 1, 1, 0], "UNDETERMINED"),
    ],
    ids=["regular", "copied", "copied once", "constant"],
)
def test_coefficients_without_a_penalty(features, strengths, status, kind, solver):
    problem, outer = ridge(features, kind)
    h = {"h": np.array(strengths)}
    evaluation = Implicit(solver).evaluate(problem, outer, h, None, 1e-10)
    assert evaluation.statuses == (Status.CONVERGED, Status[status])
    assert np.isfinite(evaluation.gradient["h"]).all()
    if status == "CONVERGED":
        up = np.array([1.0, 2, 3, 4])[: len(strengths)]
        ends = [problem.solve({"h": h["h"] + s * up}, None, 1e-12).w for s in (0, 1e-4, 2e-4)]
        start, middle, end = (outer(w, h)[0].sum() for w in ends)
        expected = (-3 * start + 4 * middle - end) / 2e-4
        assert_allclose(evaluation.gradient["h"] @ up, expected, rtol=1e-5)
