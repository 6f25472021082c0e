"""Losses of targets are those of all together, and are computed where targets have moved."""

import numpy as np
import pytest
from grouped_ridge import N_TARGETS, problem_of, strengths
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems import VALIDATION_LOSSES, ValidationLoss, effective_dof
from sklearn_hypergrad.problems.outer.held_out import on_held_out
from sklearn_hypergrad.problems.ridge import group_kernels
from sklearn_hypergrad.problems.ridge.target_losses import KnownTargets, TargetLosses

pytestmark = pytest.mark.portable
EVERYONE = np.arange(N_TARGETS)
NAMES = "squared_error", "r2", "root_squared_error"


def losses_of(name="r2", **options):
    block, problem = problem_of(**options)
    return TargetLosses(problem.group_kernels, block, VALIDATION_LOSSES[name]), block, problem


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("most", [1, 2**21])
def test_their_means_are_the_losses_of_splits(monkeypatch, name, most):
    monkeypatch.setattr(group_kernels, "TOGETHER", most)
    losses, block, problem = losses_of(name, weighted=True)
    known = losses.at(strengths().T)
    z = np.concatenate([z for z, _ in problem.group_kernels.split_by_split(strengths().T)])
    held_out = on_held_out(block, VALIDATION_LOSSES[name])
    assert held_out.is_separable
    assert_allclose(known.values.mean(axis=1), held_out(z)[0], rtol=1e-12)


def test_losses_of_coupled_outputs_are_no_means_over_them():
    block, _ = problem_of()
    coupled = ValidationLoss("coupled", HalfSquaredError(), HalfSquaredError())
    assert not on_held_out(block, coupled).is_separable


def test_targets_that_have_not_moved_are_known():
    losses, *_ = losses_of()
    a = strengths().T
    first = losses.at(a)
    wrong = KnownTargets.of(a, first.slopes + 1, first.values + 1)
    a = a.copy()
    a[1, 2] *= 2
    again = losses.at(a, wrong)
    expected = losses.at(a)
    stays = EVERYONE != 2
    assert_array_equal(again.values[:, stays], wrong.values[:, stays])
    assert_array_equal(again.slopes[:, stays], wrong.slopes[:, stays])
    assert_allclose(again.values[:, 2], expected.values[:, 2], rtol=1e-12)
    assert_allclose(again.slopes[:, 2], expected.slopes[:, 2], rtol=1e-9)
    assert_array_equal(losses.at(a, again).values, again.values)
    assert again.size == a.size + again.values.size + again.slopes.size
    assert_array_equal(again.strengths, a)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_exact(five_point, name):
    losses, *_ = losses_of(name, weighted=True)
    a, direction = strengths().T, np.random.default_rng(3).normal(size=(3, N_TARGETS))

    def along(step):
        return losses.at(a * np.exp(step * direction)).values.sum(axis=0)

    found, expected = (losses.at(a).slopes * a * direction).sum(axis=0), five_point(along, 1e-3)
    assert_allclose(found, expected, rtol=1e-6)
    # The comparison tells slopes that are 0.1 % off from the right ones.
    assert np.all(np.abs(1.001 * found / expected - 1) > 5e-4)


def test_second_derivatives_are_exact(five_point):
    losses, *_ = losses_of(weighted=True)
    a, some = strengths().T, np.array([0, 1, 3])
    direction = np.random.default_rng(4).normal(size=a.shape)

    def along(step):
        return losses.at(a * (1 + step * direction)).slopes[:, some]

    curvature = losses.curvature(a[:, some], some)
    found = np.einsum("kgh,hk->gk", curvature, (a * direction)[:, some])
    expected = five_point(along, 1e-3)
    assert_allclose(found, expected, rtol=1e-5)
    assert np.all(np.abs(1.001 * found / expected - 1) > 5e-4)


@pytest.mark.parametrize("scaled", [False, True])
def test_degrees_of_freedom_are_those_of_the_solution(scaled):
    _, _, problem = losses_of(weighted=True, scaled=scaled)
    h = {"a": strengths()}
    strength = problem.penalty.strength(h)
    expected = effective_dof(problem, problem.solve(h, None, 1e-12), strength)
    groups = np.arange(len(strength)) % 3
    found = problem.dof_of_groups(h)
    for group in range(3):
        own = groups == group
        assert_allclose(found[own].sum(axis=0), expected[own].sum(axis=0), rtol=1e-8)
