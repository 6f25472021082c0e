"""The linear systems of kernel methods with squared errors: of all splits, from one kernel."""

import dataclasses
import weakref

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dgecon, dgetrf, dgetrs, dpotrf, dpotrs

from sklearn_hypergrad.problems.kernel.scratch import Scratch
from sklearn_hypergrad.problems.outer.held_out import held_out_rows
from sklearn_hypergrad.problems.split_data import as_slice

# Largest number of entries of all factors that are kept; beyond, they are computed once more by the
# pullback. Chosen by hand: 1.6 GB, which is ten splits of 4,500 training rows.
MOST_NUMBERS = 200_000_000


# Derivation. With K the kernel of the training rows, S^2 their weights, and targets y, a split
# solves
#     (S K S + alpha) u = S y,    c = S u,    z = K_te c.
# For derivatives g in z, let lambda solve the same system with the right side S K_te' g. Then
#     d(g' z) = g' dK_te c - (S lambda)' dK c - dalpha lambda' u,
# so that the weights of dK are W = A c', in which A has g in held-out rows and -S lambda in
# training rows. The sum over splits and outputs is one product, of a column for each.
class KernelSystems:
    """``(S K S + alpha) u = S y`` for every split, with the kernel ``K`` of all rows.

    Parameters
    ----------
    data : SplitData
    targets : list of ndarray of shape (n_rows, n_outputs), default=None
        Targets of each training part; None are those of the data.
    """

    def __init__(self, data, targets=None):
        self.data = data
        self.roots = [np.sqrt(weight)[:, None] for weight in data.weights]
        targets = [data.y[train] for train in data.trains] if targets is None else targets
        self.rights = [root * y for root, y in zip(self.roots, targets, strict=True)]
        self.held_out = held_out_rows(data)
        self.scratch = Scratch()

    def solve(self, K, alpha):
        """The KernelSolution; ``K`` is of shape (n_samples, n_samples).

        Raises
        ------
        LinAlgError
            If a system is singular up to rounding.
        """
        return KernelSolution(self, K, float(alpha))

    @property
    def keeps_factors(self):
        """Whether the factors of all splits are kept for the pullback."""
        return sum(len(train) ** 2 for train in self.data.trains) <= MOST_NUMBERS

    def inverse(self, split, K, alpha):
        """A function that solves the system of one split, and the array that it uses."""
        rows, root = self.data.trains[split], self.roots[split]
        system = self.scratch.take((len(rows), len(rows)))
        part = as_slice(rows)
        if isinstance(part, slice):
            system[...] = K[part, part]
        else:
            # Rows and then columns: half the time of both at once. Rows are in range, and to check
            # that would take another copy.
            wide = self.scratch.take((len(rows), len(K)))
            np.take(K, rows, axis=0, out=wide, mode="clip")
            np.take(wide, rows, axis=1, out=system, mode="clip")
            self.scratch.give_back(wide)
        if np.any(root != 1):
            system *= root * root.T
        np.einsum("ii->i", system)[...] += alpha
        return inverse(system), system

    def columns(self, parts):
        """Numbers of training rows as columns of all rows, one per split and output."""
        n_rows, n_outputs = self.data.y.shape
        columns = np.zeros((n_rows, self.data.n_splits, n_outputs))
        # A row may be drawn twice.
        for split, (train, part) in enumerate(zip(self.data.trains, parts, strict=True)):
            np.add.at(columns[:, split], train, part)
        return columns.reshape(n_rows, -1)

    def by_split(self, columns):
        """Columns of all rows, of shape (n_samples, n_splits, n_outputs)."""
        return columns.reshape(len(columns), self.data.n_splits, -1)


