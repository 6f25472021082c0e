"""Minima of quadratics of all splits with an elastic net penalty."""

import numpy as np

from sklearn_hypergrad.problems.sparse.exchange import exchange
from sklearn_hypergrad.problems.sparse.gram import DenseGram


def minima(hessians, right, l1, l2, start):
    """Minimise ``1/2 w' H w - right' w + sum l1 |w| + 1/2 sum l2 w^2`` for every split.

    Parameters
    ----------
    hessians : ndarray of shape (n_splits, n, n)
    right, start : ndarray of shape (n_splits, n)
    l1, l2 : ndarray of shape (n,)

    Returns
    -------
    w : ndarray of shape (n_splits, n)
    converged : ndarray of bool of shape (n_splits,)
    """
    found = [
        exchange(DenseGram(hessian), own, l1, l2, begin)
        for hessian, own, begin in zip(hessians, right, start, strict=True)
    ]
    return np.array([each.w for each in found]), np.array([each.converged for each in found])
