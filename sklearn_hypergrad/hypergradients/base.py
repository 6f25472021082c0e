"""What every method is given and returns."""

import abc
import dataclasses
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.problems import InnerSolution, Status
from sklearn_hypergrad.training import GradientDescent, Storage, pull_back, training_of


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """Where the next evaluation of the same problem may start."""

    solution: InnerSolution
    adjoint: np.ndarray | None

    @property
    def size(self):
        """Numbers that are kept with it, about."""
        return self.solution.w.size + getattr(self.solution.memory, "size", 0)

    def stored(self):
        """The same without the factors of the Hessian, which no later solution needs."""
        return dataclasses.replace(
            self, solution=dataclasses.replace(self.solution, inverse_hvp=None)
        )


@dataclasses.dataclass(frozen=True)
class Pulled:
    """A gradient that was pulled back to the hyperparameters.

    Attributes
    ----------
    gradient : dict
        Derivatives in the hyperparameters, shaped like them. A name that is missing has none.
    state : object
        Where the next evaluation may start; None if the pullback adds nothing to what the fit
        has left.
    statuses : tuple of Status
        What the linear solver reports.
    n_solves : int
        Gradients of batches computed, or further linear systems solved.
    linear_iterations, linear_residual : float
        As for :class:`Evaluation`.
    """

    gradient: dict
    state: object = None
    statuses: tuple[Status, ...] = ()
    n_solves: int = 0
    linear_iterations: float = np.nan
    linear_residual: float = np.nan


@dataclasses.dataclass(frozen=True)
class FittedWeights:
    """Trained weights that can be differentiated.

    Attributes
    ----------
    w : ndarray
        The weights in the layout of the problem.
    pull : callable
        ``pull(grad_w) -> Pulled``, for a loss with the gradient ``grad_w`` in the weights.
    state : object
        Where the next fit may start, or None.
    statuses : tuple of Status
        What the inner solver reports.
    n_solves : int
        Linear systems solved.
    """

    w: np.ndarray
    pull: Callable
    state: object = None
    statuses: tuple[Status, ...] = ()
    n_solves: int = 0


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """An outer objective and its hypergradient at one setting of the hyperparameters.

    Attributes
    ----------
    values : ndarray of shape (n_splits,)
        The outer objective of every split.
    gradient : dict
        Hypergradient of their sum, shaped like the hyperparameters.
    warm_start : object
        Where the next evaluation may start, or None.
    statuses : tuple of Status
        What the inner and the linear solver report.
    n_solves : int
        Linear systems solved, or gradients of batches computed.
    w : ndarray
        The trained weights, as the outer objective was given them.
    linear_iterations : float
        Iterations of the linear solver; nan where none iterates, or it does not tell.
    linear_residual : float
        Relative residual that it leaves, the largest of all splits; nan where it does not tell.
    """

    values: np.ndarray
    gradient: dict
    warm_start: object
    statuses: tuple[Status, ...]
    n_solves: int
    w: np.ndarray | None = None
    linear_iterations: float = np.nan
    linear_residual: float = np.nan


