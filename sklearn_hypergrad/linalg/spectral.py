"""One eigendecomposition inverts a matrix plus any multiple of the identity."""

import numpy as np

from sklearn_hypergrad.threads import in_threads

# Side of a matrix from which on its decomposition gets a thread. Chosen by hand: one of 300 takes
# about 5 ms on one core, far more than starting a thread.
LARGE = 300


class Spectral:
    """Inverses of ``A_s + shift I`` for a stack of symmetric positive semi-definite ``A_s``.

    Parameters
    ----------
    matrices : ndarray of shape (n_stack, n, n)
    """

    def __init__(self, matrices):
        if matrices.shape[-1] < LARGE:
            eigenvalues, self.vectors = np.linalg.eigh(matrices)
        else:
            pairs = in_threads(np.linalg.eigh, matrices)
            eigenvalues, self.vectors = (np.stack(part) for part in zip(*pairs, strict=True))
        self.eigenvalues = np.maximum(eigenvalues, 0)[:, :, None]
        # Directions in which A is zero up to rounding.
        floor = matrices.shape[-1] * np.finfo(float).eps * self.eigenvalues[:, -1:]
        self._null, self._floor = self.eigenvalues <= floor, floor
        self._is_singular = bool(self._null.any())

    def to_basis(self, right):
        """Coordinates of ``right``, of shape (n_stack, n, k), in the eigenvectors."""
        return self.vectors.transpose(0, 2, 1) @ right

    def project(self, right):
        """Coordinates in the eigenvectors of what is left of ``right`` in the range of A."""
        return np.where(self._null, 0.0, self.to_basis(right))

    def solve(self, shift, coordinates):
        """``(A + shift I)^-1`` applied to a vector given in the eigenvectors.

        ``shift`` is a scalar or one value per column, of shape (k,). If it is below the rounding
        errors of A, solutions are the shortest least squares solutions.
        """
        return self.vectors @ (coordinates / self.curvature(shift))

    def curvature(self, shift):
        """Eigenvalues of ``A + shift I``; infinite where they are rounding errors."""
        curvature = self.eigenvalues + shift
        if self._is_singular:
            undetermined = self._null & (np.asarray(shift) <= self._floor)
            curvature = np.where(undetermined, np.inf, curvature)
        return curvature
