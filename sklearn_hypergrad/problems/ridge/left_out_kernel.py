"""Ridge regression on all training parts, from eigenvectors of the kernel of all rows."""

import numpy as np

from sklearn_hypergrad.linalg import factor, solve_factored

# Number of penalties that a search of one value tries. Measured: 9 to 14.
N_PENALTIES = 12
# Multiplications of the eigendecomposition of a matrix of side n, in n^3. Measured: for sides of
# 100 to 500 it takes 15 to 20 times as long as a Cholesky factor, which needs a third of n^3.
DECOMPOSITION = 6
# Relative error of predictions that is tolerated: that of the eigenvalues, which is relative to the
# largest one. Measured: errors are that large or smaller. Chosen by hand: far below the fine inner
# tolerance of a search, 1e-6.
ACCURATE = 1e-9
# Penalty relative to the largest eigenvalue from which on rounding errors along the roots of the
# weights, which it divides, do not count. Chosen by hand: they are about 1e-16.
LEAST = 1e-10


# Derivation. Let K be the kernel of all rows, weighted by the roots r of their weights and centred
# about their weighted mean. The dual coefficients x and the intercept b of ridge regression on all
# rows solve
#     (K + a) x + r b = v,    r' x = 0,
# so that x = M v with M = P (K + a)^-1 P and P the projection along r. Of a split with the training
# rows T and the others S, the system is that of the rows T alone. A Schur complement inverts it:
# with v_S = 0,
#     x = M v - M_S g    with    g = M_SS^-1 (M v)_S,
# where M_S are the columns S of M. Replacing v_S by -g gives the same x: so -g is what the split
# predicts for S, in units of r. Since dM/da = -M M,
#     dg/da = -M_SS^-1 (M x)_S.
# All penalties and splits share the eigenvectors of K (An, Liu, Venkatesh 2007, "Fast
# cross-validation algorithms for least squares support vector machine and kernel ridge
# regression").
class LeftOutKernel:
    """What ridge regressions on the training parts share.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        ``X X'`` about any origin.
    rows : TrainingRows
        A row must have the same weight in all training parts that it belongs to.
    target : ndarray of shape (n_samples, n_splits, n_outputs)
        Targets v of the training parts, centred and times r; zero in other rows.
    fit_intercept : bool
    """

    def __init__(self, kernel, rows, target, *, fit_intercept):
        root = rows.root.max(axis=1)
        # Rows that no split trains on belong to the kernel, and are left out by all.
        self.root = np.where(root > 0, root, 1.0)
        self.left_out = [np.flatnonzero(column == 0) for column in rows.root.T]
        kernel = kernel * self.root[:, None] * self.root
        if fit_intercept:
            unit = self.root / np.linalg.norm(self.root)
            cross = kernel @ unit
            kernel -= np.outer(cross, unit)
            # An eigenvalue of its own, of the usual size, separates r from the rest.
            usual = np.trace(kernel) / len(kernel)
            kernel -= np.outer(unit, cross - (unit @ cross + usual) * unit)
        self.eigenvalues, self.vectors = np.linalg.eigh(kernel)
        if fit_intercept:
            self.vectors -= np.outer(unit, unit @ self.vectors)
        self.parts = [self.vectors[rows] for rows in self.left_out]
        self.target = self.coordinates(target)

    @staticmethod
    def pays(rows):
        """Whether this is possible, and cheaper than a decomposition for every split."""
        root = rows.root
        if np.any((root != 0) & (root != root.max(axis=1, keepdims=True))):
            return False
        n_samples = len(root)
        left = n_samples - np.array([len(numbers) for numbers in rows.numbers])
        apart = DECOMPOSITION * np.sum((n_samples - left) ** 3.0)
        together = n_samples * left**2.0 + left**3.0 / 3
        return DECOMPOSITION * n_samples**3 + N_PENALTIES * together.sum() < apart

    def determines(self, a):
        """Whether penalties ``a`` are large enough for accurate solutions."""
        smallest, largest = max(self.eigenvalues[0], 0.0), self.eigenvalues[-1]
        accurate = np.finfo(float).eps * largest <= ACCURATE * (a + smallest)
        return bool(np.all(accurate & (a >= LEAST * largest)))

    def places(self, tests):
        """Where the rows of tests are among those left out; None if one is not among them."""
        if not all(map(np.all, map(np.isin, tests, self.left_out))):
            return None
        return [np.searchsorted(*pair) for pair in zip(self.left_out, tests, strict=True)]

    def coordinates(self, v):
        """Coordinates of ``v``, of shape (n_samples, n_splits, k), in the eigenvectors."""
        return (self.vectors.T @ v.reshape(len(v), -1)).reshape(v.shape)

    def vector(self, v):
        """The vectors with these coordinates."""
        return (self.vectors @ v.reshape(len(v), -1)).reshape(v.shape)


class LeftOut:
    """Ridge regressions on the training parts, and their derivatives in the penalties.

    Vectors are given in the eigenvectors, and have the shape (n_samples, n_splits, n_outputs).

    Parameters
    ----------
    kernel : LeftOutKernel
    penalties : ndarray of shape (1,) or (n_outputs,)
    """

    def __init__(self, kernel, penalties):
        self._kernel = kernel
        inverses = 1 / (kernel.eigenvalues[:, None] + penalties)
        self._inverse = inverses[:, None, :]
        scaled = [[part * root for root in np.sqrt(inverses).T] for part in kernel.parts]
        self._factors = [[factor(each @ each.T) for each in parts] for parts in scaled]

    def left_out(self, v):
        """``g`` of every split, in a list of arrays of shape (n_left_out, n_outputs)."""
        scaled = self._inverse * v
        parts = enumerate(self._kernel.parts)
        return self._solved([part @ scaled[:, split] for split, part in parts])

    def solution(self, v, g):
        """``x``, where ``g`` is what ``left_out`` has returned for ``v``."""
        return self._inverse * (v - self._spread(g))

    def slopes(self, x, weights):
        """Derivatives of ``sum weights g`` in the penalties, where ``weights`` is shaped like g."""
        spread = self._inverse * self._spread(self._solved(weights))
        slopes = -np.einsum("isk,isk->k", spread, x)
        return slopes.sum(keepdims=True) if self._inverse.shape[2] == 1 else slopes

    def _solved(self, rights):
        """``M_SS^-1 right`` of every split."""
        return [
            solve_factored(own[0], right)
            if len(own) == 1
            else np.stack([solve_factored(*pair) for pair in zip(own, right.T, strict=True)], 1)
            for own, right in zip(self._factors, rights, strict=True)
        ]

    def _spread(self, g):
        """``V_S' g`` of every split, with V the eigenvectors."""
        parts = zip(self._kernel.parts, g, strict=True)
        return np.stack([part.T @ each for part, each in parts], axis=1)
