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
    gives again. A multiplication of a velocity by the momentum is undone with an information
    buffer, which keeps the digits that would be lost (their algorithm 3), and so is that of any
    slot by its decay. Decays are rounded to fractions; ``rates`` has the rounded ones. Numbers are
    integers in units that follow the data, see ``exact.ExactArray``.

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
        If weights or slots become infinite or NaN.
    """

    def __init__(self, run):
        self._run, self._dynamics = run, run.dynamics
        start = run.start()
        self._dtype = start.w.dtype
        self._sums = np.empty(run.n_steps, np.uint32)
        self._w = ExactArray(start.w)
        pairs = zip(start.slots, self._dynamics.decays, strict=True)
        self._slots = [ExactArray(s, run.groups.sizes if decay else ()) for s, decay in pairs]
        self._arrays = [self._w, *self._slots]
        self.n_gradients = 0
        self.final = State.of_rows([self._floats(array) for array in self._arrays])
        for t in range(run.n_steps):
            self.final = self._advance(t, self.final)
        self.n_bits = sum(array.n_bits for array in self._arrays)
        self.nbytes = sum(part.nbytes for part in (*self._arrays, self._sums))

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
        g = self._run.linearize(before.w, t).gradient
        slots = list(before.slots)
        try:
            for number in self._dynamics.order:
                slot, decay = self._slots[number], self._dynamics.decays[number]
                if decay:
                    slot.decay(decays[decay])
                slot.add(self._dynamics.slot_update(number, g, slots, rates, t))
                slots[number] = self._floats(slot)
            self._w.add(self._dynamics.weight_update(slots, rates, t))
        except LatticeOverflow as overflow:
            raise LatticeOverflow(
                f"Training diverges: weights or velocities are not finite after step {t} of "
                f"{self._run.n_steps}. Use a smaller learning rate or momentum."
            ) from overflow
        return State(self._floats(self._w), tuple(slots))

    def _undo(self, t, after):
        rates, _ = self._rates(t)
        self._w.take_back(self._dynamics.weight_update(after.slots, rates, t))
        w = self._floats(self._w)
        linearization = self._run.linearize(w, t)
        try:
            self._undo_slots(t, after.slots, linearization.gradient, rates)
        except LatticeOverflow as other:
            raise self._not_undone(t) from other
        if self._checksum() != self._sums[t]:
            raise self._not_undone(t)
        self.n_gradients += 1
        before = State(w, tuple(map(self._floats, self._slots)))
        return before, linearization, rates

    def _undo_slots(self, t, after, g, rates):
        # An update looks at slots that moved earlier only, and these stand as they did then.
        for number in reversed(self._dynamics.order):
            slot = self._slots[number]
            slot.take_back(self._dynamics.slot_update(number, g, after, rates, t))
            if self._dynamics.decays[number]:
                slot.undo_decay()

    def _rates(self, t):
        """Rates per weight, with decays as fractions; the fractions of every group, by name."""
        rates, decays = self._run.rates(t), {}
        for name in filter(None, self._dynamics.decays):
            values = np.broadcast_to(rates[name], len(self._run.groups.sizes))
            decays[name] = [fraction(float(value)) for value in values]
            used = [decay.value for decay in decays[name]]
            rates[name] = np.array(used) if np.ndim(rates[name]) else used[0]
        return self._run.spread(rates, self._dtype), decays

    def _not_undone(self, t):
        return NotReversed(
            f"Step {t} of {self._run.n_steps} was not undone exactly: {RANDOM}. If it does not, "
            f"use hypergradient='reverse', which stores the states."
        )

    def _floats(self, array):
        return array.values().astype(self._dtype, copy=False)

    def _checksum(self):
        """Sums of all, folded to 32 bits: hardly ever the same with another bit anywhere."""
        sums = [array.checksum for array in reversed(self._arrays)]
        mixed = sum((2 * i + 1) * part for i, part in enumerate(sums)) % 2**64
        return (mixed ^ mixed >> 32) % 2**32

    def _verify(self):
        pairs = zip(self._arrays, self._run.start().arrays, strict=True)
        if not all(array.began_with(values) for array, values in pairs):
            raise NotReversed("Training was undone to another start than it came from.")
