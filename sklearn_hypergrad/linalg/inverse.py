"""Contract of solvers that know a symmetric matrix by its products only."""

import abc
import dataclasses
import enum

import numpy as np


class SolveStatus(enum.Enum):
    """The outcome of a linear solver; the value of each member describes it."""

    DONE = "as it was meant to"
    INEXACT = "not at its tolerance"
    DIVERGED = "its terms grew"
    UNDETERMINED = "the matrix is singular, and maps nothing to the right-hand side"
    NEGATIVE_CURVATURE = "the matrix is not positive semi-definite"


@dataclasses.dataclass(frozen=True)
class Solved:
    """The result of a linear solver for ``H x = right``.

    Attributes
    ----------
    x : ndarray like ``right``
        The solution, a new array; nan for systems whose right-hand side is not finite.
    n_iter : float
        Number of iterations, each of which costs one product with H; nan for direct solvers.
    residual : float
        Norm of ``right - H x`` over that of ``right``, the largest of all systems; nan if unknown,
        or if ``right`` is not finite. Iterative solvers update it from step to step; because of
        rounding the true one may be larger, by about the condition number times the precision.
    status : SolveStatus
        The worst status of all systems.
    """

    x: np.ndarray
    n_iter: float = np.nan
    residual: float = np.nan
    status: SolveStatus = SolveStatus.DONE


class InverseHessian(abc.ABC):
    """Base class of inverse Hessians, exact or approximate; an instance holds settings only.

    Attributes
    ----------
    exact : bool
        Whether solutions are exact up to the tolerance.
    """

    exact = True

    @abc.abstractmethod
    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        """Solve ``H x = right``, exactly or approximately.

        If H is singular and there is no solution, exact solvers return the shortest ``x`` that
        leaves the least, with the status UNDETERMINED.

        Parameters
        ----------
        hvp : callable
            ``hvp(v)`` is the product of H with ``v``, shaped like ``right``. It must be linear and
            must not change ``v``; solvers do not change its result.
        right : ndarray
            The right-hand side, of any shape.
        start : ndarray like ``right``, default=None
            A guess of x, for solvers that can use one.
        tol : float, default=1e-6
            Relative residual at which iterative solvers end; others ignore it. The default is the
            fine inner tolerance of a search.
        axis : int, default=None
            Axis of ``right`` that counts independent systems: H is block diagonal along it. Every
            system has its own steps and does not change once it is solved, while one product serves
            all. None is one system.

        Returns
        -------
        Solved
        """
