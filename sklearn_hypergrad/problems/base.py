"""The contracts of inner problems and of their solutions, and the statuses of solvers."""

import abc
import dataclasses
import enum
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.linalg import SolveStatus


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
    EXPLODED = (
        "The hypergradient exploded: it or the outer loss is not finite. Lower the learning rate "
        "or the momentum, train for fewer steps, or scale the features. Check that losses of your "
        "own and their derivatives are finite at the weights that were found."
    )
    LINEAR_SOLVE_INEXACT = (
        "The linear system of the hypergradient was not solved to tolerance. Scale the features "
        "(StandardScaler) or bound the penalty away from zero with Continuous(low, high)."
    )
    SERIES_DIVERGED = (
        "The Neumann series of the hypergradient diverges: the Hessian has negative curvature, or "
        "a scale that was given is too large. Leave out negative curvature with gauss_newton=True, "
        "as in hypergradient=Online(gauss_newton=True), and scale: Neumann() estimates it."
    )
    UNDETERMINED = (
        "The training loss does not determine all weights that the hypergradient depends on: its "
        "minimum is not unique, and the hypergradient is that of one of many. Penalise all "
        "weights, a little is enough, or drop features that are constant or copies of others."
    )
    NEGATIVE_CURVATURE = (
        "The Hessian of the training problem has negative curvature: its weights are not at a "
        "minimum. Train them to one, or leave out what is negative with gauss_newton=True."
    )


# The Status of each outcome of a linear solver. Series and the identity are approximate by design:
# their residual is reported, but it is not a problem.
STATUSES = {
    SolveStatus.DONE: Status.CONVERGED,
    SolveStatus.INEXACT: Status.LINEAR_SOLVE_INEXACT,
    SolveStatus.DIVERGED: Status.SERIES_DIVERGED,
    SolveStatus.UNDETERMINED: Status.UNDETERMINED,
    SolveStatus.NEGATIVE_CURVATURE: Status.NEGATIVE_CURVATURE,
}


@dataclasses.dataclass(frozen=True)
class InnerSolution:
    """A solved inner problem.

    Attributes
    ----------
    w : ndarray
        The solution, in the layout of the problem.
    inverse_hvp : callable or None
        ``inverse_hvp(v, start) -> (H^-1 v, Status)`` with the Hessian at ``w``; it uses the factors
        that the solution was found with. ``start`` is a guess of the result or None. None in a
        solution that only serves as a start.
    status : Status
        Status of the inner solver.
    n_solves : int
        Number of linear systems solved (Newton systems, or one for a closed form), over all splits.
    slope : ndarray like ``w`` or None
        Gradient of the training loss that is left at ``w``; None if it does not matter.
    memory : object
        Data that the problem uses again when it is solved for other hyperparameters. Its attribute
        ``size``, if any, is the number of floats in it.
    predictions : ndarray or None
        What ``predict(w)`` of the problem returns, if its solver has computed it.
    """

    w: np.ndarray
    inverse_hvp: Callable
    status: Status
    n_solves: int
    memory: Any = None
    slope: np.ndarray | None = None
    predictions: np.ndarray | None = None


class InnerProblem(abc.ABC):
    """Training problems of all splits of a block, as one problem with a block diagonal Hessian.

    ``h`` is a dict of hyperparameters in natural units, ``w`` an array whose layout is the
    problem's own; ``v`` is like ``w``. Nothing is kept on the instance between calls.

    Attributes
    ----------
    iterative : bool
        Whether a more accurate solution takes longer.
    linear_in_weights : bool
        Whether predictions are linear in ``w``, so that the Gauss-Newton matrix is the Hessian.
    split_axis : int or None
        Axis of ``w`` that counts the splits, along which the Hessian is block diagonal; None if
        there is no such axis. Linear solvers treat splits along it as separate systems.
    follows : bool
        Whether a start close to the solution saves so much that the derivative of the weights in a
        single hyperparameter is worth to be known: starts are then interpolated.
    """

    iterative = True
    follows = False
    linear_in_weights = False
    split_axis = None

    @abc.abstractmethod
    def start(self):
        """Initial weights of descent, in the layout of the problem; zero for convex problems."""

    @abc.abstractmethod
    def gradient(self, w, h):
        """Gradient of the inner objective in ``w``, shaped like ``w``."""

    @abc.abstractmethod
    def hvp(self, w, h, v):
        """Product of the Hessian of the inner objective with ``v``, shaped like ``w``."""

    def gauss_newton(self, w, h, v):
        """Product of ``v`` with the Gauss-Newton matrix of the inner objective.

        With J the derivative of the predictions in ``w`` and L the second derivative of the loss in
        them, it is ``J' L J`` plus the Hessian of the penalty: the Hessian without the second
        derivatives of the predictions. For a convex loss it is positive semi-definite everywhere
        (Schraudolph 2002, "Fast curvature matrix-vector products", section 3).

        Raises
        ------
        ValueError
            If predictions are not linear in ``w`` and the problem has no such product of its own.
        """
        if not self.linear_in_weights:
            raise ValueError(
                f"{type(self).__name__} has no Gauss-Newton products. Leave gauss_newton=False, or "
                f"define gauss_newton(w, h, v)."
            )
        return self.hvp(w, h, v)

    def products(self, w, h, *, gauss_newton=False):
        """A function ``v -> H v`` with the Hessian, or Gauss-Newton matrix, at ``w``.

        Subclasses override it if products with many vectors can share computations.
        """
        return functools.partial(self.gauss_newton if gauss_newton else self.hvp, w, h)

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
            Hyperparameters in natural units.
        warm_start : InnerSolution or None
            The solution for other hyperparameters, to start from.
        tol : float
            Accuracy of the solution relative to the scale of the data.

        Returns
        -------
        InnerSolution
        """
