"""Minima along one line: a scan with derivatives, and a look wherever it may be lower.

A cross-validation loss along one log-penalty can have several minima: of 122 measured curves 31 had
more than one. So the whole line is scanned before a minimum is polished. Then the cubic through the
values and slopes of two neighbours (Hermite) says how low the line may be between them. Simulated
on these curves, with points up to two decades apart: the best minimum of none of them was missed by
more than 1e-4 relative.
"""

import dataclasses
import itertools
import math

import numpy as np

DECADE = math.log(10)
# Relative difference of values up to which a line counts as flat. Chosen by hand: no result is to
# be worse than the best by more.
FLAT = 1e-6
# Smallest number of points of a scan. Chosen by hand, for ranges of less than six decades.
N_COARSE = 4
# Share of an interval that a point between its ends keeps away from them. Chosen by hand: a point
# next to an end says nothing new.
AWAY = 0.25
# Share of the best value by which another value is too large to matter. Chosen by hand: two minima
# whose values differ by more than 10 % are not competitors, and coarse solutions are accurate
# enough to tell.
HOPELESS = 0.1
# Derivation. At the share t of an interval h the cubic misses a function by at most
# 16 t^2 (1 - t)^2 h^4 / 384 times its largest fourth derivative. Along log alpha, losses of ridge
# regression consist of sigmoids of height A, for which this is at most about 0.009 A h^4 in the
# middle, with h in decades; they never miss it by more than A. A is not known: the values of an
# interval and its neighbours vary by a part of it.
MISSED = 0.009
# Share of this error that is allowed for. Measured on the curves above: with 0.3 none was missed,
# with 0 one was.
ALLOWED = 0.3
# Shares of an interval at which the least possible value is computed.
SHARES = np.linspace(0.0, 1.0, 17)[1:-1]
# Lines with kinks: how much lower than the cubic they may be in the middle, relative to a line that
# falls all the way like its steepest end, between points further apart than this; and the gain from
# which on it is worth to look. Simulated on 82 curves of Lasso and elastic nets on 14 data sets,
# over four and five decades with points 1 apart: one minimum was missed by 1.3e-4 relative and none
# by more; without, four by up to 7e-4.
KINKED, RESOLVED, KINKED_GAIN = 0.125, 0.3, 1e-5
# Rises in a row to this share above the best value, after which a scan towards slow places ends.
# Chosen by hand. Measured on 500 x 1,000 random numbers: the scan takes a hundredth of the time.
RISES, RISEN = 2, 0.02
# Rough lines, such as those of support vector machines, have kinks closer to each other than any
# scan: distance from the lowest point up to which they are swept, and the one between points there.
# Measured in 68 searches of C and gamma of SVC and gamma of SVR against 200 values: one was missed
# by more than one in ten thousand, and twelve without; evaluations are a third more. Other lowest
# points are swept around if they are higher by this share at most: of 28 searches of epsilon of SVR
# one was missed by 2.5 % without, and none with it, for one evaluation more.
SWEPT, CLOSE, ALIKE = 0.6, 0.1, 5e-3
# The same for lines with few kinks, once no other place may be lower: a shorter distance, the share
# of such a fall that may be between neighbours, and the gain that is worth it. Measured for Lasso,
# elastic nets and their ratio, and sparse logistic regression in 312 searches against 200 values:
# none was missed by more than one in ten thousand, and seven without; one or two evaluations more.
AT_LAST = {"reach": 0.2, "share": KINKED, "gain": 1e-4, "alike": 0.0}
# Places without a value: the gain, relative to the best value, that is worth another point on the
# way there, and the distance from them that is too close for any. Measured for HuberRegressor,
# whose scale may go to zero, in 56 searches against 200 values: none was missed by more than one in
# ten thousand; with four points at most one was, by 4 %, and six without any.
NOWHERE_GAIN, TOO_CLOSE = 1e-4, 3e-4
# Distance over which an exact point is believed, not one of a scan. Chosen by hand: within a tenth
# of a decade the errors of a scan may be larger than the change of the line.
NEAR = 0.1 * DECADE
# Gain, relative to the best value, from which on it is worth to look. Reason: no result shall be
# worse than the best by 1e-6.
GAIN = 3e-7
# Largest number of looks, a safeguard: smooth lines need a few.
MOST_LOOKS = 30


@dataclasses.dataclass(frozen=True)
class Point:
    """A value and its derivative on the line.

    Attributes
    ----------
    z : float
        Position.
    value, slope : float
    exact : bool
        Whether they are accurate, and not only good enough for a scan.
    rough : bool
        Whether they may be far off.
    """

    z: float
    value: float
    slope: float
    exact: bool = True
    rough: bool = False

    @property
    def plain(self):
        """Position, value and slope."""
        return self.z, self.value, self.slope