class KernelSolution:
    """The solved systems of all splits.

    Parameters
    ----------
    systems : KernelSystems
    K : ndarray of shape (n_samples, n_samples)
    alpha : float

    Attributes
    ----------
    z : ndarray of shape (n_held_out, n_outputs)
        Predictions of held-out rows, split after split.
    coefs : list of ndarray of shape (n_rows, n_outputs)
        The coefficients c of each training part.
    """

    def __init__(self, systems, K, alpha):
        self._systems, self._K, self._alpha = systems, K, alpha
        self._inverses, arrays, self._scaled = [], [], []
        for split, right in enumerate(systems.rights):
            solve, array = systems.inverse(split, K, alpha)
            self._scaled.append(solve(right))
            if systems.keeps_factors:
                self._inverses.append(solve)
                arrays.append(array)
            else:
                systems.scratch.give_back(array)
        weakref.finalize(self, systems.scratch.give_back, *arrays).atexit = False
        self.coefs = [root * u for root, u in zip(systems.roots, self._scaled, strict=True)]
        self._columns = systems.columns(self.coefs)
        self.z = systems.by_split(K @ self._columns)[systems.held_out]

    def pull(self, g):
        """Derivatives of ``sum g z``: in alpha, and in the kernel.

        Returns
        -------
        of_alpha : float
        W : tuple of two ndarray of shape (n_samples, n_columns)
            ``A`` and ``B``: the derivatives in the entries of K are ``A B'``.
        """
        systems, data = self._systems, self._systems.data
        G = np.zeros((len(self._K), data.n_splits, data.y.shape[1]))
        G[systems.held_out] = g
        G = G.reshape(len(self._K), -1)
        pulled = systems.by_split(self._K.T @ G)
        adjoints, of_alpha = [], 0.0
        for split, (train, root) in enumerate(zip(data.trains, systems.roots, strict=True)):
            adjoint = self._solved(split, root * pulled[train, split])
            of_alpha -= np.sum(adjoint * self._scaled[split])
            adjoints.append(root * adjoint)
        return of_alpha, (G - systems.columns(adjoints), self._columns)

    def _solved(self, split, right):
        if self._inverses:
            return self._inverses[split](right)
        solve, array = self._systems.inverse(split, self._K, self._alpha)
        solution = solve(right)
        self._systems.scratch.give_back(array)
        return solution


def rows_used_once(data):
    """The data of some splits, with copies of rows that a split uses more than once.

    Kernels with noise tell a row from a copy of it.
    """
    copies = [
        _occurrences(np.concatenate(pair)) for pair in zip(data.trains, data.tests, strict=True)
    ]
    n_copies, n_rows = 1 + max(map(np.max, copies)), len(data.y)
    if n_copies == 1:
        return data
    rows = np.tile(np.arange(n_rows), n_copies)
    moved = [n_rows * each for each in copies]
    return dataclasses.replace(
        data,
        X=data.X[rows],
        y=data.y[rows],
        trains=[t + move[: len(t)] for t, move in zip(data.trains, moved, strict=True)],
        tests=[t + move[-len(t) :] for t, move in zip(data.tests, moved, strict=True)],
    )


def _occurrences(rows):
    """How often each of some rows occurs before."""
    order = np.argsort(rows, kind="stable")
    ranked = rows[order]
    before = np.empty(len(rows), dtype=int)
    before[order] = np.arange(len(rows)) - np.searchsorted(ranked, ranked)
    return before


def inverse(system):
    """A function that solves a symmetric system, by its Cholesky factor where it is definite.

    Kernels such as tanh are indefinite; their systems are factorised without symmetry. The system
    is overwritten.

    Raises
    ------
    LinAlgError
        If the system is singular up to rounding.
    """
    diagonal = np.diagonal(system).copy()
    # Symmetric, so its transpose is the same, in the order of LAPACK.
    factor, info = dpotrf(system.T, lower=True, clean=False, overwrite_a=True)
    if not info:
        return lambda right: dpotrs(factor, right, lower=True)[0]
    # One triangle is as it was.
    system = np.triu(factor, 1)
    system += system.T + np.diag(diagonal)
    factor, pivots, _ = dgetrf(system.T)
    reciprocal, _ = dgecon(factor, np.linalg.norm(system, 1))
    if not reciprocal > np.finfo(float).eps:
        raise LinAlgError("the kernel is singular")
    return lambda right: dgetrs(factor, pivots, right)[0]
