"""Factors that map the features of one X to those of another, up to origins."""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.search.data.sparse_columns import SparseColumns
from sklearn_hypergrad.threads import cached_property

# Largest deviation from an affine map, relative to the range of a feature, for each precision.
# Chosen by hand: above the rounding of a scaler (1e-16 and 1e-7 times the ratio of origin to range)
# and far below the accuracy of inner solutions in double precision (1e-6).
EXACT = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-6}
# Number of rows that are compared at a time, which bounds the memory of the differences.
CHUNK = 4096


class Reference:
    """Features that those of other X are compared with.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
    order : ndarray of int
        The rows of X in the order of the rows of the data.
    centred : bool
        Whether the origins of features do not matter.
    """

    def __init__(self, X, order, *, centred):
        self.X = X
        self._order, self._centred = order, centred

    def rows_of(self, order):
        """The rows of another X, which has this order, that are the rows of X."""
        own = np.empty_like(order)
        own[self._order] = order
        return own

    def scales_to(self, X, order):
        """Factors that map the features to those of another X, up to origins; None if none do.

        Parameters
        ----------
        X : ndarray or CSR matrix
        order : ndarray of int
            Its rows in the order of the rows of the data.

        Returns
        -------
        ndarray of shape (n_features,) or None
        """
        first = self.X
        if X.shape != first.shape or X.dtype != first.dtype or issparse(X) != issparse(first):
            return None
        if issparse(X):
            other = SparseColumns(X[order], centred=self._centred)
            return self._columns.scales_to(other, EXACT[X.dtype])
        return self._affine(X, order)

    @cached_property
    def _columns(self):
        return SparseColumns(self.X[self._order], centred=self._centred)

    @cached_property
    def _ends(self):
        return self.X.argmin(axis=0), self.X.argmax(axis=0)

    # The smallest and the largest value of a feature determine the map; all others must follow it.
    def _affine(self, X, order):
        """The factors for dense X."""
        first = self.X
        columns, own = np.arange(X.shape[1]), self.rows_of(order)
        low, high = (first[end, columns].astype(float) for end in self._ends)
        to_low, to_high = (X[own[end], columns].astype(float) for end in self._ends)
        spread = high - low
        scales = np.divide(to_high - to_low, spread, out=np.ones(len(spread)), where=spread > 0)
        origin = to_low - scales * low
        # A constant feature has no range: its size is the scale of its deviations.
        reach = np.where(spread > 0, np.abs(to_high - to_low), np.abs(to_low))
        allowed = EXACT[X.dtype] * reach
        if not self._centred and np.any(np.abs(origin) > allowed):
            return None
        for start in range(0, len(X), CHUNK):
            rows = slice(start, start + CHUNK)
            difference = first[rows] * scales
            difference += origin
            difference -= X[own[rows]]
            if not np.all(np.abs(difference) <= allowed):
                return None
        return scales
