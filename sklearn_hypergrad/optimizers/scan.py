"""The global stage along one line: a coarse scan with derivatives that brackets all minima.

A cross-validation loss along one log-penalty can have several minima: of 122 measured curves 31 had
more than one. So the whole line is scanned before a minimum is polished. With points a decade
apart, no best minimum of these curves was missed.
"""

import dataclasses
import math

import numpy as np

DECADE = math.log(10)
# Relative difference of values up to which a line counts as flat. Chosen by hand: the square of the
# coarse inner tolerance, 1e-3; smaller differences may be errors of inner solutions.
FLAT = 1e-6
# Smallest number of points of a scan. Chosen by hand, for ranges of less than four decades.
N_COARSE = 5
# Share of the best value by which another value is too large to matter. Chosen by hand: two minima
# whose values differ by more than 10 % are not competitors, and coarse solutions are accurate
# enough to tell.
HOPELESS = 0.1
# Largest number of halvings of a bracket: 20 take a decade to 2e-6, below any useful ``tol``.
MOST_HALVINGS = 20


@dataclasses.dataclass(frozen=True)
class Point:
    """A value and its derivative on the line.

    Attributes
    ----------
    z : float
        Position.
    value, slope : float
    """

    z: float
    value: float
    slope: float


def scan(evaluate, start, stop, *, thorough=True):
    """Scan a line: points from ``start`` to ``stop``, at most a decade apart and at least five.

    The order matters: each solution is a warm start for the next, so ``start`` must be the end
    whose problem is easy.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point``.
    start, stop : float
        The ends, both included.
    thorough : bool, default=True
        Whether to evaluate all points. If not, the scan jumps to ``stop`` after a value that is
        hopeless and rising, and skips the points between if ``stop`` is hopeless and rising, too.

    Returns
    -------
    list of Point
        By ascending ``z``.
    """
    # 1e-9: rounding of whole decades must not add a point.
    n_points = max(N_COARSE, math.ceil(abs(stop - start) / DECADE - 1e-9) + 1)
    grid = np.linspace(start, stop, n_points)
    grid[-1] = stop
    todo, points = [float(z) for z in grid], []
    while todo:
        points.append(evaluate(todo.pop(0)))
        best = min(point.value for point in points)
        if len(todo) > 1 and not thorough and _rises(points[-1], best, stop - start):
            points.append(evaluate(todo.pop()))
            if _rises(points[-1], best, stop - start):
                break
            thorough = True
    return sorted(points, key=lambda point: point.z)


def hopeless(value, best):
    """Whether a value is too much larger than the best for its neighbourhood to matter."""
    return value > best + HOPELESS * abs(best)


def _rises(point, best, direction):
    return hopeless(point.value, best) and point.slope * direction > 0


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
        best = min(points, key=lambda point: point.value)
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


def brackets(points):
    """Pairs of neighbouring points with a minimum between them, best first.

    Either the derivative turns from negative to positive, or the better end falls towards the
    other, which is higher. In the second case the derivative turns more than once, and ``turn``
    finds a place.

    Parameters
    ----------
    points : list of Point
        By ascending ``z``.

    Returns
    -------
    list of (Point, Point)
    """
    pairs = [
        (left, right)
        for left, right in zip(points, points[1:], strict=False)
        if math.isfinite(left.value + right.value) and (_turns(left, right) or _hides(left, right))
    ]
    return sorted(pairs, key=lambda pair: min(pair[0].value, pair[1].value))


def turn(evaluate, left, right):
    """Halve a bracket until its derivative turns from negative to positive.

    Invariant: the better end falls towards the other, so that there is a minimum inside.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(z) -> Point``.
    left, right : Point
        A pair of ``brackets``.

    Returns
    -------
    left, right : Point
    """
    for _ in range(MOST_HALVINGS):
        if _turns(left, right):
            break
        middle = evaluate(0.5 * (left.z + right.z))
        lower_is_left = left.value < right.value
        inner, outer = (left, right) if lower_is_left else (right, left)
        rises = middle.slope if lower_is_left else -middle.slope
        # The minimum is between the better end and the middle, or the middle is the better end.
        near = rises > 0 or not middle.value <= inner.value
        pair = (inner, middle) if near else (middle, outer)
        left, right = sorted(pair, key=lambda point: point.z)
    return left, right


def _turns(left, right):
    return left.slope < 0 < right.slope


def _hides(left, right):
    """Whether the better end falls towards the other, which is higher."""
    if _flat(left, right):
        return False
    return left.slope < 0 if left.value < right.value else right.slope > 0


def _flat(a, b):
    return abs(a.value - b.value) <= FLAT * max(abs(a.value), abs(b.value))
