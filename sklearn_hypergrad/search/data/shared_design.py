"""One X for splits whose features differ only in scale and origin, as after a StandardScaler.

Some splits may lack a few features, as where no training row has a rare category. The factors of
these are zero there, so that the model of the split is as if it did not have them.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems.split_data import beside
from sklearn_hypergrad.search.data.reference import Reference
from sklearn_hypergrad.threads import cached_property

# Smallest share of all features that every split has itself. Chosen by hand: Gram matrices are then
# less than twice as large, and splits that share X need fewer of them.
SHARED = 0.75


class Shared:
    """A block that takes in the blocks of other splits as long as they share its X.

    Parameters
    ----------
    block : SplitData
        A block of one split.
    rows : ndarray of int
        The rows of the data that the block has.
    names : callable
        Returns the names of its features, or None if they have none.
    intercept : bool
        Whether the model has an intercept, which absorbs another origin of the features.
    """

    def __init__(self, block, rows, names, *, intercept):
        self._order = np.argsort(rows)
        self._rows = rows[self._order]
        self._intercept = intercept
        self._first, self._first_names = block, names
        self._reference = self._reference_of(block.X)
        self._splits, self._present, self._scales = [], [], []
        features = block.X.shape[1]
        self._append(block, rows, np.arange(features), np.ones(features))

    @classmethod
    def possible(cls, rows):
        """Whether other blocks may be added to one with these rows."""
        return bool(np.all(np.diff(np.sort(rows)) > 0))

    def add(self, block, rows, names):
        """Add a block if it shares X; returns whether it does."""
        order = np.argsort(rows)
        if not np.array_equal(rows[order], self._rows) or block.columns != self._first.columns:
            return False
        found = self._same(block.X, order) or self._some_missing(block.X, order, names())
        if found is None:
            return False
        self._append(block, rows, *found)
        return True

    def _append(self, block, rows, present, scales):
        position = np.searchsorted(self._rows, rows)
        (train,), (test,), (weight,) = block.trains, block.tests, block.weights
        self._splits.append((position[train], position[test], weight))
        self._present.append(present)
        self._scales.append(scales)

    def block(self):
        """The block of all splits."""
        if len(self._splits) == 1:
            return self._first
        first, order, X = self._first, self._order, self._reference.X
        trains, tests, weights = (list(parts) for parts in zip(*self._splits, strict=True))
        scales = np.zeros((X.shape[1], len(trains)))
        for column, present, own in zip(scales.T, self._present, self._scales, strict=True):
            column[present] = own
        everywhere = np.arange(X.shape[1])
        complete = all(np.array_equal(present, everywhere) for present in self._present)
        return dataclasses.replace(
            first,
            X=X[order],
            y=first.y[order],
            trains=trains,
            tests=tests,
            weights=weights,
            score_weight=first.score_weight[order],
            labels=first.labels[order],
            scales=None if np.all(scales == 1) else scales,
            present=None if complete else self._present,
        )

    def _reference_of(self, X):
        return Reference(X, self._order, centred=self._intercept)

    @cached_property
    def _names(self):
        """Names of the columns of the shared X, or None."""
        return self._first_names()

    def _same(self, X, order):
        """``(columns of the shared X, their factors)`` if it has the features of X in their order.

        Else None.
        """
        scales = self._reference.scales_to(X, order)
        return None if scales is None else (np.arange(len(scales)), scales)

    def _some_missing(self, X, order, names):
        """The same, where features of these names may be missing here or there."""
        places = self._places(names)
        if places is None:
            return None
        shared = self._reference.X
        known = places < shared.shape[1]
        part = self._reference_of(shared[:, places[known]])
        found = part.scales_to(X[:, known], order)
        if found is None:
            return None
        if not known.all():
            more = X[:, ~known][self._reference.rows_of(order)]
            self._reference = self._reference_of(beside(shared, more))
            self._names = [*self._names, *np.asarray(names)[~known]]
        scales = np.ones(len(places))
        scales[known] = found
        return places, scales

    def _places(self, names):
        """Places of names among those of the shared X, new ones after its end; None if few are."""
        ours = self._names
        if ours is None or names is None or len(set(names)) < len(names):
            return None
        place = {name: number for number, name in enumerate(ours)}
        # Features that all have the same names have been compared.
        if len(place) < len(ours) or list(ours) == list(names):
            return None
        places = np.array([place.setdefault(name, len(place)) for name in names])
        fewest = min(len(own) for own in (places, *self._present))
        return places if fewest >= SHARED * len(place) else None


def shared(parts, *, intercept, wanted):
    """Merge blocks of one split each into one block if they share their X.

    Parameters
    ----------
    parts : iterable of (SplitData, ndarray, callable)
        Blocks, their rows, and functions that return the names of their features. Each is released
        as soon as it is part of another.
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
    if wanted(first[0]) and Shared.possible(first[1]):
        common = Shared(*first, intercept=intercept)
        for part in parts:
            if not common.add(*part):
                return [common.block(), part[0], *(block for block, *_ in parts)]
        return [common.block()]
    return [first[0], *(block for block, *_ in parts)]
