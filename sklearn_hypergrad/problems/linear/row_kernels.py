"""Kernels of rows, and what training parts make of them."""

import functools

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.threads import in_threads

# Columns of X that are centred at a time, and pieces that threads may work on.
COLUMNS = 1024
PIECES = 2


class TrainingRows:
    """Weights of the rows of every split, in its training part and in the mean of that.

    Parameters
    ----------
    block : SplitData
    fit_intercept : bool
        Without an intercept no mean is subtracted.

    Attributes
    ----------
    root, average : ndarray of shape (n_samples, n_splits)
        Roots of the training weights; weights of the means that are subtracted.
    numbers : list of ndarray of int
        Rows of positive weight.
    """

    def __init__(self, block, *, fit_intercept):
        t = block.row_weights()
        self.root = np.sqrt(t)
        self.average = t / t.sum(axis=0) if fit_intercept else np.zeros_like(t)
        self.numbers = [np.flatnonzero(column) for column in t.T]

    def kernel(self, split, part):
        """``Z Z'`` of a split's weighted and centred rows Z; it replaces ``part``, ``X X'``."""
        rows = self.numbers[split]
        average, root = self.average[rows, split], self.root[rows, split][:, None]
        cross = part @ average
        part -= cross
        part -= (cross - average @ cross)[:, None]
        if np.any(root != 1):
            part *= root
            part *= root.T
        return part

    # x_i about the mean of its training part is e_i' (1 - 1 average') X.
    def centred(self, v):
        """What multiplies X where ``v`` multiplies the centred rows; (n_samples, n_splits, k)."""
        return v - self.average[:, :, None] * v.sum(axis=0)


def row_kernel(X, origin):
    """``X X'`` of rows about the origin; that of sparse X is zero."""
    if issparse(X):
        X = X.astype(float, copy=False)
        return (X @ X.T).toarray()

    def of_piece(starts):
        kernel = np.zeros((len(X), len(X)))
        for start in starts:
            columns = slice(start, start + COLUMNS)
            part = X[:, columns] - origin[columns]
            kernel += part @ part.T
        return kernel

    starts = np.arange(0, X.shape[1], COLUMNS)
    return functools.reduce(np.add, in_threads(of_piece, np.array_split(starts, PIECES)))
