"""Where a function of several values may be lower than at known points.

Along each coordinate, two neighbours with their slopes have a cubic through them (Hermite), as on
one line: see ``line``. Only points that are equal in all other coordinates are neighbours, as those
of a scan of a product are.
"""

import bisect

import numpy as np

from sklearn_hypergrad.optimizers.line import Point, least_possible


class Between:
    """The places between neighbours.

    Parameters
    ----------
    share : float, default=0.0
        How much lower than the cubic the function may be in the middle, relative to a line that
        falls all the way like its steepest end: for functions with kinks.
    """

    def __init__(self, share=0.0):
        self._share, self._lines, self._rooms = share, {}, {}

    def add(self, z, value, gradient):
        """Add a known point, which is not known yet.

        Parameters
        ----------
        z : ndarray of shape (n_coordinates,)
        value : float
        gradient : ndarray of shape (n_coordinates,)
        """
        z = z.tolist()
        for axis, slope in enumerate(gradient.tolist()):
            before, after = z[:axis], z[axis + 1 :]
            name = axis, *before, *after
            line = self._lines.setdefault(name, [])
            point = Point(z[axis], value, slope)
            at = bisect.bisect(line, point.z, key=lambda other: other.z)
            left, right = line[at - 1 : at], line[at : at + 1]
            line.insert(at, point)
            if left and right:
                self._rooms.pop((name, left[0].z, right[0].z), None)
            for one, other in [(p, point) for p in left] + [(point, p) for p in right]:
                place, low = self._least(one, other)
                self._rooms[name, one.z, other.z] = low, np.array([*before, place, *after])

    def place(self, least):
        """The place that promises the lowest value below ``least``, or None; each is told once."""
        pair = min(self._rooms, key=lambda pair: self._rooms[pair][0], default=None)
        if pair is None or not self._rooms[pair][0] < least:
            return None
        return self._rooms.pop(pair)[1]

    def _least(self, left, right):
        steepest = max(abs(left.slope), abs(right.slope)) * (right.z - left.z)
        return least_possible(left, right, self._share * steepest)
