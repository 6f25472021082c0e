"""Means of rows and sums of products about them, which add up without losing digits."""

import dataclasses

import numpy as np


# Derivation. Let two sets of rows have the weights n and m, the means a and b, and the sums of
# squares A and B about these means. About any point c the first has A + n (a - c)(a - c)'. With c
# the mean of both, (n a + m b) / (n + m), both together have
#     A + B + n m / (n + m) (a - b)(a - b)'
# (Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance"). Sums about an origin
# that is far away, or differences of such sums, lose the digits that the offset takes.
@dataclasses.dataclass(frozen=True)
class Spread:
    """Rows as their weight, their means, and weighted sums of products about these.

    Attributes
    ----------
    weight : float
    x : ndarray of shape (n_features,)
    y : ndarray of shape (n_outputs,)
    xx : ndarray of shape (n_features, n_features)
    xy : ndarray of shape (n_features, n_outputs)
    yy : ndarray of shape (n_outputs,)
    """

    weight: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    def __add__(self, other):
        weight = self.weight + other.weight
        if not other.weight or not self.weight:
            return self if self.weight else other
        share = other.weight / weight
        x, y = other.x - self.x, other.y - self.y
        both = self.weight * share
        return Spread(
            weight,
            self.x + share * x,
            self.y + share * y,
            self.xx + other.xx + (both * x)[:, None] * x,
            self.xy + other.xy + (both * x)[:, None] * y,
            self.yy + other.yy + both * y**2,
        )

    def about(self, x, y):
        """``(xx, xy, yy)`` about other points."""
        dx, dy, n = self.x - x, self.y - y, self.weight
        return (
            self.xx + (n * dx)[:, None] * dx,
            self.xy + (n * dx)[:, None] * dy,
            self.yy + n * dy**2,
        )


class Accumulator:
    """Collects the Spread of rows that come in pieces: sums about the mean of the first one."""

    def __init__(self):
        self._origin = self._sums = None

    def add(self, X, y, weight):
        """Add a piece; ``weight`` is an array of shape (n_rows,) or None for ones."""
        sparse = not isinstance(X, np.ndarray)
        if self._origin is None:
            self._origin = np.zeros(X.shape[1]) if sparse else X.mean(axis=0), y.mean(axis=0)
        if not sparse:
            X = np.subtract(X, self._origin[0], out=X)
        y = y - self._origin[1]
        own = _sums(X, y, weight)
        if self._sums is None:
            self._sums = own
            return
        for total, more in zip(self._sums, own, strict=True):
            np.add(total, more, out=total)

    def spread(self, n_features, n_outputs):
        """The Spread; without rows its weight is zero."""
        if self._sums is None or not self._sums[0]:
            p, k = n_features, n_outputs
            zero = np.zeros(p), np.zeros(k), np.zeros((p, p)), np.zeros((p, k)), np.zeros(k)
            return Spread(0.0, *zero)
        weight, x, y, xx, xy, yy = self._sums
        weight = float(weight)
        dx, dy = x / weight, y / weight
        return Spread(
            weight,
            self._origin[0] + dx,
            self._origin[1] + dy,
            xx - x[:, None] * dx,
            xy - x[:, None] * dy,
            yy - y * dy,
        )


def _sums(X, y, weight):
    if weight is None:
        scaled, root, weighted = X, np.ones(len(y)), y
    else:
        root = np.sqrt(weight)
        scaled = X.multiply(root[:, None]).tocsr() if hasattr(X, "multiply") else X * root[:, None]
        weighted = root[:, None] * y
    xx = scaled.T @ scaled
    return [
        np.asarray(root @ root),
        scaled.T @ root,
        root @ weighted,
        xx if isinstance(xx, np.ndarray) else xx.toarray(),
        scaled.T @ weighted,
        np.einsum("ik,ik->k", weighted, weighted),
    ]
