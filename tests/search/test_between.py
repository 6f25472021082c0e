"""Looks between the points of a scan of several values."""

import itertools

import numpy as np
import pytest

from sklearn_hypergrad.search.strategies.between import Between

CENTER = np.array([0.3, -0.2])
CURVATURE = np.array([1.0, 3.0])


def bowl(z):
    """A value and its gradient."""
    return float(CURVATURE @ (z - CENTER) ** 2), 2 * CURVATURE * (z - CENTER)


def between(places, share=0.0):
    room = Between(share)
    for place in places:
        room.add(np.array(place), *bowl(np.array(place)))
    return room


def test_the_lowest_place_between_neighbours():
    room = between(itertools.product([-1.0, 0.0, 1.0], [-1.0, 0.0]))
    # The cubic through a parabola is the parabola.
    np.testing.assert_allclose(room.place(np.inf), [0.0, -0.2], atol=1e-12)


def test_places_are_told_in_their_order_and_once():
    room = between(itertools.product([-1.0, 1.0], [-1.0, 1.0]))
    places = [room.place(np.inf) for _ in range(4)]
    assert room.place(np.inf) is None
    values = [bowl(place)[0] for place in places]
    assert values == sorted(values)


def test_what_is_not_lower_is_no_place():
    room = between([[-1.0, 0.0], [1.0, 0.0]])
    lowest = bowl(np.array([0.3, 0.0]))[0]
    assert room.place(lowest * (1 - 1e-9)) is None
    assert room.place(lowest * (1 + 1e-9)) is not None


def test_points_on_different_lines_are_no_neighbours():
    assert between([[-1.0, 0.0], [1.0, 0.1]]).place(np.inf) is None


def test_a_point_between_two_parts_them():
    room = between([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(room.place(np.inf), [0.3, 0.0], atol=1e-12)
    assert room.place(np.inf)[0] < 0
    assert room.place(np.inf) is None


@pytest.mark.parametrize(("share", "looks"), [(0.0, False), (0.1, True)])
def test_kinks_leave_more_room(share, looks):
    """The cubic falls to 0.963 from 1."""
    room = Between(share)
    room.add(np.array([-1.0]), 1.0, np.array([0.0]))
    room.add(np.array([1.0]), 2.0, np.array([2.0]))
    assert (room.place(0.95) is not None) == looks
