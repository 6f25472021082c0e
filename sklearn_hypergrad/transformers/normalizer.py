"""Normalizer behind a step that is tuned: rows are divided by their lengths."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import Normalizer

from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    transformer,
)


def _largest(X):
    """The signs of the largest entries of rows, and zero for others."""
    place = np.argmax(np.abs(X), axis=1)[:, None]
    slope = np.zeros(X.shape)
    np.put_along_axis(slope, place, np.sign(np.take_along_axis(X, place, axis=1)), axis=1)
    return slope


# The derivatives of lengths in rows of length one.
SLOPES = {"l1": np.sign, "l2": lambda Z: Z, "max": _largest}
ORDERS = {"l1": 1, "l2": 2, "max": np.inf}


class UnitFeatures(Features):
    """Rows of length one.

    Parameters
    ----------
    norm : {"l1", "l2", "max"}
    """

    def __init__(self, norm):
        self._norm = norm

    def at(self, h, X):
        X = X.toarray() if issparse(X) else X
        length = np.linalg.norm(X, ORDERS[self._norm], axis=1, keepdims=True)
        # Rows of zeros stay as they are.
        inverse = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
        Z = X * inverse

        def pull(G, through):
            along = np.einsum("ip,ip->i", G, Z)[:, None]
            return {}, (G - along * SLOPES[self._norm](Z)) * inverse

        return Transformed(Z, pull)


class NormalizerFamily(TransformerFamily):
    """Normalizer, which has no hyperparameters."""

    estimator_class = Normalizer

    def features(self, estimator, rows, entries, seed):
        return UnitFeatures(estimator.norm)


@transformer.register
def _(estimator: Normalizer):
    return NormalizerFamily()
