"""Minima of all splits, outputs and penalties of least squares with an L1 penalty.

Weights have the shape (n_splits, n_features, n_penalties * n_outputs): all outputs for the first
penalties, then those for the next ones.
"""

import numpy as np

from sklearn_hypergrad.problems.sparse.exchange import exchange
from sklearn_hypergrad.problems.sparse.exchange_many import exchange_many

# Largest number of features of problems that advance together. Measured on the splits of 7 data
# sets and 14 penalties: with 7 to 20 features this takes 0.2 to 0.5 of the time, with 35 1.3.
MOST_TOGETHER = 24


def minimisers(grams, cross):
    """The function that finds minima of some splits.

    Parameters
    ----------
    grams : list of DenseGram or RowsGram
        One for each split.
    cross : ndarray of shape (n_splits, n_features, n_outputs)

    Returns
    -------
    callable
        ``found = minimise(l1, l2, start)`` for penalties of shape (n_penalties,) and weights or
        None. ``found.w`` are the minima, ``found.solve(v)`` is ``H^-1 v`` on their supports, both
        shaped like the weights; ``found.converged`` is a bool, ``found.n_systems`` a number.
    """
    small = cross.shape[1] <= MOST_TOGETHER
    return Together(grams, cross) if small else OneByOne(grams, cross)


class OneByOne:
    """Minima found one after the other; arguments are those of ``minimisers``."""

    together = False

    def __init__(self, grams, cross):
        self._grams, self._cross = grams, cross

    def __call__(self, l1, l2, start):
        n_splits, n_features, n_outputs = self._cross.shape
        w, minima = np.empty((n_splits, n_features, len(l1) * n_outputs)), {}
        for split, column in np.ndindex(n_splits, w.shape[2]):
            number, output = divmod(column, n_outputs)
            begin = None if start is None else start[split, :, column]
            quadratic = self._grams[split], self._cross[split, :, output]
            found = exchange(*quadratic, l1[number], l2[number], begin)
            w[split, :, column], minima[split, column] = found.w, found
        return FoundOneByOne(w, minima)


class FoundOneByOne:
    """Minima that were found one after the other.

    Parameters
    ----------
    w : ndarray
        All of them, shaped like weights.
    minima : dict
        Each minimum, with its ``support`` and ``solve``, by its place: a split, or a split and a
        column.
    """

    def __init__(self, w, minima):
        self.w, self._minima = w, minima
        self.converged = all(found.converged for found in minima.values())
        self.n_systems = sum(found.n_systems for found in minima.values())

    def solve(self, v):
        """``H^-1 v`` on the supports, and zero elsewhere."""
        solved = np.zeros_like(v)
        for place, found in self._minima.items():
            split, *column = np.atleast_1d(place)
            inside = (split, found.support, *column)
            solved[inside] = found.solve(v[inside])
        return solved


class Together:
    """Minima of small problems, which advance together; arguments are those of ``minimisers``."""

    together = True

    def __init__(self, grams, cross):
        n_splits, n_features, n_outputs = cross.shape
        everything = np.arange(n_features)
        gram = np.array([gram.block(everything) for gram in grams])
        self._gram, self._cross, self._n_outputs = gram, cross.transpose(0, 2, 1), n_outputs

    def __call__(self, l1, l2, start):
        n_splits, n_outputs, n_features = self._cross.shape
        shape = n_splits, len(l1) * n_outputs, n_features
        repeated = np.repeat(np.arange(n_splits), shape[1])
        cross = np.tile(self._cross, (1, len(l1), 1)).reshape(-1, n_features)
        l1, l2 = (np.tile(np.repeat(each, n_outputs), n_splits) for each in (l1, l2))
        if start is not None:
            start = start.transpose(0, 2, 1).reshape(-1, n_features)
        return FoundTogether(exchange_many(self._gram[repeated], cross, l1, l2, start), shape)


class FoundTogether:
    """What Together has found."""

    def __init__(self, minima, shape):
        self._minima, self._shape = minima, shape
        self.w = self._as_weights(minima.w)
        self.converged, self.n_systems = bool(minima.converged.all()), minima.n_systems

    def solve(self, v):
        """``H^-1 v`` on the supports, and zero elsewhere."""
        rows = v.transpose(0, 2, 1).reshape(-1, v.shape[1])
        return self._as_weights(self._minima.solve(rows))

    def _as_weights(self, rows):
        return rows.reshape(self._shape).transpose(0, 2, 1)
