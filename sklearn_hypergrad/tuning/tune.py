"""Tune losses of one's own: two functions, a start, and where hyperparameters may go."""

import dataclasses
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Hypergradient, Implicit, OnlineHypergradient, Reverse
from sklearn_hypergrad.hypergradients.functional import check_trains, numbers_of, structure_of
from sklearn_hypergrad.optimizers import LBFGS, Adam, Optimizer
from sklearn_hypergrad.problems import AutogradLoss, AutogradProblem, Status
from sklearn_hypergrad.training import GradientDescent, Training, training_of
from sklearn_hypergrad.tuning.bounds import space_of
from sklearn_hypergrad.tuning.deadline import Deadline
from sklearn_hypergrad.tuning.events import INTERRUPTED, Events, Stage, Stopped
from sklearn_hypergrad.tuning.minimize import ProblemTerm
from sklearn_hypergrad.tuning.objective import Objective
from sklearn_hypergrad.tuning.online_objective import OnlineObjective
from sklearn_hypergrad.tuning.trail import BEST, LAST, SeenOuter, Trail
from sklearn_hypergrad.tuning.training_objective import TrainedObjective


@dataclasses.dataclass(frozen=True)
class Tuned:
    """The result of :func:`tune`.

    Attributes
    ----------
    h : dict
        Hyperparameters found, in natural units, nested as they were given; numbers are NumPy's.
    w : nested structure
        The weights that belong to ``h``, as they were when it was evaluated.
    value : float
        The outer objective there: the mean over splits.
    values : ndarray of shape (n_evaluations,)
        The outer objective of all evaluations, infinite where it was not finite.
    path : list of dict
        Hyperparameters of all evaluations. Of long vectors only as many as fit into 64 MiB, evenly
        spread; None takes the place of the others.
    statuses : list of tuple of Status
        Statuses of all evaluations; their values are remedies, "" if all is well.
    kept : int
        The number of the evaluation that ``h`` and ``w`` are from.
    converged : bool
        Whether the optimizer reached its tolerance.
    message : str
        Why it ended.
    warning : str
        A problem on the way there, with a remedy; or "".
    """

    h: dict
    w: object
    value: float
    values: np.ndarray
    path: list
    statuses: list[tuple[Status, ...]]
    kept: int
    converged: bool
    message: str
    warning: str = ""


@dataclasses.dataclass(frozen=True)
class Draws:
    """A training that is drawn anew for every evaluation: other initial weights, other batches.

    Attributes
    ----------
    make : callable
        ``make(n)`` returns the Training of evaluation ``n``, from 0 on.
    """

    make: object


