"""Kernel methods with squared errors: predictions for each row by a fit to all others."""

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpotrf, dpotri

from sklearn_hypergrad.problems.kernel.kernel_systems import inverse


# Derivation. Let A = (S K S + alpha)^-1 with the weights S^2 of all rows, and u = A S y. A block
# inverse shows that the fit without row i predicts
#     z_i = y_i - u_i / (s_i A_ii),
# (Cawley, Talbot 2008, "Efficient approximate leave-one-out cross-validation for kernel logistic
# regression", section 2, has it for one weight), and a row without weight is predicted by the fit
# to all rows, z_i = K_i S u. With a and d the derivatives of g' z in u and in diag A, and
# dA = -A (S dK S + dalpha) A,
#     d(g' z) = sum_ij N_ij (S dK S + dalpha)_ij,    N = -(A a) u' - A diag(d) A.
class LeftOutRows:
    """The predictions of all rows, each by the fit to the others.

    Parameters
    ----------
    K : ndarray of shape (n_rows, n_rows)
    alpha : float
    y : ndarray of shape (n_rows, n_outputs)
    root : ndarray of shape (n_rows, 1)
        Roots of the weights.

    Attributes
    ----------
    z : ndarray of shape (n_rows, n_outputs)
    """

    def __init__(self, K, alpha, y, root):
        self._K, self._root, self._used = K, root, root[:, 0] > 0
        system = K * root * root.T
        system[np.diag_indices_from(system)] += float(alpha)
        self._A = inverse_matrix(system)
        self._u = self._A @ (root * y)
        # Of rows that are left out: s_i A_ii.
        self._scale = np.where(self._used[:, None], root * np.diag(self._A)[:, None], 1.0)
        self.z = np.where(self._used[:, None], y - self._u / self._scale, K @ (root * self._u))

    def pull(self, g):
        """Derivatives of ``sum g z`` in alpha, and in the kernel as an array of its shape."""
        root, u, A = self._root, self._u, self._A
        apart, whole = np.where(self._used[:, None], g, 0.0), np.where(self._used[:, None], 0.0, g)
        of_u = root * (self._K @ whole) - apart / self._scale
        of_diagonal = np.sum(apart * u * root / self._scale**2, axis=1)
        N = -(A @ of_u) @ u.T
        for sign in (1.0, -1.0):
            # All of one sign for squared errors. A product with a transpose takes half the time.
            rows = sign * of_diagonal > 0
            if rows.any():
                part = A[:, rows] * np.sqrt(np.abs(of_diagonal[rows]))
                N -= sign * (part @ part.T)
        of_alpha = np.trace(N)
        N *= root
        N *= root.T
        return of_alpha, N + whole @ (root * u).T


def inverse_matrix(system):
    """The inverse of a symmetric matrix, which is not changed.

    Raises
    ------
    LinAlgError
        If it is singular up to rounding.
    """
    factor, info = dpotrf(system.T, lower=True, clean=True)
    if info:
        return inverse(system.copy())(np.eye(len(system)))
    found, info = dpotri(factor, lower=True, overwrite_c=True)
    if info:
        raise LinAlgError("the kernel is singular")
    return found + np.tril(found, -1).T
