"""A scan of rough values: every other point of a lattice, then the neighbours of the best ones.

Rough solutions are as exact as the estimator's own fits and cost a fraction, so that points can be
closer than those of exact ones. Where a score without gradient is asked for, its maximum may be far
from the minimum of the loss that stands for it: then the score leads the scan.
"""

import itertools
import math

import numpy as np

from sklearn_hypergrad.optimizers.line import above

# Rounds in which neighbours join: of how many of the best points, and how many hyperparameters a
# neighbour may change. Where a score leads, points close to the best are as good by luck. Measured
# for SVC on 72 searches of nine data sets with 7 x 7 listed values: 24 of them were visited, and
# the best of all was at most 0.0046 better; if neighbours changed one hyperparameter only, up to
# 0.013. From a loss a descent goes on. For SVR on 14 data sets with 5 x 6 x 3 values the best of
# all was found with 20 visits; without the last round it was missed once.
BY_SCORE, BY_LOSS = [(2, 2)] * 2, [(1, 1)] * 4 + [(1, 2)]
# The same of a smooth loss, whose two best minima are descended. Measured for Nystroem before Ridge
# and LogisticRegression on 23 data sets with 7 x 7 listed values: no converged loss was above that
# of the grid; with neighbours of the best point alone one was, with one descent three were.
BY_SMOOTH_LOSS = [(2, 1)] * 2
# Hyperparameters up to which a score leads in this way: with more, neighbours are too many.
MOST_LED = 2
# Number of points up to which all of them are visited. Measured for SVR with 5 x 3 and 4 x 4 listed
# values on 23 data sets of 60 and 300 rows: without this 10 of 92 searches ended below the grid, by
# up to 0.019 of r2, with it none. GridSearchCV takes 2.0 to 3.2 times as long, without it 2.2 to
# 3.6.
FEW = 16
# A neighbour by two changes joins by its loss if that of one of them is at most this share larger.
WORTH = 0.05


def lattice(listed, most, widest):
    """Places of a scan, ascending: listed ones, unless they are closer or further apart.

    Parameters
    ----------
    listed : ndarray
        Ascending.
    most : int
        How many of them are places at most.
    widest : float
        The widest gap that needs no places in between.
    """
    if len(listed) > most:
        listed = listed[np.linspace(0, len(listed) - 1, most).round().astype(int)]
    parts = np.ceil(np.diff(listed) / widest).astype(int)
    gaps = zip(listed[:-1], listed[1:], parts, strict=True)
    return np.concatenate([listed[:1], *(np.linspace(a, b, n + 1)[1:] for a, b, n in gaps)])


class RoughScan:
    """One scan.

    Parameters
    ----------
    objective : Objective
        It ``has_rough`` values.
    axes : list of ndarray
        Places in theta along every hyperparameter, in their order.
    first : int
        Number of the hyperparameter that changes fastest.
    judge : Judge, default=None
        Tells the score of a point that was visited, which leads the scan. None: it is the loss.
    smooth : bool, default=False
        Whether the loss is smooth.
    lines : bool, default=False
        Whether all places along ``first`` are visited together.
    """

    def __init__(self, objective, axes, first, judge=None, *, smooth=False, lines=False):
        self._objective, self._axes, self._first, self._judge = objective, axes, first, judge
        self._by_loss, self._lines = BY_SMOOTH_LOSS if smooth else BY_LOSS, lines
        self._ranked = {}

    def run(self):
        """Records of all points whose loss is finite."""
        self._visit(itertools.product(*self._coarse()))
        for n_best, most in BY_SCORE if self._is_led else self._by_loss:
            best = sorted(self._ranked, key=self._rank, reverse=True)
            if self._judge is not None and self._ranked[best[0]][0] >= self._judge.highest:
                break
            for point in best[:n_best]:
                self._visit(self._neighbours(point, most))
        return [record for _, record in self._ranked.values() if np.isfinite(record.value)]

    def _coarse(self):
        """Numbers of the places along each axis that are visited first."""
        sizes = [len(axis) for axis in self._axes]
        if math.prod(sizes) <= FEW:
            return [range(size) for size in sizes]
        return [range(size > 1, size, 2) for size in sizes]

    @property
    def _is_led(self):
        return self._judge is not None and len(self._axes) <= MOST_LED

    def _rank(self, point):
        score, record = self._ranked[point]
        return score, -record.value

    def _visit(self, points):
        # Those that differ in the first hyperparameter only may share something, such as a kernel.
        first = self._first
        if self._lines:
            along = range(len(self._axes[first]))
            points = {(*p[:first], place, *p[first + 1 :]) for p in points for place in along}
        for point in sorted(points, key=lambda p: (*p[:first], *p[first + 1 :], p[first])):
            if point not in self._ranked:
                theta = np.array([axis[i] for axis, i in zip(self._axes, point, strict=True)])
                record = self._objective.rough(theta)
                self._ranked[point] = self._scored(record), record

    def _scored(self, record):
        if self._judge is None or not np.isfinite(record.value):
            return -np.inf
        score = self._judge.score(record.h)
        return -np.inf if np.isnan(score) else score

    def _neighbours(self, point, most):
        """Points next to one that differ from it in so many hyperparameters at most."""
        near = []
        for step in itertools.product((-1, 0, 1), repeat=len(self._axes)):
            other = tuple(i + s for i, s in zip(point, step, strict=True))
            inside = all(0 <= i < len(axis) for i, axis in zip(other, self._axes, strict=True))
            if inside and np.count_nonzero(step) <= most and self._is_worth(point, step):
                near.append(other)
        return near

    def _is_worth(self, point, step):
        """Whether a neighbour may be better, as told by those between it and a point."""
        if self._is_led or np.count_nonzero(step) < 2:
            return True
        between = (
            tuple(i + s * (n == axis) for n, (i, s) in enumerate(zip(point, step, strict=True)))
            for axis in np.flatnonzero(step)
        )
        values = [self._ranked[p][1].value for p in between if p in self._ranked]
        return not above(min(values, default=np.inf), self._ranked[point][1].value, WORTH)