def tune(  # noqa: PLR0913
    inner: Any,
    outer: Callable,
    h: dict[str, Any],
    start: Any = None,
    *,
    method: Any = None,
    bounds: dict[str, Any] | None = None,
    optimizer: Optimizer | None = None,
    n_outer: int = 50,
    keep: str = BEST,
    outer_batches: Any = None,
    backend: str = "auto",
    tol: float = 1e-3,
    inner_tol: float = 1e-8,
    max_time: float | None = None,
    callback: Callable | None = None,
) -> Tuned:
    """Minimise ``outer(w*(h), h)`` over ``h``, where ``w*(h)`` minimises ``inner(w, h)``.

    Functions are written with autograd.numpy or jax.numpy. With a method that differentiates
    training, ``w*(h)`` are the last weights of a training run; with one that tunes while training
    runs, there is one run, and ``w*(h)`` are its weights at that time.

    Parameters
    ----------
    inner : callable, InnerProblem, Training or Draws
        ``inner(w, h)``, one number; or a problem; or a training with batches and dynamics.
    outer : callable
        ``outer(w, h)``, one number, or an array of shape (n_splits,), whose mean is minimised. For
        a problem whose weights are not nested: ``outer(w, h) -> (values, gradient in w, dict of
        direct gradients in h)``.
    h : dict of str -> float, ndarray, or dict and list of these
        Hyperparameters to begin with, in natural units; nested to any depth.
    start : nested structure, default=None
        Initial weights, if ``inner`` is a function: dicts, lists and tuples of arrays and floats.
    method : Hypergradient or OnlineHypergradient, default=None
        How trained weights are differentiated. None is Implicit(), and Reverse() for a training. A
        function is trained by gradient descent where a method needs a training.
    bounds : dict, default=None
        Names in ``h`` with pairs ``(low, high)``, whose ends may be None, or a Continuous; those of
        a dict or list of hyperparameters hold for all in it. Positive hyperparameters move on a
        logarithmic scale, unless bounds allow others, or span a ratio below 10; momenta and decays
        of dynamics on a logit scale; others, and with ``(-inf, inf)`` any, in natural units.
    optimizer : Optimizer, default=None
        None is LBFGS() where the hypergradient is exact and the same at every call, else Adam(),
        whose steps are 0.2 on the scale of the hyperparameter.
    n_outer : int, default=50
        Number of steps of the optimizer; Adam makes one evaluation per step. Methods that tune
        while training runs divide the training by it.
    keep : {"best", "last"}, default="best"
        Which of the evaluations is returned, with its weights: that of the lowest value, or the
        last. If values are drawn anew the lowest is in part a matter of luck.
    outer_batches : object, default=None
        Batches of validation samples, such as Epochs: evaluation ``t`` is that of ``outer(w, h,
        rows)`` with its ``rows(t)``. None: ``outer`` takes no rows.
    backend : {"auto", "autograd", "jax"}, default="auto"
        What functions are written with; "auto" sees at the first call which it is.
    tol : float, default=1e-3
        Accuracy of hyperparameters on the scale on which they move: 0.1 % on a logarithmic one.
    inner_tol : float, default=1e-8
        Accuracy of ``w*(h)``, if it is solved for: line searches compare values that differ little.
    max_time : float, default=None
        Seconds after which the result so far is returned; None is no limit. The first evaluation is
        always made.
    callback : callable, default=None
        ``callback(point)`` is called after every evaluation, with ``point.number``, ``h``, ``w``,
        ``value``, ``values``, ``statuses`` and ``seconds``. It may raise ``Stopped(reason)``.

    Returns
    -------
    Tuned
        If it is stopped by the callback, by ``max_time`` or by Ctrl-C, what was found until then.

    Raises
    ------
    TypeError
        If there is no start, a function is not written with autograd.numpy or jax.numpy, or the
        method does not go with ``inner``.
    ValueError
        If nothing depends on a hyperparameter, it is out of its bounds, or the first evaluation is
        not finite.
    KeyboardInterrupt
        If Ctrl-C is pressed before the first evaluation has ended.

    See Also
    --------
    minimize : The same for several problems, each with its outer objective.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from sklearn_hypergrad.tuning import tune
    >>> tuned = tune(
    ...     lambda w, h: np.sum((w - 3.0) ** 2) + h["alpha"] * np.sum(w**2),
    ...     lambda w, h: np.sum((w - 1.0) ** 2),
    ...     {"alpha": 1.0},
    ...     start=np.zeros(2),
    ... )
    >>> print(round(tuned.h["alpha"], 3), tuned.w.round(3))
    2.0 [1. 1.]
    """
    _check(keep, n_outer, max_time)
    h = numbers_of(h)
    problem = inner.make(0) if isinstance(inner, Draws) else _problem(inner, start, backend)
    method, structure = _method(method, problem), structure_of(problem)
    if isinstance(method, OnlineHypergradient):
        problem = training_of(problem, h, GradientDescent())
    space = space_of(h, bounds, problem)
    seen = SeenOuter(_objective_of(outer, structure, backend, outer_batches))
    trail = Trail(seen, structure.unflatten if structure else lambda w: w, keep, callback)
    events = _events(trail, max_time)
    if isinstance(method, OnlineHypergradient):
        objective = _online(space, problem, seen, method, events, n_outer, isinstance(inner, Draws))
    else:
        make = inner.make if isinstance(inner, Draws) else None
        objective = _offline(space, problem, seen, method, events, make)
        objective.tol = inner_tol
    if outer_batches is not None:
        objective.noisy = True
    # The rate of gradient descent follows the curvature, which counts as fixed: not quite exact.
    exact = objective.noisy or method.exact
    if not objective.noisy and method.through_training:
        exact = exact and isinstance(problem, Training)
    optimizer = _optimizer(optimizer, objective.noisy, exact)
    return _run(objective, optimizer, space.to_theta(h), trail, tol, n_outer)


