"""What every optimizer is given and returns."""

import abc
import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Minimum:
    """Outcome of one run.

    Attributes
    ----------
    z : ndarray of shape (size,)
    converged : bool
    message : str
        Why the run ended.
    warning : str
        What the user should know of the way there, with a remedy.
    """

    z: np.ndarray
    converged: bool
    message: str
    warning: str = ""


class Optimizer(abc.ABC):
    """Base class; an instance holds settings only and may be shared between runs."""

    @abc.abstractmethod
    def minimize(self, fun, z0, bounds, *, tol, max_iter):
        """Minimise ``fun``, which returns value and gradient, from ``z0`` within ``bounds``.

        Parameters
        ----------
        fun : callable
            ``fun(z) -> (float, ndarray of shape (size,))``. A value that is not finite means that
            ``z`` cannot be used. If it has a method ``take_back``, what it returns depends on the
            calls before: optimizers call it after a ``z`` that they do not go on from.
        z0 : ndarray of shape (size,)
        bounds : ndarray of shape (size, 2)
        tol : float
            Accuracy asked for in ``z``.
        max_iter : int

        Returns
        -------
        Minimum
        """
