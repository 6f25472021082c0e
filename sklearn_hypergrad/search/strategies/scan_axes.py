"""The places of a scan of several values, and which of its points lead to minima of their own."""

import itertools

import numpy as np

from sklearn_hypergrad.search.strategies.rough_scan import lattice
from sklearn_hypergrad.search.strategies.scan_settings import DECADES

# Distance in theta from the level at which a scan without bounds begins and ends: two decades.
REACH = 2 * np.log(10)
# How many steps of a scan points are apart, at least along one hyperparameter, that may lead to
# different minima.
APART = 1.5


class ScanAxes:
    """Places in theta along each hyperparameter, from its strongly regularised end.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
    settings : ScanSettings

    Attributes
    ----------
    first : int
        Number of the hyperparameter with the finest scan: a penalty, wherever it is named.
    """

    def __init__(self, prepared, objective, settings):
        self._ranges, self._directions = prepared.ranges, prepared.directions
        self._dimensions, self._settings = objective.space.dimensions, settings
        # There is one value only of a level that is known.
        self._moves = np.array([each.low < each.high for each in self._dimensions])
        self.first = int(np.argmax(np.abs(self._directions) - ~self._moves))

    def exact(self, *, listed=False):
        """The places of a scan of exact solutions; if asked, those that are listed."""
        make = self._listed if listed else self._even
        return self._from_strong([make(number) for number in range(len(self._ranges))])

    @property
    def steps(self):
        """Distances in theta between neighbours of an even scan; one where there is one value."""
        n_places = [self._n_places(number) for number in range(len(self._ranges))]
        widths = [np.ptp(self.reach(number)) for number in range(len(self._ranges))]
        return np.where(self._moves, np.divide(widths, n_places), 1.0)

    def rough(self):
        """Those of a scan of rough solutions."""
        return self._from_strong([self._lattice(number) for number in range(len(self._ranges))])

    def reach(self, number):
        """The ends in theta of the scan along a hyperparameter."""
        dimension, span = self._dimensions[number], self._ranges[number]
        low, high = dimension.bounds
        level = float(dimension.transform.to_theta(dimension.start))
        # A range of decades is scanned within its bounds, any other around the level.
        if span.continuous.low is None:
            low = max(low, level - REACH)
        if span.continuous.high is None:
            high = min(high, level + REACH)
        return low, high

    def _from_strong(self, axes):
        pairs = zip(axes, self._directions, strict=True)
        return [places[::-1] if direction > 0 else places for places, direction in pairs]

    def _n_places(self, number):
        if not self._moves[number]:
            return 1
        low, high = self.reach(number)
        return self._settings.n_places(high - low, number, self.first, self._moves.sum())

    def _even(self, number):
        """Places that are evenly spread, ascending."""
        (low, high), n_places = self.reach(number), self._n_places(number)
        if self._settings.ends and n_places > 1:
            return np.linspace(low, high, n_places)
        return low + (high - low) * (np.arange(n_places) + 0.5) / n_places

    def _listed(self, number):
        """The listed values, ascending."""
        listed = np.asarray(self._ranges[number].listed, dtype=float)
        return np.unique(self._dimensions[number].transform.to_theta(listed))

    def _lattice(self, number):
        most = 2 * self._n_places(number) + 1
        if not self._ranges[number].listed:
            return np.linspace(*self.reach(number), most)
        return lattice(self._listed(number), most, DECADES * np.log(10))


def separate(points, axes, most):
    """The first points, at most so many, none of them beside another one of these."""
    chosen = []
    for point in points:
        if len(chosen) < most and _is_apart(point, chosen, axes):
            chosen.append(point)
    return chosen


def minima(points, axes, most):
    """The first points, at most so many, none of them beside an earlier one, whichever."""
    found = (p for number, p in enumerate(points) if _is_apart(p, points[:number], axes))
    return list(itertools.islice(found, most))


def _is_apart(point, others, axes):
    """Whether a point is further than some steps of the axes from all others."""
    far = APART * np.array([np.ptp(axis) / max(1, len(axis) - 1) for axis in axes])
    return all(np.any(np.abs(point.theta - other.theta) > far) for other in others)
