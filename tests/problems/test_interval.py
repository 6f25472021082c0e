"""Linear models that penalise squared distances to intervals: the solver itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sklearn_hypergrad.problems import IntervalProblem, Status
from sklearn_hypergrad.problems.piecewise import active_rows, newton
from sklearn_hypergrad.problems.piecewise.features import Features

N = 60
STEP = 1e-5


def data(n_features, seed=0):
    """Features, training weights of two splits with two outputs, and targets of these."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, n_features)) * rng.uniform(0.2, 3, n_features)
    X[rng.uniform(size=X.shape) < 0.5] = 0.0
    t = rng.uniform(0.5, 2, size=(N, 2, 2)) * (rng.uniform(size=(N, 2, 2)) < 0.8)
    y = (X @ rng.normal(size=(n_features, 4)) + rng.standard_cauchy(size=(N, 4))) / 2
    return X, t, y


def objective(E, t, low, high, C, u):
    """The objective of one problem, as the documentation states it."""
    z = E @ u
    distance = np.maximum(0, np.maximum(z - high, low - z))
    return C * np.sum(t * distance**2) + 0.5 * u @ u


@pytest.mark.parametrize("n_features", [5, 90])
@pytest.mark.parametrize("thin", [False, True])
def test_solutions_are_minima(n_features, thin):
    X, t, y = data(n_features)
    low, high, rng = y - 0.3, y + 0.1, np.random.default_rng(2)
    E = np.column_stack([X, np.full(N, 2.0)])
    # Intervals without an end are those of the squared hinge loss.
    low[:, 1], high[:, 3] = -np.inf, np.inf
    problem = IntervalProblem(sparse.csr_array(X) if thin else X, t, 2.0)
    by_rows = isinstance(problem._hessians, active_rows.HessiansByRows)
    assert by_rows == (n_features > N)
    solution = None
    for C in (0.01, 1.0, 0.1, 100.0):
        solution = problem.solve(low, high, C, solution)
        assert solution.status is Status.CONVERGED
        for number, u in enumerate(solution.point.u.T):
            ends = low[:, number], high[:, number]
            arguments = E, t.reshape(N, 4)[:, number], *ends, C
            least = objective(*arguments, u)
            assert_allclose(solution.point.value[number], least, rtol=1e-12)
            # The objective is convex, so that no other place is lower.
            for step in STEP * rng.normal(size=(5, len(u))):
                assert objective(*arguments, u + step) > least
        coef, intercept = problem.coefficients(solution.point.u)
        found = np.einsum("ip,skp->isk", X, coef) + intercept
        assert_allclose(found.reshape(N, 4), solution.point.z, atol=1e-10)


@pytest.mark.parametrize("n_features", [5, 90])
def test_starts_change_nothing_but_the_number_of_steps(n_features):
    X, t, y = data(n_features)
    problem = IntervalProblem(X, t, 0.0)
    solution, n_warm, n_cold = None, 0, 0
    for width in np.linspace(0.5, 0.1, 9):
        solution = problem.solve(y - width, y + width, 1.0, solution)
        cold = problem.solve(y - width, y + width, 1.0)
        assert_allclose(solution.point.u, cold.point.u, rtol=1e-9, atol=1e-12)
        n_warm, n_cold = n_warm + solution.n_steps, n_cold + cold.n_steps
    assert n_warm < n_cold
    again = problem.solve(y - width, y + width, 1.0, solution)
    assert again.n_steps == 1
    assert all(a is b for a, b in zip(again.hessians, solution.hessians, strict=True))


