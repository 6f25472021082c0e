import math

import numpy as np
import pytest

from sklearn_hypergrad.optimizers import Point, brackets, hopeless, scan, turn, widen
from sklearn_hypergrad.optimizers.scan import DECADE, flat_stretch

pytestmark = pytest.mark.portable


class Line:
    """``evaluate`` that records its order; slopes by a difference."""

    def __init__(self, value):
        self.value, self.seen = value, []

    def __call__(self, z):
        self.seen.append(z)
        slope = (self.value(z + 1e-6) - self.value(z - 1e-6)) / 2e-6
        return Point(z, self.value(z), slope)


def points(*values):
    return [Point(float(z), value, 0.0) for z, value in enumerate(values)]


@pytest.mark.parametrize(
    ("start", "stop"), [(-1.0, 0.5), (0.5, -1.0), (0.0, 8 * DECADE), (3.3 * DECADE, -4 * DECADE)]
)
def test_scan_covers_the_line_from_start_to_stop(start, stop):
    line = Line(lambda z: z**2)
    found = scan(line, start, stop)
    assert line.seen[0] == start
    assert line.seen[-1] == stop
    assert line.seen == sorted(line.seen, reverse=stop < start)
    z = [point.z for point in found]
    assert z == sorted(line.seen)
    assert len(z) >= 5
    assert np.diff(z).max() <= DECADE * (1 + 1e-9)


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_scan_need_not_walk_where_the_value_is_hopeless(direction):
    line = Line(lambda z: 1 + 0.1 * (direction * z / DECADE - 1) ** 2)
    ends = -2 * DECADE * direction, 6 * DECADE * direction
    found = scan(line, *ends, thorough=False)
    # At four decades the value is 1.9, at three 1.4, at two 1.1 times the smallest one.
    decades = [round(direction * z / DECADE) for z in line.seen]
    assert decades == [-2, -1, 0, 1, 2, 3, 6]
    assert [point.z for point in found] == sorted(line.seen)
    assert len(scan(Line(line.value), *ends)) == 9


@pytest.mark.parametrize("depth", [0.5, 1.05])
def test_a_scan_goes_back_where_the_other_end_is_not_hopeless(depth):
    def value(z):
        """Smallest at 0, a hill of 2 between, and the other end at ``depth``."""
        decades = z / DECADE
        return 1 + 0.5 * min(decades, 2) if decades < 4 else depth + 0.01 * (decades - 6) ** 2

    line = Line(value)
    scan(line, 0.0, 6 * DECADE, thorough=False)
    decades = [round(z / DECADE) for z in line.seen]
    assert sorted(decades) == list(range(7))
    assert decades[2] == 6


def test_a_value_that_falls_again_is_not_hopeless_yet():
    line = Line(lambda z: 1 + math.sin(z / DECADE))
    assert len(scan(line, 0.0, 8 * DECADE, thorough=False)) == 9


@pytest.mark.parametrize(("value", "best", "expected"), [(1.2, 1, True), (1.05, 1, False)])
def test_hopeless(value, best, expected):
    assert hopeless(value, best) is expected


def test_scan_of_whole_decades_takes_one_point_each():
    assert len(scan(Line(abs), math.log(1e-4), math.log(1e4))) == 9


@pytest.mark.parametrize("minimum", [-7 * DECADE, 0.3, 7 * DECADE])
def test_widen_goes_on_until_the_minimum_is_inside(minimum):
    line = Line(lambda z: 1 + (z - minimum) ** 2)
    found = widen(line, scan(line, -DECADE, DECADE), -12 * DECADE, 12 * DECADE)
    z = [point.z for point in found]
    best = min(found, key=lambda point: point.value)
    assert z == sorted(z)
    assert z[0] < best.z < z[-1]
    assert abs(best.z - minimum) <= DECADE
    assert np.diff(z).max() <= DECADE * (1 + 1e-9)


@pytest.mark.parametrize("sign", [-1, 1])
def test_widen_stops_at_the_limit(sign):
    line = Line(lambda z: 1e3 - sign * z)
    limit = 3.5 * DECADE
    found = widen(line, scan(line, -DECADE, DECADE), -limit, limit)
    assert max(abs(point.z) for point in found) == limit
    assert all(abs(z) <= limit for z in line.seen)


@pytest.mark.parametrize("sign", [-1, 1])
def test_widen_stops_where_the_line_is_flat(sign):
    line = Line(lambda z: 1 + 1 / (1 + np.exp(sign * z)))
    found = widen(line, scan(line, -DECADE, DECADE), -40 * DECADE, 40 * DECADE)
    end = found[-1] if sign > 0 else found[0]
    assert 5 * DECADE < sign * end.z < 8 * DECADE


def test_widen_adds_nothing_to_a_minimum_inside_and_leaves_its_input():
    given = points(2.0, 1.0, 2.0)
    assert widen(None, given, -100, 100) == given
    given = points(1.0, 2.0, 3.0)
    widen(Line(lambda z: 2.0), given, -100, 100)
    assert given == points(1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("values", "end", "expected"),
    [
        ((1.0, 1 + 1e-7, 1.1, 1.0), 0, [0, 1]),
        ((1.0, 1 + 1e-7, 1.1, 1.0), -1, [3]),
        ((2.0, 1.0, 1.0, 1.0), -1, [3, 2, 1]),
        ((0.0, 0.0, 1.0), 0, [0, 1]),
        ((1e9, 1e9 + 1, 2e9), 0, [0, 1]),
        ((1e-9, 2e-9), 0, [0]),
    ],
)
def test_flat_stretch_is_relative(values, end, expected):
    assert [point.z for point in flat_stretch(points(*values), end)] == expected


def test_brackets_are_sign_changes_from_falling_to_rising_best_first():
    slopes = [-1.0, 1.0, -1.0, -2.0, 3.0, 0.0, -1.0]
    values = [5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.2]
    line = [Point(float(z), *p) for z, p in enumerate(zip(values, slopes, strict=True))]
    assert [(left.z, right.z) for left, right in brackets(line)] == [(3, 4), (0, 1)]


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_brackets_need_finite_ends(bad):
    assert brackets([Point(0.0, 1.0, -1.0), Point(1.0, bad, 1.0)]) == []
    assert brackets([Point(0.0, bad, -1.0), Point(1.0, 1.0, 1.0)]) == []


def test_every_minimum_of_a_line_is_bracketed():
    line = Line(lambda z: 2 + math.cos(z) + 0.01 * z)
    found = brackets(scan(line, -9.0, 9.0))
    minima = [z for z in (-9.425, -3.142, 3.142, 9.425) if -9 < z < 9]
    assert len(found) == len(minima)
    assert all(any(left.z < z < right.z for left, right in found) for z in minima)


def test_a_minimum_between_slopes_of_one_sign_is_bracketed_and_found():
    for flip in (1, -1):
        # A maximum at 1, a minimum at 3, both between the points looked at.
        line = Line(lambda z, flip=flip: (flip * z - 1) ** 2 * (flip * z - 4))
        looked_at = sorted((line(flip * z) for z in (0.9, 3.5)), key=lambda point: point.z)
        assert np.sign(looked_at[0].slope) == np.sign(looked_at[1].slope)
        ((left, right),) = brackets(looked_at)
        left, right = turn(line, left, right)
        assert left.slope < 0 < right.slope
        assert left.z < 3 * flip < right.z


def test_turning_ends_where_no_derivative_turns():
    def line(z):
        return Point(z, 1 - z, 1.0)

    left, right = turn(line, line(0.0), line(1.0))
    assert right.z - left.z < 1e-5
