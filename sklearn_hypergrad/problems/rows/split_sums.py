"""The data of some splits whose rows are only seen part by part."""

import dataclasses
import functools
import operator
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class RowsData:
    """Splits of rows, as unions of buckets; it stands where SplitData stands in memory.

    Attributes
    ----------
    reader : Reader
    buckets : object
        It has ``n_buckets`` and ``of(part)``.
    trains, tests : list of ndarray of int
        Buckets of the training and the held-out part of each split.
    sums : callable
        ``sums(function)``: that of the rows.
    shape : (int, int)
        Numbers of rows, and of features that reach the model.
    n_outputs : int
    labels : ndarray
        The classes, or zeros shaped like some rows of y.
    scales, offsets : ndarray of shape (n_splits, n_features) or None
        The features of split s are ``(x - offsets[s]) * scales[s]``.
    y_varies : bool
        Whether the targets differ.
    columns : object
        Number and names of the features, where a hyperparameter tells features apart.
    spread : (float, float)
        The smallest and the largest variance of a feature relative to their mean.
    """

    reader: Any
    buckets: Any
    trains: list
    tests: list
    sums: Any
    shape: tuple
    n_outputs: int
    labels: Any
    scales: np.ndarray | None = None
    offsets: np.ndarray | None = None
    y_varies: bool = True
    columns: Any = None
    spread: tuple = (1.0, 1.0)

    @property
    def n_splits(self):
        """Number of splits."""
        return len(self.trains)

    @property
    def X(self):  # noqa: N802
        """An array of the shape of X, without numbers."""
        return np.broadcast_to(np.zeros(1), self.shape)

    @property
    def y(self):
        """Two rows with the number of outputs, which differ if the targets do."""
        return np.array([np.zeros(self.n_outputs), np.full(self.n_outputs, float(self.y_varies))])

    @property
    def identity(self):
        """What models of other splits of the same rows differ in."""
        return self.shape, self.scales, self.offsets, self.trains, self.tests

    def relative_scales(self):
        """The smallest and the largest variance of a feature relative to their mean."""
        return self.spread

    def members(self, parts):
        """A table of ones where a bucket belongs to a part, of shape (n_buckets, n_splits)."""
        table = np.zeros((self.buckets.n_buckets, len(parts)))
        for split, part in enumerate(parts):
            table[part, split] = 1.0
        return table


def merged(buckets, part):
    """The sum over some buckets, which add up."""
    return functools.reduce(operator.add, [buckets[bucket] for bucket in part])
