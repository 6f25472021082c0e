"""Kernels of rows, and the weighted and centred kernels of training parts."""

import functools

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.threads import in_threads

# Number of columns of X that are centred at a time. Chosen by hand: wide enough for fast products,
# narrow enough to need little memory.
COLUMNS = 1024
# Number of pieces that threads may share. Chosen by hand: each has a kernel of its own in memory; a
# fixed number gives the same digits on any number of threads.
PIECES = 2


class TrainingRows:
    """Weights of rows in the training part of every split, and in its mean.

    Parameters
    ----------
    weights : ndarray of shape (n_samples, n_splits)
        Zero outside the training parts.
    fit_intercept : bool
        Without an intercept no mean is subtracted.

    Attributes
    ----------
    root : ndarray of shape (n_samples, n_splits)
        Roots of the training weights.
    average : ndarray of shape (n_samples, n_splits)
        Weights of rows in the mean that is subtracted; zero without an intercept.
    numbers : list of ndarray of int
        For each split, the rows of positive weight.
    """

    def __init__(self, weights, *, fit_intercept):
        self.root = np.sqrt(weights)
        totals = weights.sum(axis=0) if fit_intercept else np.inf
        self.average = weights / totals
        self.numbers = [np.flatnonzero(column) for column in weights.T]

    def kernel(self, split, part):
        """``Z Z'`` of the weighted and centred rows Z of a split, written over ``part = X X'``."""
        rows = self.numbers[split]
        average, root = self.average[rows, split], self.root[rows, split][:, None]
        cross = part @ average
        part -= cross
        part -= (cross - average @ cross)[:, None]
        if np.any(root != 1):
            part *= root
            part *= root.T
        return part

    def diagonals(self, kernel):
        """Diagonals of ``Z Z'`` of all splits, of shape (n_samples, n_splits), from ``X X'``."""
        cross = kernel @ self.average
        means = np.einsum("is,is->s", self.average, cross)
        return self.root**2 * (np.diag(kernel)[:, None] - 2 * cross + means)

    # x_i minus the mean of its training part is e_i' (1 - 1 average') X.
    def centred(self, v):
        """Factors u with ``u' X = v' (centred X)``, of shape (n_samples, n_splits, k)."""
        return v - self.average[:, :, None] * v.sum(axis=0)


def row_kernel(X, origin):
    """``(X - origin) (X - origin)'``; for sparse X the origin is taken as zero."""
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
