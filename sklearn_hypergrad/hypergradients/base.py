"""What every method is given and returns."""

import abc
import dataclasses

import numpy as np

from sklearn_hypergrad.problems import InnerSolution, Status
from sklearn_hypergrad.training import GradientDescent, Storage, pull_back, training_of


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
    warm_start : WarmStart or None
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
    warm_start: WarmStart | None
    statuses: tuple[Status, ...]
    n_solves: int
    w: np.ndarray | None = None
    linear_iterations: float = np.nan
    linear_residual: float = np.nan


class Hypergradient(abc.ABC):
    """Base class of methods; an instance holds settings only.

    Attributes
    ----------
    through_training : bool
        Whether a training run is differentiated, and with it what it depends on besides the
        training loss: learning rates, momenta, initial weights.
    """

    through_training = False

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

    def evaluate(self, problem, outer, h, warm_start, tol, *, storage=None):
        """As for the base class; ``storage`` is memory that the states may take."""
        training = training_of(problem, h, self.descent or GradientDescent())
        run, obstacle = training.run(h), self.obstacle(training.dynamics)
        if obstacle is not None:
            raise ValueError(f"Cannot differentiate training with {self!r}: {obstacle}.")
        # Where training diverges, it says so itself.
        with np.errstate(over="ignore", invalid="ignore"):
            w, pull = self._train(run, storage or Storage())
            run.check(w)
            # The storage will be written to again.
            shaped = training.problem.shaped(w.copy())
            values, grad_w, direct = outer(shaped, h)
            gradient, n_gradients = pull(grad_w.ravel())
        _check_reached(h, {**gradient, **direct}, training.dynamics)
        return Evaluation(
            values=values,
            gradient={name: direct.get(name, 0.0) + gradient.get(name, 0.0) for name in h},
            warm_start=None,
            statuses=(training.problem.status(w, h),),
            n_solves=n_gradients,
            w=shaped,
        )

    def obstacle(self, dynamics):
        """Why training with these dynamics cannot be differentiated in this way, or None."""
        return None

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


def _check_reached(h, reached, dynamics):
    unknown = [name for name in h if name not in reached]
    if unknown:
        raise ValueError(
            f"Cannot tune {', '.join(map(repr, unknown))}: neither training with {dynamics!r} nor "
            f"the outer objective depends on it."
        )
