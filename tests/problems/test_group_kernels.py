"""Many targets with penalties per group: predictions and derivatives are those of DualRidge."""

import numpy as np
import pytest
from grouped_ridge import N_FEATURES, N_GROUPS, N_TARGETS, problem_of, strengths
from numpy.testing import assert_allclose

from sklearn_hypergrad.problems import DualRidge, L2Penalty, SplitData
from sklearn_hypergrad.problems.outer.held_out import held_out_rows
from sklearn_hypergrad.problems.ridge import group_kernels, group_systems

pytestmark = pytest.mark.portable


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("most", [1, 2**20])
def test_predictions_are_those_of_the_solution(monkeypatch, most, scaled, weighted, fit_intercept):
    monkeypatch.setattr(group_systems, "MOST_AT_ONCE", most)
    monkeypatch.setattr(group_systems, "MOST_KEPT", most)
    monkeypatch.setattr(group_kernels, "MOST_KEPT", most)
    block, problem = problem_of(weighted=weighted, scaled=scaled, fit_intercept=fit_intercept)
    h = {"a": strengths()}
    z = np.concatenate([part for part, _ in splits_of(problem, h)])
    w = problem.solve(h, None, 1e-12).w
    assert_allclose(z, problem.predict(w)[held_out_rows(block)], rtol=1e-9)


def splits_of(problem, h):
    assert problem.has_groups
    return problem.group_kernels.split_by_split(problem.group_strengths(h))


def weighted_sum(problem, h, g):
    """``sum g z`` and its derivative in ``a``."""
    value, slopes, start = 0.0, 0.0, 0
    for z, pullback in splits_of(problem, h):
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
        assert not problem.has_groups
