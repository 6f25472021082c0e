"""The base class of optimizers, and the record that they return."""

import abc
import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Minimum:
    """The result of one run of an optimizer.

    Attributes
    ----------
    z : ndarray of shape (size,)
        The minimum found.
    converged : bool
        Whether the run reached its tolerance, or had hardly anything left to gain.
    message : str
        Why the run ended.
    warning : str
        A problem on the way there, with a remedy; or "".
    """

    z: np.ndarray
    converged: bool
    message: str
    warning: str = ""


class Optimizer(abc.ABC):
    """Base class of optimizers; an instance holds settings only and may be shared between runs.

    Attributes
    ----------
    needs_smooth : bool
        Whether it compares values and slopes along a line, so that kinks mislead it.
    accepts_noise : bool
        Whether values may be noisy, or depend on earlier calls.
    """

    needs_smooth = True
    accepts_noise = False

    def n_evaluations(self, max_iter):
        """Number of evaluations of ``max_iter`` iterations; None if it is not known in advance.

        Parameters
        ----------
        max_iter : int

        Returns
        -------
        int or None
        """
        return None

    @abc.abstractmethod
    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False, noisy=False):
        """Minimise ``fun``, which returns value and gradient, from ``z0`` within ``bounds``.

        Parameters
        ----------
        fun : callable
            ``fun(z) -> (float, ndarray of shape (size,))``. A value that is not finite means that
            ``z`` cannot be used. If it has a method ``take_back``, its values depend on earlier
            calls: optimizers call ``take_back()`` after a ``z`` that they reject.
        z0 : ndarray of shape (size,)
            The start.
        bounds : ndarray of shape (size, 2)
            Lower and upper bounds.
        tol : float
            Accuracy of ``z``.
        max_iter : int
            Largest number of iterations.
        likelihood : bool, default=False
            Whether values are minus log likelihoods in nats, whose differences are comparable
            between data sets. Passed only if it is True: an optimizer that does not use it may take
            ``**facts``.
        noisy : bool, default=False
            Whether values are noisy. Passed only to optimizers that accept noise.

        Returns
        -------
        Minimum
        """
