"""One X for splits whose features differ only in scale and origin, as after a StandardScaler."""

import dataclasses

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.search.data.sparse_columns import SparseColumns
from sklearn_hypergrad.threads import cached_property

# Largest deviation from an affine map, relative to the range of a feature, for each precision.
# Chosen by hand: above the rounding of a scaler (1e-16 and 1e-7 times the ratio of origin to range)
# and far below the accuracy of inner solutions in double precision (1e-6).
EXACT = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-6}
# Number of rows that are compared at a time, which bounds the memory of the differences.
CHUNK = 4096


class Shared:
    """A block that takes in the blocks of other splits as long as they share its X.

    Parameters
    ----------
    block : SplitData
        A block of one split.
    rows : ndarray of int
        The rows of the data that the block has.
    intercept : bool
        Whether the model has an intercept, which absorbs another origin of the features.
    """

    def __init__(self, block, rows, *, intercept):
        self._order = np.argsort(rows)
        self._rows = rows[self._order]
        self._intercept = intercept
        self._first = block
        self._splits, self._scales = [], []
        self._append(block, rows, np.ones(block.X.shape[1]))

    @classmethod
    def possible(cls, block, rows):
        """Whether other blocks may be added to this one."""
        return len(np.unique(rows)) == len(rows)

    def add(self, block, rows):
        """Add a block if it shares X; returns whether it does."""
        order = np.argsort(rows)
        if not np.array_equal(rows[order], self._rows) or block.columns != self._first.columns:
            return False
        scales = self._scales_of(block.X, order)
        if scales is None:
            return False
        self._append(block, rows, scales)
        return True

    def _append(self, block, rows, scales):
        position = np.searchsorted(self._rows, rows)
        (train,), (test,), (weight,) = block.trains, block.tests, block.weights
        self._splits.append((position[train], position[test], weight))
        self._scales.append(scales)

    def block(self):
        """The block of all splits."""
        if len(self._splits) == 1:
            return self._first
        first, order = self._first, self._order
        trains, tests, weights = (list(parts) for parts in zip(*self._splits, strict=True))
        scales = np.stack(self._scales, axis=1)
        return dataclasses.replace(
            first,
            X=first.X[order],
            y=first.y[order],
            trains=trains,
            tests=tests,
            weights=weights,
            score_weight=first.score_weight[order],
            labels=first.labels[order],
            scales=None if np.all(scales == 1) else scales,
        )

    def _scales_of(self, X, order):
        """Factors that map the features of the first block to X, up to an origin; or None."""
        first = self._first.X
        if X.shape != first.shape or X.dtype != first.dtype or issparse(X) != issparse(first):
            return None
        if issparse(X):
            other = SparseColumns(X[order], centred=self._intercept)
            return self._columns.scales_to(other, EXACT[X.dtype])
        return self._affine(X, order)

    @cached_property
    def _columns(self):
        return SparseColumns(self._first.X[self._order], centred=self._intercept)

    @cached_property
    def _ends(self):
        return self._first.X.argmin(axis=0), self._first.X.argmax(axis=0)

    # The smallest and the largest value of a feature determine the map; all others must follow it.
    def _affine(self, X, order):
        """The factors for dense X."""
        first = self._first.X
        columns = np.arange(X.shape[1])
        # The same rows of the data, in the order of X.
        own = np.empty_like(order)
        own[self._order] = order
        low, high = (first[end, columns].astype(float) for end in self._ends)
        to_low, to_high = (X[own[end], columns].astype(float) for end in self._ends)
        spread = high - low
        scales = np.divide(to_high - to_low, spread, out=np.ones(len(spread)), where=spread > 0)
        origin = to_low - scales * low
        # A constant feature has no range: its size is the scale of its deviations.
        reach = np.where(spread > 0, np.abs(to_high - to_low), np.abs(to_low))
        allowed = EXACT[X.dtype] * reach
        if not self._intercept and np.any(np.abs(origin) > allowed):
            return None
        for start in range(0, len(X), CHUNK):
            rows = slice(start, start + CHUNK)
            difference = first[rows] * scales
            difference += origin
            difference -= X[own[rows]]
            if not np.all(np.abs(difference) <= allowed):
                return None
        return scales


def shared(parts, *, intercept, wanted):
    """Merge blocks of one split each into one block if they share their X.

    Parameters
    ----------
    parts : iterable of (SplitData, ndarray)
        Blocks and their rows. Each is released as soon as it is part of another.
    intercept : bool
        Whether the model has an intercept.
    wanted : callable
        ``wanted(block)``: whether sharing the X of this block is useful.

    Returns
    -------
    list of SplitData
        In the order of the splits.
    """
    parts = iter(parts)
    first = next(parts)
    if wanted(first[0]) and Shared.possible(*first):
        common = Shared(*first, intercept=intercept)
        for block, rows in parts:
            if not common.add(block, rows):
                return [common.block(), block, *(block for block, _ in parts)]
        return [common.block()]
    return [first[0], *(block for block, _ in parts)]
