"""No state stored: steps are undone, bit by bit."""

import functools

import numpy as np

from sklearn_hypergrad.exact import Decay, ExactArray, LatticeOverflow
from sklearn_hypergrad.training.dynamics import State
from sklearn_hypergrad.training.run import RANDOM, NotRepeated
from sklearn_hypergrad.training.trajectories.base import Step, Trajectory

# Every step is met twice, and most runs have one momentum only.
fraction = functools.lru_cache(2**14)(Decay.of)


class NotReversed(NotRepeated):
    """Raised if a training run that was undone does not end at its start, bit for bit."""


class Reversed(Trajectory):
    """A run in exact numbers that is undone bit for bit (Maclaurin, Duvenaud, Adams 2015).

    An addition is undone by subtracting the same number, which the gradient at the same weights
    gives again. A multiplication of the velocity by the momentum is undone with an information
    buffer, which keeps the digits that would be lost (their algorithm 3). Momenta are rounded to
    fractions; ``rates`` has the rounded ones. Numbers are integers in units that follow the data,
    see :class:`~sklearn_hypergrad.exact.ExactArray`.

    Parameters
    ----------
    run : Run
        A run whose dynamics can be reversed.

    Attributes
    ----------
    n_bits : float
        Information that is held after training.

    Raises
    ------
    LatticeOverflow
        If weights or velocities become infinite or NaN.
    """

    def __init__(self, run):
        self._run = run
        start = run.start()
        self._dtype = start.w.dtype
        self._sums = np.empty(run.n_steps, np.uint32)
        self._x, self._v = ExactArray(start.w), ExactArray(start.slots[0], run.groups.sizes)
        self.n_gradients = 0
        self.final = State(self._floats(self._x), (self._floats(self._v),))
        for t in range(run.n_steps):
            self.final = self._advance(t, self.final)
        self.n_bits = self._x.n_bits + self._v.n_bits
        self.nbytes = sum(part.nbytes for part in (self._x, self._v, self._sums))

    def backwards(self):
        after = self.final
        for t in reversed(range(self._run.n_steps)):
            before, linearization, rates = self._undo(t, after)
            yield Step(t, before, after, linearization, rates)
            after = before
        self._verify()

    def _advance(self, t, before):
        self._sums[t] = self._checksum()
        self.n_gradients += 1
        rates, decays = self._rates(t)
        linearization = self._run.linearize(before.w, t)
        dynamics = self._run.dynamics
        try:
            self._v.decay(decays)
            self._v.add(dynamics.velocity_update(linearization.gradient, rates))
            v = self._floats(self._v)
            self._x.add(dynamics.weight_update(v, rates))
        except LatticeOverflow as overflow:
            raise LatticeOverflow(
                f"Training diverges: weights or velocities are not finite after step {t} of "
                f"{self._run.n_steps}. Use a smaller learning rate or momentum."
            ) from overflow
        return State(self._floats(self._x), (v,))

    def _undo(self, t, after):
        rates, _ = self._rates(t)
        dynamics = self._run.dynamics
        self._x.take_back(dynamics.weight_update(after.slots[0], rates))
        w = self._floats(self._x)
        linearization = self._run.linearize(w, t)
        try:
            self._v.take_back(dynamics.velocity_update(linearization.gradient, rates))
        except LatticeOverflow as other:
            raise self._not_undone(t) from other
        self._v.undo_decay()
        if self._checksum() != self._sums[t]:
            raise self._not_undone(t)
        self.n_gradients += 1
        return State(w, (self._floats(self._v),)), linearization, rates

    def _rates(self, t):
        """Rates per weight, with momenta as fractions; the fraction of every group."""
        rates = self._run.rates(t)
        momenta = np.broadcast_to(rates["momentum"], len(self._run.groups.sizes))
        decays = [fraction(float(momentum)) for momentum in momenta]
        values = np.array([decay.value for decay in decays])
        momentum = values if np.ndim(rates["momentum"]) else float(values[0])
        return self._run.spread({**rates, "momentum": momentum}, self._dtype), decays

    def _not_undone(self, t):
        return NotReversed(
            f"Step {t} of {self._run.n_steps} was not undone exactly: {RANDOM}. If it does not, "
            f"use hypergradient='reverse', which stores the states."
        )

    def _floats(self, array):
        return array.values().astype(self._dtype, copy=False)

    def _checksum(self):
        """Sums of both, folded to 32 bits: hardly ever the same with another bit anywhere."""
        mixed = (self._x.checksum * 3 + self._v.checksum) % 2**64
        return (mixed ^ mixed >> 32) % 2**32

    def _verify(self):
        pairs = zip((self._x, self._v), self._run.start().arrays, strict=True)
        if not all(array.began_with(values) for array, values in pairs):
            raise NotReversed("Training was undone to another start than it came from.")
