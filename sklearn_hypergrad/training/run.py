"""Training runs: what is trained, how, for how many steps, and with which hyperparameters."""

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.spaces import flattened
from sklearn_hypergrad.training.dynamics import Dynamics, State
from sklearn_hypergrad.training.groups import Groups
from sklearn_hypergrad.training.schedules import Schedule, Whole
from sklearn_hypergrad.wording import suggestion

# Number of weights that a step in place moves at a time. Chosen by hand: temporary arrays of
# 256 KiB stay in the cache.
PIECE = 2**15


# Said of a gradient that is not the same twice.
RANDOM = (
    "its gradient was another one when the loss was called again. A training loss must not draw "
    "random numbers when it is called, but with the generator that AutogradTraining(seed=0) gives "
    "it, or from a seed that rows determine"
)


class Diverged(ArithmeticError):
    """Raised if the training loss or a weight is not finite any more."""


class NotRepeated(ArithmeticError):
    """Raised if a gradient of a training run is another one when it is computed again."""


@contextlib.contextmanager
def explained():
    """Raise Diverged as the ValueError that users of an estimator get."""
    try:
        yield
    except Diverged as error:
        raise ValueError(f"{error} Standardised data allow for larger ones.") from error


@dataclasses.dataclass(frozen=True)
class Training:
    """A training procedure whose hyperparameters are not set yet.

    Attributes
    ----------
    problem : TrainableProblem
    dynamics : Dynamics
    batches : object
        ``rows(t)`` of the samples at step ``t``.
    n_steps : int
    settings : dict
        Values of the hyperparameters that are not tuned.
    watch : callable or None
        ``watch()`` is called at every step, and may raise to end a long run.
    """

    problem: Any
    dynamics: Dynamics
    batches: Any
    n_steps: int
    settings: dict = dataclasses.field(default_factory=dict)
    watch: Callable | None = None

    def run(self, h):
        """The Run with hyperparameters ``h``, a dict in natural units; nested to any depth.

        Raises
        ------
        ValueError
            If a schedule has another shape than the legal ones, or a rate has no value.
        """
        return Run(self, flattened(h))

    def settled(self, h):
        """The same, with as many steps for all hyperparameters as there are with ``h``."""
        return self


