import math

import numpy as np
import pytest

from sklearn_hypergrad.optimizers import (
    Cubic,
    Point,
    explore,
    fill,
    hopeless,
    places,
    polished,
    sweep,
    widen,
)
from sklearn_hypergrad.optimizers import scan as scan_places
from sklearn_hypergrad.optimizers.line import (
    DECADE,
    _error,
    _floor,
    approach,
    flat_stretch,
    least_possible,
    lowest_of,
)

pytestmark = pytest.mark.portable


class Line:
    """``evaluate`` that records its order; slopes by a difference."""

    def __init__(self, value):
        self.value, self.seen = value, []

    def __call__(self, z):
        self.seen.append(z)
        slope = (self.value(z + 1e-6) - self.value(z - 1e-6)) / 2e-6
        return Point(z, self.value(z), slope)

    def all(self, places):
        return [self(z) for z in places]


def decades(start, stop):
    n_points = max(5, math.ceil(abs(stop - start) / DECADE - 1e-9) + 1)
    return np.linspace(start, stop, n_points).tolist()


def scan(line, start, stop, **options):
    return scan_places(line, decades(start, stop), **options)


def points(*values):
    return [Point(float(z), value, 0.0) for z, value in enumerate(values)]


@pytest.mark.parametrize(
    ("start", "stop"), [(-1.0, 0.5), (0.5, -1.0), (0.0, 8 * DECADE), (3.3 * DECADE, -4 * DECADE)]
)
def test_scan_covers_the_line_from_start_to_stop(start, stop):
    line = Line(lambda z: z**2)
    found = scan_places(line, places(start, stop, gap=2 * DECADE))
    assert line.seen[0] == start
    assert line.seen[-1] == stop
    assert line.seen == sorted(line.seen, reverse=stop < start)
    z = [point.z for point in found]
    assert z == sorted(line.seen)
    assert len(z) >= 4
    assert np.diff(z).max() <= 2 * DECADE * (1 + 1e-9)


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


@pytest.mark.parametrize(("gap", "n_places"), [(1, 9), (2, 5), (9, 4)])
def test_places_are_as_far_apart_as_they_may_be(gap, n_places):
    assert len(places(math.log(1e-4), math.log(1e4), gap=gap * DECADE)) == n_places


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


def test_places_include_the_wanted_one_and_are_moved_to_preferred_ones():
    wanted, preferred = 0.3 * DECADE, [-1.1 * DECADE, -0.8 * DECADE, 3.9 * DECADE]
    gap = 2 * DECADE
    found = np.array(places(-2 * DECADE, 4 * DECADE, [wanted], preferred, gap=gap)) / DECADE
    assert found == pytest.approx([-2, -0.8, 0.3, 2.15, 4])
    # Neither the ends nor the wanted place are moved, and none is moved by more than half a decade.
    preferred = [-1.9 * DECADE, 1.2 * DECADE]
    found = np.array(places(4 * DECADE, -2 * DECADE, [DECADE], preferred, gap=gap)) / DECADE
    assert found == pytest.approx([4, 2.5, 1, -0.5, -2])
    # Several may be wanted; those beyond the ends are not.
    wanted = np.array([0.3, 5.0, -1.0, -2.0]) * DECADE
    found = np.array(places(4 * DECADE, -2 * DECADE, wanted, gap=gap)) / DECADE
    assert found == pytest.approx([4, 2.15, 0.3, -1, -2])


def test_a_scan_to_a_slow_end_stops_after_two_rises():
    line = Line(lambda z: 1 + 0.01 * z**2)
    places = [2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -4.0, -5.0]
    assert len(scan_places(line, places)) == 8
    found = scan_places(line, places, to_slow=True)
    # One per cent at -1 is no rise, 4 at -2 and 9 at -3 are.
    assert [point.z for point in found] == [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]


