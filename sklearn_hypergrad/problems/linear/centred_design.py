"""Linear models of all splits about the means of their training parts."""

import numpy as np
from scipy.sparse import issparse


class CentredDesign:
    """Predictions of all rows by coefficients ``w`` of shape (n_splits, n_features, n_outputs).

    Intercepts are not among them: with one, the mean of a training part is predicted for the mean
    of its rows. A problem that is one of ``w`` inherits from this class.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    origin : ndarray of shape (n_features,)
        The origin that was subtracted from the features.
    means : tuple of ndarray of shapes (n_splits, n_features) and (n_splits, n_outputs)
        Training means of this X and of the targets; zero without an intercept.
    scales : ndarray of shape (n_features, n_splits) or None
        Factors of the features of each split.
    totals : ndarray of shape (n_splits,)
        Sums of the training weights; zero without an intercept.
    """

    def __init__(self, X, origin, means, scales, totals):
        self._totals = totals
        self._X = X
        self._origin = origin
        self._x_mean, self._y_mean = means
        self._scales = None if scales is None else scales.T[:, :, None]

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        w = self._rescaled(w)
        return self._product(w) + self._intercept(w)

    def predict_vjp(self, v):
        """Transposed derivative of ``predict``: ``v`` like the predictions, the result like w."""
        pulled = self._product_vjp(v)
        pulled -= self._x_mean[:, :, None] * v.sum(axis=0)[:, None, :]
        return self._rescaled(pulled)

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        w = self._rescaled(w)
        return w.transpose(0, 2, 1), self._intercept(w) - np.einsum("p,spk->sk", self._origin, w)

    def adjoint_coefficients(self, v, h, G):
        """The adjoint ``v = H^-1 predict_vjp(G)`` as coefficients V and intercepts c.

        The shapes are those of ``coefficients``. The intercepts solve the equation that was
        eliminated: with training weights t, ``sum_i t_i (x_i V + c) = sum_i G_i``.
        """
        v = self._rescaled(v)
        if not self._totals.any():
            return v.transpose(0, 2, 1), np.zeros((len(v), v.shape[2]))
        mean = self._x_mean + self._origin
        intercept = G.sum(axis=0) / self._totals[:, None] - np.einsum("sp,spk->sk", mean, v)
        return v.transpose(0, 2, 1), intercept

    def _rescaled(self, w):
        """Weights of the features of X from those of the scaled features of each split, or back."""
        return w if self._scales is None else self._scales * w

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


def totals_of(block, fit_intercept):
    """Sums of the training weights of every split; zero without an intercept."""
    return np.array([fit_intercept * weight.sum() for weight in block.weights])


def origin_of(block, fit_intercept):
    """Origins of x and y: means, or zero without an intercept and for sparse x, to stay sparse."""
    n_features, n_outputs = block.X.shape[1], block.y.shape[1]
    if not fit_intercept:
        return np.zeros(n_features), np.zeros(n_outputs)
    x = np.zeros(n_features) if issparse(block.X) else block.X.mean(axis=0, dtype=float)
    return x, block.y.mean(axis=0)