@pytest.mark.parametrize(("number", "far"), [(2.0, 0.0), (2.0, 2.0**20), (0.0, 0.0)])
def test_splits_with_features_of_their_own(number, far):
    """They are those of problems of their own."""
    X, t, y = data(5)
    X, rng = X + far, np.random.default_rng(3)
    scales, offsets = rng.uniform(0.5, 2, (5, 2)), rng.normal(size=(5, 2)) * bool(number)
    offsets -= far * scales
    together = IntervalProblem(X, t, number, scales, offsets)
    solution, G = together.solve(y - 0.2, y + 0.2, 1.0), rng.normal(size=(N, 4))
    coefs, intercepts = together.coefficients(solution.point.u)
    V, moved = together.adjoint(solution, G)
    for split in range(2):
        columns = slice(2 * split, 2 * split + 2)
        own_X = X * scales[:, split] + offsets[:, split]
        alone = IntervalProblem(own_X, t[:, [split]], number)
        expected = alone.solve(y[:, columns] - 0.2, y[:, columns] + 0.2, 1.0)
        assert_allclose(solution.point.u[:, columns], expected.point.u, rtol=1e-7, atol=1e-9)
        assert_allclose(solution.point.z[:, columns], expected.point.z, rtol=1e-7, atol=1e-9)
        found = alone.adjoint(expected, G[:, columns])
        assert_allclose(V[:, columns], found[0], rtol=1e-6, atol=1e-9)
        assert_allclose(moved[:, columns], found[1], rtol=1e-6, atol=1e-9)
        at_origin = X @ coefs[split].T + intercepts[split]
        assert_allclose(at_origin, expected.point.z, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("thin", [False, True])
def test_gram_matrices_follow_the_active_rows(thin):
    X, t, _ = data(5)
    E, t = sparse.csr_array(X) if thin else X, t.reshape(N, 4)
    features, rng = Features(E, 0.0), np.random.default_rng(1)
    hessians = active_rows.HessiansByFeatures(features, t)
    active = t > 0
    known = hessians.at(active, 1.0)
    # Few rows change, and then most of them.
    for share in (0.05, 0.05, 0.9, 0.05):
        active = (t > 0) & (active ^ (rng.uniform(size=t.shape) < share))
        known = hessians.at(active, 1.0, known)
        for rows, weights, own in zip(active.T, t.T, known, strict=True):
            expected = (X[rows] * weights[rows, None]).T @ X[rows]
            assert_allclose(own.gram.matrix, expected, atol=1e-11)


def test_steps_that_go_too_far_are_halved(monkeypatch):
    X, t, y = data(5)
    problem = IntervalProblem(X, t, 1.0)
    expected = problem.solve(y - 0.1, y + 0.1, 1.0).point.u
    solve, factors = problem._hessians.solve, iter((30.0, 3.0, 3.0))
    monkeypatch.setattr(problem._hessians, "solve", lambda *args: next(factors, 1.0) * solve(*args))
    solution = problem.solve(y - 0.1, y + 0.1, 1.0)
    assert solution.status is Status.CONVERGED
    assert_allclose(solution.point.u, expected, rtol=1e-9, atol=1e-12)


def test_steps_end_where_they_are_rounding():
    X, t, _ = data(5)
    X, y = X + 1e6, X @ np.ones((5, 4)) + np.random.default_rng(2).normal(size=(N, 4))
    problem = IntervalProblem(X, t, 1.0)
    for C in (0.1, 1.0, 10.0):
        solution = problem.solve(y - 0.1, y + 0.1, C)
        assert solution.status is Status.CONVERGED
        assert solution.n_steps < 20


def test_what_is_not_solved_says_so(monkeypatch):
    X, t, y = data(5)
    monkeypatch.setattr(newton, "MAX_NEWTON", 1)
    problem = IntervalProblem(X, t, 1.0)
    assert problem.solve(y, y, 1.0).status is Status.INNER_NOT_CONVERGED
    monkeypatch.setattr(problem._hessians, "solve", lambda known, V: 1e30 * V)
    monkeypatch.setattr(newton, "MAX_NEWTON", 9)
    assert problem.solve(y, y, 1.0).status is Status.INNER_NOT_CONVERGED