def test_lines_with_kinks_are_looked_at_where_a_cubic_has_no_doubt():
    """The better one of two minima is a kink between places, where a cubic is too high."""

    def value(z):
        return min(1 + abs(z - 0.35), 1.1 + 0.5 * (z + 2.09) ** 2)

    def polish(left, right):
        settings = {"tol": 1e-3, "max_iter": 50}
        return polished(line, left, right, Cubic(), settings)

    found = {}
    for smooth in (True, False):
        line = Line(value)
        given = scan_places(line, (np.arange(-4, 5) * 0.7).tolist())
        found[smooth] = lowest_of(explore(line, polish, given, 1e-3, smooth=smooth)).value
    assert found == {True: pytest.approx(1.1, abs=1e-4), False: pytest.approx(1.0, abs=1e-3)}


def test_a_rough_line_is_swept_around_its_lowest_point():
    line = Line(lambda z: 2 + 0.1 * (z - 1.3) ** 2 + 0.02 * abs(math.sin(9 * z)))
    coarse = [line(z) for z in np.linspace(-4, 4, 9)]
    found = sweep(line.all, coarse)
    assert {point.z for point in found} == set(line.seen)
    dense = min(line.value(z) for z in np.linspace(-4, 4, 400))
    assert lowest_of(coarse).value > dense * (1 + 1e-3)
    assert lowest_of(found).value <= dense * (1 + 1e-3)
    assert len(found) - len(coarse) < 25


def test_a_sweep_leaves_out_where_the_line_cannot_be_lower():
    line = Line(abs)
    assert sweep(line.all, points(1.0, 1.0, 1.0)) == points(1.0, 1.0, 1.0)
    ends = [line(z) for z in (-1.0, 1.0)]
    assert sweep(lambda places: [None] * len(places), ends) == [line(z) for z in (-1.0, 1.0)]
    assert line.seen == [-1.0, 1.0, -1.0, 1.0]


def swept(**options):
    line = Line(lambda z: abs(z - 0.35))
    return len(sweep(line.all, [line(z) for z in (-1.0, 0.0, 1.0)], **options))


@pytest.mark.parametrize(("alike", "found"), [(0.0, False), (0.01, True)])
def test_a_sweep_is_around_points_that_are_almost_as_low(alike, found):
    """A dip is beside the second lowest of the known points."""
    line = Line(lambda z: 2.2 - max(0.0, 0.7 - abs(z - 4.4)))
    known = [
        (-3.0, 2.1, -1.0),
        (0.0, 2.0, 0.0),
        (3.0, 2.1, 1.0),
        (4.0, 2.01, -1.0),
        (7.0, 3.0, 1.0),
    ]
    lowest = lowest_of(sweep(line.all, [Point(*each) for each in known], alike=alike))
    assert lowest.value == pytest.approx(1.5 if found else 2.0)


def test_a_sweep_reaches_as_far_as_it_is_told():
    assert swept(reach=0.0) == 3 < swept(reach=0.1) < swept(reach=0.2)


def test_a_sweep_ends_where_too_little_is_to_gain():
    assert swept(share=1e-3, gain=1e-2) == 3 < swept(share=1e-3, gain=0.0)


def falls_to(limit, evaluated):
    """A function that falls to the left, and has no value beyond a limit."""

    def evaluate(z):
        evaluated.append(z)
        return Point(z, 1 + z, 1.0) if z >= limit else None

    return evaluate


def test_places_without_a_value_are_approached():
    evaluated, known = [], [Point(0.0, 1.0, 1.0), Point(1.0, 2.0, 1.0)]
    found = approach(falls_to(-0.9, evaluated), known, [-2.0, -1.0])
    # Halfway to -1, each time from the last place that has a value.
    assert evaluated[:4] == [-0.5, -0.75, -0.875, -0.9375]
    assert found[0].z == pytest.approx(-0.9, abs=3e-4)
    assert approach(None, known, []) == known


@pytest.mark.parametrize(("slope", "n_points"), [(-0.1, 1), (0.0, 1), (1e-3, 3), (1.0, 12)])
def test_places_without_a_value_are_approached_as_far_as_is_worth_while(slope, n_points):
    """A slope of 1e-3 promises a gain of 1e-4 from 0.1 away."""
    evaluated = []

    def evaluate(z):
        evaluated.append(z)
        return Point(z, 2 + slope * z, slope)

    approach(evaluate, [evaluate(0.0), evaluate(1.0)], [-1.0])
    assert len(evaluated) == 2 + n_points


