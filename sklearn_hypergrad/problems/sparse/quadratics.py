"""Minima of quadratics of all splits with an elastic net penalty on all but some entries."""

import numpy as np

from sklearn_hypergrad.problems.sparse.exchange import exchange
from sklearn_hypergrad.problems.sparse.exchange_many import exchange_many
from sklearn_hypergrad.problems.sparse.gram import DenseGram
from sklearn_hypergrad.problems.sparse.minimisers import MOST_TOGETHER


def minima(hessians, right, l1, l2, start):
    """Minimise ``1/2 w' H w - right' w + sum l1 |w| + 1/2 sum l2 w^2`` for every split.

    Parameters
    ----------
    hessians : ndarray of shape (n_splits, n, n)
    right, start : ndarray of shape (n_splits, n)
    l1, l2 : ndarray of shape (n,)
        Penalties: zero for entries that are free, the same for all others.

    Returns
    -------
    w : ndarray of shape (n_splits, n)
    converged : ndarray of bool of shape (n_splits,)
    """
    penalised = l1 + l2 > 0
    if 0 < np.count_nonzero(penalised) <= MOST_TOGETHER:
        return _together(hessians, right, l1, l2, start, penalised)
    found = [
        exchange(DenseGram(hessian), own, l1, l2, begin)
        for hessian, own, begin in zip(hessians, right, start, strict=True)
    ]
    return np.array([each.w for each in found]), np.array([each.converged for each in found])


# At the minimum the free entries are b = H_bb^-1 (right_b - H_bw w). What is left is a quadratic in
# w, with the matrix H_ww - H_wb H_bb^-1 H_bw and the right side right_w - H_wb H_bb^-1 right_b.
def _together(hessians, right, l1, l2, start, penalised):
    """The same for few entries: all splits advance together, once free entries are eliminated."""
    (w,), (b,) = penalised.nonzero(), (~penalised).nonzero()
    inner, across = hessians[:, b[:, None], b], hessians[:, b[:, None], w]
    solved = np.linalg.solve(inner, np.concatenate([across, right[:, b, None]], axis=2))
    slopes, level = solved[:, :, :-1], solved[:, :, -1]
    matrix = hessians[:, w[:, None], w] - across.transpose(0, 2, 1) @ slopes
    left = right[:, w] - np.einsum("sbw,sb->sw", across, level)
    strengths = (np.full(len(right), each[w[0]]) for each in (l1, l2))
    sparse, found = exchange_many(matrix, left, *strengths, start[:, w]), np.empty_like(right)
    found[:, w], found[:, b] = sparse.w, level - np.einsum("sbw,sw->sb", slopes, sparse.w)
    return found, sparse.converged
