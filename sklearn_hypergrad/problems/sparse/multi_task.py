"""Least squares of several outputs with a penalty on the norms of features, of all splits."""

import numpy as np

from sklearn_hypergrad.problems.sparse.elastic_net import ElasticNetProblem
from sklearn_hypergrad.problems.sparse.minimisers import FoundOneByOne
from sklearn_hypergrad.problems.sparse.row_exchange import row_exchange


class MultiTaskProblem(ElasticNetProblem):
    """Least squares of several outputs that share their features, solved exactly.

    Inner objective, for each split, with training weights t of the sum T, and the means of the
    training part subtracted where there is an intercept:

        1 / (2 T) sum_i t_i ||y_i - x_i w||^2
            +  alpha (r sum_j ||w_j||  +  (1 - r) / 2 ||w||^2)

    with r the ``l1_ratio`` and ``w_j`` the weights of a feature for all outputs: these are zero
    together. ``w`` has shape (n_splits, n_features, n_outputs). Parameters are those of
    ElasticNetProblem.
    """

    def _norms(self, w):
        return np.linalg.norm(w, axis=2, keepdims=True)

    def _directions(self, w):
        norms = self._norms(w)
        return np.divide(w, norms, out=np.zeros_like(w), where=norms > 0)

    def _turned(self, w, v):
        norms, along = self._norms(w), self._directions(w)
        across = v - along * np.sum(along * v, axis=2, keepdims=True)
        return np.divide(across, norms, out=np.zeros_like(v), where=norms > 0)

    def _minimisers(self, grams, cross):
        return SplitBySplit(grams, cross)


class SplitBySplit:
    """Minima of all outputs together, for one split after the other.

    Parameters
    ----------
    grams : list of DenseGram or RowsGram
        One for each split.
    cross : ndarray of shape (n_splits, n_features, n_outputs)
    """

    together = False

    def __init__(self, grams, cross):
        self._grams, self._cross = grams, cross

    def __call__(self, l1, l2, start):
        """``found`` as the minimisers of ElasticNetProblem return it, for one penalty."""
        starts = [None] * len(self._grams) if start is None else start
        quadratics = zip(self._grams, self._cross, starts, strict=True)
        minima = [row_exchange(gram, c, l1[0], l2[0], begin) for gram, c, begin in quadratics]
        w = np.stack([found.w for found in minima])
        return FoundOneByOne(w, dict(enumerate(minima)))
