"""No state stored: steps are undone, bit by bit."""

import functools

import numpy as np

from sklearn_hypergrad.exact import Decay, FixedPoint, InformationBuffer, LatticeOverflow
from sklearn_hypergrad.training.dynamics import State
from sklearn_hypergrad.training.run import RANDOM, NotRepeated
from sklearn_hypergrad.training.trajectories.base import Step, Trajectory

# Numbers below 4e3, 4e6 and 4e9, of which the smallest that will do leave the most decimals.
LATTICES = tuple(FixedPoint(bits) for bits in (50, 40, 30))
# Every step is met twice, and most runs have one momentum only.
fraction = functools.lru_cache(2**14)(Decay.of)


class NotReversed(NotRepeated):
    """Raised if a training run that was undone does not end at its start, bit for bit."""


class Reversed(Trajectory):
    """A run in fixed-point numbers that is undone exactly (Maclaurin, Duvenaud, Adams 2015).

    An addition is undone by subtracting the same number, which the gradient at the same weights
    gives again. A multiplication of the velocity by the momentum is undone with an information
    buffer, which keeps the digits that would be lost (their algorithm 3). Momenta are rounded to
    fractions; ``rates`` has the rounded ones.

    Parameters
    ----------
    run : Run
        A run whose dynamics can be reversed.

    Attributes
    ----------
    n_bits : float
        Information that the buffer holds after training.

    Raises
    ------
    LatticeOverflow
        If weights or velocities become too large for any lattice.
    """

    def __init__(self, run):
        self._run = run
        self._dtype = run.start().w.dtype
        self._sums = np.empty(run.n_steps, np.uint32)
        self.n_gradients = 0
        if not any(map(self._train, LATTICES)):
            raise LatticeOverflow(
                f"Training diverges: weights or velocities are not finite or exceed "
                f"{self._lattice.limit:.0e}. Use a smaller learning rate or momentum."
            )
        self.final = self._state()
        self.n_bits = sum(buffer.n_bits for buffer in self._buffers)
        arrays = self._x, self._v, self._sums, *self._buffers
        self.nbytes = sum(array.nbytes for array in arrays)

    def backwards(self):
        after = self.final
        for t in reversed(range(self._run.n_steps)):
            before, linearization, rates = self._undo(t)
            yield Step(t, before, after, linearization, rates)
            after = before
        self._verify()

    def _train(self, lattice):
        """Whether all steps stay on a lattice."""
        self._lattice = lattice
        self._buffers = [InformationBuffer(size) for size in self._run.groups.sizes]
        try:
            self._x = self._first()
            self._v = np.zeros_like(self._x)
            for t in range(self._run.n_steps):
                self._advance(t)
        except LatticeOverflow:
            return False
        return True

    def _first(self):
        return self._lattice.encode(self._run.start().w)

    def _advance(self, t):
        self._sums[t] = self._checksum()
        self.n_gradients += 1
        rates, decays = self._rates(t)
        linearization = self._run.linearize(self._w(), t)
        for v, buffer, decay in self._parts(decays):
            buffer.multiply(v, decay)
        self._v += self._kick(linearization, rates)
        self._x += self._drift(rates)
        self._lattice.check(self._x)
        self._lattice.check(self._v)

    def _undo(self, t):
        rates, decays = self._rates(t)
        self._x -= self._drift(rates)
        linearization = self._run.linearize(self._w(), t)
        self._v -= self._kick(linearization, rates)
        for v, buffer, _ in self._parts(decays):
            buffer.undo(v)
        if self._checksum() != self._sums[t]:
            raise NotReversed(
                f"Step {t} of {self._run.n_steps} was not undone exactly: {RANDOM}. If it does "
                f"not, use hypergradient='reverse', which stores the states."
            )
        self.n_gradients += 1
        return self._state(), linearization, rates

    def _kick(self, linearization, rates):
        return self._lattice.encode(
            self._run.dynamics.velocity_update(linearization.gradient, rates)
        )

    def _drift(self, rates):
        v = self._lattice.decode(self._v)
        drift = self._run.dynamics.weight_update(v, rates)
        return self._v if drift is v else self._lattice.encode(drift)

    def _rates(self, t):
        """Rates per weight, with momenta as fractions; the fraction of every group."""
        rates = self._run.rates(t)
        momenta = np.broadcast_to(rates["momentum"], len(self._buffers))
        decays = [fraction(float(momentum)) for momentum in momenta]
        values = np.array([decay.value for decay in decays])
        momentum = values if np.ndim(rates["momentum"]) else float(values[0])
        return self._run.spread({**rates, "momentum": momentum}, self._dtype), decays

    def _parts(self, decays):
        parts = [self._v[part] for part in self._run.groups.slices]
        return zip(parts, self._buffers, decays, strict=True)

    def _w(self):
        return self._lattice.decode(self._x).astype(self._dtype, copy=False)

    def _state(self):
        v = self._lattice.decode(self._v).astype(self._dtype, copy=False)
        return State(self._w(), (v,))

    def _checksum(self):
        """Sums of both, folded to 32 bits: hardly ever the same with another bit anywhere."""
        mixed = (int(self._x.sum()) * 3 + int(self._v.sum())) % 2**64
        return (mixed ^ mixed >> 32) % 2**32

    def _verify(self):
        back = np.array_equal(self._x, self._first()) and not self._v.any()
        if not back or not all(buffer.empty for buffer in self._buffers):
            raise NotReversed("Training was undone to another start than it came from.")