def places(start, stop, wanted=(), preferred=(), *, gap=DECADE):
    """Places of a scan from ``start`` to ``stop``: at least four.

    Parameters
    ----------
    start, stop : float
        The ends, both included.
    wanted : sequence of float, default=()
        More places, as far as they are between the ends.
    preferred : sequence of float
        Each of the other places is moved to the nearest of these, if this is at most half a decade
        away, and nearer to it than to any other place.
    gap : float, default=DECADE
        Largest distance between places, before any is moved.

    Returns
    -------
    list of float
    """
    inside = {z for z in wanted if min(start, stop) < z < max(start, stop)}
    stops = [start, *sorted(inside, reverse=bool(stop < start)), stop]
    gap = min(gap, abs(stop - start) / (N_COARSE - 1))
    grid = [start]
    for left, right in itertools.pairwise(stops):
        # 1e-9: rounding of whole decades must not add a point.
        n_steps = max(1, math.ceil(abs(right - left) / gap - 1e-9))
        grid += [*np.linspace(left, right, n_steps + 1)[1:-1].tolist(), right]
    spaces = np.abs(np.diff(grid))
    for index in range(1, len(grid) - 1):
        reach = 0.5 * min(DECADE, *spaces[index - 1 : index + 1])
        nearest = min(preferred, key=_from(grid[index]), default=None)
        movable = nearest is not None and grid[index] not in inside
        if movable and abs(nearest - grid[index]) < reach:
            grid[index] = nearest
    return grid


def _from(place):
    """``distance(other)`` from a place."""
    return lambda other: abs(other - place)


def scan(evaluate, grid, *, thorough=True, to_slow=False):
    """Scan a line at some places.

    The order matters: each solution is a warm start for the next, so the first must be the end
    whose problem is easy.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point``.
    grid : list of float
        The places, from one end to the other.
    thorough : bool, default=True
        Whether to evaluate all points. If not, the scan jumps to the last after a value that is
        hopeless and rising, and skips the points between if the last is hopeless and rising, too.
    to_slow : bool, default=False
        Whether it walks to an end that is slow: then it ends after ``RISES`` in a row.

    Returns
    -------
    list of Point
        By ascending ``z``.
    """
    todo, points, direction, n_risen = list(grid), [], grid[-1] - grid[0], 0
    while todo and not (to_slow and n_risen == RISES):
        points.append(evaluate(todo.pop(0)))
        best = min(point.value for point in points)
        n_risen = n_risen + 1 if above(points[-1].value, best, RISEN) else 0
        if len(todo) > 1 and not thorough and _rises(points[-1], best, direction):
            points.append(evaluate(todo.pop()))
            if _rises(points[-1], best, direction):
                break
            thorough = True
    return in_order(points)


def in_order(points):
    """The points by ascending ``z``."""
    return sorted(points, key=lambda point: point.z)


def lowest_of(points):
    """The point with the smallest value, the first of equal ones."""
    return min(points, key=lambda point: point.value)


def above(value, best, share):
    """Whether a value is larger than the best by more than a share of it; values have any sign."""
    return value > best + share * abs(best)


def hopeless(value, best):
    """Whether a value is too much larger than the best for its neighbourhood to matter."""
    return above(value, best, HOPELESS)


def _rises(point, best, direction):
    return hopeless(point.value, best) and point.slope * direction > 0


def fill(evaluate, points):
    """Add points to a scan where neighbours more than a decade apart leave room for a lower value.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z, near) -> Point``; ``near`` is True where slopes say that there is a minimum.
    points : list of Point
        By ascending ``z``.

    Returns
    -------
    list of Point
    """
    for _ in range(MOST_LOOKS):
        found = _roomiest(points, lowest_of(points).value, DECADE * (1 + 1e-9))
        if found is None:
            break
        left, right, z = found
        away = AWAY * (right.z - left.z)
        z = min(max(z, left.z + away), right.z - away)
        points = in_order([*points, evaluate(z, left.slope < 0 < right.slope)])
    return points


