"""Contracts of inner problems and their solutions."""

import abc
import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import numpy as np


class Status(enum.Enum):
    """How an evaluation went; the value of each member says what to do about it."""

    CONVERGED = ""
    INNER_NOT_CONVERGED = (
        "The model's training problem did not converge. Scale the features (StandardScaler) or "
        "bound the penalty away from zero with Continuous(low, high)."
    )
    DESCENT_NOT_CONVERGED = (
        "Gradient descent has not converged. Scale the features (StandardScaler), or take more "
        "steps: Reverse(descent=GradientDescent(n_steps=...))."
    )
    DIVERGED = "Training diverged. Lower the learning rate or the momentum, or scale the features."
    LINEAR_SOLVE_INEXACT = (
        "The linear system of the hypergradient was not solved to tolerance. Scale the features "
        "(StandardScaler) or bound the penalty away from zero with Continuous(low, high)."
    )


@dataclasses.dataclass(frozen=True)
class InnerSolution:
    """A solved inner problem.

    Attributes
    ----------
    w : ndarray
        The solution.
    inverse_hvp : callable
        ``inverse_hvp(v, start) -> (H^-1 v, status)`` with the Hessian at ``w``: what was factorised
        to find the solution is used again. ``start`` is a guess of the result or None. A solution
        that only starts the next one has None.
    status : Status
    n_solves : int
        Linear systems solved (Newton systems, or one for a closed form), over all splits.
    memory : object
        Whatever the problem can use again when it is solved for other hyperparameters. If it has a
        ``size``, that is how many numbers it holds.
    """

    w: np.ndarray
    inverse_hvp: Callable
    status: Status
    n_solves: int
    memory: Any = None

    @property
    def size(self):
        """Numbers that are kept with it, about."""
        return self.w.size + getattr(self.memory, "size", 0)


class InnerProblem(abc.ABC):
    """Training problems of all splits of a block, as one problem with a block diagonal Hessian.

    ``h`` is a dict of hyperparameters in natural units, ``w`` an array whose layout is the
    problem's own; ``v`` is like ``w``. Nothing is kept on the instance between calls.

    Attributes
    ----------
    iterative : bool
        Whether a solution takes the longer the more accurate it is to be.
    """

    iterative = True

    @abc.abstractmethod
    def start(self):
        """Weights that descent begins with, in the layout of the problem: zero, if nothing else."""

    @abc.abstractmethod
    def gradient(self, w, h):
        """Gradient of the inner objective in ``w``."""

    @abc.abstractmethod
    def hvp(self, w, h, v):
        """Product of its Hessian in ``w`` with ``v``."""

    @abc.abstractmethod
    def cross_vjp(self, w, h, v):
        """``v`` times the derivative of ``gradient`` in ``h``: a dict shaped like ``h``."""

    @abc.abstractmethod
    def cross_jvp(self, w, h, u):
        """Derivative of ``gradient`` along ``u``, a dict shaped like ``h``: an array like ``w``."""

    @abc.abstractmethod
    def solve(self, h, warm_start, tol):
        """Minimise the inner objective.

        Parameters
        ----------
        h : dict
        warm_start : InnerSolution or None
        tol : float
            Accuracy of the solution relative to the scale of the data.

        Returns
        -------
        InnerSolution
        """
