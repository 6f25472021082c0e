"""Base classes of the methods, and the records that they exchange."""

import abc
import copy
import dataclasses
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.problems import InnerSolution, Status
from sklearn_hypergrad.training import (
    GradientDescent,
    Storage,
    Training,
    pull_back,
    training_of,
)
from sklearn_hypergrad.wording import suggestion

# Growth of the weights, relative to them, up to which they are taken to grow on in a straight line.
# Measured for sparse logistic regression: a line is four times more accurate than a Newton step at
# 1.2, and half as accurate at 2.3.
GROWTH = 1.5


@dataclasses.dataclass(frozen=True)
class Tangent:
    """How the weights change with the only hyperparameter.

    Attributes
    ----------
    place : float
        Logarithm of the hyperparameter.
    slope : ndarray
        Derivative of the weights in this logarithm.
    """

    place: float
    slope: np.ndarray


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """A start for the next evaluation of the same problem.

    Attributes
    ----------
    solution : InnerSolution
        The solution of the inner problem for nearby hyperparameters.
    adjoint : ndarray or None
        The solution ``H^-1 grad_w`` of the linear system of the hypergradient there.
    tangent : Tangent or None
        The derivative of the weights there, if it is known.
    """

    solution: InnerSolution
    adjoint: np.ndarray | None
    tangent: Tangent | None = None

    @property
    def size(self):
        """Approximate number of floats in it."""
        known = None if self.tangent is None else self.tangent.slope
        arrays = self.solution.w, self.adjoint, known
        size = sum(np.size(array) for array in arrays if array is not None)
        return size + getattr(self.solution.memory, "size", 0)

    # The cubics of Hermite's interpolation, with t from 0 to 1 between the two: from the left end,
    # weights with 1 - 3 t^2 + 2 t^3 and slopes with t (1 - t)^2; from the right end likewise.
    def between(self, left, right, place):
        """The start with the weights of the cubic through two neighbours, and its slope.

        Parameters
        ----------
        left, right : WarmStart
            Those beside the place, with tangents; one of them is this one.
        place : float
            Logarithm of the hyperparameter.

        Returns
        -------
        WarmStart
        """
        a, b = left.tangent, right.tangent
        width = b.place - a.place
        t = (place - a.place) / width
        u, change = 1 - t, right.solution.w - left.solution.w
        w = left.solution.w + t**2 * (3 - 2 * t) * change
        w += width * t * u * (u * a.slope - t * b.slope)
        slope = 6 * t * u / width * change
        slope += u * (1 - 3 * t) * a.slope + t * (3 * t - 2) * b.slope
        return self._moved(w, Tangent(place, slope))

    # Where a ridge penalty is strong, weights are proportional to its inverse, and straight lines
    # in its logarithm are of no use. Where it is weak, and classes can be separated, weights grow
    # with its logarithm.
    def ahead(self, place):
        """The start with the weights that lie ahead in a straight line, if they grow slowly.

        Parameters
        ----------
        place : float
            Logarithm of the hyperparameter.

        Returns
        -------
        WarmStart
        """
        w, step = self.solution.w, (place - self.tangent.place) * self.tangent.slope
        slow = np.linalg.norm(step) <= GROWTH * np.linalg.norm(w)
        return self._moved(w + step, self.tangent) if slow and np.vdot(w, step) > 0 else self

    def _moved(self, w, tangent):
        return WarmStart(dataclasses.replace(self.solution, w=w), self.adjoint, tangent)

    @classmethod
    def at(cls, w, status=Status.CONVERGED):
        """A start that has weights only: everything else is derived from them anew.

        Parameters
        ----------
        w : ndarray
        status : Status, default=Status.CONVERGED
            Whether they solve the problem for other hyperparameters.
        """
        # In one layout, since sums depend on it.
        w = np.array(w, dtype=float, order="C")
        return cls(InnerSolution(w, None, status, n_solves=0), None)

    def stored(self):
        """A copy without factors of the Hessian and predictions, which no later solution needs."""
        if self.solution.inverse_hvp is self.solution.predictions is None:
            return self
        kept = dataclasses.replace(self.solution, inverse_hvp=None, predictions=None)
        return dataclasses.replace(self, solution=kept)


@dataclasses.dataclass(frozen=True)
class Predicted:
    """Predictions that are kept, so that points can be judged without another solution.

    Those with more in them are starts of other fits, too.

    Attributes
    ----------
    z : ndarray
        The predictions of a Model.
    """

    z: np.ndarray

    @property
    def size(self):
        """Number of floats in it."""
        return self.z.size