def sweep(evaluate, points, *, reach=SWEPT, share=1.0, gain=KINKED_GAIN, alike=ALIKE):
    """Add points close to each other around the lowest one, until it stays the lowest.

    Neighbours between which the line would have to fall faster than at both are left out.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(places)``: a list of a Point for each, exact, or None if it cannot be used.
    points : list of Point
        By ascending ``z``.
    reach : float, default=SWEPT
        Distance from the lowest one up to which points are added.
    share : float, default=1.0
        The share of such a fall that may be between neighbours.
    gain : float, default=KINKED_GAIN
        The least gain, relative to the lowest value, that is worth a point.
    alike : float, default=ALIKE
        Points that are lower than their neighbours, and above the lowest one by this share at most,
        count like the lowest one.

    Returns
    -------
    list of Point
    """
    while True:
        best = lowest_of([point for point in points if point.exact] or points)
        least, centres = best.value - gain * abs(best.value), _valleys(points, best, alike)
        between = []
        for left, right in itertools.pairwise(points):
            width = right.z - left.z
            fall = share * width * max(abs(left.slope), abs(right.slope))
            if width > 1.5 * CLOSE and min(left.value, right.value) - fall < least:
                inner = np.linspace(left.z, right.z, math.ceil(width / CLOSE) + 1)[1:-1]
                near = np.abs(inner[:, None] - centres).min(axis=1) <= reach
                between += inner[near].tolist()
        new = [point for point in evaluate(between) if point is not None]
        points = in_order([*points, *new])
        if not new or lowest_of(new).value >= best.value:
            return points


def _valleys(points, best, alike):
    """Places of the best point, and of those that are as low but for a share of its value."""
    values = [np.inf, *(point.value for point in points), np.inf]
    low = [p.z for n, p in enumerate(points) if p.value <= min(values[n], values[n + 2])]
    near = [p.z for p in points if not above(p.value, best.value, alike)]
    return np.array([best.z, *sorted({*low} & {*near})])


def approach(evaluate, points, nowhere):
    """Add points towards places without a value, as long as the line falls there below all points.

    The first one is added whatever its neighbour says.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point``, or None if ``z`` cannot be used.
    points : list of Point
        By ascending ``z``.
    nowhere : list of float
        Places that cannot be used.

    Returns
    -------
    list of Point
    """
    low = max((z for z in nowhere if z < points[0].z), default=None)
    high = min((z for z in nowhere if z > points[-1].z), default=None)
    for number, limit in ((0, low), (-1, high)):
        is_first = True
        while limit is not None and abs(limit - points[number].z) > TOO_CLOSE:
            end, best = points[number], lowest_of(points).value
            at_limit = end.value + end.slope * (limit - end.z)
            if not (is_first or at_limit < best - NOWHERE_GAIN * abs(best)):
                break
            is_first, halfway = False, 0.5 * (end.z + limit)
            found = evaluate(halfway)
            limit = halfway if found is None else limit
            points = points if found is None else in_order([*points, found])
    return points


def widen(evaluate, points, low, high):
    """Add points, a decade apart, until the smallest value is inside or the line is flat.

    Points are added beyond an end as long as it has the smallest value and the last decade changed
    the value by more than ``FLAT`` relative, and never beyond ``low`` and ``high``.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point``.
    points : list of Point
        By ascending ``z``.
    low, high : float
        Limits of ``z``.

    Returns
    -------
    list of Point
    """
    points = list(points)
    while True:
        best = lowest_of(points)
        if best is points[0] and best.z > low and not _flat(points[0], points[1]):
            points.insert(0, evaluate(max(low, best.z - DECADE)))
        elif best is points[-1] and best.z < high and not _flat(points[-1], points[-2]):
            points.append(evaluate(min(high, best.z + DECADE)))
        else:
            return points


def flat_stretch(points, end):
    """The points next to ``end`` (0 or -1) whose values equal that of the end up to ``FLAT``."""
    ordered = points if end == 0 else points[::-1]
    stretch = [ordered[0]]
    for point in ordered[1:]:
        if not _flat(ordered[0], point):
            break
        stretch.append(point)
    return stretch


def _flat(a, b):
    return abs(a.value - b.value) <= FLAT * max(abs(a.value), abs(b.value))


def explore(evaluate, polish, points, tol, *, smooth=True):
    """Look between known points until none of them leaves room for a lower value.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point`` that is exact, or None if ``z`` cannot be used.
    polish : callable
        ``polish(left, right) -> (points, Minimum)`` minimises between two points whose slopes say
        that there is a minimum, see :func:`polished`. If it has not converged, nothing between the
        two is looked at again.
    points : list of Point
        At least one is exact.
    tol : float
        Points nearer to each other than this have no room between them.
    smooth : bool, default=True
        Whether the line has a derivative everywhere.

    Returns
    -------
    list of Point
        All known points, by ascending ``z``.
    """
    known, closed, unsolved = {point.z: point for point in points}, [], set()
    for _ in range(MOST_LOOKS):
        best = lowest_of(point for point in known.values() if point.exact)
        found = _roomiest(in_order(known.values()), best.value, tol, closed, smooth=smooth)
        denied = [p for p in known.values() if p.z not in unsolved and _denies(p, best)]
        if found is None and not denied:
            break
        left, right, z = found or (best, denied[0], best.z)
        # What promises to be best must be true, and so must what speaks against the best point.
        doubtful = [e.z for e in (left, right) if e.rough or (e.value < best.value and not e.exact)]
        doubtful += [point.z for point in denied if point.z not in doubtful]
        done = False
        if doubtful:
            new = [evaluate(z) for z in doubtful]
        elif left.slope < 0 < right.slope:
            new, minimum = polish(left, right)
            done = not minimum.converged
        else:
            new = [evaluate(z)]
        if done or None in new:
            closed.append((left.z, right.z))
            unsolved |= set(doubtful)
        known |= {point.z: point for point in new if point is not None}
    return in_order(known.values())


