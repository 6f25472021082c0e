"""Minimise an objective of one value.

The line is scanned first, so that the minimum is the best one and not the nearest; then it is
looked at wherever it may be lower than at all known points. Inner problems are solved coarsely far
from the minimum and finely near it, as in Pedregosa (2016), algorithm 1; the tolerance stays the
same while a minimum is polished. Only points whose inner problems are solved can win.
"""

import numpy as np

from sklearn_hypergrad.optimizers import (
    Cubic,
    Point,
    explore,
    fill,
    hopeless,
    places,
    polished,
    scan,
    sweep,
    widen,
)
from sklearn_hypergrad.optimizers.line import (
    AT_LAST,
    DECADE,
    approach,
    flat_stretch,
    in_order,
    lowest_of,
)
from sklearn_hypergrad.search.candidates.refusals import NowhereFinite
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus
from sklearn_hypergrad.tuning import COARSE, FINE, ROUGH

# Decades to either side of the level of the data that a search without bounds scans first, before
# it widens by decades until the minimum is inside. Chosen by hand: a wider scan costs evaluations.
FIRST_DECADES = 3
# Decades to either side of ``init`` that it scans in place of all that. Measured for five models:
# from the minimum 4 or 5 evaluations are left of 7 to 22, with 0.5 up to 7; from three times as far
# 8 to 13. A minimum further away is found by widening.
NEAR = 0.25
# Decades beyond the levels of the smallest and the largest column that it scans, too: where columns
# differ in units, each has a level of its own, and a line may be flat between two of them.
BEYOND_COLUMNS = 1
# Relative difference to the best value below which points of the scan are evaluated again, finely.
# Chosen by hand, from the accuracy of the scan: an inner tolerance of 5e-3 leaves a relative error
# of its square, 2.5e-5, in the objective, and about as much in the validation loss.
NOISE = 1e-4
# Decades between points of the scan: of closed forms, and where a point takes a training. Simulated
# on the 122 curves: two decades missed none, with a look wherever the line may be lower; three
# missed two. Measured: a cubic through points two decades apart is up to 5 % of the range of the
# losses off, one decade apart 0.5 %, which is what displays draw.
APART = {False: 1.0, True: 2.0}
# The same for models with kinks: about 1 in the logarithm. Simulated on the curves of ``KINKED`` in
# optimizers/line.py: points that are 0.65 to 1 apart miss the same, 1.3 apart they miss more.
APART_WITH_KINKS = 0.45
# The same for models that are smooth in pieces. Measured for C of LinearSVC in 20 searches against
# 200 values: one decade apart one was missed, by 7e-4; with this none by more than 1e-6.
APART_WITH_BENDS = 0.7
# Largest number of listed values that are all places of a dense scan.
MOST_LISTED = 40
# Relative gain, in units of tol^2, that is not worth another training. Reason: with the usual tol
# of 1e-3 it is GAIN of optimizers/line.py, from which on it is worth to look.
WORTH = 0.3


