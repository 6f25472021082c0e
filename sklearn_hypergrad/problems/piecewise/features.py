"""Features of every split, with a column for the intercept, from an X that all splits share.

Behind a scaler the features of a split s are ``x * scale_s + offset_s``, and a penalised intercept
does not absorb the offsets. With the rows ``e = (x - origin, c)`` that all splits share, those of a
split are ``e M_s``, where ::

    M_s = [ diag(scale_s)   0 ]
          [ shift_s'        1 ],     shift_s = (offset_s + scale_s * origin) / c
"""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.split_data import beside, column_means


class Features:
    """The features of all problems: of each split, as often as there are outputs.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    number : float
        The number c in the column of the intercept; zero for none.
    n_outputs : int
    scales, offsets : ndarray of shape (n_features, n_splits), default=None
        None is one, and zero. Offsets need a column.

    Attributes
    ----------
    shared : ndarray or CSR matrix of shape (n_samples, n_weights)
        The rows e.
    are_shared : bool
        Whether they are the rows of every split.
    """

    def __init__(self, X, number, n_outputs=1, scales=None, offsets=None):
        X = X.astype(np.float64, copy=False)
        self._number, self.are_shared = number, scales is None
        self._origin = np.zeros(X.shape[1])
        if number and scales is not None and not issparse(X):
            self._origin = column_means(X)
            X = X - self._origin
        self.shared = beside(X, np.full((X.shape[0], 1), number)) if number else X
        if not self.are_shared:
            self._scales = np.repeat(scales, n_outputs, axis=1)
            offsets = np.zeros(scales.shape) if offsets is None else offsets
            moved = np.repeat(offsets, n_outputs, axis=1) + self._scales * self._origin[:, None]
            self._shifts = moved / number if number else moved

    def product(self, u):
        """Predictions of all rows, for weights of shape (n_weights, n_problems)."""
        return self.shared @ self.mapped(u)

    def pull(self, v):
        """The transposed product."""
        pulled = self.shared.T @ v
        if self.are_shared:
            return pulled
        scaled = self._scales * pulled[: len(self._origin)]
        if not self._number:
            return scaled
        return np.concatenate([scaled + self._shifts * pulled[-1], pulled[-1:]])

    def mapped(self, u):
        """``M u``: weights of the shared rows."""
        if self.are_shared:
            return u
        scaled = self._scales * u[: len(self._origin)]
        if not self._number:
            return scaled
        last = u[-1] + np.einsum("pk,pk->k", self._shifts, u[:-1])
        return np.concatenate([scaled, last[None]])

    def gram(self, gram, problem):
        """``M' G M`` of the Gram matrix of some shared rows, for one problem."""
        if self.are_shared:
            return gram
        scale = self._scales[:, problem]
        if not self._number:
            return gram * scale * scale[:, None]
        shift, border, total = self._shifts[:, problem], scale * gram[-1, :-1], gram[-1, -1]
        own = np.empty_like(gram)
        own[:-1, :-1] = gram[:-1, :-1] * scale * scale[:, None]
        own[:-1, :-1] += np.outer(shift, border) + np.outer(border, shift)
        own[:-1, :-1] += total * np.outer(shift, shift)
        own[:-1, -1] = own[-1, :-1] = border + total * shift
        own[-1, -1] = total
        return own

    def coefficients(self, u):
        """Coefficients of X, of shape (n_problems, n_features), and intercepts (n_problems,)."""
        weights = self.mapped(u)
        coef = weights[: len(self._origin)].T
        if not self._number:
            return coef, np.zeros(len(coef))
        return coef, self._number * weights[-1] - coef @ self._origin
