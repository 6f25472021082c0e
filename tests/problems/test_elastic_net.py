"""Least squares with an L1 and an L2 penalty: forms of the data, and many penalties at once."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sklearn_hypergrad.hypergradients import Implicit, WarmStart
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    DenseGram,
    ElasticNetPenalty,
    ElasticNetProblem,
    MultiTaskProblem,
    PredictionLoss,
    QuadraticLoss,
    SplitData,
    Status,
    exchange,
)
from sklearn_hypergrad.problems.sparse import minimisers, training_sums
from sklearn_hypergrad.problems.sparse.exchange_many import exchange_many

H = {"alpha": 0.15, "l1_ratio": 0.7}
PENALTY = ElasticNetPenalty("alpha", H)
LOSS = VALIDATION_LOSSES["squared_error"]


def split_data(n=40, p=9, n_outputs=2, *, scales=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)) + 1.0
    X[rng.uniform(size=X.shape) < 0.4] = 0.0
    parts = np.array_split(rng.permutation(n), 3)
    return SplitData(
        X=X,
        y=X[:, :3] @ rng.normal(size=(3, n_outputs)) + rng.normal(size=(n, n_outputs)) + 3,
        trains=[np.setdiff1d(np.arange(n), test) for test in parts[:2]],
        tests=parts[:2],
        weights=[rng.uniform(0.5, 2.0, n - len(test)) for test in parts[:2]],
        score_weight=np.ones(n),
        scales=rng.uniform(0.5, 2.0, (p, 2)) if scales else None,
    )


def evaluated(data, h=H, method=None, *, fit_intercept=True, make=ElasticNetProblem):
    problem = make(data, PENALTY, fit_intercept=fit_intercept)
    outer = PredictionLoss(problem, data, LOSS)
    return (method or Implicit()).evaluate(problem, outer, h, None, 1e-12)


@pytest.fixture
def by_rows(monkeypatch):
    """Columns are formed on demand, whatever their number."""
    monkeypatch.setattr(training_sums, "MOST_FEATURES", 0)
    monkeypatch.setattr(training_sums, "MOST_WIDE", 0)


@pytest.fixture
def one_by_one(monkeypatch):
    """No problems advance together."""
    monkeypatch.setattr(minimisers, "MOST_TOGETHER", 0)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("scales", [True, False])
def test_columns_on_demand_change_nothing(scales, fit_intercept, request):
    data = split_data(scales=scales)
    expected = evaluated(data, fit_intercept=fit_intercept)
    assert 0 < np.mean(expected.w != 0) < 1
    request.getfixturevalue("by_rows")
    for X in (data.X, sparse.csr_array(data.X)):
        found = evaluated(dataclasses.replace(data, X=X), fit_intercept=fit_intercept)
        assert_allclose(found.w, expected.w, atol=1e-11)
        assert_allclose(found.values, expected.values, rtol=1e-11)
        for name in H:
            assert_allclose(found.gradient[name], expected.gradient[name], rtol=1e-10)


def test_problems_that_advance_together_end_at_the_same_minima(one_by_one):
    data, several = split_data(), [{"alpha": a, "l1_ratio": 0.5} for a in np.logspace(-4, 1, 7)]
    apart = ElasticNetProblem(data, PENALTY, fit_intercept=True)
    assert not apart.together
    minimisers.MOST_TOGETHER = 9
    problem = ElasticNetProblem(data, PENALTY, fit_intercept=True)
    w, pull = problem.minimisers(several)
    g = np.random.default_rng(1).normal(size=w.shape)
    for number, (h, gradient) in enumerate(zip(several, pull(g), strict=True)):
        own = slice(2 * number, 2 * number + 2)
        for other in (problem, apart):
            solution = other.solve(h, None, 1e-12)
            assert solution.status is Status.CONVERGED
            assert_allclose(w[:, :, own], solution.w, atol=1e-12)
            adjoint, _ = solution.inverse_hvp(g[:, :, own], None)
            cross = other.cross_vjp(solution.w, h, adjoint)
            for name in h:
                assert_allclose(gradient[name], -cross[name], rtol=1e-9, atol=1e-12)


def test_problems_that_advance_together_may_start_nearby():
    data, several = split_data(), [{"alpha": a, "l1_ratio": 0.5} for a in (0.01, 0.011, 0.3)]
    problem = ElasticNetProblem(data, PENALTY, fit_intercept=True)
    assert problem.together
    expected, _ = problem.minimisers(several)
    near = np.concatenate([problem.solve({**h, "alpha": 0.01}, None, 1e-12).w for h in several], 2)
    found, _ = problem.minimisers(several, near)
    assert_allclose(found, expected, atol=1e-12)


def test_starts_that_are_higher_than_zero_are_not_used():
    data, h = split_data(), {"alpha": np.array(0.3), "l1_ratio": np.array(0.5)}
    problem = ElasticNetProblem(data, PENALTY, fit_intercept=True)
    expected = problem.solve(h, None, 1e-12)
    for start, used in ((expected.w, True), (-expected.w, False), (0 * expected.w, False)):
        found = problem.solve(h, WarmStart.at(start).solution, 1e-12)
        assert_allclose(found.w, expected.w, atol=1e-12)
        assert (found.n_solves < expected.n_solves) == used


def test_losses_of_many_are_those_of_each():
    data = split_data()
    problem = ElasticNetProblem(data, PENALTY, fit_intercept=True)
    for name in ("squared_error", "r2", "root_squared_error"):
        outer = QuadraticLoss(problem, data, VALIDATION_LOSSES[name])
        several = [{"alpha": a, "l1_ratio": 0.6} for a in (0.01, 0.1, 0.4)]
        w, _ = problem.minimisers(several)
        values, gradient = outer.of_many(w)
        for number, own in enumerate(np.split(w, 3, axis=2)):
            expected, slope, _ = outer(own, several[number])
            assert_allclose(values[number], expected, rtol=1e-12)
            assert_allclose(np.split(gradient, 3, axis=2)[number], slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("problem", [ElasticNetProblem, MultiTaskProblem])
@pytest.mark.parametrize("names", [["alpha"], ["l1_ratio"], ["alpha", "l1_ratio"]])
def test_linear_solvers_find_the_same_hypergradient(names, problem):
    data, h = split_data(), {name: H[name] for name in names}
    expected = evaluated(data, h, make=problem)
    found = evaluated(data, h, Implicit("cg"), make=problem)
    assert set(found.gradient) == set(names)
    for name in names:
        assert_allclose(found.gradient[name], expected.gradient[name], rtol=1e-8)


@pytest.mark.parametrize("make", [ElasticNetProblem, MultiTaskProblem])
def test_the_subgradient_is_zero_at_the_minimum(make):
    problem = make(split_data(), PENALTY, fit_intercept=True)
    w = problem.solve(H, None, 1e-12).w
    assert_allclose(problem.gradient(w, H), 0.0, atol=1e-13)
    # Any other place has a slope.
    assert np.abs(problem.gradient(1.01 * w, H)).max() > 1e-3
    u, v = {"alpha": 0.3, "l1_ratio": -0.2}, np.random.default_rng(2).normal(size=w.shape)
    step = 1e-6
    moved = {name: H[name] + step * u[name] for name in H}
    slope = (problem.gradient(w, moved) - problem.gradient(w, H)) / step
    assert_allclose(problem.cross_jvp(w, H, u), slope, atol=1e-6)
    pulled = problem.cross_vjp(w, H, v)
    assert sum(u[name] * pulled[name] for name in H) == pytest.approx(np.vdot(v, slope), rel=1e-5)


@pytest.mark.parametrize(("make", "n_outputs"), [(ElasticNetProblem, 1), (MultiTaskProblem, 3)])
def test_the_largest_penalty_leaves_no_weight(make, n_outputs):
    data = split_data(n_outputs=n_outputs)
    data = dataclasses.replace(
        data, trains=data.trains[:1], tests=data.tests[:1], weights=data.weights[:1]
    )
    problem = make(data, ElasticNetPenalty("alpha", {"l1_ratio": 1.0}), fit_intercept=True)
    above, below = (
        problem.solve({"alpha": f * problem.largest}, None, 0).w for f in (1.001, 0.999)
    )
    assert np.count_nonzero(above) == 0
    assert np.count_nonzero(below) == n_outputs


def test_stacks_of_problems_include_singular_ones():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 5))
    X = np.column_stack([X, X[:, :2], -X[:, 0], np.zeros(30)])
    y = X[:, :5] @ [2.0, -1.0, 0.5, 0.0, 1.0] + rng.normal(size=30)
    Z, t = X - X.mean(axis=0), y - y.mean()
    G, c = Z.T @ Z / 30, Z.T @ t / 30
    l1 = np.abs(c).max() * np.array([1.1, 0.5, 0.1, 1e-3, 1e-6, 0.0])
    l2 = np.array([0.0, 0.1, 0.0, 0.01, 0.0, 0.5])
    start = rng.normal(size=(6, 9))
    for begin in (None, start):
        found = exchange_many(np.tile(G, (6, 1, 1)), np.tile(c, (6, 1)), l1, l2, begin)
        assert found.converged.all()
        for w, a, b in zip(found.w, l1, l2, strict=True):
            expected = exchange(DenseGram(G), c, a, b).w
            assert_allclose(X @ w, X @ expected, atol=1e-8)
            assert np.abs(w).sum() == pytest.approx(np.abs(expected).sum(), rel=1e-6, abs=1e-9)


def test_rounds_end(monkeypatch):
    monkeypatch.setattr("sklearn_hypergrad.problems.sparse.exchange_many.MOST_ROUNDS", 1)
    problem = ElasticNetProblem(split_data(), PENALTY, fit_intercept=True)
    assert problem.solve(H, None, 0).status is Status.INNER_NOT_CONVERGED
    assert problem.minimisers([H]) == (None, None)
