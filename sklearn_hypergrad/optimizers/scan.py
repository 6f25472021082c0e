"""The global stage along one line: where its minima are.

A cross-validation loss along one log-penalty can have several minima, so a coarse scan with
derivatives looks at the whole line before a minimum is polished.
"""

import dataclasses
import math

import numpy as np

DECADE = math.log(10)
FLAT = 1e-6
N_COARSE = 5
HOPELESS = 0.1
MOST_HALVINGS = 20


@dataclasses.dataclass(frozen=True)
class Point:
    """A value and derivative on the line."""

    z: float
    value: float
    slope: float


def scan(evaluate, start, stop, *, thorough=True):
    """Points from ``start`` to ``stop``, both included, at most a decade apart and at least five.

    ``evaluate(z) -> Point``. The order matters: each solution starts the next one warm, so
    ``start`` is the end whose problem is easy. Unless it is to be thorough, the scan goes to
    ``stop`` at once from a value that is hopeless and rises, and back only if that is not. The
    points are returned by ascending ``z``.
    """
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
    """Whether a value is so much larger than the best that its surroundings matter little."""
    return value > best + HOPELESS * abs(best)


def _rises(point, best, direction):
    return hopeless(point.value, best) and point.slope * direction > 0


def widen(evaluate, points, low, high):
    """Add points, a decade apart, until the smallest value is inside or the line is flat.

    Goes on beyond an end of ``points`` while that end has the smallest value and its last decade
    changed the value by more than ``FLAT`` relative, and never beyond ``low`` and ``high``.
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
    """The points next to ``end`` (0 or -1) whose value is that of the end up to ``FLAT``."""
    ordered = points if end == 0 else points[::-1]
    stretch = [ordered[0]]
    for point in ordered[1:]:
        if not _flat(ordered[0], point):
            break
        stretch.append(point)
    return stretch


def brackets(points):
    """Neighbours with a minimum between them, best first.

    Either the derivative turns from negative to positive, or the better end falls towards the
    other, which is higher: then it turns more than once, and ``turn`` finds where.
    """
    pairs = [
        (left, right)
        for left, right in zip(points, points[1:], strict=False)
        if math.isfinite(left.value + right.value) and (_turns(left, right) or _hides(left, right))
    ]
    return sorted(pairs, key=lambda pair: min(pair[0].value, pair[1].value))


def turn(evaluate, left, right):
    """The bracket halved until its derivative turns from negative to positive.

    Halving keeps what makes a minimum certain: that the better end falls towards the other.
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
