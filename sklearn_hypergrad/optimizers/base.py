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
    """Base class; an instance holds settings only and may be shared between runs.

    Attributes
    ----------
    needs_smooth : bool
        Whether it compares values and slopes along a line, so that kinks mislead it.
    accepts_noise : bool
        Whether values may be noisy, or depend on the calls before.
    """

    needs_smooth = True
    accepts_noise = False

    def n_evaluations(self, max_iter):
        """How many evaluations ``max_iter`` iterations take; None if that is not known before."""
        return None

    @abc.abstractmethod
    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False, noisy=False):
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
        likelihood : bool, default=False
            Whether values are minus log likelihoods, whose differences mean the same everywhere.
            Passed only if it is True: an optimizer that makes no use of it may take ``**facts``.
        noisy : bool, default=False
            Whether values are noisy. Passed only to optimizers that accept noise.

        Returns
        -------
        Minimum
        """
