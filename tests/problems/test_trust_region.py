"""Minimisation of losses that are hard in one way or another."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.problems import AutogradProblem, Status
from sklearn_hypergrad.problems.autograd import trust_region

pytestmark = pytest.mark.portable
EPS = np.finfo(float).eps
# What is asked of the solver.
TOL = 1e-11
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)) * np.logspace(-3, 3, 6)
M = RNG.normal(size=(8, 7))


def rosenbrock(w, h):
    return anp.sum(100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2)


def factorisation(w, h):
    return anp.sum((w[0] @ w[1] - M) ** 2) + 0.1 * (anp.sum(w[0] ** 2) + anp.sum(w[1] ** 2))


LOSSES = {
    "curved valley": (rosenbrock, -np.ones(8)),
    "curved valley, large": (lambda w, h: 1e8 * rosenbrock(w, h), -np.ones(8)),
    "curved valley, small": (lambda w, h: 1e-8 * rosenbrock(w, h), -np.ones(8)),
    "curved valley, high up": (lambda w, h: 1e6 + rosenbrock(w, h), -np.ones(8)),
    "curved valley, from afar": (rosenbrock, np.full(8, 1e3)),
    "units": (lambda w, h: anp.sum((X @ w - 1) ** 2) + 1e-3 * anp.sum(w**2), np.zeros(6)),
    "saddles": (factorisation, [RNG.normal(size=(8, 3)), RNG.normal(size=(3, 7))]),
    "saddles, from nearby": (
        factorisation,
        [1e-6 * RNG.normal(size=(8, 3)), 1e-6 * RNG.normal(size=(3, 7))],
    ),
    "flat": (lambda w, h: anp.sum((w - 2.0) ** 4), np.zeros(3)),
    "explosion": (lambda w, h: anp.sum(anp.exp(10 * w) - 3 * w) + anp.sum(w**2), np.full(4, 5.0)),
    "at its minimum": (lambda w, h: anp.sum(w**2), np.zeros(3)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_minima_are_found(name):
    loss, start = LOSSES[name]
    problem = AutogradProblem(loss, start)
    solution = problem.solve({}, None, TOL)
    assert solution.status is Status.CONVERGED
    products = problem.products(solution.w, {})
    hessian = np.array([products(unit) for unit in np.eye(solution.w.size)])
    assert np.linalg.eigvalsh(hessian)[0] >= -1e-9 * np.abs(hessian).max()
    # What may be left is TOL times the first gradient or, where that is out of proportion, times
    # DISPROPORTION |H (w - start)|; sums of n terms round a gradient by n EPS |H| |w|. A Newton
    # step is that over the smallest curvature: the minimum is as near as the conditioning allows.
    begin = np.concatenate([np.ravel(part) for part in start])
    first = np.linalg.norm(problem.gradient(begin, {}))
    way = np.linalg.norm(hessian @ (solution.w - begin))
    left = TOL * min(first, trust_region.DISPROPORTION * way)
    noise = begin.size * EPS * np.linalg.norm(np.abs(hessian) @ np.abs(solution.w))
    assert np.linalg.norm(problem.gradient(solution.w, {})) <= left + noise
    if name == "flat":
        assert_allclose(solution.w, 2.0, rtol=1e-6)


def test_no_minimum_in_so_many_steps(monkeypatch):
    monkeypatch.setattr(trust_region, "MAX_NEWTON", 3)
    monkeypatch.setattr(trust_region, "MAX_LBFGS", 3)
    solution = AutogradProblem(rosenbrock, -np.ones(8)).solve({}, None, 1e-8)
    assert solution.status is Status.INNER_NOT_CONVERGED
    assert solution.n_solves == 4


def test_a_tolerance_that_rounding_does_not_allow():
    solution = AutogradProblem(lambda w, h: anp.sum(anp.cosh(w - 1.0)), np.zeros(3)).solve(
        {}, None, 1e-30
    )
    assert solution.status is Status.CONVERGED
    assert_allclose(solution.w, 1.0, rtol=1e-14)


@pytest.mark.parametrize("radius", [0.1, 1e3])
def test_what_the_model_predicts_is_the_decrease_of_a_quadratic(radius):
    curvatures, slope = np.array([1.0, 3.0, 10.0]), np.array([1.0, -2.0, 0.5])
    descent = trust_region.TrustRegion(None, None, np.linalg.norm(slope), TOL)
    step, decrease = descent._step(lambda v: curvatures * v, slope, radius)
    assert np.linalg.norm(step) <= radius * (1 + 1e-12)
    assert_allclose(decrease, -(slope @ step + 0.5 * step @ (curvatures * step)), rtol=1e-12)


def test_steps_end_at_the_boundary():
    for direction in ([1.0, 0.5], [-1.0, -0.5], [-0.4, 1.0]):
        step = np.array([1.0, 1.0])
        length = trust_region._to_boundary(step, np.array(direction), 2.0)
        assert length > 0
        assert_allclose(np.linalg.norm(step + length * np.array(direction)), 2.0)