class LineSearch:
    """One search for the minimum of an objective over one value.

    Positions on the line are logarithms of the value, on any scale of the search.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective of one value.
    """

    def __init__(self, prepared, objective):
        (self._dimension,) = objective.space.dimensions
        span, (regularizes,) = prepared.range, prepared.directions
        self._prepared, self._objective = prepared, objective
        self._logarithmic = self._dimension.scale == "log"
        self._transform = self._dimension.transform
        self._low, self._high = np.log([self._dimension.low, self._dimension.high])
        # Whether the lower and the upper bound are the user's.
        self._bounded = span.continuous.low is not None, span.continuous.high is not None
        # Without a regularising direction, the end of small values counts as the easy one.
        self._regularizes = regularizes or -1
        self._optimizer = prepared.options.optimizer
        self._settings = prepared.run
        own = prepared.own_inside(span)
        self._own = None if own is None else float(np.log(own))
        self._polished = []
        self._model = objective.terms[0]

    def run(self):
        """Minimise.

        Returns
        -------
        Found

        Raises
        ------
        CannotSearch
            If the objective is not finite anywhere.
        """
        self._scan()
        points = self._known()
        if not points:
            raise NowhereFinite("the validation loss is not finite for any value")
        self._objective.tol = FINE
        is_flat = len(points) > 1 and len(flat_stretch(points, 0)) == len(points)
        if is_flat and not self._nowhere():
            end = points[-1] if self._regularizes > 0 else points[0]
            return self._found(end.z, EndStatus.FLAT, "flat everywhere")
        while self._refine(points):
            points = self._known()
        # Where nothing can be solved finely, the values of the scan stay.
        if any(point.exact for point in points):
            points = self._explored(points)
        best = lowest_of([point for point in points if point.exact] or points)
        z = self._regular_end(points, best)
        converged, message = self._how(z, points)
        return self._found(z, self._ending(z, points, converged), message)

    def _explored(self, points):
        """All points, once none of them leaves room for a lower value."""

        def look(z):
            point = self._exact(z)
            return Point(z, np.inf, 0.0) if point is None else point

        tol = self._settings["tol"]
        smooth = self._model.smooth
        rough = not smooth and self._objective.has_rough
        points = sweep(self._all_exact, points) if rough else points
        points = approach(self._exact, points, self._nowhere())
        points = explore(self._exact, self._polish, points, tol, smooth=smooth)
        if not (smooth or rough):
            points = sweep(self._all_exact, points, **AT_LAST)
            points = explore(self._exact, self._polish, points, tol, smooth=smooth)
        if len(points) == 1:
            return points
        # Coarse values may have ended the scan too early.
        wider = [p for p in widen(look, points, self._low, self._high) if np.isfinite(p.value)]
        if len(wider) > len(points):
            points = explore(self._exact, self._polish, wider, tol, smooth=smooth)
        return points

    def _nowhere(self):
        """Places that could not be solved."""
        return [self._point(r).z for r in self._objective.records if not r.usable]

    def _found(self, z, end_status, message):
        return Found(self._record(z), [end_status], message)

    def _record(self, z):
        return self._objective.record(np.array([self._theta(z)]))

    def _known(self):
        """The points so far, the most accurate of each place; unsolved ones only if all are."""
        records = [r for r in self._objective.records if np.isfinite(r.value)]
        points = {}
        for record in [r for r in records if r.usable] or records:
            point = self._point(record)
            if point.z not in points or not points[point.z].exact:
                points[point.z] = point
        return in_order(points.values())

    def _scan(self):
        """Evaluate points along the line, from the strongly regularised end, which is easy."""
        if self._prepared.is_begun:
            self._scan_near()
            return
        look, ends, own = self._look(), self._window(), self._own
        inside = own is not None and ends[0] <= own <= ends[1]
        listed = np.log(self._prepared.range.listed)
        apart = APART_WITH_BENDS if self._model.smooth_while else APART[self._objective.iterative]
        apart = apart if self._model.smooth else APART_WITH_KINKS
        wanted, gap = [own] if inside else [], apart * DECADE
        if self._model.cheap and len(listed) <= MOST_LISTED:
            wanted = [*wanted, *listed]
        grid = places(*ends[:: -self._regularizes], wanted, listed, gap=gap)
        if own is not None:
            # Two points of one place would look like a flat end.
            grid = [own if abs(z - own) <= ON_BOUND else z for z in grid]
        if not self._objective.iterative:
            self._objective.expect([np.array([self._theta(z)]) for z in grid])
        thorough = not self._objective.iterative
        points = scan(look, grid, thorough=thorough, to_slow=self._model.slow_when_weak)
        if own is not None and own not in [point.z for point in points]:
            points = in_order([*points, look(own)])
            if not inside and lowest_of(points).z == own:
                end = min(ends, key=lambda end: abs(end - own))
                between = map(look, places(end, own, gap=gap)[1:-1])
                points = in_order([*points, *between])
        widen(look, fill(look, points), self._low, self._high)

    def _scan_near(self):
        """Evaluate points near ``init``, and widen until the minimum is inside."""
        look, start = self._look(), np.log(self._dimension.start)
        places = np.clip(start + NEAR * DECADE * np.array([0, -1, 1]), self._low, self._high)
        points = [look(float(z), near=True) for z in dict.fromkeys(places)]
        widen(look, in_order(points), self._low, self._high)

    def _window(self):
        """The ends of the scan."""
        if all(self._bounded):
            return self._low, self._high
        level = self._dimension.start
        smallest, largest = np.log(self._prepared.column_levels(self._prepared.range, level))
        reach, beyond = FIRST_DECADES * DECADE, BEYOND_COLUMNS * DECADE
        start = min(np.log(level) - reach, smallest - beyond)
        stop = max(np.log(level) + reach, largest + beyond)
        return max(self._low, start), min(self._high, stop)

    def _theta(self, z):
        """The theta of a position."""
        # A logarithm and back would change last digits.
        return float(z if self._logarithmic else self._transform.to_theta(self._value(z)))

    def _value(self, z):
        """The value at a position; exact at the ends of a range."""
        ends = {np.log(end): end for end in (self._dimension.low, self._dimension.high)}
        return float(ends.get(z, np.exp(z)))

    def _stretch(self, value):
        """The derivative of theta in the position."""
        return value / float(self._transform.derivative(value))

    def _point(self, record):
        """The Point of a Record."""
        z, slope = float(record.theta[0]), float(record.gradient[0])
        if not self._logarithmic:
            value = float(self._transform.to_constrained(z))
            z, slope = float(np.log(value)), slope * self._stretch(value)
        return Point(z, record.value, slope, record.tol <= FINE, record.tol > COARSE)

    def _look(self):
        """``point(z, near)`` for a scan.

        It solves roughly where the last point says that the value is far too large, and finely near
        a minimum, and at the estimator's own value, with which the point found is compared. Closed
        forms have one accuracy.
        """
        points, objective = [], self._objective

        def point(z, near=False):
            finely = near or z == self._own or not objective.iterative
            best = min((point.value for point in points), default=np.inf)
            rough = not finely and bool(points) and hopeless(_expected(points[-1], z), best)
            objective.tol = ROUGH if rough else FINE if finely else COARSE
            record = self._record(z)
            if rough and not hopeless(record.value, best):
                objective.tol = COARSE
                record = self._record(z)
            value = record.value if record.usable else np.inf
            points.append(Point(z, value, self._point(record).slope))
            return points[-1]

        return point

    def _exact(self, z):
        """The point at z to the fine tolerance; None if it could not be solved."""
        record = self._record(z)
        return self._point(record) if record.usable else None

    def _all_exact(self, places):
        """The same for several places, which may be evaluated at once."""
        self._objective.expect([np.array([self._theta(z)]) for z in places])
        return [self._exact(z) for z in places]

    def _refine(self, points):
        """Evaluate points that may be the best again, to the fine tolerance.

        So is an end beside the best point, unless the line rises there: whether it is better
        decides where the line ends. Returns whether there was something new.
        """
        n_before = len(self._objective.records)
        best = lowest_of(points)
        near = best.value + NOISE * abs(best.value)
        pairs = (points[:2], points[:-3:-1]) if len(points) > 1 else ()
        beside = [end for end, inner in pairs if inner is best]
        falls = [end for end in beside if end.slope * (end.z - best.z) <= 0]
        for point in points:
            decides = point in falls and not all(self._bounded)
            if point.value <= near or (decides and not hopeless(point.value, best.value)):
                self._record(point.z)
        return len(self._objective.records) > n_before

    def _polish(self, left, right):
        """One run of the optimizer in a bracket, on the scale of the search."""
        ends = [self._on_scale(end) for end in (left, right)]
        optimizer, seen = self._optimizer, []
        if optimizer is None:
            smooth = self._prepared.choice.loss.smooth
            costs = self._objective.iterative or not self._model.smooth
            optimizer = Cubic(WORTH if smooth and costs else 0.0, self._beside() if smooth else ())

        def point(theta):
            seen.append(self._objective.record(np.array([theta])))
            return self._on_scale(self._point(seen[-1]))

        _, minimum = polished(point, *ends, optimizer, self._settings)
        self._polished.append((left.z, right.z, minimum))
        return [self._point(record) for record in seen if record.usable], minimum

    def _beside(self):
        """Known points of a smooth line, on the scale of the search."""
        if not self._model.smooth:
            return ()
        return [self._on_scale(point).plain for point in self._known() if not point.rough]

    def _on_scale(self, point):
        """A Point with positions and slopes in theta."""
        if self._logarithmic:
            return Point(point.z, point.value, point.slope)
        slope = point.slope / self._stretch(self._value(point.z))
        return Point(self._theta(point.z), point.value, slope)

    def _how(self, z, points):
        """``(converged, message)`` of the minimum found."""
        for low, high, minimum in self._polished:
            if low <= z <= high:
                return minimum.converged, minimum.message
        at_end = z in (points[0].z, points[-1].z)
        return True, "end of the range" if at_end else "converged: no other place may be lower"

    def _regular_end(self, points, best):
        """The best point; at a flat end without bounds, the most regularised one as good."""
        if best in (points[0], points[-1]) and not all(self._bounded):
            stretch = flat_stretch(points, 0 if best is points[0] else -1)
            return self._regularizes * max(self._regularizes * point.z for point in stretch)
        return best.z

    def _ending(self, z, points, converged):
        if not converged:
            return EndStatus.NOT_CONVERGED
        of_data = self._dimension.of_data
        ends = zip((self._low, self._high), self._bounded, of_data, (0, -1), strict=True)
        for bound, mine, limited, end in ends:
            if abs(z - bound) <= ON_BOUND:
                if limited:
                    return EndStatus.END_OF_RANGE
                return EndStatus.AT_BOUND if mine else EndStatus.LIMIT
            stretch = [point.z for point in flat_stretch(points, end)]
            if not mine and len(stretch) > 1 and min(stretch) <= z <= max(stretch):
                return EndStatus.FLAT_ZERO if end == 0 else EndStatus.FLAT_INFINITY
        return EndStatus.INTERIOR


def line_search_of(prepared, objective):
    """The LineSearch of a candidate: its own class, if it has one."""
    return (prepared.line_search or LineSearch)(prepared, objective)


def _expected(point, z):
    """The value at ``z`` if the line goes on as at a point, but not lower than there."""
    rise = point.slope * (z - point.z)
    return point.value + max(0.0, rise) if np.isfinite(rise) else point.value
