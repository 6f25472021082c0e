"""Functions of pairs of rows that are sums over features, such as products and distances.

For rows x, z and weights g of the features they are ::

    s(x, z) = sum_d g_d phi(x_d, z_d)

and a class states phi. Derivatives are of ``sum_ij V_ij s(x_i, x_j)`` for a matrix V of all pairs.
"""

import abc

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics.pairwise import (
    additive_chi2_kernel,
    euclidean_distances,
    manhattan_distances,
)
from sklearn.preprocessing import normalize

from sklearn_hypergrad.problems.split_data import column_means
from sklearn_hypergrad.threads import cached_property


class PairSum(abc.ABC):
    """One such function of all pairs of some rows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)

    Attributes
    ----------
    power : int
        Columns multiplied by ``t`` have the function multiplied by ``t**power``. So weights are the
        same as columns multiplied by their roots of this order.
    """

    power = 2

    def __init__(self, X):
        self.X = X.astype(np.float64, copy=False)

    @cached_property
    def total(self):
        """The function with weights of one, of shape (n_rows, n_rows)."""
        return self.of(self.X)

    def weighted(self, g):
        """The function with these weights: an array of its own. A number is that of all features.

        ``total`` is used if there is one weight, which then costs no product of rows.
        """
        return g * self.total if np.ndim(g) == 0 else self.of(self.scaled(self.X, g))

    @classmethod
    def scaled(cls, X, g):
        """Columns for which weights of one are the same as weights ``g`` for those of X."""
        roots = np.asarray(g, dtype=float) ** (1 / cls.power)
        return X.multiply(roots).tocsr() if issparse(X) else X * roots

    @staticmethod
    @abc.abstractmethod
    def of(X):
        """The function of all pairs of rows of X, with weights of one."""

    @abc.abstractmethod
    def spread(self):
        """The usual size of ``total`` between rows that differ as usual: a positive number."""

    @abc.abstractmethod
    def by_weight(self, V):
        """Derivatives in the weight of each feature, of shape (n_features,)."""

    @abc.abstractmethod
    def by_row(self, V):
        """Derivatives in X for weights of one, of its shape and dense.

        With other weights each column is to be multiplied by its own.
        """


class Products(PairSum):
    """``phi(x, z) = x z``."""

    @staticmethod
    def of(X):
        return _dense(X @ X.T)

    def spread(self):
        return _mean_square(self.X).sum() or 1.0

    def by_weight(self, V):
        return _inner(self.X, V @ self.X)

    def by_row(self, V):
        return _dense(V @ self.X) + _dense(V.T @ self.X)


class Cosines(Products):
    """The product of rows of length one."""

    def __init__(self, X):
        super().__init__(X)
        squares = self.X.multiply(self.X) if issparse(self.X) else self.X**2
        self._lengths = np.sqrt(np.asarray(squares.sum(axis=1)).reshape(-1, 1))
        self._lengths[self._lengths == 0] = 1.0
        self.X = normalize(self.X)

    # The length of a row does not matter, so that its derivative has no part along the row.
    def by_row(self, V):
        of_unit, unit = super().by_row(V), _dense(self.X)
        along = np.einsum("ip,ip->i", of_unit, unit)[:, None]
        return (of_unit - along * unit) / self._lengths


class SquaredDistances(PairSum):
    """``phi(x, z) = (x - z)^2``."""

    def __init__(self, X):
        super().__init__(X)
        # Squares are computed from lengths, which lose digits far from the origin.
        if not issparse(X):
            self.X = self.X - column_means(self.X)

    @staticmethod
    def of(X):
        return euclidean_distances(X, squared=True)

    def spread(self):
        return np.maximum(_mean_square(self.X) - column_means(self.X) ** 2, 0).sum() or 1.0

    # sum_ij V_ij (x_i - x_j)^2 = sum_i (row sum + column sum)_i x_i^2 - 2 sum_i x_i (V x)_i, and
    # its derivative in x_i is 2 (row sum + column sum)_i x_i - 2 ((V + V') x)_i.
    def by_weight(self, V):
        sums = V.sum(axis=1) + V.sum(axis=0)
        squares = self.X.multiply(self.X) if issparse(self.X) else self.X**2
        return squares.T @ sums - 2 * _inner(self.X, V @ self.X)

    def by_row(self, V):
        sums = (V.sum(axis=1) + V.sum(axis=0))[:, None]
        return 2 * (sums * _dense(self.X) - _dense(V @ self.X) - _dense(V.T @ self.X))


class ColumnSum(PairSum):
    """A sum that no product of matrices gives: columns are taken one after the other."""

    power = 1

    @staticmethod
    @abc.abstractmethod
    def phi(x, z):
        """The function of a column and a row of numbers, of all pairs."""

    @staticmethod
    @abc.abstractmethod
    def slope(x, z):
        """Its derivative in ``x``."""

    def by_weight(self, V):
        return np.array([np.vdot(V, self.phi(x[:, None], x)) for x in _columns(self.X)])

    def by_row(self, V):
        V = V + V.T
        columns = [np.sum(V * self.slope(x[:, None], x), axis=1) for x in _columns(self.X)]
        return np.stack(columns, axis=1)


class Distances(ColumnSum):
    """``phi(x, z) = |x - z|``."""

    @staticmethod
    def of(X):
        return manhattan_distances(X)

    def spread(self):
        variances = np.maximum(_mean_square(self.X) - column_means(self.X) ** 2, 0)
        return np.sqrt(variances).sum() or 1.0

    @staticmethod
    def phi(x, z):
        return np.abs(x - z)

    @staticmethod
    def slope(x, z):
        return np.sign(x - z)


class ChiSquares(ColumnSum):
    """``phi(x, z) = (x - z)^2 / (x + z)`` of numbers that are not negative; zero for two zeros."""

    @staticmethod
    def of(X):
        return -additive_chi2_kernel(X)

    def spread(self):
        return float(np.mean(self.total)) or 1.0

    @staticmethod
    def phi(x, z):
        return (x - z) ** 2 / _positive(x + z)

    @staticmethod
    def slope(x, z):
        return (x - z) * (x + 3 * z) / _positive(x + z) ** 2


def _positive(total):
    """Sums of two numbers, or 1 for two zeros, whose differences are zero."""
    return np.where(total == 0, 1.0, total)


def _dense(X):
    return X.toarray() if issparse(X) else np.asarray(X)


def _inner(X, Y):
    """Sums over rows of products of the entries of X and dense Y."""
    if issparse(X):
        return np.asarray(X.multiply(Y).sum(axis=0)).ravel()
    return np.einsum("ip,ip->p", X, Y)


def _mean_square(X):
    return column_means(X.multiply(X) if issparse(X) else X**2)


def _columns(X):
    """The columns of X one by one, each dense."""
    X = X.tocsc() if issparse(X) else X
    for number in range(X.shape[1]):
        column = X[:, [number]]
        yield _dense(column).ravel()
