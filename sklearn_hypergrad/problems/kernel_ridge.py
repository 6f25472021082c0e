"""Ridge regression of all splits from one kernel of the rows, with one penalty for all features."""

import functools

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.ridge import NormalEquations, origin_of
from sklearn_hypergrad.threads import in_threads

# Columns of X that are centred at a time, and pieces that threads may work on.
COLUMNS = 1024
PIECES = 2


class KernelRidge(NormalEquations):
    """Ridge regression on data with more features than rows, in the space of the rows.

    With Z the weighted and centred rows of a training part, the coefficients are ``Z' w``, and
    ``w`` minimises

        1/2 w' (Z Z' + strength) w  -  w' y.

    ``Z Z'`` is cut out of the kernel ``X X'`` of all rows, which is all that evaluations need. The
    shape of ``w`` is (n_splits, n_rows, n_outputs); shorter training parts are filled with zeros.

    Parameters
    ----------
    block : Block
        Without scales.
    penalty : L2Penalty
        Uniform.
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        super().__init__(penalty)
        self._X = block.X
        t = block.row_weights()
        self._origin, y_origin = origin_of(block, fit_intercept)
        # Weights of the means that are subtracted, a column per split.
        self._average = t / t.sum(axis=0) if fit_intercept else np.zeros_like(t)
        y_mean = self._average.T @ (block.y - y_origin)
        self._y_mean = y_mean + y_origin
        self._kernel = _kernel(block.X, self._origin)
        self._rows = [np.flatnonzero(column) for column in t.T]
        self._root = np.sqrt(t)
        longest = max(map(len, self._rows))
        self._gram = np.zeros((block.n_splits, longest, longest))
        self._cross = np.zeros((block.n_splits, longest, block.y.shape[1]))
        for split, rows in enumerate(self._rows):
            root = self._root[rows, split][:, None]
            own = slice(0, len(rows))
            self._gram[split, own, own] = root * self._centred(split, rows) * root.T
            self._cross[split, own] = root * (block.y[rows] - y_origin - y_mean[split])
        self._n_features = block.X.shape[1]

    @property
    def level(self):
        """The strength that matters: the mean diagonal of ``Z'Z``."""
        return float(np.trace(self._gram, axis1=1, axis2=2).mean() / self._n_features)

    def predict(self, w):
        products = self._products(self._spread(w))
        return products + self._y_mean - np.einsum("is,isk->sk", self._average, products)

    def predict_vjp(self, v):
        pulled = self._products(v - self._average[:, :, None] * v.sum(axis=0))
        pulled -= np.einsum("is,isk->sk", self._average, pulled)
        w = np.zeros_like(self._cross)
        for split, rows in enumerate(self._rows):
            w[split, : len(rows)] = self._root[rows, split][:, None] * pulled[rows, split]
        return w

    def coefficients(self, w):
        spread = self._spread(w)
        coef = self._X.T @ spread.reshape(len(spread), -1)
        coef = coef.reshape(-1, *spread.shape[1:])
        coef -= self._origin[:, None, None] * spread.sum(axis=0)
        offset = np.einsum("is,isk->sk", self._average, self._products(spread))
        intercept = self._y_mean - offset - np.einsum("p,psk->sk", self._origin, coef)
        return coef.transpose(1, 2, 0), intercept

    def _centred(self, split, rows):
        """The kernel of training rows about their mean."""
        part, average = self._kernel[np.ix_(rows, rows)], self._average[rows, split]
        cross = part @ average
        return part - cross - cross[:, None] + average @ cross

    # x_i about the mean of its training part is e_i' (1 - 1 average') X: what multiplies rows of X.
    def _spread(self, w):
        """What the solution multiplies every row with, of shape (n_samples, n_splits, k)."""
        spread = np.zeros((*self._root.shape, w.shape[2]))
        for split, rows in enumerate(self._rows):
            spread[rows, split] = self._root[rows, split][:, None] * w[split, : len(rows)]
        return spread - self._average[:, :, None] * spread.sum(axis=0)

    def _products(self, v):
        return (self._kernel @ v.reshape(len(v), -1)).reshape(v.shape)


def _kernel(X, origin):
    """``X X'`` of rows about the origin."""
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
