"""Blocks end at the minimum that all entries together have, each with evaluations of its own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.optimizers import LBFGS
from sklearn_hypergrad.optimizers.block_newton import BlockNewton
from sklearn_hypergrad.spaces import LevelAndDeviations, l1

N_BLOCKS, SIZE = 8, 3
LEVELS = -5.0, 5.0


class Valleys:
    """Losses ``1 + sum of log cosh of mixed entries`` of every block, and their derivatives."""

    def __init__(self, limit=np.inf):
        rng = np.random.default_rng(0)
        self.mixing = rng.normal(size=(N_BLOCKS, SIZE, SIZE)) + 2 * np.eye(SIZE)
        self.places = rng.normal(scale=3, size=(N_BLOCKS, SIZE))
        self.limit, self.points = limit, []

    def scale(self, loss):
        return 50 * N_BLOCKS * np.log(loss), 50 * N_BLOCKS / loss

    def mixed(self, level, deviations):
        return np.einsum("bij,bj->bi", self.mixing, level + deviations - self.places)

    def evaluate(self, level, deviations):
        self.points.append(level + deviations)
        if np.abs(level + deviations).max() > self.limit:
            return None
        u = self.mixed(level, deviations)
        losses = 1 + np.log(np.cosh(u)).sum(axis=1)
        return losses, np.einsum("bij,bi->bj", self.mixing, np.tanh(u))

    def curvature(self, level, deviations, blocks):
        factors = 1 / np.cosh(self.mixed(level, deviations)[blocks]) ** 2
        mixing = self.mixing[blocks]
        return np.einsum("bij,bi,bik->bjk", mixing, factors, mixing)

    def newton(self, weight=1.0, most=8.0, levels=LEVELS):
        bounds = np.array([-most, most])[:, None, None] * np.ones((N_BLOCKS, SIZE))
        return BlockNewton(
            self.evaluate,
            self.curvature,
            self.scale,
            weight=weight,
            bounds=bounds,
            level_bounds=levels,
        )

    def together(self, level, deviations, weight):
        """The value that is minimised, and its slopes in all entries."""
        losses, slopes = self.evaluate(level, deviations)
        value, slope = self.scale(losses.mean())
        return value + weight * np.abs(deviations).sum(), slope * slopes / N_BLOCKS


def minimised(valleys, tol=1e-8, max_iter=100, **options):
    newton = valleys.newton(**options)
    return newton.minimize(0.0, np.zeros((N_BLOCKS, SIZE)), tol=tol, max_iter=max_iter)


@pytest.mark.parametrize("weight", [1.0, 5.0])
def test_the_minimum_is_that_of_all_entries_together(weight):
    valleys = Valleys()
    level, deviations, converged = minimised(valleys, weight=weight)
    assert converged
    value, slopes = valleys.together(level, deviations, weight)
    splitting = LevelAndDeviations(N_BLOCKS * SIZE, LEVELS, lambda x: l1(x, weight))

    def fun(z):
        level, apart = splitting.parts(z)
        of_all, slopes = valleys.together(level, apart.reshape(N_BLOCKS, SIZE), 0.0)
        return of_all + splitting.penalty(z), splitting.pullback(slopes.ravel(), z)

    z0 = splitting.joined(0.0, np.zeros(N_BLOCKS * SIZE))
    minimum = LBFGS().minimize(fun, z0, splitting.bounds, tol=1e-7, max_iter=2000, likelihood=True)
    assert value <= fun(minimum.z)[0] + 1e-4
    pooled = deviations == 0
    assert pooled.any()
    assert not pooled.all()
    assert np.all(np.abs(slopes[pooled]) <= weight + 1e-2)
    assert_allclose(slopes[~pooled], -weight * np.sign(deviations[~pooled]), atol=1e-2)
    assert abs(slopes.sum()) < 0.1


def test_a_block_ends_where_it_has_nothing_to_gain():
    valleys = Valleys()
    minimised(valleys, tol=1e-3)
    points = np.stack(valleys.points)
    moves = np.any(points[1:] != points[:-1], axis=2).sum(axis=0)
    assert moves.min() < moves.max()
    assert len(points) <= 20


def test_without_weight_and_level_every_block_has_its_minimum():
    valleys = Valleys()
    _, entries, converged = minimised(valleys, weight=0.0, most=20.0, levels=(0.0, 0.0), tol=1e-12)
    assert converged
    assert_allclose(entries, valleys.places, atol=1e-4)


def test_bounds_hold():
    valleys = Valleys()
    level, deviations, converged = minimised(valleys, most=0.5, levels=(-0.25, 0.25))
    assert converged
    assert -0.25 <= level <= 0.25
    assert np.abs(deviations).max() == 0.5


def test_points_without_losses_are_left():
    valleys = Valleys(limit=3.0)
    level, deviations, _ = minimised(valleys)
    assert np.abs(level + deviations).max() <= 3.0
    start = valleys.together(0.0, np.zeros((N_BLOCKS, SIZE)), 1.0)[0]
    assert valleys.together(level, deviations, 1.0)[0] < start


def test_it_stops_after_max_iter():
    valleys = Valleys()
    *_, converged = minimised(valleys, max_iter=2)
    assert not converged
    assert len(valleys.points) == 3


def test_slopes_that_are_wrong_are_noticed_by_the_losses():
    """No block ends above its start, whatever the slopes say."""
    valleys = Valleys()
    right = valleys.evaluate
    valleys.evaluate = lambda *at: (right(*at)[0], -right(*at)[1])
    level, deviations, _ = minimised(valleys)
    losses, start = right(level, deviations)[0], right(0.0, np.zeros((N_BLOCKS, SIZE)))[0]
    assert np.all(losses <= start)
