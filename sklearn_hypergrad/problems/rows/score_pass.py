"""One last pass over rows: scores of solved models on held-out rows, as sums."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class ScorePass:
    """``function(part)``: sums over held-out rows for some models of every split.

    Attributes
    ----------
    reader : Reader
        Without an origin.
    buckets : object
    members : ndarray of shape (n_buckets, n_splits)
        One where the rows of a bucket are held out.
    w : ndarray of shape (n_features + 1, n_models * n_splits, n_outputs)
        Coefficients of the rows as they are, and intercepts: model after model.
    losses : tuple
        Pointwise losses.
    confusion : bool
        Whether predicted classes are counted.
    """

    reader: Any
    buckets: Any
    members: np.ndarray
    w: np.ndarray
    losses: tuple
    confusion: bool

    def __call__(self, part):
        held_out = self.members[self.buckets.of(part)]
        if part.weight is not None:
            held_out = held_out * np.asarray(part.weight, dtype=float)[:, None]
        n_models = self.w.shape[1] // held_out.shape[1]
        sums, counts, moments = [0.0] * len(self.losses), 0.0, 0.0
        for piece in self.reader.pieces(part):
            z, own = piece.product(self.w), held_out[piece.rows]
            several = np.tile(own, n_models)
            for number, loss in enumerate(self.losses):
                values = loss.value(piece.y[:, None], z)
                sums[number] = sums[number] + np.einsum("isk,is->sk", values, several)
            powers = np.stack([np.ones_like(piece.y), piece.y, piece.y**2])
            moments = moments + np.einsum("pik,is->psk", powers, own)
            if self.confusion:
                counts = counts + _confusion(z, piece.codes, several)
        return (*sums, np.asarray(counts), moments)


def _confusion(z, codes, held_out):
    """Counts of true and predicted classes, of shape (n_models * n_splits, n, n)."""
    n_classes = max(2, z.shape[2])
    predicted = (z[:, :, 0] > 0).astype(int) if z.shape[2] == 1 else z.argmax(axis=2)
    cells = codes[:, None] * n_classes + predicted
    found = [np.bincount(cells[:, s], held_out[:, s], n_classes**2) for s in range(cells.shape[1])]
    return np.reshape(found, (-1, n_classes, n_classes))
