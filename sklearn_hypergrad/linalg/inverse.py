"""Contract of solvers that know a symmetric matrix by its products only."""

import abc
import dataclasses
import enum

import numpy as np


class SolveStatus(enum.Enum):
    """How a linear solver ended."""

    DONE = "as it was meant to"
    INEXACT = "not at its tolerance"
    DIVERGED = "its terms grew"
    NEGATIVE_CURVATURE = "the matrix is not positive semi-definite"


@dataclasses.dataclass(frozen=True)
class Solved:
    """What has become of ``H x = right``.

    Attributes
    ----------
    x : ndarray like ``right``
        Not shared with any other; nan for systems whose right-hand side is not finite.
    n_iter : float
        Iterations, which cost one product with H each; nan for what does not iterate.
    residual : float
        Norm of ``right - H x`` over that of ``right``, the largest of all systems; nan if unknown,
        or if ``right`` is not finite. Iterations carry it along: rounding may leave more than they
        see, about the condition number times the precision.
    status : SolveStatus
        The worst of all systems.
    """

    x: np.ndarray
    n_iter: float = np.nan
    residual: float = np.nan
    status: SolveStatus = SolveStatus.DONE


class InverseHessian(abc.ABC):
    """Base class of inverse Hessians, exact or approximate; an instance holds settings only."""

    @abc.abstractmethod
    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        """Solve ``H x = right``, or what stands for it.

        Parameters
        ----------
        hvp : callable
            ``hvp(v)`` is the product of H with ``v``, shaped like ``right``. It is linear, changes
            nothing in ``v``, and what it returns is not written to.
        right : ndarray
            Of any shape.
        start : ndarray like ``right``, default=None
            A guess of x, for solvers that can use one.
        tol : float, default=1e-6
            Relative residual at which solvers that can tell are done.
        axis : int, default=None
            Axis of ``right`` that counts independent systems: H is block diagonal along it. Every
            system has steps of its own and stands still when it is solved, while one product
            serves all. None is one system.

        Returns
        -------
        Solved
        """
