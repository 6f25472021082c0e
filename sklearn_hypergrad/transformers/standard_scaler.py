"""StandardScaler behind a step that is tuned: means and deviations move with its rows."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    transformer,
)


class ScaledFeatures(Features):
    """``(x - mean) / deviation`` of the training rows, which move."""

    def __init__(self, estimator, rows):
        self._estimator, self._n_train = estimator, rows.n_train

    # With z = (x - m) / s of n training rows, dm = sum dx_i / n and ds = sum z_i dx_i / n, so that
    # the derivative in a training row x_i has, besides G_i / s, the shares -(sum_j G_j) / (s n) and
    # -(sum_j G_j z_j) z_i / (s n), with z_i about the mean in the last one.
    def at(self, h, X):
        n, centred = self._n_train, self._estimator.with_mean
        X = X.toarray() if issparse(X) else X
        fitted = self._estimator.fit(X[:n])
        Z, scale = fitted.transform(X), fitted.scale_
        scale = np.ones(X.shape[1]) if scale is None else scale

        def pull(G, through):
            X_bar = G / scale
            if centred:
                X_bar[:n] -= G.sum(axis=0) / (scale * n)
            if self._estimator.with_std:
                # Constant columns are not scaled.
                about = (X[:n] - X[:n].mean(axis=0)) / scale * (fitted.var_ > 0)
                X_bar[:n] -= about * np.einsum("ip,ip->p", G, Z) / (scale * n)
            return {}, X_bar

        return Transformed(Z, pull)


class StandardScalerFamily(TransformerFamily):
    """StandardScaler, which has no hyperparameters."""

    estimator_class = StandardScaler

    def features(self, estimator, rows, entries, seed):
        return ScaledFeatures(StandardScaler(**estimator.get_params() | {"copy": True}), rows)


@transformer.register
def _(estimator: StandardScaler):
    return StandardScalerFamily()
