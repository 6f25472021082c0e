"""One pass that collects all that ridge regression needs: a Spread of every bucket."""

import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.problems.rows.columns import Columns, ColumnSums, Extrema
from sklearn_hypergrad.problems.rows.spread import Accumulator, Spread


@dataclasses.dataclass(frozen=True)
class BucketSums:
    """The rows of a bucket.

    Attributes
    ----------
    train : Spread
        With the weights of the training loss.
    scored : Spread or None
        With the weights of scores; None if these are the same.
    plain : ColumnSums or None
        Without weights; None if scores have none.
    extrema : Extrema or None
    """

    train: Spread
    scored: Spread | None
    plain: ColumnSums | None
    extrema: Extrema | None

    def __add__(self, other):
        return BucketSums(
            self.train + other.train,
            None if self.scored is None else self.scored + other.scored,
            None if self.plain is None else self.plain + other.plain,
            None if self.extrema is None else self.extrema + other.extrema,
        )

    @property
    def held_out(self):
        """The Spread that scores are made of."""
        return self.train if self.scored is None else self.scored

    def columns(self):
        """The Columns of these rows, as scalers see them: without weights."""
        plain, spread = self.plain, self.held_out
        if plain is not None:
            return Columns(plain.n, plain.mean, plain.square / plain.n, self.extrema)
        return Columns(spread.weight, spread.x, np.diag(spread.xx) / spread.weight, self.extrema)


@dataclasses.dataclass(frozen=True)
class MomentsPass:
    """``function(part)``: the BucketSums of all buckets.

    Attributes
    ----------
    reader : Reader
    buckets : object
        It has ``n_buckets`` and ``of(part)``.
    extrema : bool
        Whether smallest and largest values are needed.
    of_classes : ndarray of shape (n_classes,) or None
        Factors of the weights of rows by their class.
    """

    reader: Any
    buckets: Any
    extrema: bool = False
    of_classes: np.ndarray | None = None

    def __call__(self, part):
        bucket = self.buckets.of(part)
        order = np.argsort(bucket, kind="stable")
        ends = np.searchsorted(bucket[order], np.arange(self.buckets.n_buckets + 1))
        found = [
            self._collected(part, order[start:stop])
            for start, stop in zip(ends[:-1], ends[1:], strict=True)
        ]
        sizes = next(each.sizes for each in found if each.sizes is not None)
        return tuple(each.sums(*sizes) for each in found)

    def _collected(self, part, rows):
        collected = Collected(self.of_classes is not None, part.weight is not None, self.extrema)
        for piece in self.reader.pieces(part, rows):
            weight = None if part.weight is None else np.asarray(part.weight[piece.rows], float)
            of_class = None if self.of_classes is None else self.of_classes[piece.codes]
            collected.add(piece, weight, of_class)
        return collected


class Collected:
    """Collects the BucketSums of rows that come in pieces.

    Parameters
    ----------
    of_classes, weighted : bool
        Whether classes, and rows, have weights.
    extrema : bool
    """

    def __init__(self, of_classes, weighted, extrema):
        self._train, self._scored = Accumulator(), Accumulator() if of_classes else None
        self._weighted, self._extremes = weighted, extrema
        self._plain = self._extrema = self.sizes = None

    def add(self, piece, weight, of_class):
        """Add a Piece, with arrays of weights or None. Its X may change."""
        self.sizes = piece.X.shape[1], piece.y.shape[1]
        if self._extremes:
            own = Extrema.of(piece.X, self.sizes[0])
            self._extrema = own if self._extrema is None else self._extrema + own
        if self._weighted:
            own = ColumnSums.of(piece.X)
            self._plain = own if self._plain is None else self._plain + own
        if self._scored is not None:
            self._scored.add(piece.X.copy(), piece.y, weight)
            weight = of_class if weight is None else weight * of_class
        self._train.add(piece.X, piece.y, weight)

    def sums(self, n_features, n_outputs):
        """The BucketSums."""
        size, empty = (n_features, n_outputs), np.empty((0, n_features))
        plain = self._plain or ColumnSums.of(empty) if self._weighted else None
        extrema = self._extrema or Extrema.of(empty, n_features) if self._extremes else None
        scored = None if self._scored is None else self._scored.spread(*size)
        return BucketSums(self._train.spread(*size), scored, plain, extrema)
