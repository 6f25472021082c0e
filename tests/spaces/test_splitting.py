import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.spaces import LevelAndDeviations, Unsplit

RNG = np.random.default_rng(0)


@pytest.fixture
def splitting():
    return LevelAndDeviations(3, (-2.0, 5.0), 0.7)


def test_start_has_no_deviations(splitting):
    z = splitting.start(1.5)
    assert_array_equal(splitting.theta(z), [1.5] * 3)
    assert_array_equal(splitting.deviations(z), 0)
    assert splitting.penalty(z) == 0


@pytest.mark.parametrize(("level", "expected"), [(-7.0, -2.0), (9.0, 5.0)])
def test_a_start_beyond_the_bounds_is_on_them(splitting, level, expected):
    assert splitting.start(level)[0] == expected


def test_theta_is_level_plus_deviations(splitting):
    z = np.array([1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 2.0])
    assert_allclose(splitting.theta(z), [1.5, 1.0, -1.0])
    assert_allclose(splitting.deviations(z), [0.5, 0.0, -2.0])
    assert splitting.penalty(z) == pytest.approx(0.7 * 2.5)


def test_pullback_is_the_derivative(splitting, five_point):
    z, v = RNG.uniform(0, 1, 7), RNG.normal(size=7)
    target = RNG.normal(size=3)

    def fun(z):
        return np.sum((splitting.theta(z) - target) ** 4) + splitting.penalty(z)

    gradient = splitting.pullback(4 * (splitting.theta(z) - target) ** 3)
    assert_allclose(gradient @ v, five_point(lambda s: fun(z + s * v), 1e-3), rtol=1e-8)


def test_bounds(splitting):
    assert_array_equal(splitting.bounds, [[-2, 5]] + 6 * [[0, 8]])


def test_unsplit_entries_are_free():
    unsplit = Unsplit([[0.0, 1.0], [-1.0, 3.0]])
    assert_array_equal(unsplit.start(2.0), [1.0, 2.0])
    z = np.array([0.3, 0.4])
    assert_array_equal(unsplit.theta(z), z)
    assert unsplit.penalty(z) == 0
    assert_array_equal(unsplit.pullback(z), z)
