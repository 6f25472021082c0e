"""Robust linear models with a scale: the solver itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import HuberRegressor

from sklearn_hypergrad.problems import HuberProblem, Status
from sklearn_hypergrad.problems.linear import newton
from sklearn_hypergrad.problems.piecewise import huber
from sklearn_hypergrad.problems.piecewise import newton as piecewise_newton

N = 80


def data(n_features=4, seed=0):
    """Features, targets with outliers, and training weights of two splits."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, n_features)) * rng.uniform(0.2, 3, n_features)
    X[rng.uniform(size=X.shape) < 0.5] = 0.0
    t = rng.uniform(0.5, 2, size=(N, 2)) * (rng.uniform(size=(N, 2)) < 0.8)
    return X, X @ rng.normal(size=n_features) + rng.standard_t(2, size=N) + 5, t


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("thin", [False, True])
def test_solutions_are_minima(fit_intercept, thin):
    X, y, t = data()
    problem = HuberProblem(sparse.csr_array(X) if thin else X, y, t, fit_intercept=fit_intercept)
    solution, rng = None, np.random.default_rng(1)
    for alpha, epsilon in ((100.0, 1.5), (1.0, 1.2), (0.01, 3.0), (0.0, 1.35)):
        solution = problem.solve(alpha, epsilon, solution)
        assert solution.status is Status.CONVERGED
        coefs, intercepts = problem.coefficients(solution.point.u)
        for split, (coef, intercept, sigma) in enumerate(
            zip(coefs[:, 0], intercepts[:, 0], solution.point.sigma, strict=True)
        ):

            def objective(coef, intercept, sigma, t=t[:, split], alpha=alpha, epsilon=epsilon):
                e = np.abs(X @ coef + intercept - y) / sigma
                rho = np.where(e <= epsilon, e**2, 2 * epsilon * e - epsilon**2)
                return np.sum(t * (sigma + sigma * rho)) + alpha * coef @ coef

            least = objective(coef, intercept, sigma)
            assert_allclose(solution.point.value[split], least, rtol=1e-12)
            # The objective is convex, so that no other place is lower.
            for step in 1e-5 * rng.normal(size=(6, X.shape[1] + 2)):
                moved = intercept + step[-2] * fit_intercept
                assert objective(coef + step[:-2], moved, sigma + step[-1]) > least


def test_a_feature_twice_is_no_obstacle():
    X, y, t = data()
    once, twice = (
        HuberProblem(own, y, t, fit_intercept=True).solve(alpha, 1.35)
        for own, alpha in ((X, 0.0), (np.hstack([X, X]), 0.0))
    )
    assert twice.status is Status.CONVERGED
    assert_allclose(twice.point.z, once.point.z, rtol=1e-6)


def test_factors_and_inverses_are_the_same(monkeypatch):
    X, y, t = data()
    problem, G = HuberProblem(X, y, t, fit_intercept=True), np.ones((N, 2))
    found = problem.adjoint(problem.solve(1.0, 1.35), G)[0]
    monkeypatch.setattr(huber, "SMALL", 0)
    assert_allclose(problem.adjoint(problem.solve(1.0, 1.35), G)[0], found, rtol=1e-8)


def test_scikit_learn_makes_no_step_from_a_solution():
    X, y, t = data()
    problem = HuberProblem(X, y, t, fit_intercept=True)
    solution = problem.solve(0.5, 1.3)
    coefs, intercepts = problem.coefficients(solution.point.u)
    for split, weight in enumerate(t.T):
        own = HuberRegressor(alpha=0.5, epsilon=1.3, tol=1e-9, warm_start=True)
        own.coef_, own.intercept_ = coefs[split, 0], intercepts[split, 0]
        own.scale_ = solution.point.sigma[split]
        own.fit(X, y, weight)
        assert own.n_iter_ == 0


def test_starts_change_nothing_but_the_number_of_steps():
    X, y, t = data()
    problem = HuberProblem(X, y, t, fit_intercept=True)
    solution, n_warm, n_cold = None, 0, 0
    for epsilon in np.linspace(3, 1.2, 9):
        solution, cold = problem.solve(1.0, epsilon, solution), problem.solve(1.0, epsilon)
        for found, expected in ((solution.point.u, cold.point.u), (solution.point.z, cold.point.z)):
            assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        n_warm, n_cold = n_warm + solution.n_steps, n_cold + cold.n_steps
    assert n_warm < n_cold
    assert problem.solve(1.0, epsilon, solution).n_steps == 1


