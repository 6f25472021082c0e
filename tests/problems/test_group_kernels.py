"""Many targets with penalties per group: predictions and derivatives are those of DualRidge."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.problems import DualRidge, L2Penalty, SplitData
from sklearn_hypergrad.problems.outer.held_out import held_out_rows
from sklearn_hypergrad.problems.ridge import group_kernels

pytestmark = pytest.mark.portable
N_SAMPLES, N_FEATURES, N_GROUPS, N_TARGETS = 24, 60, 3, 4


def problem_of(*, weighted=False, fit_intercept=True):
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(N_SAMPLES, N_FEATURES)) + 1, rng.normal(size=(N_SAMPLES, N_TARGETS))
    order = rng.permutation(N_SAMPLES)
    tests = [order[:8], order[8:15]]
    trains = [np.setdiff1d(order, test) for test in tests]
    weights = [rng.uniform(0.5, 2, len(t)) if weighted else np.ones(len(t)) for t in trains]
    weights[0][3] = 0.0 if weighted else 1.0
    block = SplitData(
        X=X,
        y=X[:, :N_TARGETS] + noise + 5,
        trains=trains,
        tests=tests,
        weights=weights,
        score_weight=np.ones(N_SAMPLES),
    )
    groups = np.arange(N_FEATURES) % N_GROUPS
    entries = groups[:, None] + N_GROUPS * np.arange(N_TARGETS)
    penalty = L2Penalty("a", entries=entries)
    return block, DualRidge(block, penalty, fit_intercept=fit_intercept)


def strengths(seed=1):
    """One value per group and target; two targets have the same."""
    a = np.exp(np.random.default_rng(seed).uniform(-2, 4, (N_TARGETS, N_GROUPS)))
    a[2] = a[0]
    return a


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("most", [1, 2**20])
def test_predictions_are_those_of_the_solution(monkeypatch, most, weighted, fit_intercept):
    monkeypatch.setattr(group_kernels, "MOST_AT_ONCE", most)
    monkeypatch.setattr(group_kernels, "MOST_KEPT", most)
    block, problem = problem_of(weighted=weighted, fit_intercept=fit_intercept)
    h = {"a": strengths()}
    z = np.concatenate([part for part, _ in problem.split_by_split(h)])
    w = problem.solve(h, None, 1e-12).w
    assert_allclose(z, problem.predict(w)[held_out_rows(block)], rtol=1e-9)


def weighted_sum(problem, h, g):
    """``sum g z`` and its derivative in ``a``."""
    value, slopes, start = 0.0, 0.0, 0
    for z, pullback in problem.split_by_split(h):
        part = g[start : (start := start + len(z))]
        value, slopes = value + np.sum(part * z), slopes + pullback(part)
    return value, problem.of_groups(h, slopes)["a"]


@pytest.mark.parametrize("weighted", [False, True])
def test_derivatives_are_exact(five_point, weighted):
    _, problem = problem_of(weighted=weighted)
    rng, theta = np.random.default_rng(2), np.log(strengths())
    g, direction = rng.normal(size=(15, N_TARGETS)), rng.normal(size=theta.shape)

    def along(step):
        return weighted_sum(problem, {"a": np.exp(theta + step * direction)}, g)[0]

    _, slopes = weighted_sum(problem, {"a": np.exp(theta)}, g)
    slope, expected = np.sum(slopes * np.exp(theta) * direction), five_point(along, 1e-3)
    assert slope == pytest.approx(expected, rel=1e-7)
    # The comparison tells a derivative that is 0.1 % off from the right one.
    assert 1.001 * slope != pytest.approx(expected, rel=5e-4)


def test_a_kernel_that_is_singular_in_floating_point_is_factorised():
    _, problem = problem_of()
    h = {"a": np.full((N_TARGETS, N_GROUPS), 1e-18)}
    value, slopes = weighted_sum(problem, h, np.ones((15, N_TARGETS)))
    assert np.isfinite(value)
    assert np.isfinite(slopes).all()


def test_one_target_and_many_groups_are_solved_otherwise():
    block, problem = problem_of()
    many = L2Penalty("a", entries=np.arange(N_FEATURES * N_TARGETS).reshape(N_FEATURES, -1))
    one = L2Penalty("a", entries=np.arange(N_FEATURES)[:, None] % N_GROUPS)
    for penalty, outputs in ((many, slice(None)), (one, slice(1))):
        parts = SplitData(**{**vars(block), "y": block.y[:, outputs]})
        problem = DualRidge(parts, penalty, fit_intercept=True)
        assert problem.split_by_split({"a": np.ones(N_FEATURES * N_TARGETS)}) is None
