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
