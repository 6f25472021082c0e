"""What scalers look at: means, variances and extrema of columns, and the factors they make."""

import dataclasses

import numpy as np
from scipy.sparse import issparse

EPS = np.finfo(float).eps


@dataclasses.dataclass(frozen=True)
class Extrema:
    """Smallest and largest values of columns; they add up."""

    low: np.ndarray
    high: np.ndarray

    def __add__(self, other):
        return Extrema(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    @classmethod
    def of(cls, X, n_features):
        """Those of some rows; infinite without any."""
        if not X.shape[0]:
            return cls(np.full(n_features, np.inf), np.full(n_features, -np.inf))
        if isinstance(X, np.ndarray):
            return cls(X.min(axis=0), X.max(axis=0))
        return cls(X.min(axis=0).toarray()[0], X.max(axis=0).toarray()[0])


@dataclasses.dataclass(frozen=True)
class ColumnSums:
    """Number, means and sums of squares about them of all columns; they add up as Spread does."""

    n: float
    mean: np.ndarray
    square: np.ndarray

    def __add__(self, other):
        n = self.n + other.n
        if not self.n or not other.n:
            return self if self.n else other
        apart, share = other.mean - self.mean, other.n / n
        square = self.square + other.square + self.n * share * apart**2
        return ColumnSums(n, self.mean + share * apart, square)

    @classmethod
    def of(cls, X):
        """Those of some rows, dense or sparse."""
        n = X.shape[0]
        if not n:
            return cls(0.0, np.zeros(X.shape[1]), np.zeros(X.shape[1]))
        if issparse(X):
            mean = np.asarray(X.mean(axis=0)).ravel()
            square = np.asarray(X.multiply(X).sum(axis=0)).ravel() - n * mean**2
        else:
            mean = X.mean(axis=0)
            square = np.square(X - mean).sum(axis=0)
        return cls(float(n), mean, square)


@dataclasses.dataclass(frozen=True)
class Columns:
    """Means, variances and, where they are known, extrema of columns.

    Attributes
    ----------
    n : float
        Number of rows.
    mean, var : ndarray of shape (n_features,)
    extrema : Extrema or None
    """

    n: float
    mean: np.ndarray
    var: np.ndarray
    extrema: Extrema | None = None

    def of(self, columns):
        """The same of some columns."""
        low = None if self.extrema is None else self.extrema
        picked = low and Extrema(low.low[columns], low.high[columns])
        return Columns(self.n, self.mean[columns], self.var[columns], picked)

    def scaled(self, scale, offset):
        """The same of ``(x - offset) * scale``, with positive scales."""
        extrema = self.extrema and Extrema(
            (self.extrema.low - offset) * scale, (self.extrema.high - offset) * scale
        )
        return Columns(self.n, (self.mean - offset) * scale, self.var * scale**2, extrema)

    def constant(self):
        """Which columns vary by rounding only, by the bound that StandardScaler takes."""
        return self.var <= self.n * EPS * self.var + (self.n * self.mean * EPS) ** 2