class Hypergradient:
    """Base class of methods; an instance holds settings only.

    Attributes
    ----------
    through_training : bool
        Whether a training run is differentiated, and with it what it depends on besides the
        training loss: learning rates, momenta, initial weights.
    """

    through_training = False

    def evaluate(self, problem, outer, h, warm_start, tol, **options):
        """Solve the inner problem and differentiate the outer objective of its solution.

        Parameters
        ----------
        problem : InnerProblem
            What is trained.
        outer : callable
            ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``.
        h : dict
            Hyperparameters in natural units.
        warm_start : WarmStart or None
            Of an earlier evaluation.
        tol : float
            Inner tolerance.
        **options : dict
            What ``fit`` of this method takes besides.

        Returns
        -------
        Evaluation

        Raises
        ------
        ValueError
            If nothing depends on one of the hyperparameters.
        """
        fitted = self.fit(problem, h, warm_start, tol, **options)
        values, grad_w, direct = outer(fitted.w, h)
        pulled = fitted.pull(grad_w)
        self._check_reached(problem, h, {**pulled.gradient, **direct})
        return Evaluation(
            values=values,
            gradient={n: direct.get(n, 0.0) + pulled.gradient.get(n, 0.0) for n in h},
            warm_start=fitted.state if pulled.state is None else pulled.state,
            statuses=fitted.statuses + pulled.statuses,
            n_solves=fitted.n_solves + pulled.n_solves,
            w=fitted.w,
            linear_iterations=pulled.linear_iterations,
            linear_residual=pulled.linear_residual,
        )

    def fit(self, problem, h, warm_start, tol):
        """Solve the inner problem so that its solution can be differentiated.

        Parameters are those of ``evaluate``. A method of one's own may define ``evaluate`` instead.

        Returns
        -------
        FittedWeights
        """
        raise TypeError(f"{type(self).__name__} defines neither fit nor evaluate.")

    def _check_reached(self, problem, h, reached):
        """Raise ValueError if a hyperparameter has no derivative."""
        unknown = [name for name in h if name not in reached]
        if unknown:
            raise ValueError(
                f"Cannot tune {', '.join(map(repr, unknown))}: neither {self._trained(problem)} "
                f"nor the outer objective depends on it."
            )

    def _trained(self, problem):
        """What is differentiated, for messages."""
        return type(problem).__name__


class TrainedHypergradient(Hypergradient):
    """Base class of methods that differentiate a training run, step by step.

    Parameters
    ----------
    descent : GradientDescent, default=None
        How models are trained that are otherwise solved, as ridge and logistic regression. Networks
        are trained as they are, and do not need it.
    """

    through_training = True

    def __init__(self, *, descent=None):
        self.descent = descent

    def fit(self, problem, h, warm_start, tol, *, storage=None):
        """Train, as for the base class; ``storage`` is memory that the states may take."""
        training = self._training(problem, h)
        run, obstacle = training.run(h), self.obstacle(training.dynamics)
        if obstacle is not None:
            raise ValueError(f"Cannot differentiate training with {self!r}: {obstacle}.")
        # Where training diverges, it says so itself.
        with np.errstate(over="ignore", invalid="ignore"):
            w, pull_back = self._train(run, storage or Storage())
            run.check(w)
        status = training.problem.status(w, h)

        def pull(grad_w):
            with np.errstate(over="ignore", invalid="ignore"):
                gradient, n_gradients = pull_back(grad_w.ravel())
            return Pulled(gradient, n_solves=n_gradients)

        # The storage will be written to again.
        return FittedWeights(training.problem.shaped(w.copy()), pull, statuses=(status,))

    def obstacle(self, dynamics):
        """Why training with these dynamics cannot be differentiated in this way, or None."""
        return None

    def _training(self, problem, h):
        return training_of(problem, h, self.descent or GradientDescent())

    def _trained(self, problem):
        dynamics = getattr(problem, "dynamics", None) or (self.descent or GradientDescent())
        return f"training with {dynamics!r}"

    @abc.abstractmethod
    def _train(self, run, storage):
        """Train, and tell how to go back.

        Returns
        -------
        w : ndarray of shape (n_weights,)
            The last weights.
        pull : callable
            ``pull(grad_w) -> (gradient, n_gradients)``, the hypergradient of what has the gradient
            ``grad_w`` in the weights, and the gradients of batches that all this took. A product
            with second derivatives counts as two.
        """


def along(run, trajectory, n_before=0):
    """What ``_train`` returns for a trajectory, of a run that took ``n_before`` steps before."""

    def pull(grad_w):
        gradient = pull_back(run, trajectory.backwards(), grad_w, to_start=n_before == 0)
        return gradient, trajectory.n_gradients + 2 * run.n_steps - n_before

    return trajectory.final.w, pull
