"""Linear systems of many targets, whose matrices are sums of the same kernels."""

import numpy as np

from sklearn_hypergrad.linalg.packed import (
    factor_packed,
    inner_packed,
    inverse_packed,
    packed,
    solve_packed,
)

# Largest number of entries of the matrices that are formed at once, of several targets. Measured
# with sides of 250: eight at once, 2 MiB, take 6 % less than 33, which do not stay in the cache.
MOST_AT_ONCE = 2**18
# Largest number of entries of the kernels of all groups and splits that are kept, and of the
# factors of all targets of a split. Chosen by hand: 0.5 GB each. More are computed where needed.
MOST_KEPT = 2**26


def packed_kernels(kernels):
    """Symmetric kernels (n_groups, n, n), packed, and the identity below them."""
    return np.stack([*map(packed, kernels), packed(np.eye(len(kernels[0])))])


class Systems:
    """Systems ``I + sum_g c_g C_g``, of which each has some of the targets.

    Parameters
    ----------
    kernels : ndarray of shape (n_groups + 1, n * (n + 1) / 2)
        ``packed_kernels`` of the C_g.
    columns : ndarray of shape (n_groups, n_systems)
        The c_g.
    ends : ndarray of int of shape (n_systems,)
        Where the targets of each system end.
    """

    def __init__(self, kernels, columns, ends):
        self._kernels, self._ends = kernels, ends
        self._columns = np.concatenate([columns, np.ones((1, columns.shape[1]))])
        size = columns.shape[1] * kernels[0].size
        self._kept = [*self._triangles()] if size <= MOST_KEPT else None

    def solve(self, right):
        """Solutions for the targets of shape (n, n_outputs), system after system."""
        solution = np.empty_like(right)
        for triangle, own in self._parts():
            solution[:, own] = solve_packed(triangle, right[:, own])
        return solution

    def solve_each(self, rights):
        """Solutions for several such right sides, of shape (n_rights, n, n_outputs)."""
        n_rights, n, _ = rights.shape
        solutions = np.empty_like(rights)
        for triangle, own in self._parts():
            part = rights[:, :, own].transpose(1, 0, 2).reshape(n, -1)
            solved = solve_packed(triangle, part).reshape(n, n_rights, -1)
            solutions[:, :, own] = solved.transpose(1, 0, 2)
        return solutions

    def _parts(self):
        """Yield the factor of each system with the slice of its targets."""
        triangles, start = self._triangles() if self._kept is None else self._kept, 0
        for triangle, end in zip(triangles, self._ends, strict=True):
            yield triangle, slice(start, end)
            start = end

    def traces(self):
        """The traces of ``M^-1 C_g``, of shape (n_groups, n_systems)."""
        inverses = map(inverse_packed, self._triangles() if self._kept is None else self._kept)
        return np.stack([inner_packed(each, self._kernels[:-1]) for each in inverses], axis=1)

    def _triangles(self):
        most = max(1, MOST_AT_ONCE // self._kernels.shape[1])
        for start in range(0, self._columns.shape[1], most):
            matrices = self._columns[:, start : start + most].T @ self._kernels
            yield from map(factor_packed, matrices)