def test_places_without_a_value_are_left_where_the_line_rises_to_them():
    line = Line(lambda z: z)
    known = [Point(0.0, 0.0, 1.0), Point(1.0, 1.0, 1.0)]
    assert [point.z for point in approach(line, known, [2.0])] == [0.0, 1.0, 1.5]
    assert approach(lambda z: None, known, [2.0]) == known


def test_wide_gaps_are_filled_where_the_line_may_be_lower():
    """The better one of two valleys is between places, the other one at a place."""

    def value(decades):
        return 2 - np.exp(-((decades + 3) ** 2) / 2) - 0.9 * np.exp(-((decades - 4) ** 2) / 2)

    line, asked = Line(lambda z: value(z / DECADE)), []
    given = scan_places(line, (np.arange(-6, 7, 2) * DECADE).tolist())

    def evaluate(z, near):
        asked.append((round(z / DECADE, 6), near))
        return line(z)

    found = fill(evaluate, given)
    assert [point.z for point in found] == sorted(line.seen)
    assert (-3.0, True) in asked
    # Where nothing can be lower, nothing is asked for.
    assert all(-4 < z < 6 for z, _ in asked)
    near = [line(z * DECADE) for z in (-3.6, -2.7)]
    assert fill(None, near) == near


def explored(value, *ends, n_points=None, tol=1e-3, **line):
    line = Line(value, **line)
    found = scan_places(line, np.linspace(*ends, n_points or 5).tolist())
    run = {"tol": tol, "max_iter": 50}

    def polish(left, right):
        return polished(line, left, right, Cubic(), run)

    return explore(line, polish, found, tol), line


@pytest.mark.parametrize("place", np.linspace(-3.0, 3.0, 13))
@pytest.mark.parametrize("n_points", [4, 7])
def test_a_minimum_beside_a_local_one_is_found(place, n_points):
    """The local minimum is 4 % higher, three decades away."""

    def value(z):
        return 2 - np.exp(-((z - place) ** 2) / 4) - 0.96 * np.exp(-((z - place - 7) ** 2) / 4)

    found, line = explored(value, -8.0, 12.0, n_points=n_points + 6)
    best = min(found, key=lambda point: point.value)
    # The other one moves it by less than this.
    assert best.z == pytest.approx(place, abs=1e-2)
    assert len(line.seen) < 25


def test_nothing_is_looked_at_where_nothing_can_be_lower():
    _, line = explored(lambda z: z, -4.0, 4.0)
    assert len(line.seen) == 5


@pytest.mark.parametrize("kink", [0.31, 1.97])
def test_the_minimum_at_a_kink_is_found(kink):
    found, line = explored(lambda z: 1 + abs(z - kink), -4.0, 4.0)
    best = min(found, key=lambda point: point.value)
    assert best.z == pytest.approx(kink, abs=1e-3)
    assert len(line.seen) < 40


def test_a_place_that_cannot_be_used_is_left():
    line = Line(lambda z: (z - 0.4) ** 2)
    given = [line(-1.0), Point(2.0, 1.0, -1.0)]
    asked = []

    def nothing(z):
        asked.append(z)

    assert explore(nothing, None, given, 1e-3) == given
    assert len(asked) == 1


def test_rough_points_are_made_exact_before_they_are_believed():
    """The rough value promises a minimum that is not there."""
    line = Line(lambda z: 5 - z)
    rough = Point(0.0, 4.0, 20.0, exact=False, rough=True)
    found = explore(line, None, [line(-2.0), rough, line(2.0)], 1e-3)
    assert line.seen == [-2.0, 2.0, 0.0]
    assert [point.value for point in found] == [7.0, 5.0, 3.0]


