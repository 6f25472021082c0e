"""What every method is given and returns that tunes while training runs."""

import abc
import numbers

import numpy as np

from sklearn_hypergrad.hypergradients.base import Evaluation
from sklearn_hypergrad.problems import STATUSES
from sklearn_hypergrad.training import Run

SCHEDULED = (
    "Cannot tune with {!r} where {} has a value for every step: hyperparameters move while "
    "training runs, and steps that are over do not come back. Give one value for all steps, or use "
    "hypergradient='reverse'."
)
START = "there is one start, before the first outer step. Use hypergradient='reverse'"


class OnlineHypergradient(abc.ABC):
    """Base class of methods that train once, and move hyperparameters every few steps.

    An instance holds settings only; what has become of the weights is in a Session.

    Parameters
    ----------
    n_steps : int, default=None
        Steps of training from one outer step to the next. None is as many that all outer steps
        together are nearest to one training of the length that it has without tuning.
    """

    def __init__(self, n_steps=None):
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
            Outer steps that are to come.

        Returns
        -------
        Session

        Raises
        ------
        ValueError
            As ``check``.
        """
        self.check(training, h)
        training = training.settled(h)
        return self._session(training, h, self.n_steps or max(1, round(training.n_steps / n_outer)))

    def check(self, training, h):
        """Raise ValueError if the method does not reach these hyperparameters; nothing is trained.

        Parameters
        ----------
        training : Training
        h : dict
        """
        # Not training.run, which may train to find out how long the training is.
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
        """Pairs of hyperparameters that only this method does not reach, and why."""
        return ()

    @abc.abstractmethod
    def _session(self, training, h, n_steps):
        """The Session at the start of training."""


class Session(abc.ABC):
    """A training that runs, and whose hyperparameters may change every ``n_steps`` steps.

    Parameters
    ----------
    method : OnlineHypergradient
        For messages.
    training : Training
    h : dict
        Hyperparameters to begin with.
    n_steps : int

    Attributes
    ----------
    t : int
        Steps taken.
    n_steps : int
        Steps of an ``advance``.
    """

    def __init__(self, method, training, h, n_steps):
        self._method, self._training = method, training
        self.t, self.n_steps = 0, n_steps
        start = training.run(h).start()
        # Problems may hand out the only copy of their start, and steps may be taken in place.
        start.w = start.w.copy()
        self._state = start

    @property
    def w(self):
        """The weights as the outer objective takes them, read only: those of the session itself."""
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
            Its ``w`` are those of the session, which change with the next steps.

        Raises
        ------
        Diverged
            If the training loss or a weight is not finite. The session can only be restored then.
        ValueError
            If nothing depends on a hyperparameter.
        """
        run, problem = self._training.run(h), self._training.problem
        # Where training diverges, it says so itself.
        with np.errstate(over="ignore", invalid="ignore"):
            pull = self._train(run, self.t + self.n_steps)
            self.t += self.n_steps
            run.check(self._state.w, self.t)
            values, grad_w, direct = outer(self.w, h)
            indirect, solved, n_gradients = pull(grad_w.reshape(-1))
        self._check_reached(h, {**indirect, **direct})
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
        """What ``restore`` takes to come back to this place, as often as needed."""

    @abc.abstractmethod
    def restore(self, saved):
        """Go back to where ``saved`` was saved: the same steps give the same weights again."""

    @abc.abstractmethod
    def _train(self, run, last):
        """Take the steps from ``t`` to ``last - 1``, and tell how to differentiate there.

        Returns
        -------
        pull : callable
            ``pull(grad_w) -> (gradient, solved, n_gradients)``: the hypergradient of what has the
            gradient ``grad_w`` in the weights, what has become of its linear system, and the
            gradients of batches that it took.
        """

    def _check_reached(self, h, reached):
        unknown = [name for name in h if name not in reached]
        if unknown:
            raise ValueError(
                f"Cannot tune {_listed(unknown)} with {self._method!r}: neither training nor the "
                f"outer objective depends on it."
            )


def _listed(names):
    return ", ".join(map(repr, names))


def _sum(name, value, direct, indirect):
    """The derivative in one hyperparameter, shaped like its value."""
    if name not in indirect:
        return direct[name]
    part = np.reshape(indirect[name], np.shape(value))
    # Vectors may be as long as the weights: nothing is added that is not there.
    return part + direct[name] if name in direct else part
