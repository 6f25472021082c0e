"""Functions of pairs of rows that are sums over features, such as products and distances.

For rows x, z and weights g of the features they are ::

    s(x, z) = sum_d g_d phi(x_d, z_d)

and a class states phi. Derivatives are of ``sum_ij V_ij s(x_i, z_j)`` for a matrix V of all pairs.
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
    others : ndarray of int of shape (n_columns,), default=None
        The rows of X that are the second ones of pairs; None is all of them.

    Attributes
    ----------
    power : int
        Columns multiplied by ``t`` have the function multiplied by ``t**power``. So weights are the
        same as columns multiplied by their roots of this order.
    """

    power = 2

    def __init__(self, X, others=None):
        self.X = X.astype(np.float64, copy=False)
        self.others = others

    @cached_property
    def total(self):
        """The function with weights of one, of shape (n_rows, n_columns)."""
        return self._of_pairs(self.X)

    @property
    def Z(self):
        """The second rows of pairs."""
        return self.X if self.others is None else self.X[self.others]

    def weighted(self, g):
        """The function with these weights: an array of its own. A number is that of all features.

        ``total`` is used if there is one weight, which then costs no product of rows.
        """
        return g * self.total if np.ndim(g) == 0 else self._of_pairs(self.scaled(self.X, g))

    def _of_pairs(self, X):
        return self.of(X) if self.others is None else self.of(X, X[self.others])

    @classmethod
    def scaled(cls, X, g):
        """Columns for which weights of one are the same as weights ``g`` for those of X."""
        roots = np.asarray(g, dtype=float) ** (1 / cls.power)
        return X.multiply(roots).tocsr() if issparse(X) else X * roots

    @staticmethod
    @abc.abstractmethod
    def of(X, Z=None):
        """The function of all rows of X and of Z, by default X, with weights of one."""

    @abc.abstractmethod
    def spread(self):
        """The usual size of ``total`` between rows that differ as usual: a positive number."""

    @abc.abstractmethod
    def by_weight(self, V):
        """Derivatives in the weight of each feature, of shape (n_features,)."""

    def by_row(self, V):
        """Derivatives in X for weights of one, of its shape and dense.

        With other weights each column is to be multiplied by its own.
        """
        first, second = self._by_rows(V)
        if self.others is None:
            return first + second
        np.add.at(first, self.others, second)
        return first

    @abc.abstractmethod
    def _by_rows(self, V):
        """Derivatives in the first and in the second rows of pairs; new arrays."""


class Products(PairSum):
    """``phi(x, z) = x z``."""

    @staticmethod
    def of(X, Z=None):
        return _dense(X @ (X if Z is None else Z).T)

    def spread(self):
        return _mean_square(self.X).sum() or 1.0

    def by_weight(self, V):
        return column_products(self.X, V @ self.Z)

    def _by_rows(self, V):
        return _dense(V @ self.Z), _dense(V.T @ self.X)


class Cosines(Products):
    """The product of rows of length one."""

    def __init__(self, X, others=None):
        super().__init__(X, others)
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

    def __init__(self, X, others=None):
        super().__init__(X, others)
        # Squares are computed from lengths, which lose digits far from the origin.
        if not issparse(X):
            self.X = self.X - column_means(self.X)

    @staticmethod
    def of(X, Z=None):
        return euclidean_distances(X, Z, squared=True)

    def spread(self):
        return np.maximum(_mean_square(self.X) - column_means(self.X) ** 2, 0).sum() or 1.0

    # sum_ij V_ij (x_i - z_j)^2 = sum_i (row sum)_i x_i^2 + sum_j (column sum)_j z_j^2
    # - 2 sum_i x_i (V z)_i, and its derivative in x_i is 2 (row sum)_i x_i - 2 (V z)_i.
    def by_weight(self, V):
        sums, of_others = V.sum(axis=1), V.sum(axis=0)
        np.add.at(sums, slice(None) if self.others is None else self.others, of_others)
        squares = self.X.multiply(self.X) if issparse(self.X) else self.X**2
        return squares.T @ sums - 2 * column_products(self.X, V @ self.Z)

    def _by_rows(self, V):
        X, Z = _dense(self.X), _dense(self.Z)
        first = V.sum(axis=1)[:, None] * X - _dense(V @ self.Z)
        return 2 * first, 2 * (V.sum(axis=0)[:, None] * Z - _dense(V.T @ self.X))


class ColumnSum(PairSum):
    """A sum that no product of matrices gives: columns are taken one after the other.

    Both classes are symmetric in x and z.
    """

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
        pairs = zip(_columns(self.X), _columns(self.Z), strict=True)
        return np.array([np.vdot(V, self.phi(x[:, None], z)) for x, z in pairs])

    def _by_rows(self, V):
        pairs = list(zip(_columns(self.X), _columns(self.Z), strict=True))
        first = [np.sum(V * self.slope(x[:, None], z), axis=1) for x, z in pairs]
        second = [np.sum(V.T * self.slope(z[:, None], x), axis=1) for x, z in pairs]
        return np.stack(first, axis=1), np.stack(second, axis=1)


class Distances(ColumnSum):
    """``phi(x, z) = |x - z|``."""

    @staticmethod
    def of(X, Z=None):
        return manhattan_distances(X, Z)

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
    def of(X, Z=None):
        return -additive_chi2_kernel(X, Z)

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


def column_products(X, Y):
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
