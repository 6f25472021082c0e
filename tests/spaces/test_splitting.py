import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.spaces import (
    Beside,
    LevelAndDeviations,
    Unsplit,
    l1,
    log_penalty,
    minimax_concave,
)

RNG = np.random.default_rng(0)


PENALTIES = {
    "l1": functools.partial(l1, weight=0.7),
    "log": functools.partial(log_penalty, weight=0.7, knee=2.0),
    "minimax": functools.partial(minimax_concave, weight=0.7, reach=1.6),
}


@pytest.fixture
def splitting():
    return LevelAndDeviations(3, (-2.0, 5.0), PENALTIES["l1"])


def test_start_has_no_deviations(splitting):
    z = splitting.start(np.full(3, 1.5))
    assert_array_equal(splitting.theta(z), [1.5] * 3)
    assert_array_equal(splitting.deviations(z), 0)
    assert splitting.penalty(z) == 0


@pytest.mark.parametrize(("level", "expected"), [(-7.0, -2.0), (9.0, 5.0)])
def test_a_start_beyond_the_bounds_is_on_them(splitting, level, expected):
    assert splitting.start(np.full(3, level))[0] == expected


def test_theta_is_level_plus_deviations(splitting):
    z = np.array([1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 2.0])
    assert_allclose(splitting.theta(z), [1.5, 1.0, -1.0])
    assert_allclose(splitting.deviations(z), [0.5, 0.0, -2.0])
    assert splitting.penalty(z) == pytest.approx(0.7 * 2.5)


@pytest.mark.parametrize("name", PENALTIES)
def test_pullback_is_the_derivative(name, five_point):
    splitting = LevelAndDeviations(3, (-2.0, 5.0), PENALTIES[name])
    z, v = RNG.uniform(0, 1, 7), RNG.normal(size=7)
    target = RNG.normal(size=3)

    def fun(z):
        return np.sum((splitting.theta(z) - target) ** 4) + splitting.penalty(z)

    gradient = splitting.pullback(4 * (splitting.theta(z) - target) ** 3, z)
    assert_allclose(gradient @ v, five_point(lambda s: fun(z + s * v), 1e-3), rtol=1e-8)


SLOPES = {"l1": [1, 1, 1], "log": [1, 1 / (1 + 0.8 / 2), 0.5], "minimax": [1, 0.5, 0]}


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_begin_alike_and_concave_ones_flatten(name):
    places = np.array([0.0, 0.8, 2.0])
    values, slopes = PENALTIES[name](places)
    assert values[0] == 0
    assert_allclose(slopes, 0.7 * np.array(SLOPES[name]), rtol=1e-12)


def test_the_minimax_penalty_is_constant_beyond_its_reach():
    values, _ = PENALTIES["minimax"](np.array([1.6, 1.7, 7.0]))
    assert_allclose(values, 0.7 * 1.6 / 2, rtol=1e-12)


def test_parts_are_joined_again(splitting):
    deviations = np.array([1.5, 0.0, -2.0])
    z = splitting.joined(3.0, deviations)
    level, apart = splitting.parts(z)
    assert level == 3.0
    assert_array_equal(apart, deviations)
    assert_array_equal(splitting.theta(z), 3.0 + deviations)
    assert_array_equal(splitting.bounds_of_deviations, [[-8.0] * 3, [8.0] * 3])
    free = Unsplit(np.array([[0.0, 1.0], [2.0, 3.0]]))
    z = np.array([0.5, 2.5])
    level, apart = free.parts(z)
    assert level == 0.0
    assert_array_equal(free.theta(free.joined(level, apart)), z)
    assert_array_equal(free.bounds_of_deviations, [[0.0, 2.0], [1.0, 3.0]])


def test_bounds(splitting):
    assert_array_equal(splitting.bounds, [[-2, 5]] + 6 * [[0, 8]])


def test_unsplit_entries_are_free():
    unsplit = Unsplit([[0.0, 1.0], [-1.0, 3.0]])
    assert_array_equal(unsplit.start(np.full(2, 2.0)), [1.0, 2.0])
    z = np.array([0.3, 0.4])
    assert_array_equal(unsplit.theta(z), z)
    assert unsplit.penalty(z) == 0
    assert_array_equal(unsplit.pullback(z, z), z)


@pytest.fixture
def beside(splitting):
    part = np.array([False, True, True, True, False])
    bounds = np.array([[-1.0, 1.0], [-9, 9], [-9, 9], [-9, 9], [-4, 4]])
    return Beside(splitting, part, bounds)


def test_values_beside_a_vector_stay_as_they_are(beside):
    z = beside.start(np.array([2.0, 1.5, 1.5, 1.5, -3.0]))
    assert_array_equal(beside.theta(z), [1.0, 1.5, 1.5, 1.5, -3.0])
    assert_array_equal(beside.deviations(z), [0, 0, 0])
    assert_array_equal(beside.bounds, [[-2, 5], *6 * [[0, 8]], [-1, 1], [-4, 4]])
    z[1], z[-1] = 0.5, 3.5
    assert_array_equal(beside.theta(z), [1.0, 2.0, 1.5, 1.5, 3.5])
    assert beside.penalty(z) == pytest.approx(0.7 * 0.5)


def test_pullback_beside_a_vector_is_the_derivative(beside, five_point):
    z, v, target = RNG.uniform(0, 1, 9), RNG.normal(size=9), RNG.normal(size=5)

    def fun(z):
        return np.sum((beside.theta(z) - target) ** 4) + beside.penalty(z)

    gradient = beside.pullback(4 * (beside.theta(z) - target) ** 3, z)
    assert_allclose(gradient @ v, five_point(lambda s: fun(z + s * v), 1e-3), rtol=1e-8)
