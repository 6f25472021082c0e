"""Scalers behind a step that is tuned: what they take from the training rows moves with these.

All of them are ``(X - c) / s`` of columns, up to constants, and differ in c and s.
"""

import abc

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from sklearn_hypergrad.transformers.base import Features, Transformed, TransformerFamily


class ScaledFeatures(Features):
    """The scaled rows of one split.

    Parameters
    ----------
    family : ScalerFamily
    estimator : estimator
    n_train : int
    """

    def __init__(self, family, estimator, n_train):
        self._family, self._estimator, self._n_train = family, estimator, n_train

    # With z = (x - c) / s the derivative of sum_ij G_ij z_ij in c is -(sum_i G_i) / s, and in s
    # -(sum_i G_i z_i) / s.
    def at(self, h, X):
        n = self._n_train
        X = X.toarray() if issparse(X) else X
        fitted = clone(self._estimator).set_params(copy=True).fit(X[:n])
        left = np.asarray(fitted.transform(X))
        centre, scale, pull_both = self._family.statistics(fitted, X[:n])

        def pull(G, through):
            clipped = getattr(fitted, "clip", False)
            G = np.where(self._family.is_clipped(fitted, left), 0.0, G) if clipped else G
            X_bar = G / scale
            of_scale = -np.einsum("ip,ip->p", X_bar, (X - centre) / scale)
            X_bar[:n] += pull_both(-X_bar.sum(axis=0), of_scale)
            return {}, X_bar

        return Transformed(left, pull)


class ScalerFamily(TransformerFamily):
    """Scalers of columns, which have no hyperparameters."""

    def features(self, estimator, rows, entries, seed):
        return ScaledFeatures(self, estimator, rows.n_train)

    @abc.abstractmethod
    def statistics(self, fitted, X):
        """What was taken from the training rows.

        Parameters
        ----------
        fitted : estimator
        X : ndarray of shape (n_train, n_features)
            The training rows.

        Returns
        -------
        centre, scale : ndarray of shape (n_features,), or float
        pull : callable
            ``pull(of_centre, of_scale)``: derivatives in X from those in the two, which are arrays
            of shape (n_features,).
        """

    def is_clipped(self, fitted, left):
        """Where rows that leave it were cut off, if it has ``clip``."""
        return np.abs(left) >= 1


def pull_quantile(X, q, bar):
    """Derivatives of ``sum_p bar_p (quantile q of column p)`` in X.

    Quantiles are interpolated between two entries, as numpy does by default.
    """
    place = q * (len(X) - 1)
    below = int(place)
    share = place - below
    order, columns = np.argsort(X, axis=0, kind="stable"), np.arange(X.shape[1])
    X_bar = np.zeros(X.shape)
    X_bar[order[below], columns] = (1 - share) * bar
    if share:
        X_bar[order[below + 1], columns] = share * bar
    return X_bar
