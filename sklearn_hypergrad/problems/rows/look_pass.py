"""The first pass of iterated models: classes, columns, and a sample that stands for all rows."""

import dataclasses
from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack

from sklearn_hypergrad.problems.rows.columns import Columns, ColumnSums, Extrema
from sklearn_hypergrad.rows.folds import hashed

# Seed of the draw of the sample: another one than those of the buckets.
DRAW = 977


@dataclasses.dataclass(frozen=True)
class Sample:
    """Some rows, in the order of all; samples are joined by ``+``.

    Attributes
    ----------
    X, y, bucket, weight : list of arrays
        Those of the parts.
    """

    X: list
    y: list
    bucket: list
    weight: list

    def __add__(self, other):
        pairs = zip(*(vars(each).values() for each in (self, other)), strict=True)
        return Sample(*(one + more for one, more in pairs))

    def joined(self):
        """``(X, y, bucket, weight)`` as single arrays."""
        X = vstack(self.X, format="csr") if issparse(self.X[0]) else np.concatenate(self.X)
        return X, *(np.concatenate(each) for each in (self.y, self.bucket, self.weight))


@dataclasses.dataclass(frozen=True)
class Counts:
    """Numbers of rows of each label in each bucket, and their weights; they add up.

    Attributes
    ----------
    table : dict
        From labels to arrays of shape (2, n_buckets): counts, and sums of weights.
    """

    table: dict

    def __add__(self, other):
        zero = np.zeros_like(next(iter((self.table or other.table).values())))
        labels = [*self.table, *(label for label in other.table if label not in self.table)]
        both = {n: self.table.get(n, zero) + other.table.get(n, zero) for n in labels}
        return Counts(both)


@dataclasses.dataclass(frozen=True)
class LookPass:
    """``function(part)``: Counts, ColumnSums and Extrema of all buckets, and a Sample.

    Attributes
    ----------
    reader : Reader
        With targets as they are.
    buckets : object
    share : float
        Share of the rows in the sample.
    counts : bool
        Whether labels are counted.
    extrema : bool
        Whether smallest and largest values are needed.
    """

    reader: Any
    buckets: Any
    share: float
    counts: bool
    extrema: bool

    def __call__(self, part):
        bucket, n_buckets = self.buckets.of(part), self.buckets.n_buckets
        numbers = np.arange(part.first, part.first + part.n_rows, dtype=np.uint64)
        drawn = hashed(numbers, DRAW) < np.uint64(min(2**64 - 1, int(self.share * 2**64)))
        weight = np.ones(part.n_rows) if part.weight is None else np.asarray(part.weight, float)
        taken, moments, extrema = [], [None] * n_buckets, [None] * n_buckets
        for piece in self.reader.pieces(part):
            own, some = bucket[piece.rows], drawn[piece.rows]
            taken.append(piece.X[some].copy())
            for number in np.unique(own):
                X = piece.X[own == number]
                moments[number] = _plus(moments[number], ColumnSums.of(X))
                if self.extrema:
                    extrema[number] = _plus(extrema[number], Extrema.of(X, X.shape[1]))
        empty = np.zeros(taken[0].shape[1])
        moments = [ColumnSums(0.0, empty, empty) if m is None else m for m in moments]
        none = Extrema(empty + np.inf, empty - np.inf)
        extrema = [none if e is None else e for e in extrema]
        X = vstack(taken, format="csr") if issparse(taken[0]) else np.concatenate(taken)
        y = np.asarray(part.y)
        sample = Sample([X], [y[drawn]], [bucket[drawn]], [weight[drawn]])
        return (self._counts(y, bucket, weight), sample, *moments, *extrema)

    def _counts(self, y, bucket, weight):
        if not self.counts:
            return Counts(
                {
                    0: np.stack(
                        [np.bincount(bucket, w, self.buckets.n_buckets) for w in (None, weight)]
                    )
                }
            )
        labels, member = np.unique(np.ravel(y), return_inverse=True)
        table = {}
        for number, label in enumerate(labels.tolist()):
            own = member == number
            rows = bucket[own], weight[own]
            n = self.buckets.n_buckets
            table[label] = np.stack([np.bincount(rows[0], w, n) for w in (None, rows[1])])
        return Counts(table)


def _plus(one, other):
    return other if one is None else one + other


@dataclasses.dataclass(frozen=True)
class Look:
    """What the first pass has found.

    Attributes
    ----------
    classes : ndarray or None
        The sorted labels.
    counts, weights : ndarray of shape (n_buckets, n_classes)
        Rows of each class in each bucket, and their weights; of one column without classes.
    sample : tuple
        ``(X, y, bucket, weight)`` of the sample.
    moments : list of ColumnSums
    extrema : list of Extrema or None
    """

    classes: np.ndarray | None
    counts: np.ndarray
    weights: np.ndarray
    sample: tuple
    moments: list
    extrema: list | None

    @classmethod
    def of(cls, function, sums):
        """The Look from what a pass with a LookPass has returned."""
        n = function.buckets.n_buckets
        counts, sample, *others = sums
        labels = sorted(counts.table)
        table = np.array([counts.table[label] for label in labels])
        extrema = others[n:] if function.extrema else None
        classes = np.array(labels) if function.counts else None
        return cls(classes, table[:, 0].T, table[:, 1].T, sample.joined(), others[:n], extrema)

    def columns(self, part):
        """The Columns of some buckets."""
        total = None
        for bucket in part:
            total = _plus(total, self.moments[bucket])
        extrema = None
        for bucket in part if self.extrema else ():
            extrema = _plus(extrema, self.extrema[bucket])
        return Columns(total.n, total.mean, total.square / total.n, extrema)
