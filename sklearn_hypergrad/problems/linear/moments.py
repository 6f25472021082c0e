"""Weighted first and second moments of rows: sums that can be added and subtracted."""

import dataclasses
import functools
import operator

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.split_data import as_slice, chunks
from sklearn_hypergrad.threads import in_threads

# Entries of X that are centred and multiplied at a time. Chosen by hand: 4 MiB stay in the cache of
# a processor, and are large enough for fast matrix products.
CHUNK = 2**19
# Entries of X from which on rows are divided among threads, and the number of pieces. Chosen by
# hand: smaller sums take about a millisecond; a fixed number of pieces gives the same digits on
# any number of threads.
LARGE = 2**20
PIECES = 4


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over some rows of ``s``, ``s x``, ``s y``, ``s x x'``, ``s x y'`` and ``s y^2``."""

    weight: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @classmethod
    def of(cls, X, y, rows, weight, origin):
        """Moments of ``X[rows]`` and ``y[rows]`` minus their origins, with one weight per row.

        Sums of squares of data with a large offset lose digits when they are subtracted: measured
        at an offset of 1e6, a cross-validated error was wrong by 3e-3 relative without an origin
        and by 4e-11 with it. Sparse X have the origin 0.
        """
        if issparse(X):
            return cls._of_chunk(X, y, rows, weight, origin)
        pieces = [(rows, weight)]
        if len(rows) * X.shape[1] >= LARGE:
            parts = (np.array_split(each, PIECES) for each in (rows, weight))
            pieces = list(zip(*parts, strict=True))

        def of_piece(piece):
            rows, weight = piece
            own = chunks(len(rows), X.shape[1], CHUNK)
            parts = (cls._of_chunk(X, y, rows[c], weight[c], origin) for c in own)
            return functools.reduce(operator.add, parts)

        return functools.reduce(operator.add, in_threads(of_piece, pieces))

    @classmethod
    def _of_chunk(cls, X, y, rows, weight, origin):
        root = np.sqrt(weight)[:, None]
        y = y[rows] - origin[1]
        if issparse(X):
            scaled = X[rows].multiply(root).tocsr()
            xx = (scaled.T @ scaled).toarray()
        else:
            scaled = np.subtract(X[as_slice(rows)], origin[0], dtype=float)
            if np.any(weight != 1):
                scaled *= root
            xx = scaled.T @ scaled
        return cls(
            weight=weight.sum(),
            x=scaled.T @ root[:, 0],
            y=weight @ y,
            xx=xx,
            xy=scaled.T @ (root * y),
            yy=weight @ y**2,
        )

    def __add__(self, other):
        return Moments(*(a + b for a, b in zip(_parts(self), _parts(other), strict=True)))

    def __sub__(self, other):
        return Moments(*(a - b for a, b in zip(_parts(self), _parts(other), strict=True)))

    def about(self, x, y):
        """``(xx, xy, yy)`` of rows from which ``x`` and ``y`` are subtracted.

        sum s (x_i - x)(x_i - x)' = xx - sx x' - x sx' + weight x x', and likewise for y.
        """
        sx = self.x - 0.5 * self.weight * x
        cross = sx[:, None] * x
        return (
            self.xx - cross - cross.T,
            self.xy - (self.x - self.weight * x)[:, None] * y - x[:, None] * self.y,
            self.yy - 2 * y * self.y + self.weight * y**2,
        )


_parts = operator.attrgetter(*(field.name for field in dataclasses.fields(Moments)))