def test_an_origin_far_away_costs_no_digits():
    X, y, t = data()
    near, far = (
        HuberProblem(X + origin, y, t, fit_intercept=True).solve(1.0, 1.35)
        for origin in (0.0, 2.0**20)
    )
    assert_allclose(far.point.z, near.point.z, rtol=1e-8)


def test_a_level_of_targets_far_from_zero_costs_neither_digits_nor_steps():
    X, y, t = data()
    level = 2.0**30
    y = (y + level) - level
    near, far = (HuberProblem(X, own, t, fit_intercept=True) for own in (y, y + level))
    expected, found = (problem.solve(1.0, 1.35) for problem in (near, far))
    assert found.n_steps == expected.n_steps
    assert_allclose(found.point.u[:-1], expected.point.u[:-1], rtol=1e-10)
    predicted, intercept = far.predictions(found), far.coefficients(found.point.u)[1]
    assert_allclose(predicted - level, near.predictions(expected), atol=1e-6)
    assert_allclose(intercept - level, near.coefficients(expected.point.u)[1], atol=1e-6)


def test_a_scale_that_goes_to_zero_is_no_solution():
    X, y, t = data(n_features=30)
    problem = HuberProblem(X, y, t, fit_intercept=True)
    assert problem.solve(1e-3, 2.0).status is Status.CONVERGED
    with pytest.raises(np.linalg.LinAlgError, match="the scale of the residuals goes to zero"):
        problem.solve(1e-3, 1.05)
    exact = HuberProblem(X[:, :3], X[:, :3] @ np.ones(3), t, fit_intercept=True)
    with pytest.raises(np.linalg.LinAlgError, match="the scale of the residuals goes to zero"):
        exact.solve(0.0, 1.35)


@pytest.mark.parametrize("epsilon", [1.25, 1.3])
def test_steps_to_a_scale_of_zero_are_no_end(epsilon):
    """64 rows of which 31 may be fitted exactly, with a scale of zero below 1.4: no minimum."""
    X, y, t = data(n_features=30)
    problem = HuberProblem(X, y, t, fit_intercept=True)
    found, start = problem.solve(1e-3, epsilon), None
    for width in np.linspace(1.5, epsilon, 11):
        start = problem.solve(1e-3, width, start)
    assert found.status is start.status is Status.CONVERGED
    assert_allclose(found.point.value, start.point.value, rtol=1e-10)
    assert_allclose(found.point.sigma, start.point.sigma, rtol=1e-6)
    assert np.all(found.point.sigma > 0.1)


def test_small_steps_of_epsilon_find_a_minimum_that_one_step_does_not():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 25))
    y = X[:, :5].sum(axis=1) + rng.standard_t(2, size=60)
    problem = HuberProblem(X, y, np.ones((60, 1)), fit_intercept=True)
    found = problem.solve(1.0, 1.2)
    assert found.status is Status.CONVERGED
    assert_allclose(found.point.sigma, 0.19659, rtol=1e-4)


@pytest.mark.parametrize("above", [5e-4, 2e-3, 2e-2])
def test_minima_are_found_close_to_where_there_are_none(above):
    """Towards a penalty of 1.69874 the scale goes to zero."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(48, 30))
    problem = HuberProblem(X, X[:, 0] + rng.normal(size=48), np.ones((48, 1)), fit_intercept=True)
    found, start = problem.solve(1.69874 * (1 + above), 1.35), None
    for alpha in np.geomspace(3, 1.69874 * (1 + above), 100):
        start = problem.solve(alpha, 1.35, start)
    assert found.status is start.status is Status.CONVERGED
    assert_allclose(found.point.value, start.point.value, rtol=1e-10)
    assert 0 < found.point.sigma < above
    with pytest.raises(np.linalg.LinAlgError):
        problem.solve(1.69874 * (1 - above), 1.35)


def test_what_is_not_solved_says_so(monkeypatch):
    problem = HuberProblem(*data(), fit_intercept=True)
    monkeypatch.setattr(piecewise_newton, "MAX_NEWTON", 2)
    assert problem.solve(1.0, 1.35).status is Status.INNER_NOT_CONVERGED
    monkeypatch.setattr(newton, "MAX_HALVINGS", 0)
    assert problem.solve(1.0, 1.35).status is Status.INNER_NOT_CONVERGED


def test_constant_targets_have_a_scale_to_start_from():
    X, _, t = data()
    with pytest.raises(np.linalg.LinAlgError, match="goes to zero"):
        HuberProblem(X, np.ones(N), t, fit_intercept=True).solve(1.0, 1.35)
