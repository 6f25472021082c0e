"""Memory and time of exactly reversible momentum, next to plain floats.

Run ``python -m benchmarks.reversal_buffer`` (ten seconds).
"""

import math
import time

import numpy as np

from benchmarks.jobs import print_table
from sklearn_hypergrad.exact import Decay, FixedPoint, InformationBuffer

LATTICE = FixedPoint()
MOMENTUM, RATE = Decay.of(0.9), 0.01
N_WEIGHTS = 10_000
STEPS_OF_A_RUN = 10


def main():
    """Both tables."""
    print_table(
        ("momentum", "steps", "limit", "held", "memory"),
        [memory(momentum, n) for momentum in (0.5, 0.9, 0.98) for n in (100, 1000, 10_000)],
    )
    print("\nBits per weight and step; the limit is log2(1 / momentum).\n")
    print_table(
        ("weights", "plain, ns per weight", "forward", "reverse", "of which buffer"),
        [times(size, n_runs) for size, n_runs in ((10**4, 60), (10**5, 15), (10**6, 3))],
    )
    print("\nSteps without the gradient, in multiples of the plain one.")


def memory(momentum, n_steps):
    """Bits per weight and step."""
    v = np.random.default_rng(0).integers(-(2**50), 2**50, N_WEIGHTS)
    buffer, decay = InformationBuffer(N_WEIGHTS), Decay.of(momentum)
    for _ in range(n_steps):
        buffer.multiply(v, decay)
    bits = buffer.n_bits, 8 * buffer.nbytes
    per_step = (f"{count / N_WEIGHTS / n_steps:.4f}" for count in bits)
    return f"{momentum}", f"{n_steps}", f"{math.log2(1 / momentum):.4f}", *per_step


class Floats:
    """A plain step, in place."""

    def __init__(self, size):
        self.x, self.v = np.random.default_rng(0).normal(size=(2, size))
        self.scratch = np.empty(size)

    def step(self, gradient):
        self.v *= MOMENTUM.value
        self.v -= np.multiply(gradient, 1 - MOMENTUM.value, out=self.scratch)
        self.x += np.multiply(self.v, RATE, out=self.scratch)


class Exact:
    """A reversible step with all checks, and the time of its buffer."""

    def __init__(self, size):
        self.x, self.v = map(LATTICE.encode, np.random.default_rng(0).normal(size=(2, size)))
        self.buffer = InformationBuffer(size)
        self.scratch = np.empty(size)

    def forward(self, gradient):
        self.buffer.multiply(self.v, MOMENTUM)
        self.v -= self._decrement(gradient)
        self.x += self._move()
        LATTICE.check(self.v)
        LATTICE.check(self.x)

    def reverse(self, gradient):
        self.x -= self._move()
        self.v += self._decrement(gradient)
        self.buffer.undo(self.v)

    def _decrement(self, gradient):
        return LATTICE.encode(np.multiply(gradient, 1 - MOMENTUM.value, out=self.scratch))

    def _move(self):
        velocity = LATTICE.decode(self.v, out=self.scratch)
        velocity *= RATE
        return LATTICE.encode(velocity)


def times(size, n_runs):
    """Medians of interleaved runs."""
    floats, exact = Floats(size), Exact(size)
    start = exact.x.copy()
    gradients = np.random.default_rng(1).normal(size=(STEPS_OF_A_RUN, size))
    seconds = []
    for _ in range(n_runs):
        seconds.append(
            (
                clock(floats.step, gradients),
                clock(exact.forward, gradients),
                clock(exact.reverse, gradients[::-1]),
                clock(lambda gradient: exact.buffer.multiply(exact.v, MOMENTUM), gradients),
            )
        )
        for _ in gradients:
            exact.buffer.undo(exact.v)
    if not (exact.buffer.empty and np.array_equal(exact.x, start)):
        raise RuntimeError("The reverse steps did not come back to the start.")
    plain, *others = np.median(seconds, axis=0)
    ratios = (f"{other / plain:.1f}" for other in others)
    return f"{size:,}", f"{plain / size * 1e9:.2f}", *ratios


def clock(step, gradients):
    """Seconds per step."""
    begin = time.perf_counter()
    for gradient in gradients:
        step(gradient)
    return (time.perf_counter() - begin) / len(gradients)


if __name__ == "__main__":
    main()
