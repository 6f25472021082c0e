"""Tuning without scikit-learn: ``minimize`` takes inner problems, outer losses and a space."""

import dataclasses

import numpy as np

from sklearn_hypergrad.tuning.deadline import Deadline
from sklearn_hypergrad.tuning.events import Events, Stage, Stopped
from sklearn_hypergrad.tuning.objective import Objective, lowest
from sklearn_hypergrad.tuning.training_objective import TrainedObjective


class ProblemTerm:
    """An inner problem and an outer function of its weights, without predictions.

    Parameters
    ----------
    problem : InnerProblem or Training
        The problem whose weights are trained.
    outer : callable
        ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``, with values of
        shape (n_splits,) and gradients of their sum.
    method : Hypergradient
        How the trained weights are differentiated.
    """

    def __init__(self, problem, outer, method):
        self.problem, self.outer, self._method = problem, outer, method

    @property
    def iterative(self):
        """Whether a more accurate solution takes longer."""
        return getattr(self.problem, "iterative", True)

    def evaluate(self, h, start, tol, **options):
        """The Evaluation at hyperparameters ``h``; arguments are those of the method."""
        return self._method.evaluate(self.problem, self.outer, h, start, tol, **options)


@dataclasses.dataclass(frozen=True)
class Minimized:
    """The result of :func:`minimize`.

    Attributes
    ----------
    h : dict
        The hyperparameters found, in natural units.
    record : Record
        The evaluation there: value, gradient, losses of the splits, statuses.
    records : list of Record
        All evaluations.
    converged : bool
        Whether the optimizer reached its tolerance.
    message : str
        Why the optimizer ended.
    warning : str
        A problem on the way there, with a remedy; or "".
    """

    h: dict
    record: object
    records: list
    converged: bool
    message: str
    warning: str = ""


def minimize(  # noqa: PLR0913
    problems,
    outers,
    space,
    hypergradient,
    optimizer,
    *,
    start=None,
    tol=1e-3,
    max_iter=50,
    inner_tol=1e-8,
    listeners=(),
    max_time=None,
):
    """Minimise the mean of outer losses over the hyperparameters of inner problems.

    That is, ``min_h mean_s outer_s(w_s(h), h)`` with ``w_s(h)`` the solution of the inner problem
    s, or the last weights of its training run (Lorraine, Vicol, Duvenaud 2020, "Optimizing Millions
    of Hyperparameters by Implicit Differentiation", equation 1).

    Parameters
    ----------
    problems : list of InnerProblem or Training
        The problems whose weights are trained.
    outers : list of callable
        One for each problem: ``outer(w, h) -> (values, gradient in w, dict of direct gradients in
        h)``, with values of shape (n_splits,).
    space : Space
        The hyperparameters that are tuned, their scales and bounds.
    hypergradient : Hypergradient
        How trained weights are differentiated.
    optimizer : Optimizer
        How hyperparameters move.
    start : dict, default=None
        Hyperparameters to begin with; None is the start of every dimension of the space.
    tol : float, default=1e-3
        Accuracy in theta, the scale on which the optimizer moves: 0.1 % of a positive number on a
        logarithmic scale. At a minimum such an error changes the loss by about its square.
    max_iter : int, default=50
        Largest number of iterations of the optimizer.
    inner_tol : float, default=1e-8
        Accuracy of inner solutions, relative to the scale of the data. Line searches compare values
        that differ little, so it is much finer than ``tol``.
    listeners : sequence of callable, default=()
        ``listener(stage, record, settings)`` is called after every evaluation, and may raise
        ``Stopped(reason)``.
    max_time : float, default=None
        Seconds after which the best evaluation so far is returned; None is no limit. Looked at
        before every evaluation, and before every step of a training run. The first evaluation is
        always made.

    Returns
    -------
    Minimized
        The point of the lowest value among those whose inner problems were solved, so far if it was
        stopped by a listener or by ``max_time``, or interrupted by Ctrl-C; if values are noisy and
        it was not stopped, the last point of the optimizer.

    Raises
    ------
    Stopped
        If it is stopped before the first evaluation has ended.
    ValueError
        If neither an inner problem nor an outer loss depends on one of the hyperparameters, or
        ``max_time`` is not positive.
    """
    terms = [ProblemTerm(*pair, hypergradient) for pair in zip(problems, outers, strict=True)]
    events = Events(tuple(listeners))
    if max_time is not None:
        if not max_time > 0:
            raise ValueError(f"max_time must be a positive number of seconds, got {max_time!r}.")
        deadline = Deadline(max_time)
        events = Events((deadline, *listeners), watch=deadline.check)
    if hypergradient.through_training:
        objective = TrainedObjective(space, terms, Stage(), events, make_terms=None, fresh=False)
    else:
        objective = Objective(space, terms, Stage(), events)
    objective.tol = inner_tol
    if start is None:
        start = {d.name: np.reshape(d.starts, d.shape) for d in space.dimensions}
    theta = space.to_theta(start)
    try:
        return descend(objective, optimizer, theta, tol=tol, max_iter=max_iter)
    except Stopped as stopped:
        if not objective.records:
            raise
        best = objective.best
        return Minimized(best.h, best, objective.records, False, stopped.reason)


def descend(objective, optimizer, theta, *, tol, max_iter):
    """Minimise an objective from ``theta``, and pass on the facts that the optimizer accepts.

    Parameters
    ----------
    objective : Objective
    optimizer : Optimizer
    theta : ndarray of shape (size,)
    tol : float
    max_iter : int
        The last two are those of :func:`minimize`.

    Returns
    -------
    Minimized

    Raises
    ------
    Stopped
        If the objective is stopped, which has all evaluations.
    """
    facts = {"noisy": objective.noisy} if optimizer.accepts_noise else {}
    end = optimizer.minimize(
        objective, theta, objective.space.bounds, tol=tol, max_iter=max_iter, **facts
    )
    record = objective.final(end.z)
    if not objective.noisy:
        record = lowest([record, *objective.records])
        # Only the values of some points are known.
        if not np.isfinite(record.gradient).all():
            record = objective.record(record.theta)
    return Minimized(record.h, record, objective.records, end.converged, end.message, end.warning)
