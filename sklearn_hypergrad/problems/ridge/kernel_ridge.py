"""Ridge regression of all splits from one kernel of the rows, with one penalty for all features."""

import numpy as np

from sklearn_hypergrad.problems.linear.row_kernels import TrainingRows, row_kernel
from sklearn_hypergrad.problems.ridge.ridge_problem import NormalEquations, origin_of, totals_of


class KernelRidge(NormalEquations):
    """Ridge regression on data with more features than rows, in the space of the rows.

    With Z the weighted and centred rows of a training part, the coefficients are ``Z' w``, and
    ``w`` minimises

        1/2 w' (Z Z' + strength) w  -  w' y.

    ``Z Z'`` is cut out of the kernel ``X X'`` of all rows; evaluations do not need X. The shape of
    ``w`` is (n_splits, n_rows, n_outputs); shorter training parts are filled with zeros.

    Parameters
    ----------
    block : SplitData
        The data of the splits, without scales.
    penalty : L2Penalty
        A penalty that all features share (``uniform``).
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        super().__init__(penalty)
        self._totals = totals_of(block, fit_intercept)
        self._X = block.X
        self._rows = rows = TrainingRows(block, fit_intercept=fit_intercept)
        self._origin, y_origin = origin_of(block, fit_intercept)
        y_mean = rows.average.T @ (block.y - y_origin)
        self._y_mean = y_mean + y_origin
        self._kernel = row_kernel(block.X, self._origin)
        longest = max(map(len, rows.numbers))
        self._gram = np.zeros((block.n_splits, longest, longest))
        self._cross = np.zeros((block.n_splits, longest, block.y.shape[1]))
        for split, numbers in enumerate(rows.numbers):
            own = slice(0, len(numbers))
            part = self._kernel[np.ix_(numbers, numbers)]
            self._gram[split, own, own] = rows.kernel(split, part)
            y = block.y[numbers] - y_origin - y_mean[split]
            self._cross[split, own] = rows.root[numbers, split][:, None] * y

    def predict(self, w):
        products = self._products(self._spread(w))
        return products + self._y_mean - np.einsum("is,isk->sk", self._rows.average, products)

    def predict_vjp(self, v):
        pulled = self._products(self._rows.centred(v))
        pulled -= np.einsum("is,isk->sk", self._rows.average, pulled)
        pulled *= self._rows.root[:, :, None]
        w = np.zeros_like(self._cross)
        for split, numbers in enumerate(self._rows.numbers):
            w[split, : len(numbers)] = pulled[numbers, split]
        return w

    def coefficients(self, w):
        spread = self._spread(w)
        coef = self._X.T @ spread.reshape(len(spread), -1)
        coef = coef.reshape(-1, *spread.shape[1:])
        coef -= self._origin[:, None, None] * spread.sum(axis=0)
        offset = np.einsum("is,isk->sk", self._rows.average, self._products(spread))
        intercept = self._y_mean - offset - np.einsum("p,psk->sk", self._origin, coef)
        return coef.transpose(1, 2, 0), intercept

    # (Z'Z + a) V = X_te' G has the solution V = (X_te' G - Z' v) / a, which is not in the space of
    # the training rows, with v = (ZZ' + a)^-1 Z X_te' G.
    def adjoint_coefficients(self, v, h, G):
        spread = self._rows.centred(G) - self._spread(v)
        coef = self._X.T @ spread.reshape(len(spread), -1)
        coef = coef.reshape(-1, *spread.shape[1:])
        coef -= self._origin[:, None, None] * spread.sum(axis=0)
        coef /= self.penalty.strength(h)[:, None]
        coef = coef.transpose(1, 2, 0)
        if not self._totals.any():
            return coef, np.zeros(coef.shape[:2])
        mean = self._X.T @ self._rows.average
        intercept = G.sum(axis=0) / self._totals[:, None] - np.einsum("ps,skp->sk", mean, coef)
        return coef, intercept

    def _spread(self, w):
        """Factor of every row in the coefficients ``X' factors``: (n_samples, n_splits, k)."""
        spread = np.zeros((*self._rows.root.shape, w.shape[2]))
        for split, numbers in enumerate(self._rows.numbers):
            spread[numbers, split] = w[split, : len(numbers)]
        spread *= self._rows.root[:, :, None]
        return self._rows.centred(spread)

    def _products(self, v):
        return (self._kernel @ v.reshape(len(v), -1)).reshape(v.shape)
