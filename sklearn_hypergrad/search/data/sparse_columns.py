"""Columns of sparse X, and the factors that map them to those of another X, up to origins."""

import numpy as np


class SparseColumns:
    """The entries of sparse X, column by column.

    Parameters
    ----------
    X : CSR matrix
    centred : bool
        Whether the origins of columns do not matter. Only those without zeros can have another one:
        it would fill the others.
    """

    def __init__(self, X, *, centred):
        by_column = X.tocsc()
        by_column.sum_duplicates()
        counts = np.diff(by_column.indptr)
        self._places = by_column.indptr, by_column.indices
        self._columns = np.repeat(np.arange(X.shape[1]), counts)
        self._filled = np.flatnonzero(counts)
        self._starts = by_column.indptr[self._filled]
        values = by_column.data.astype(float)
        moved = (counts == X.shape[0]) & (counts > 0) & centred
        means = np.where(moved, self._reduced(np.add, values) / np.maximum(counts, 1), 0.0)
        values -= means[self._columns]
        # A constant column has no range: its size is the scale of its deviations.
        ends = (self._reduced(ufunc, by_column.data) for ufunc in (np.minimum, np.maximum))
        constant = moved & np.equal(*ends)
        values[constant[self._columns]] = 0.0
        self._values = values
        largest = self._reduced(np.maximum, np.abs(values))
        self._reach = np.where(constant, np.abs(means), largest)

    def scales_to(self, other, tol):
        """Factors that map these columns to others, up to the origins of those without zeros.

        Parameters
        ----------
        other : SparseColumns
            Of the same rows.
        tol : float
            Largest deviation, relative to the range of a column.

        Returns
        -------
        ndarray of shape (n_columns,) or None
            None if there is no such map.
        """
        if not all(map(np.array_equal, self._places, other._places)):
            return None
        both = (self._values * each._values for each in (self, other))
        squares, products = (self._reduced(np.add, each) for each in both)
        scales = np.divide(products, squares, out=np.ones_like(squares), where=squares > 0)
        difference = np.abs(self._values * scales[self._columns] - other._values)
        return scales if np.all(difference <= tol * other._reach[self._columns]) else None

    def _reduced(self, ufunc, values):
        """The entries of every column, reduced to a number; zero for none."""
        reduced = np.zeros(len(self._places[0]) - 1)
        if len(values):
            reduced[self._filled] = ufunc.reduceat(values, self._starts)
        return reduced
