"""How a part of rows becomes features and targets, a few thousand rows at a time."""

import dataclasses
import threading
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from sklearn_hypergrad.problems.split_data import as_slice, canonical

# Entries of dense X that are converted and multiplied at a time. Chosen by hand: 4 MiB stay in the
# cache of a processor, and are large enough for fast matrix products.
PIECE = 2**19
# The same of sparse X, whose products keep a few dense numbers per row.
SPARSE_ROWS = 2**14
# Converted rows lie in a buffer that each thread keeps. Measured: workers of dask give every freed
# array back to the system, and a pass takes three times as long if it makes new ones.
_buffers = threading.local()
NO_Y = "The rows have no targets, and without them nothing is searched. Pass y to the rows."


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Targets that are numbers."""

    # Nothing has to be known of them before the first pass.
    classes = None

    def encode(self, y):
        """``(targets of shape (n_rows, n_outputs), None)``."""
        y = np.asarray(y, dtype=float)
        return y.reshape(len(y), -1), None


@dataclasses.dataclass(frozen=True)
class Classes:
    """Targets that are classes, as a column for each; of two classes for the second alone.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    low : float
        The number for another class; that for the class is 1.
    """

    classes: np.ndarray
    low: float

    def encode(self, y):
        """``(targets of shape (n_rows, n_outputs), numbers of the classes)``."""
        codes = np.searchsorted(self.classes, np.ravel(y))
        shown = np.arange(len(self.classes))
        shown = shown[1:] if len(shown) == 2 else shown
        return np.where(codes[:, None] == shown, 1.0, self.low), codes


@dataclasses.dataclass(frozen=True)
class Piece:
    """Some rows as models take them.

    Attributes
    ----------
    rows : ndarray of int or slice
        Which rows of the part these are.
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Doubles, minus the origin. Dense ones are valid until the next piece is made.
    y : ndarray of shape (n_rows, n_outputs)
    codes : ndarray of int of shape (n_rows,) or None
        Numbers of the classes.
    """

    rows: Any
    X: Any
    y: np.ndarray
    codes: np.ndarray | None

    def product(self, w):
        """``x w`` plus the last row of ``w``, of shape (n_rows, n_splits, n_outputs)."""
        flat = w.reshape(len(w), -1)
        z = self.X @ flat[:-1]
        z += flat[-1]
        return z.reshape(-1, *w.shape[1:])

    def pull(self, v):
        """The transposed product."""
        flat = v.reshape(len(v), -1)
        pulled = np.concatenate([self.X.T @ flat, np.ones((1, len(flat))) @ flat])
        return pulled.reshape(-1, *v.shape[1:])


@dataclasses.dataclass(frozen=True)
class Reader:
    """Makes pieces of a part.

    Attributes
    ----------
    coding : Numbers or Classes
    steps : tuple of transformers
        What is applied to each piece: their fit looks at no values.
    take : ndarray of int or None
        The columns that are features, in their order; None is all.
    origin : ndarray of shape (n_features,) or None
        What is subtracted from dense features.
    dense_for : str
        The name of a step that cannot be applied to sparse rows; "" if there is none.
    """

    coding: Any
    steps: tuple = ()
    take: np.ndarray | None = None
    origin: np.ndarray | None = None
    dense_for: str = ""

    def pieces(self, part, rows=None):
        """Yield the Pieces of some rows of a part; by default of all."""
        rows = np.arange(part.n_rows) if rows is None else rows
        size = self._size(part.X)
        for start in range(0, len(rows), size):
            yield self._piece(part, as_slice(rows[start : start + size]))

    def _size(self, X):
        if self.steps:
            return 4096
        sparse = issparse(X)
        return SPARSE_ROWS if sparse else max(1, PIECE // max(1, np.shape(X)[1]))

    def _piece(self, part, rows):
        if part.y is None:
            raise ValueError(NO_Y)
        return Piece(rows, self._features(part.X, rows), *self.coding.encode(part.y[rows]))

    def _features(self, X, rows):
        X = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
        for step in self.steps:
            X = clone(step).fit(X).transform(X)
        if hasattr(X, "to_numpy"):
            X = X.to_numpy()
        if self.take is not None:
            X = X[:, self.take]
        if issparse(X):
            if self.dense_for:
                raise ValueError(
                    f"{self.dense_for} would make sparse rows dense. Take MaxAbsScaler, or "
                    f"StandardScaler(with_mean=False)."
                )
            return canonical(X.tocsr().astype(float, copy=False))
        out = _buffer(X.shape)
        if self.origin is None:
            out[...] = X
        else:
            np.subtract(X, self.origin, out=out)
        return out


def _buffer(shape):
    """An array of this shape, on memory that the thread keeps."""
    size = shape[0] * shape[1]
    kept = getattr(_buffers, "kept", None)
    if kept is None or kept.size < size:
        kept = _buffers.kept = np.empty(size)
    return kept[:size].reshape(shape)