def _run(objective, optimizer, theta, trail, tol, n_outer):
    facts = {"noisy": True} if objective.noisy else {}
    converged, warning = False, ""
    try:
        end = optimizer.minimize(
            objective, theta, objective.space.bounds, tol=tol, max_iter=n_outer, **facts
        )
        converged, warning = end.converged, end.warning
        message = end.message.replace("max_iter", "n_outer")
    except (Stopped, KeyboardInterrupt) as stop:
        message = getattr(stop, "reason", INTERRUPTED)
        if trail.kept is None and message == INTERRUPTED:
            raise KeyboardInterrupt("interrupted before the first evaluation has ended") from None
    if trail.kept is None:
        raise ValueError(f"The outer objective is not finite at the start. {trail.error}".strip())
    if message == INTERRUPTED:
        message = f"{INTERRUPTED} after {_counted(len(trail.values))}"
        told = f"Tuning was {message}; the result is what was found until then."
        warnings.warn(told, HypergradWarning, stacklevel=3)
    return Tuned(
        trail.h,
        trail.w,
        trail.values[trail.kept],
        np.array(trail.values),
        trail.path,
        trail.statuses,
        trail.kept,
        converged,
        message,
        warning,
    )


def _counted(n):
    return f"{n} evaluation{'s' * (n > 1)}"


def _check(keep, n_outer, max_time):
    if keep not in (BEST, LAST):
        raise ValueError(f"keep must be {BEST!r} or {LAST!r}, got {keep!r}.")
    if not n_outer >= 1:
        raise ValueError(f"n_outer must be at least 1, got {n_outer!r}.")
    if max_time is not None and not max_time > 0:
        raise ValueError(f"max_time must be a positive number of seconds, got {max_time!r}.")


def _problem(inner, start, backend):
    if start is not None:
        return AutogradProblem(inner, start, backend=backend)
    if callable(inner):
        raise TypeError(f"A start is needed beside the inner loss {inner!r}.")
    return inner


def _method(method, problem):
    if method is None:
        return Reverse() if isinstance(problem, Training) else Implicit()
    if isinstance(method, OnlineHypergradient):
        return method
    if not isinstance(method, Hypergradient):
        raise TypeError(f"method must be None or such as Implicit() or Reverse(), got {method!r}.")
    check_trains(problem, method)
    return method


def _objective_of(outer, structure, backend, batches):
    """``outer`` as methods take it: with derivatives, and the rows of its turn."""
    known = structure is None or isinstance(outer, AutogradLoss)
    if batches is None:
        return outer if known else AutogradLoss(outer, structure, backend=backend)
    count = itertools.count()

    def of_batch(w, h):
        rows = (batches.rows(next(count)),)
        if known:
            return outer(w, h, *rows)
        return AutogradLoss(outer, structure, backend=backend, data=rows)(w, h)

    return of_batch


def _events(trail, max_time):
    if max_time is None:
        return Events((trail,))
    deadline = Deadline(max_time)
    return Events((deadline, trail), watch=deadline.check)


def _online(space, training, outer, method, events, n_outer, drawn):
    if drawn:
        raise ValueError(f"{method!r} trains once, and Draws are for many trainings.")
    objective = OnlineObjective(
        space,
        [ProblemTerm(training, outer, method)],
        Stage(),
        events,
        make_terms=None,
        method=method,
        n_outer=n_outer,
    )
    objective.records = Numbers()
    return objective


def _offline(space, problem, outer, method, events, make):
    terms = [ProblemTerm(problem, outer, method)]
    if not method.through_training:
        return Objective(space, terms, Stage(), events)

    def make_terms(n):
        return [ProblemTerm(make(n), outer, method)]

    return TrainedObjective(
        space, terms, Stage(), events, make_terms=make_terms, fresh=make is not None
    )


class Numbers(list):
    """Records without the vectors in them, which would fill the memory in a long training."""

    def append(self, record):
        none = np.empty(0)
        super().append(dataclasses.replace(record, theta=none, h={}, gradient=none))


def _optimizer(optimizer, noisy, exact):
    if optimizer is None:
        return LBFGS() if exact and not noisy else Adam()
    if noisy and not optimizer.accepts_noise:
        raise ValueError(
            f"{optimizer!r} compares values, and these are not the same at every call. Use Adam()."
        )
    return optimizer
