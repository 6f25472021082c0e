"""Memory and time of exactly reversible momentum, next to plain floats.

Run ``python -m benchmarks.reversal_buffer`` (ten seconds).
"""

import math
import time

import numpy as np

from benchmarks.jobs import print_table
from sklearn_hypergrad.exact import Decay, ExactArray, InformationBuffer

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
    """A reversible step with all checks."""

    def __init__(self, size):
        self.start = np.random.default_rng(0).normal(size=(2, size))
        self.x, self.v = ExactArray(self.start[0]), ExactArray(self.start[1], (size,))
        self.scratch = np.empty(size)

    def forward(self, gradient):
        self.v.decay([MOMENTUM])
        self.v.add(self._kick(gradient))
        self.x.add(self._move())

    def reverse(self, gradient):
        self.x.take_back(self._move())
        self.v.take_back(self._kick(gradient))
        self.v.undo_decay()

    def back(self):
        """Whether it is where it began."""
        pairs = zip((self.x, self.v), self.start, strict=True)
        return all(array.began_with(values) for array, values in pairs)

    def _kick(self, gradient):
        return np.multiply(gradient, MOMENTUM.value - 1, out=self.scratch)

    def _move(self):
        return RATE * self.v.values()


def times(size, n_runs):
    """Medians of interleaved runs."""
    floats, exact = Floats(size), Exact(size)
    numbers, buffer = (
        np.random.default_rng(0).integers(-(2**50), 2**50, size),
        InformationBuffer(size),
    )
    gradients = np.random.default_rng(1).normal(size=(STEPS_OF_A_RUN, size))
    seconds = []
    for _ in range(n_runs):
        seconds.append(
            (
                clock(floats.step, gradients),
                clock(exact.forward, gradients),
                clock(exact.reverse, gradients[::-1]),
                clock(lambda gradient: buffer.multiply(numbers, MOMENTUM), gradients),
            )
        )
        for _ in gradients:
            buffer.undo(numbers)
    if not exact.back():
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