@dataclasses.dataclass(frozen=True)
class Pulled:
    """A gradient that was pulled back from the weights to the hyperparameters.

    Attributes
    ----------
    gradient : dict
        Derivatives in the hyperparameters, shaped like them. A missing name has no derivative.
    state : object
        A start for the next evaluation; None if it is the state of the fit.
    statuses : tuple of Status
        Statuses of the linear solver.
    n_solves : int
        Number of gradients of batches computed, or of further linear systems solved.
    linear_iterations : float
        Iterations of the linear solver; nan if it is direct or does not count them.
    linear_residual : float
        Its relative residual, the largest of all splits; nan if it is not computed.
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
        A start for the next fit, or None.
    statuses : tuple of Status
        Statuses of the inner solver.
    n_solves : int
        Number of linear systems solved.
    predictions : ndarray or None
        What ``predict(w)`` of the problem returns, if its solver has computed it.
    along : callable or None
        The same as ``pull``, by the derivative of the weights in the only hyperparameter, which is
        in the state. None if there are several, or the problem does not follow its solutions.
    """

    w: np.ndarray
    pull: Callable
    state: object = None
    statuses: tuple[Status, ...] = ()
    n_solves: int = 0
    predictions: np.ndarray | None = None
    along: Callable | None = None


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
        A start for the next evaluation, or None.
    statuses : tuple of Status
        Statuses of the inner and the linear solver; their values are remedies. EXPLODED takes the
        place of CONVERGED if a value or the gradient is not finite.
    n_solves : int
        Number of linear systems solved, or of gradients of batches computed.
    w : ndarray
        The trained weights, as the outer objective took them.
    linear_iterations : float
        Iterations of the linear solver; nan if it is direct or does not count them.
    linear_residual : float
        Its relative residual, the largest of all splits; nan if it is not computed.
    of_targets : ndarray of shape (n_splits, n_targets) or None
        The outer objective of every target, of which ``values`` is the mean; None if unknown.
    """

    values: np.ndarray
    gradient: dict
    warm_start: object
    statuses: tuple[Status, ...]
    n_solves: int
    w: np.ndarray | None = None
    linear_iterations: float = np.nan
    linear_residual: float = np.nan
    of_targets: np.ndarray | None = None

    def __post_init__(self):
        # Methods put evaluations together in several places, those of users among them: whatever
        # its solvers say, no result that is not finite counts as converged.
        if not all(np.isfinite(part).all() for part in (self.values, *self.gradient.values())):
            object.__setattr__(self, "statuses", exploded(self.statuses))

    def reshaped(self, gradient, w):
        """The same with the gradient and the weights as users know them, nested."""
        same = copy.copy(self)
        object.__setattr__(same, "gradient", gradient)
        object.__setattr__(same, "w", w)
        return same

    @classmethod
    def of(cls, values, gradient, fitted, pulled):
        """The Evaluation of a fit, FittedWeights or the Fitted of a model, and of its Pulled."""
        return cls(
            values=values,
            gradient=gradient,
            warm_start=fitted.state if pulled.state is None else pulled.state,
            statuses=fitted.statuses + pulled.statuses,
            n_solves=fitted.n_solves + pulled.n_solves,
            w=fitted.w,
            linear_iterations=pulled.linear_iterations,
            linear_residual=pulled.linear_residual,
        )


def meant(name, problem):
    """A sentence with a hyperparameter of a Training that a name may stand for, or ""."""
    if not isinstance(problem, Training):
        return ""
    of_training = *problem.dynamics.names, "init_scale"
    return suggestion(name, [*of_training, *problem.problem.scheduled, *problem.settings])


def exploded(statuses):
    """The statuses of an evaluation that is not finite: EXPLODED in place of CONVERGED."""
    others = (s for s in statuses if s not in (Status.CONVERGED, Status.EXPLODED))
    return *others, Status.EXPLODED


class Hypergradient:
    """Base class of methods; an instance holds settings only.

    Attributes
    ----------
    through_training : bool
        Whether a training run is differentiated. Such methods also reach learning rates, momenta
        and the scale of initial weights; others reach hyperparameters of the training loss only.
    exact : bool
        Whether the gradient is that of the values, up to tolerances, so that line searches can
        rely on it.
    """

    through_training = False
    exact = True

    def evaluate(self, problem, outer, h, warm_start, tol, **options):
        """Solve the inner problem and differentiate the outer objective of its solution.

        Parameters
        ----------
        problem : InnerProblem or Training
            The problem whose weights are trained.
        outer : callable
            ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``, with values
            of shape (n_splits,) and gradients of their sum.
        h : dict
            Hyperparameters in natural units.
        warm_start : WarmStart or None
            The ``warm_start`` of an earlier evaluation.
        tol : float
            Inner tolerance, relative to the scale of the data. Ignored by methods that
            differentiate a training run.
        **options : dict
            Further arguments of ``fit`` of this method.

        Returns
        -------
        Evaluation

        Raises
        ------
        ValueError
            If neither the training nor the outer objective depends on one of the hyperparameters.
        """
        fitted = self.fit(problem, h, warm_start, tol, **options)
        values, grad_w, direct = outer(fitted.w, h)
        pulled = fitted.pull(grad_w)
        self._check_reached(problem, h, {**pulled.gradient, **direct})
        gradient = {n: direct.get(n, 0.0) + pulled.gradient.get(n, 0.0) for n in h}
        return Evaluation.of(values, gradient, fitted, pulled)

    def fit(self, problem, h, warm_start, tol):
        """Solve the inner problem so that its solution can be differentiated.

        Parameters are those of ``evaluate``. A subclass defines this method, or ``evaluate``.

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
                f"nor the outer objective depends on it.{meant(unknown[0], problem)}"
            )

    def _trained(self, problem):
        """Text for messages: the object that is differentiated."""
        return type(problem).__name__


