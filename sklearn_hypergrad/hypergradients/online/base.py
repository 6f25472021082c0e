"""Base classes of methods that tune while training runs: settings, and a running session."""

import abc
import numbers

import numpy as np

from sklearn_hypergrad.hypergradients.base import Evaluation, meant
from sklearn_hypergrad.problems import STATUSES
from sklearn_hypergrad.training import Run

SCHEDULED = (
    "Cannot tune with {!r} where {} has a value for every step: hyperparameters move while "
    "training runs, and steps that are over do not come back. Give one value for all steps, or use "
    "hypergradient='reverse'."
)
# Number of steps ahead in which a hyperparameter is looked for that no step has needed yet. Chosen
# by hand: an epoch of most trainings.
AHEAD = 100
START = "there is one start, before the first outer step. Use hypergradient='reverse'"


class OnlineHypergradient(abc.ABC):
    """Base class of methods that train once, and move hyperparameters every few steps.

    An instance holds settings only; a Session holds the running training.

    Parameters
    ----------
    n_steps : int, default=None
        Steps of training between two outer steps. None divides the usual number of training steps
        by the number of outer steps, so that all together take about one training.

    Raises
    ------
    ValueError
        If ``n_steps`` is not a positive integer or None.
    """

    def __init__(self, n_steps: int | None = None):
        if n_steps is not None and not (isinstance(n_steps, numbers.Integral) and n_steps >= 1):
            raise ValueError(f"n_steps must be an integer of at least 1, or None, got {n_steps!r}.")
        self.n_steps = n_steps

    def begin(self, training, h, n_outer):
        """Start the training.

        Parameters
        ----------
        training : Training
        h : dict
            Hyperparameters to begin with, in natural units.
        n_outer : int
            Number of outer steps that are planned.

        Returns
        -------
        Session

        Raises
        ------
        ValueError
            If the method does not reach these hyperparameters, as for ``check``.
        """
        self.check(training, h)
        training = training.settled(h)
        return self._session(training, h, self.n_steps or max(1, round(training.n_steps / n_outer)))

    def check(self, training, h):
        """Check that the method reaches these hyperparameters, without training.

        Parameters
        ----------
        training : Training
        h : dict
            The hyperparameters that are tuned.

        Raises
        ------
        ValueError
            If one of them is a schedule over steps, acts only at the start of training, or is out
            of reach of this method.
        """
        # Not training.run, which may train in order to find the length of the training.
        run = Run(training, h)
        scheduled = run.schedules()
        if scheduled:
            raise ValueError(SCHEDULED.format(self, _listed(scheduled)))
        of_start = run.start_vjp(np.zeros_like(run.start().w)).keys()
        for names, reason in (*self._obstacles(training), (of_start, START)):
            tuned = [name for name in h if name in names]
            if tuned:
                raise ValueError(f"Cannot tune {_listed(tuned)} with {self!r}: {reason}.")

    def _obstacles(self, training):
        """Pairs of names of hyperparameters that this method does not reach, and the reason."""
        return ()

    @abc.abstractmethod
    def _session(self, training, h, n_steps):
        """The Session at the start of training."""


class Session(abc.ABC):
    """A running training whose hyperparameters may change every ``n_steps`` steps.

    Parameters
    ----------
    method : OnlineHypergradient
        The method, for messages.
    training : Training
    h : dict
        Hyperparameters to begin with.
    n_steps : int
        Number of steps of an ``advance``.

    Attributes
    ----------
    t : int
        Number of steps taken so far.
    n_steps : int
        Number of steps of an ``advance``.
    """

    def __init__(self, method, training, h, n_steps):
        self._method, self._training = method, training
        self.t, self.n_steps = 0, n_steps
        # Names that the training or the outer objective depends on.
        self._reached = set()
        start = training.run(h).start()
        # The start may be an array of the problem, and steps may be taken in place: copy it.
        start.w = start.w.copy()
        self._state = start

    @property
    def w(self):
        """The current weights, shaped as the outer objective takes them: a read-only view."""
        w = self._state.w.view()
        w.flags.writeable = False
        return self._training.problem.shaped(w)

    def advance(self, h, outer):
        """Train for ``n_steps`` steps, and differentiate the outer objective there.

        Parameters
        ----------
        h : dict
            Hyperparameters of these steps, in natural units.
        outer : callable
            ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``.

        Returns
        -------
        Evaluation
            Its ``w`` is a view of the weights of the session, which change with the next steps.

        Raises
        ------
        Diverged
            If the training loss or a weight is not finite. The session must then be restored before
            it can go on.
        ValueError
            If neither training nor the outer objective depends on a hyperparameter.
        """
        run, problem = self._training.run(h), self._training.problem
        # Overflow means divergence, which ``run.check`` reports.
        with np.errstate(over="ignore", invalid="ignore"):
            pull = self._train(run, self.t + self.n_steps)
            self.t += self.n_steps
            run.check(self._state.w, self.t)
            values, grad_w, direct = outer(self.w, h)
            indirect, solved, n_gradients = pull(grad_w.reshape(-1))
        self._check_reached(run, h, {**indirect, **direct})
        return Evaluation(
            values=values,
            gradient={name: _sum(name, value, direct, indirect) for name, value in h.items()},
            warm_start=None,
            statuses=(problem.status(self._state.w, h), STATUSES[solved.status]),
            n_solves=self.n_steps + n_gradients,
            w=self.w,
            linear_iterations=solved.n_iter,
            linear_residual=solved.residual,
        )

    @abc.abstractmethod
    def save(self):
        """A copy of the current state, for ``restore``; it can be restored several times."""

    @abc.abstractmethod
    def restore(self, saved):
        """Go back to the state ``saved``: the same steps then give the same weights again."""

    @abc.abstractmethod
    def _train(self, run, last):
        """Take the steps from ``t`` to ``last - 1``, and return a function that differentiates.

        Returns
        -------
        pull : callable
            ``pull(grad_w) -> (gradient, solved, n_gradients)``: the hypergradient of a loss with
            the gradient ``grad_w`` in the weights, the Solved of its linear system, and the number
            of gradients of batches computed for it.
        """

    def _check_reached(self, run, h, reached):
        self._reached |= reached.keys()
        unknown = h.keys() - self._reached
        if not unknown:
            return
        # It may be that other batches than those so far need it.
        still = np.zeros_like(self._state.w)
        for t in range(self.t, self.t + AHEAD):
            self._reached |= run.linearize(self._state.w, t).cross(still).keys()
            if h.keys() <= self._reached:
                return
        unknown = [name for name in h if name not in self._reached]
        raise ValueError(
            f"Cannot tune {_listed(unknown)} with {self._method!r}: neither training nor the "
            f"outer objective depends on it.{meant(unknown[0], self._training)}"
        )


def _listed(names):
    return ", ".join(map(repr, names))


def _sum(name, value, direct, indirect):
    """The derivative in one hyperparameter, shaped like its value."""
    if name not in indirect:
        return direct.get(name, np.zeros(np.shape(value)))
    part = np.reshape(indirect[name], np.shape(value))
    # Vectors may be as long as the weights: no zeros are added.
    return part + direct[name] if name in direct else part
