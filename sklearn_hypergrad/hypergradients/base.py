"""What every method is given and returns."""

import abc
import dataclasses

import numpy as np

from sklearn_hypergrad.problems import InnerSolution, Status


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """Where the next evaluation of the same problem may start."""

    solution: InnerSolution
    adjoint: np.ndarray


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """An outer objective and its hypergradient at one setting of the hyperparameters.

    Attributes
    ----------
    values : ndarray of shape (n_splits,)
        The outer objective of every split.
    gradient : dict
        Hypergradient of their sum, shaped like the hyperparameters.
    warm_start : WarmStart
    statuses : tuple of Status
        What the inner and the linear solver report.
    n_solves : int
        Linear systems solved.
    """

    values: np.ndarray
    gradient: dict
    warm_start: WarmStart
    statuses: tuple[Status, ...]
    n_solves: int


class Hypergradient(abc.ABC):
    """Base class of methods; an instance holds settings only."""

    @abc.abstractmethod
    def evaluate(self, problem, outer, h, warm_start, tol):
        """Solve the inner problem and differentiate the outer objective of its solution.

        Parameters
        ----------
        problem : InnerProblem
        outer : callable
            ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``.
        h : dict
            Hyperparameters in natural units.
        warm_start : WarmStart or None
        tol : float
            Inner tolerance.

        Returns
        -------
        Evaluation
        """