def test_a_bracket_that_is_not_finished_is_not_begun_again():
    line, begun = Line(lambda z: (z - 0.3) ** 4 + z**2), []

    def polish(left, right):
        begun.append((left.z, right.z))
        return polished(line, left, right, Cubic(), {"tol": 1e-12, "max_iter": 1})

    explore(line, polish, scan(line, -4.0, 4.0), 1e-12)
    assert len(begun) == 1


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("center", np.linspace(-1.0, 3.0, 9))
def test_the_least_possible_value_is_below_that_of_a_sigmoid(center, width):
    """Losses of ridge regression consist of sigmoids; two ends and their slopes are known."""
    for sign in (-1, 1):
        line = Line(lambda z, sign=sign: sign / (1 + np.exp(center * DECADE - z)))
        left, right = line(0.0), line(width * DECADE)
        # The values of a line along which the whole sigmoid is seen.
        _, low = least_possible(left, right, _error(left, right, 1.0))
        inside = [line(z).value for z in np.linspace(0, width * DECADE, 201)]
        low = min(low, left.value, right.value)
        assert low <= min(inside) + 0.7 * 0.009 * width**4 + 1e-12


def test_the_least_possible_value_of_a_cubic_is_its_minimum():
    line = Line(lambda z: z**3 - 0.01 * z)
    z, low = least_possible(line(-0.01), line(0.2), 0.0)
    assert z == pytest.approx(math.sqrt(0.01 / 3), rel=1e-6)
    assert low == pytest.approx(line.value(z), rel=1e-4)


def test_coarse_points_are_believed_unless_they_are_the_best():
    """A coarse value that is too low is made exact; one that is no competitor is not."""
    line = Line(lambda z: (z - 0.2) ** 2)
    low, high = Point(1.0, -5.0, 1.6, exact=False), Point(4.0, 14.0, 7.6, exact=False)
    found = explore(line, None, [line(-0.5), low, high], 10.0)
    assert found == [line(-0.5), low, high]
    asked = []

    def evaluate(z):
        asked.append(z)
        return line(z)

    def polish(left, right):
        return polished(line, left, right, Cubic(), {"tol": 1e-6, "max_iter": 50})

    found = explore(evaluate, polish, [line(-0.5), low, high], 1e-6)
    assert asked[0] == 1.0
    assert 4.0 not in asked
    assert min(found, key=lambda point: point.value).z == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize(("width", "error"), [(1.0, 0.0027), (2.0, 0.0432), (5.0, 0.3)])
def test_what_a_cubic_may_be_wrong_by_grows_with_the_distance(width, error):
    """A share of the height of the line, as its fourth derivative is; never more than the share."""
    left, right = Point(0.0, 1.0, 0.0), Point(width * DECADE, 1.0, 0.0)
    z, low = least_possible(left, right, _error(left, right, 1.0))
    assert z == pytest.approx(width * DECADE / 2)
    assert low == pytest.approx(1 - error)


@pytest.mark.parametrize("seed", range(20))
def test_a_cubic_is_nowhere_below_its_floor(seed):
    rng = np.random.default_rng(seed)
    left, right = (Point(z, *rng.normal(size=2)) for z in (0.0, rng.uniform(0.1, 3)))
    _, low = least_possible(left, right, 0.0)
    assert _floor(left, right) <= min(low, left.value, right.value)


@pytest.mark.parametrize("solvable", [True, False])
def test_an_inexact_end_that_denies_the_fall_of_the_line_is_made_exact(solvable):
    line, asked = Line(lambda z: 5 - z), []
    # Of the scan: too high, and with a slope of the wrong sign.
    end = Point(0.2, 5.5, 1.0, exact=False)

    def evaluate(z):
        asked.append(z)
        return line(z) if solvable else None

    # What the polish of a bracket leaves: a point next to its end.
    found = explore(evaluate, None, [line(-1.0), line(0.19), end], 0.5)
    assert asked == [0.2]
    assert [point.exact for point in found] == [True, True, solvable]
    # Farther away, or where the line does not fall towards it, it is believed.
    far, beyond = Point(2.0, 5.5, 1.0, exact=False), Point(-1.1, 6.5, -1.0, exact=False)
    assert explore(evaluate, None, [line(-1.0), line(0.19), far], 5.0)[-1] is far
    assert explore(evaluate, None, [beyond, line(-1.0), line(0.19)], 5.0)[0] is beyond
    assert asked == [0.2]
