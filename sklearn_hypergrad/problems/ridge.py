"""What all closed forms of ridge regression share."""

import abc

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.base import InnerProblem, InnerSolution, Status


class RidgeProblem(InnerProblem):
    """Least squares with an L2 penalty, in closed form.

    Inner objective, for each split, with training weights t, the means of its training part
    subtracted where there is an intercept (which is thereby eliminated):

        1/2 sum_i t_i ||y_i - x_i w||^2  +  1/2 sum_jk strength_jk w_jk^2

    ``w`` has shape (n_splits, n_features, n_outputs). What differs is how ``inverse`` inverts the
    Hessian.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    origin : ndarray of shape (n_features,)
        What has been subtracted from the features.
    means : tuple of ndarray of shapes (n_splits, n_features) and (n_splits, n_outputs)
        Training means, zero without an intercept: of X as it is here, and of the targets.
    penalty : L2Penalty
    """

    iterative = False

    def __init__(self, X, origin, means, penalty):
        self._X = X
        self._origin = origin
        self._x_mean, self._y_mean = means
        self._penalty = penalty

    @abc.abstractmethod
    def inverse(self, strength):
        """A function that multiplies ``v`` of shape (n_splits, n_features, k) with ``H^-1``.

        ``strength`` broadcasts to (n_features, k).
        """

    def solve(self, h, warm_start, tol):
        strength = self._penalty.strength(h)
        inverse = self.inverse(strength)
        w = self._minimiser(inverse, strength)

        def inverse_hvp(v, start):
            return inverse(v), Status.CONVERGED

        return InnerSolution(w, inverse_hvp, Status.CONVERGED, n_solves=len(w))

    def cross_vjp(self, w, h, v):
        return self._penalty.cross_vjp(h, np.einsum("sjk,sjk->jk", w, v))

    def cross_jvp(self, w, h, u):
        return self._penalty.cross_jvp(h, u) * w

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        return self._product(w) + self._intercept(w)

    def predict_vjp(self, v):
        """Transposed derivative of ``predict``."""
        return self._product_vjp(v) - self._x_mean[:, :, None] * v.sum(axis=0)[:, None, :]

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        return w.transpose(0, 2, 1), self._intercept(w) - np.einsum("p,spk->sk", self._origin, w)

    def centred(self):
        """All rows about the training means of the first split, dense."""
        X = self._X.toarray() if issparse(self._X) else self._X
        return X - self._x_mean[0]

    @abc.abstractmethod
    def _minimiser(self, inverse, strength):
        """The solution, from the inverse Hessian."""

    def _product(self, w):
        n_splits, n_features, n_outputs = w.shape
        z = self._X @ w.transpose(1, 0, 2).reshape(n_features, -1)
        return z.reshape(-1, n_splits, n_outputs)

    def _product_vjp(self, v):
        n_samples, n_splits, n_outputs = v.shape
        pulled = self._X.T @ v.reshape(n_samples, -1)
        return pulled.reshape(-1, n_splits, n_outputs).transpose(1, 0, 2)

    def _intercept(self, w):
        return self._y_mean - np.einsum("sp,spk->sk", self._x_mean, w)


def origin_of(block, fit_intercept):
    """What to subtract from x and y; sparse x stay, their zeros are worth more than digits."""
    n_features, n_outputs = block.X.shape[1], block.y.shape[1]
    if not fit_intercept:
        return np.zeros(n_features), np.zeros(n_outputs)
    x = np.zeros(n_features) if issparse(block.X) else block.X.mean(axis=0, dtype=float)
    return x, block.y.mean(axis=0)