def _denies(point, best):
    """Whether an inexact point is higher than the best one although the line falls towards it."""
    distance = point.z - best.z
    falls = -best.slope * distance > GAIN * abs(best.value)
    return not point.exact and falls and abs(distance) <= NEAR and point.value >= best.value


def polished(evaluate, left, right, optimizer, settings):
    """Minimise between two points with an optimizer, which does not evaluate these again.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point``.
    left, right : Point
    optimizer : Optimizer
    settings : dict
        Its ``tol`` and ``max_iter``.

    Returns
    -------
    points : list of Point
        Those that were evaluated, the minimum among them.
    minimum : Minimum
    """
    known = {left.z: left, right.z: right}

    def fun(z):
        if z[0] not in known:
            known[z[0]] = evaluate(float(z[0]))
        return known[z[0]].value, np.array([known[z[0]].slope])

    start, ends = lowest_of([left, right]).z, np.array([[left.z, right.z]])
    minimum = optimizer.minimize(fun, np.array([start]), ends, **settings)
    fun(minimum.z)
    return list(known.values())[2:], minimum


def _roomiest(points, best, tol, closed=(), *, smooth=True):
    """``(left, right, z)``: the neighbours with the most room below ``best``, or None."""
    least, found = best - (GAIN if smooth else KINKED_GAIN) * abs(best), None
    for number, (left, right) in enumerate(itertools.pairwise(points)):
        inside = any(low <= left.z and right.z <= high for low, high in closed)
        if right.z - left.z <= tol or inside:
            continue
        values = [point.value for point in points[max(0, number - 1) : number + 3]]
        error = _error(left, right, max(values) - min(values)) if smooth else _of_kinks(left, right)
        # Few pairs get past this.
        if _floor(left, right) - error >= least:
            continue
        z, low = least_possible(left, right, error)
        if low < least:
            least, found = low, (left, right, z)
    return found


def _error(left, right, variation):
    """How much lower than the cubic the line may be, if values around vary by so much."""
    width = (right.z - left.z) / DECADE
    steepest = max(abs(left.slope), abs(right.slope)) * DECADE * min(1.0, width)
    return ALLOWED * max(variation, steepest) * min(1.0, MISSED * width**4)


def _of_kinks(left, right):
    """The same for a line with kinks, whose slope between two points may be any."""
    width = right.z - left.z
    rise = max(width * max(abs(left.slope), abs(right.slope)), abs(right.value - left.value))
    return KINKED * rise if width > RESOLVED else 0.0


# The polynomials by which a cubic depends on the slopes at its ends are between 0 and 4/27.
def _floor(left, right):
    """A value that the cubic is nowhere below."""
    fall = max(0.0, -left.slope) + max(0.0, right.slope)
    return min(left.value, right.value) - 4 / 27 * fall * (right.z - left.z)


# With t from 0 to 1 and slopes per unit of t, the cubic is a + p t + (3 d - 2 p - q) t^2 +
# (p + q - 2 d) t^3, where d is the difference of the values, and p and q are the slopes.
def least_possible(left, right, error):
    """``(z, value)``: how low the line may be between two points, and where.

    Parameters
    ----------
    left, right : Point
    error : float
        How much lower than the cubic it may be in the middle.

    Returns
    -------
    z, value : float
    """
    width, difference = right.z - left.z, right.value - left.value
    p, q = left.slope * width, right.slope * width
    square, cube = 3 * difference - 2 * p - q, p + q - 2 * difference
    t = np.append(SHARES, _stationary(p, square, cube))
    values = left.value + t * (p + t * (square + t * cube)) - 16 * error * (t * (1 - t)) ** 2
    at = int(np.argmin(values))
    return left.z + float(t[at]) * width, float(values[at])


def _stationary(p, square, cube):
    """The places of t between 0 and 1 where the cubic is flat, without cancellation."""
    root = square**2 - 3 * cube * p
    if not root > 0:
        return []
    bottom = square + math.copysign(math.sqrt(root), square)
    ratios = (-p, bottom), (bottom, -3 * cube)
    found = [upper / lower for upper, lower in ratios if lower]
    return [t for t in found if 0 < t < 1]
