"""Rows of dask arrays and data frames, on threads, processes or a cluster."""

import dataclasses
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.rows.base import Part, Rows, add, tree
from sklearn_hypergrad.threads import cached_property, one_blas_thread

# Bytes of a task from which on there is a warning: data that are part of the graph travel to the
# scheduler in every pass.
LARGE_GRAPH = 10_000_000
OF_GRAPH = (
    "The graph of a part of X has {:.0f} MB: it holds data, which travel in every pass. Let "
    "workers read them: dask.array.from_delayed of a function that loads, from_npy_stack or "
    "read_parquet."
)


def is_dask(X):
    """Whether X is a collection of dask, without an import of dask."""
    return type(X).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(X, "dask")


@dataclasses.dataclass(frozen=True)
class Applied:
    """``function`` of the part that is made of some blocks, with BLAS on one thread."""

    function: Callable

    def __call__(self, first, *blocks):
        X, *others = blocks
        others = (None if each is None else np.asarray(each) for each in others)
        with one_blas_thread(1):
            return self.function(Part(first, X, *others))


class DaskRows(Rows):
    """Rows of a dask array or data frame; every chunk or partition of rows is a part.

    The scheduler is the one that dask uses: a client, if there is one. Nothing is kept between
    passes: what is not persisted (``X.persist()``) is read or computed again in every pass.

    Parameters
    ----------
    X : dask array or dask data frame of shape (n_samples, n_features)
        An array is rechunked so that a chunk has all columns.
    y, sample_weight, groups : dask array or series, or ndarray, default=None
        They have the rows of X, and are chunked as X is.

    Raises
    ------
    ValueError
        If lengths differ.

    Warns
    -----
    UserWarning
        If the graph holds the data.
    """

    traffic = "sums of every part, and what is not persisted on the workers"

    def __init__(self, X: Any, y: Any = None, *, sample_weight: Any = None, groups: Any = None):
        frame = hasattr(X, "columns") and hasattr(X, "to_dask_array")
        if frame:
            self.feature_names = tuple(map(str, X.columns))
        self._X = _array(X)
        if self._X.numblocks[1] > 1:
            self._X = self._X.rechunk({1: -1})
        others = {"y": y, "sample_weight": sample_weight, "groups": groups}
        self._others = [_chunked(n, each, self._X) for n, each in others.items()]
        self._check_graph()

    @property
    def shape(self):
        return tuple(int(n) for n in self._X.shape)

    @property
    def bytes_per_pass(self):
        """Bytes of X."""
        return int(self._X.nbytes)

    @cached_property
    def _blocks(self):
        """``(first row, blocks)`` of every part."""
        firsts = np.cumsum([0, *self._X.chunks[0][:-1]]).tolist()
        found = [np.ravel(self._X.to_delayed()).tolist()]
        for each in self._others:
            found.append([None] * len(firsts) if each is None else _delayed(each))
        return list(zip(firsts, zip(*found, strict=True), strict=True))

    def sums(self, function):
        import dask

        apply = dask.delayed(Applied(function), pure=False)
        together = dask.delayed(add, pure=False)
        terms = [apply(first, *blocks) for first, blocks in self._blocks]
        return tree(terms, together).compute()

    def _check_graph(self):
        first = self._X.blocks[0]
        held = [v for v in dict(first.dask).values() if isinstance(v, np.ndarray)]
        size = sum(each.nbytes for each in held)
        if size > LARGE_GRAPH:
            warnings.warn(OF_GRAPH.format(size / 1e6), UserWarning, stacklevel=4)


def _delayed(array):
    """The blocks of an array of one or two axes."""
    return np.ravel(array.to_delayed()).tolist()


def _array(collection):
    """A dask array with known lengths of chunks: those of a data frame are counted in one pass."""
    if hasattr(collection, "to_dask_array"):
        return collection.to_dask_array(lengths=True)
    if np.isnan(collection.shape[0]):
        return collection.compute_chunk_sizes()
    return collection


def _chunked(name, values, X):
    """Values of all rows with the chunks of X."""
    if values is None:
        return None
    if not is_dask(values):
        values = sys.modules["dask.array"].from_array(np.asarray(values), chunks=len(values))
    values = _array(values)
    if values.shape[0] != X.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows, and {name} has {values.shape[0]}.")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return values.rechunk((X.chunks[0], *[-1] * (values.ndim - 1)))
