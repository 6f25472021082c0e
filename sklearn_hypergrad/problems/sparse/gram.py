"""Gram matrices of which only blocks and products are asked: given ones, and those of rows."""

import numpy as np
from scipy.sparse import issparse


class DenseGram:
    """A matrix that is given.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric positive semi-definite.
    """

    def __init__(self, matrix):
        self._matrix = matrix

    def block(self, columns):
        """The rows and columns of these numbers, as a new array."""
        return self._matrix.take(columns, axis=0).take(columns, axis=1)

    def times(self, columns, x):
        """The product of these columns with ``x`` of shape (n_columns,) or (n_columns, k)."""
        return (x.T @ self._matrix[columns]).T


class RowsGram:
    """``(X - mean)' diag(weight) (X - mean)`` without a matrix of the size of all columns.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n)
        Columns are cut out of it, which is fastest in the order of Fortran, or CSC.
    weight : ndarray of shape (n_rows,)
    mean : ndarray of shape (n,)
        The mean of the rows under these weights, or zeros.
    scale : ndarray of shape (n,), default=None
        Factors of the columns; None is one.
    """

    def __init__(self, X, weight, mean, scale=None):
        self._X, self._weight, self._mean, self._total = X, weight, mean, weight.sum()
        self._scale = np.ones(X.shape[1]) if scale is None else scale

    def block(self, columns):
        """The rows and columns of these numbers, as a new array."""
        X, mean = self._columns(columns), self._scale[columns] * self._mean[columns]
        return (self._weight * X.T) @ X - self._total * np.outer(mean, mean)

    def times(self, columns, x):
        """The product of these columns with ``x`` of shape (n_columns,) or (n_columns, k)."""
        predicted = self._weight * (self._columns(columns) @ x).T
        mean = self._total * ((self._scale * self._mean)[columns] @ x)
        pulled = (self._X.T @ predicted.T).T - np.multiply.outer(mean, self._mean)
        return (self._scale * pulled).T

    def _columns(self, columns):
        X = self._X[:, columns]
        return (X.toarray() if issparse(X) else X) * self._scale[columns]
