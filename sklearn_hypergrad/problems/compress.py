"""Wide data in as many columns as there are rows."""

import numpy as np
from scipy.sparse import issparse


def compress(X, *, center):
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
    X = X.astype(float, copy=False)
    if issparse(X):
        kernel = (X @ X.T).toarray()
        if center:
            cross = X @ np.asarray(X.mean(axis=0)).ravel()
            kernel += cross.mean() - cross[:, None] - cross[None, :]
    else:
        rows = X - X.mean(axis=0) if center else X
        kernel = rows @ rows.T
    eigenvalues, vectors = np.linalg.eigh(kernel)
    kept = eigenvalues > len(kernel) * np.finfo(float).eps * max(eigenvalues[-1], 0)
    if not kept.any():
        return np.zeros((len(kernel), 1))
    return vectors[:, kept] * np.sqrt(eigenvalues[kept])