class Run:
    """A training procedure with hyperparameters.

    Attributes
    ----------
    n_steps : int
    dynamics : Dynamics
    groups : Groups
    """

    def __init__(self, training, h):
        self._problem, self._batches = training.problem, training.batches
        self._watch = training.watch
        self.n_steps, self.dynamics = training.n_steps, training.dynamics
        self.groups = Groups(training.problem.group_sizes)
        self._tuned = tuple(h)
        self._values = {**training.settings, **h}
        missing = [name for name in self.dynamics.names if name not in self._values]
        if missing:
            alike = suggestion(missing[0], self._values)
            raise ValueError(f"Training with {self.dynamics!r} needs {', '.join(missing)}.{alike}")
        self._schedules = {name: self._schedule(name) for name in self._values}
        self._of_loss = [name for name in self._values if name not in self.dynamics.names]

    def start(self):
        """The state before the first step."""
        return self.dynamics.start(self._problem.initial(self._values))

    def linearize(self, w, t):
        """The Linearization of the training loss at step ``t``.

        Raises
        ------
        Diverged
            If the loss is not finite; names the step.
        """
        if self._watch is not None:
            self._watch()
        linearization = self._linearized(w, t)
        if not np.isfinite(linearization.value):
            raise Diverged(
                f"The training loss is {linearization.value} at step {self._step(t)}. Use a "
                f"smaller learning rate or momentum."
            )
        return linearization

    def rates(self, t):
        """Hyperparameters of the dynamics at step ``t``: floats, or one value per group."""
        return {name: self._schedules[name].at(t) for name in self.dynamics.names}

    def spread(self, rates, dtype):
        """Rates per group as floats or, where they differ, as one per weight."""
        return {name: self.groups.spread(value, dtype) for name, value in rates.items()}

    def advance(self, state, t, out):
        """Write the state after step ``t`` to ``out``; returns the Linearization at ``state``."""
        linearization = self.linearize(state.w, t)
        rates = self.spread(self.rates(t), state.w.dtype)
        self.dynamics.step(state, linearization.gradient, rates, t, out)
        return linearization

    def move(self, state, t):
        """Take step ``t`` in place: as ``advance``, bit by bit, in less memory."""
        g = self.linearize(state.w, t).gradient
        rates = self.spread(self.rates(t), state.w.dtype)
        for first in range(0, g.size, PIECE):
            part = slice(first, first + PIECE)
            piece = State(state.w[part], tuple(slot[part] for slot in state.slots))
            of_piece = {n: rate[part] if np.ndim(rate) else rate for n, rate in rates.items()}
            self.dynamics.step(piece, g[part], of_piece, t, piece)

    def walk(self, state=None, first=0, last=None):
        """Steps ``first`` to ``last - 1`` from a state, or from the start.

        Yields
        ------
        t : int
        before, after : State
            Around step ``t``; their arrays are used again by the next step but one.
        linearization : Linearization
        """
        state = self.start() if state is None else state
        spare = [State.of_rows(np.empty((1 + len(state.slots), state.w.size), state.w.dtype))]
        spare.append(State.of_rows(np.empty_like(np.stack(spare[0].arrays))))
        for t in range(first, self.n_steps if last is None else last):
            after = spare[t % 2]
            linearization = self.advance(state, t, after)
            yield t, state, after, linearization
            state = after

    def final(self):
        """The state after the last step, without what happened on the way."""
        for _, _, after, _ in self.walk():
            state = after
        return state

    def weights(self):
        """The weights after the last step; raises Diverged unless they are finite."""
        # Where training diverges, it says so itself.
        with np.errstate(over="ignore", invalid="ignore"):
            w = self.final().w
        self.check(w)
        return w

    def check(self, w, n_taken=None):
        """Raise Diverged unless the weights after some steps, or after all, are finite."""
        if not np.isfinite(w).all():
            step = self._step((self.n_steps if n_taken is None else n_taken) - 1)
            raise Diverged(
                f"The weights are not finite after step {step}. Use a smaller learning rate or "
                f"momentum."
            )

    def check_repeats(self, w, t, gradient):
        """Raise NotRepeated unless the loss of step ``t`` has the gradient at ``w`` once more.

        Second derivatives come from further calls of the loss, so those of a loss that draws random
        numbers would belong to other draws.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            change = np.linalg.norm(self._linearized(w, t).gradient - gradient)
        # Sums may round differently where arrays lie elsewhere in memory: half of the digits. What
        # is not finite is no sign of chance.
        if change > np.sqrt(np.finfo(w.dtype).eps) * np.linalg.norm(gradient):
            raise NotRepeated(f"Step {self._step(t)} cannot be differentiated: {RANDOM}.")

    def gradient(self):
        """The Sums in which the hypergradient comes together."""
        return Sums({name: self._schedules[name] for name in self._tuned}, self.dynamics.names)

    def schedules(self):
        """Names of the hyperparameters, tuned or not, that have a value for every step."""
        return [name for name, schedule in self._schedules.items() if schedule.varies]

    def entries(self):
        """``(name, index)`` of every entry of the hyperparameters, in order."""
        return [
            (name, index)
            for name in self._tuned
            for index in np.ndindex(self._schedules[name].shape)
        ]

    def direction(self, name, index, t, dtype):
        """The direction of one entry at step ``t``: of rates, and of the loss, as dicts."""
        moved = self._schedules[name].direction(index, t)
        if moved is None:
            return {}, {}
        if name in self.dynamics.names:
            return {name: self.groups.spread(moved, dtype)}, {}
        return {}, {name: moved}

    def start_tangent(self, name, index):
        """How the start moves with one entry of a hyperparameter."""
        unit = np.zeros(self._schedules[name].shape)
        unit[index] = 1.0
        w = self._problem.initial_jvp(self._values, {name: unit})
        return self.dynamics.start(np.zeros_like(self.start().w) if w is None else w)

    def start_vjp(self, w):
        """Derivatives of the start, times ``w``, for hyperparameters that set it."""
        return self._problem.initial_vjp(self._values, w)

    def _linearized(self, w, t):
        h = {name: self._schedules[name].at(t) for name in self._of_loss}
        return self._problem.at_step(t).linearize(w, h, self._batches.rows(t))

    def _step(self, t):
        # Training that is tuned while it runs may go on beyond the steps that were asked for.
        return f"{t} of {self.n_steps}" if t < self.n_steps else f"{t}"

    def _schedule(self, name):
        value, n_groups = self._values[name], len(self.groups.sizes)
        if name in self.dynamics.names:
            return Schedule(name, value, self.n_steps, (n_groups,))
        widths = self._problem.scheduled.get(name)
        return Whole(value) if widths is None else Schedule(name, value, self.n_steps, widths)


class Sums:
    """The hypergradient while steps still add to it.

    Parameters
    ----------
    schedules : dict
        Of the hyperparameters that are tuned.
    known : iterable of str
        Those of the dynamics; others are known once something was added to them.
    """

    def __init__(self, schedules, known):
        self._schedules = schedules
        self._known = set(known)
        self._totals = {name: schedule.zeros() for name, schedule in schedules.items()}

    @property
    def unknown(self):
        """Names of hyperparameters that nothing was added to so far."""
        return self._totals.keys() - self._known

    def add(self, t, slopes):
        """Add derivatives at step ``t``, those of hyperparameters that are not tuned apart."""
        for name, slope in slopes.items():
            if name in self._totals:
                self._known.add(name)
                self._schedules[name].add(self._totals[name], t, slope)

    def add_product(self, t, groups, name, x, y, factor=1.0):
        """Add scalar products per group, times a factor."""
        if name in self._totals:
            self._schedules[name].add(self._totals[name], t, factor * groups.dots(x, y))

    def shaped(self):
        """A dict shaped like the hyperparameters, without those that training ignores."""
        return {
            name: self._schedules[name].shaped(total)
            for name, total in self._totals.items()
            if name in self._known
        }
