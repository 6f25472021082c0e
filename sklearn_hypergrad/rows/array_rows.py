"""Rows of arrays: in memory, memory maps, and sparse matrices on memory maps."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix, issparse

from sklearn_hypergrad.rows.base import Part, check_length, part_size, slices
from sklearn_hypergrad.rows.loaded_rows import LoadedRows


class ArrayRows(LoadedRows):
    """Rows of an array, of which never more than some parts are in memory.

    Parameters
    ----------
    X : ndarray, memmap, CSR matrix or data frame of shape (n_samples, n_features)
        Or an array of texts of shape (n_samples,), for a vectorizer. Not copied, and not converted
        as a whole. The arrays of a CSR matrix may be memory maps.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets, as the estimator takes them.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows in the training loss.
    groups : ndarray of shape (n_samples,), default=None
        What ``cv=GroupKFold(k)`` keeps together.
    part_rows : int, default=None
        Number of rows of a part; None is as many as have 64 MiB.

    Raises
    ------
    ValueError
        If the lengths differ, or X is sparse in another format than CSR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypergrad.rows import ArrayRows
    >>> rows = ArrayRows(np.ones((10, 3)), np.arange(10.0), part_rows=4)
    >>> rows.sums(lambda part: (part.n_rows, float(part.y.sum())))
    (10, 45.0)
    """

    def __init__(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        part_rows: int | None = None,
    ):
        if issparse(X):
            if X.format != "csr":
                raise ValueError(f"X is sparse, in the format {X.format}: give X.tocsr().")
            numbers = X.data.itemsize * X.nnz
            self.bytes_per_pass = int(X.data.nbytes + X.indices.nbytes + X.indptr.nbytes)
            row_bytes = max(1, numbers // max(1, X.shape[0]))
            size = part_size(1, row_bytes, part_rows)
        else:
            itemsize = getattr(getattr(X, "dtype", None), "itemsize", 8)
            size = part_size(int(np.prod(X.shape[1:])), itemsize, part_rows)
            self.bytes_per_pass = int(np.prod(X.shape)) * itemsize
        for name, values in (("y", y), ("sample_weight", sample_weight), ("groups", groups)):
            check_length(name, values, X.shape[0])
        if hasattr(X, "columns"):
            self.feature_names = tuple(map(str, X.columns))
        self._X, self._others = X, (y, sample_weight, groups)
        self._places = slices(X.shape[0], size)

    @property
    def shape(self):
        return self._X.shape

    @property
    def places(self):
        return self._places

    def load(self, place):
        start, stop = place
        others = (None if each is None else np.asarray(each[start:stop]) for each in self._others)
        return Part(start, some_rows(self._X, start, stop), *others)


def some_rows(X, start, stop):
    """Consecutive rows of an array, a CSR matrix (whose arrays are not copied) or a data frame."""
    if not issparse(X):
        return X.iloc[start:stop] if hasattr(X, "iloc") else X[start:stop]
    first, last = int(X.indptr[start]), int(X.indptr[stop])
    part = csr_matrix((stop - start, X.shape[1]), dtype=X.dtype)
    part.data, part.indices = X.data[first:last], X.indices[first:last]
    part.indptr = np.asarray(X.indptr[start : stop + 1]) - first
    return part
