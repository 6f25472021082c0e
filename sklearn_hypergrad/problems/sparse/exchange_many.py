"""The exchange of many small problems at once: the same steps, on stacks of matrices.

A system of ten unknowns takes a few microseconds, and a call of a function of NumPy about as long.
So all problems advance together, each by the step that it needs, until none is left.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems.sparse.exchange import EXCESS, ROUNDING

# Largest number of rounds, a safeguard: it takes about as many as weights enter or leave.
MOST_ROUNDS = 200
# Share of the diagonal that is added to it: columns that others determine have an inverse then.
JITTER = 1e-14


@dataclasses.dataclass(frozen=True)
class SparseMinima:
    """The minima of many quadratics with an L1 penalty.

    Attributes
    ----------
    w : ndarray of shape (n_problems, n)
    hessians : ndarray of shape (n_problems, n, n)
        Hessians on the supports, and the identity elsewhere.
    active : ndarray of bool of shape (n_problems, n)
        The supports.
    converged : ndarray of bool of shape (n_problems,)
    n_systems : int
        Number of linear systems solved.
    """

    w: np.ndarray
    hessians: np.ndarray
    active: np.ndarray
    converged: np.ndarray
    n_systems: int

    def solve(self, right):
        """``H^-1 right`` on the supports, and zero elsewhere; of the shape of ``w``."""
        return _solved(self.hessians, np.where(self.active, right, 0.0))


def exchange_many(G, c, l1, l2, start=None):
    """Minimise many quadratics with an L1 penalty, each as ``exchange`` does.

    Parameters
    ----------
    G : ndarray of shape (n_problems, n, n)
    c : ndarray of shape (n_problems, n)
    l1, l2 : ndarray of shape (n_problems,)
        Penalties of all entries.
    start : ndarray of shape (n_problems, n), default=None
        Where to start: zero, or minima for other penalties. Those where a function is higher than
        at zero are not used. Measured: for elastic nets on 13 data sets, with one start for a scan
        of 50 points and for lines, it takes a third fewer systems than from zero, and without
        this rule nearly as many.

    Returns
    -------
    SparseMinima
    """
    l1, l2 = l1[:, None], l2[:, None]
    least = l1 * (1 + EXCESS) + ROUNDING * np.abs(c).max(axis=1, initial=0.0)[:, None]
    # Slopes at zero are known.
    w, begun = np.zeros_like(c), np.where(np.abs(c) > least, c, 0.0)
    if start is not None:
        useful = (_values(G, c, l1, l2, start) < 0)[:, None]
        w, begun = np.where(useful, start, w), np.where(useful, start, begun)
    signs = np.where(l1 > 0, np.sign(begun), 0.0)
    squares = np.einsum("bjj->bj", G)
    # Columns without entries have weights of zero, whatever their diagonal is.
    diagonal = l2 + np.where(squares > 0, JITTER * squares, 1.0)
    hessians, left, n_systems = np.empty_like(G), np.arange(len(c)), 0
    for _ in range(MOST_ROUNDS):
        free, s, own = l1[left] == 0, signs[left], w[left]
        active = free | (s != 0)
        H = _hessians(G[left], diagonal[left], active)
        target = _solved(H, np.where(active, c[left] - l1[left] * s, 0.0))
        n_systems += len(left)
        against = active & (target * s < 0)
        fresh = against & (own == 0)
        settled, leaves = ~against.any(axis=1), fresh.any(axis=1)
        crosses = np.flatnonzero(~settled & ~leaves)
        if len(crosses):
            at = left[crosses]
            target[crosses] = _lowest(
                G[at], c[at], l1[at], l2[at], own[crosses], target[crosses], against[crosses]
            )
        own = np.where(leaves[:, None], own, target)
        s = np.where(fresh, 0.0, np.where(leaves[:, None] | free, s, np.sign(own)))
        slopes = c[left] - np.einsum("bjk,bk->bj", G[left], own)
        over = settled[:, None] & ~active & (np.abs(slopes) > least[left])
        s = np.where(over, np.sign(slopes), s)
        w[left], signs[left], hessians[left] = own, s, H
        left = left[~settled | over.any(axis=1)]
        if not len(left):
            break
    converged = np.ones(len(c), dtype=bool)
    converged[left] = False
    return SparseMinima(w, hessians, (l1 == 0) | (signs != 0), converged, n_systems)


def _values(G, c, l1, l2, w):
    """The functions, of shape (n_problems,)."""
    half_slope = 0.5 * (np.einsum("bjk,bk->bj", G, w) + l2 * w) - c
    return np.sum(half_slope * w + l1 * np.abs(w), axis=1)


def _hessians(G, diagonal, active):
    """The matrices on the supports, and the identity elsewhere."""
    H = G * (active[:, :, None] & active[:, None, :])
    np.einsum("bjj->bj", H)[...] += np.where(active, diagonal, 1.0)
    return H


def _solved(H, right):
    return np.linalg.solve(H, right[:, :, None])[:, :, 0]


# As in ``exchange``: with a place for every entry, which is the target where its sign stays.
def _lowest(G, c, l1, l2, own, target, against):
    """The lowest points between two points each of which some signs differ."""
    step, n = target - own, own.shape[1]
    crossings = np.divide(own, own - target, out=np.ones_like(own), where=against)
    crossings = np.append(crossings, np.ones((len(own), 1)), axis=1)
    linear = np.sum((np.einsum("bjk,bk->bj", G, own) + l2 * own - c) * step, axis=1)
    curvature = np.sum((np.einsum("bjk,bk->bj", G, step) + l2 * step) * step, axis=1)
    points = own[:, None, :] + crossings[:, :, None] * step[:, None, :]
    points[:, np.arange(n), np.arange(n)] *= ~against
    values = crossings * (linear[:, None] + 0.5 * crossings * curvature[:, None])
    values += np.abs(points).sum(axis=2) * l1
    return points[np.arange(len(own)), np.argmin(values, axis=1)]
