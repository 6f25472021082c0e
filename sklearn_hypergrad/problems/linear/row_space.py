"""Write wide data in a basis of their row space: at most as many columns as rows."""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.linear.row_kernels import row_kernel


def to_row_space(X, *, center):
    """Features ``Z`` with ``Z Z' = X X'`` and at most ``n_samples`` columns.

    A linear model with an L2 penalty that is the same for all features predicts the same on ``Z``
    as on ``X``: ``Z`` is ``X`` in an orthonormal basis of its row space, in which all solutions
    lie, and a rotation changes neither predictions nor ``||w||``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    center : bool
        Whether to subtract the column means first. They are absorbed by an unpenalised intercept,
        and large ones would cost digits here.

    Returns
    -------
    ndarray of shape (n_samples, rank)
    """
    dense = not issparse(X)
    origin = X.mean(axis=0, dtype=float) if center and dense else np.zeros(X.shape[1])
    kernel = row_kernel(X, origin)
    if center and not dense:
        cross = kernel.mean(axis=0)
        kernel += cross.mean() - cross[:, None] - cross[None, :]
    eigenvalues, vectors = np.linalg.eigh(kernel)
    # The tolerance of the numerical rank, as in numpy.linalg.matrix_rank.
    kept = eigenvalues > len(kernel) * np.finfo(float).eps * max(eigenvalues[-1], 0)
    if not kept.any():
        return np.zeros((len(kernel), 1))
    return vectors[:, kept] * np.sqrt(eigenvalues[kept])


# Z = U S has orthogonal columns and X = U S V', so that V = X' U S^-1 = X' Z (Z'Z)^-1, and Z'Z is
# diagonal. Columns of Z sum to zero where X was centred: then X' Z is the same without its means.
def from_row_space(coef, Z, X):
    """Coefficients of X from those of its features ``Z`` in the row space.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs, rank)
    Z : ndarray of shape (n_samples, rank)
        What ``to_row_space`` returned for X.
    X : ndarray or sparse matrix of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_outputs, n_features)
    """
    squares = np.sum(Z**2, axis=0)
    return (X.T @ (Z @ (coef / np.where(squares > 0, squares, 1.0)).T)).T