class TrainedHypergradient(Hypergradient):
    """Base class of methods that differentiate a training run, step by step.

    Parameters
    ----------
    descent : GradientDescent, default=None
        How to train models that are otherwise solved, such as ridge and logistic regression. None
        is ``GradientDescent()``. Networks have a training of their own and ignore it.
    """

    through_training = True

    def __init__(self, *, descent: GradientDescent | None = None):
        self.descent = descent

    def fit(self, problem, h, warm_start, tol, *, storage=None):
        """Train; arguments are those of ``evaluate``, and ``storage``: reusable memory."""
        training = self._training(problem, h)
        run, obstacle = training.run(h), self.obstacle(training.dynamics)
        if obstacle is not None:
            raise ValueError(f"Cannot differentiate training with {self!r}: {obstacle}.")
        # Overflow means divergence, which ``run.check`` reports.
        with np.errstate(over="ignore", invalid="ignore"), training.problem.many_calls():
            w, pull_back = self._train(run, storage or Storage())
            run.check(w)
        status = training.problem.status(w, h)

        def pull(grad_w):
            with np.errstate(over="ignore", invalid="ignore"), training.problem.many_calls():
                gradient, n_gradients = pull_back(grad_w.ravel())
            return Pulled(gradient, n_solves=n_gradients)

        # The storage is used again, so the weights are copied.
        return FittedWeights(training.problem.shaped(w.copy()), pull, statuses=(status,))

    def obstacle(self, dynamics):
        """Why training with these dynamics cannot be differentiated by this method, or None.

        Parameters
        ----------
        dynamics : Dynamics

        Returns
        -------
        str or None
            A clause for messages, without a full stop.
        """
        return None

    def _training(self, problem, h):
        return training_of(problem, h, self.descent or GradientDescent())

    def _trained(self, problem):
        dynamics = getattr(problem, "dynamics", None) or (self.descent or GradientDescent())
        return f"training with {dynamics!r}"

    @abc.abstractmethod
    def _train(self, run, storage):
        """Train, and return a function that goes back through the run.

        Parameters
        ----------
        run : Run
        storage : Storage
            Memory for states, used again by later runs.

        Returns
        -------
        w : ndarray of shape (n_weights,)
            The last weights.
        pull : callable
            ``pull(grad_w) -> (gradient, n_gradients)``: the hypergradient of a loss with the
            gradient ``grad_w`` in the weights, and the number of gradients of batches computed in
            training and on the way back. A product with second derivatives counts as two.
        """


def along(run, trajectory, n_before=0):
    """The result of ``_train`` for a trajectory that begins after ``n_before`` steps of its run."""

    def pull(grad_w):
        gradient = pull_back(run, trajectory.backwards(), grad_w, to_start=n_before == 0)
        return gradient, trajectory.n_gradients + 2 * run.n_steps - n_before

    return trajectory.final.w, pull
