"""A million weights and a million penalties, tuned while the weights are trained: memory and time.

Run ``python -m benchmarks.joint_tuning`` (five minutes). A network 3072-320-50-10, for images of
32 x 32 pixels in three colours, takes 10 steps on batches of 200 from one outer step to the next,
which looks at 200 held-out samples and moves the logarithms of all penalties, one for each
coefficient, by RMSprop. Memory is the highest that Python's tracemalloc sees above the data and the
problem with its start weights, in units of the bytes of the weights; time that of an outer step
over that of its 10 steps of training alone. "Neumann" is the solver of linalg: it has copies of its
own, for which 8 times the weights are not enough.
"""

import argparse
import time
import tracemalloc

import numpy as np

from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.linalg import Identity, Neumann
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network, NetworkProblem, glorot
from sklearn_hypergrad.training import Listed, Momentum, Training

LAYERS, N_SAMPLES, BATCH, N_STEPS = (3072, 320, 50, 10), 4000, 200, 10
METHODS = {
    "identity": Online(Identity(), N_STEPS),
    "neumann (10 terms)": Online("neumann", N_STEPS),
    "neumann, Gauss-Newton": Online("neumann", N_STEPS, gauss_newton=True),
    "Neumann(10, scale=0.1)": Online(Neumann(10, 0.1), N_STEPS),
}
# The most that is allowed.
MOST_MEMORY, MOST_TIME = 8, 5


def problem_of(dtype):
    """The training, and held-out samples: classes around centres of their own."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(LAYERS[-1], LAYERS[0])) / 10
    labels = rng.integers(LAYERS[-1], size=2 * N_SAMPLES)
    X = (centres[labels] + rng.normal(size=(2 * N_SAMPLES, LAYERS[0]))).astype(dtype)
    y = np.eye(LAYERS[-1], dtype=dtype)[labels]
    network = Network(LAYERS, "relu", MultinomialLoss(), dtype)
    start = glorot(network, np.random.RandomState(0))
    problem = NetworkProblem(network, X[:N_SAMPLES], y[:N_SAMPLES], start=start)
    settings = {"learning_rate_init": 0.05, "momentum": 0.9}
    # Slices, of which no copies are made.
    batches = Listed([slice(first, first + BATCH) for first in range(0, N_SAMPLES, BATCH)])
    training = Training(problem, Momentum(), batches, 10**6, settings)
    return training, X[N_SAMPLES:], y[N_SAMPLES:]


class HeldOut:
    """Mean loss of a batch of held-out samples, another one at every call."""

    def __init__(self, network, X, y):
        self._network, self._X, self._y = network, X, y
        self._rng = np.random.default_rng(0)

    def __call__(self, w, h):
        first = self._rng.integers(len(self._X) - BATCH)
        rows = slice(first, first + BATCH)
        z, pullback = self._network.predictions(w, self._X[rows])
        losses, residual, _ = self._network.loss.evaluate(self._y[rows], z)
        return np.array([losses.mean()]), pullback(residual / BATCH), {}


class RMSprop:
    """Steps of log penalties, in place: one array beside them."""

    def __init__(self, like, rate=0.03, decay=0.9):
        self._square, self._rate, self._decay = np.zeros_like(like), rate, decay

    def step(self, alpha, gradient):
        """Move ``alpha``; writes over the gradient."""
        gradient *= alpha
        self._square *= self._decay
        for first in range(0, alpha.size, 2**15):
            part = slice(first, first + 2**15)
            g, square = gradient[part], self._square[part]
            square += (1 - self._decay) * g * g
            alpha[part] *= np.exp(-self._rate * g / (np.sqrt(square) + 1e-12))


class Tuning:
    """All that there is while penalties are tuned."""

    def __init__(self, method, training, outer):
        network = training.problem.network
        n_coefficients = sum(n_in * n_out for n_in, n_out in network.shapes)
        self.h = {"alpha": np.full(n_coefficients, 1e-4, network.dtype)}
        self._session = method.begin(training, self.h, 1)
        self._optimizer, self._outer = RMSprop(self.h["alpha"]), outer

    def step(self):
        """One outer step; returns the held-out loss."""
        evaluation = self._session.advance(self.h, self._outer)
        self._optimizer.step(self.h["alpha"], evaluation.gradient["alpha"])
        return evaluation.values[0]


def memory(method, training, outer):
    """In units of the weights."""
    n_bytes = sum(training.problem.group_sizes) * training.problem.network.dtype.itemsize
    tracemalloc.start()
    tuning = Tuning(method, training, outer)
    for _ in range(2):
        tuning.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / n_bytes


def times(method, training, outer, n_outer):
    """Seconds of outer steps, those of their training alone, and the first and last loss."""
    tuning = Tuning(method, training, outer)
    run = training.run(tuning.h)
    state = run.start()
    alone, together, losses = [], [], []
    for i in range(n_outer):
        begin = time.perf_counter()
        for t in range(i * N_STEPS, (i + 1) * N_STEPS):
            run.move(state, t)
        alone.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        losses.append(tuning.step())
        together.append(time.perf_counter() - begin)
    # The scale of the series is found anew at some outer steps only: so the mean.
    return np.mean(together), np.mean(alone), losses[0], losses[-1]


def row(name, dtype, n_outer):
    """A row of the table."""
    training, *held_out = problem_of(dtype)
    outer = HeldOut(training.problem.network, *held_out)
    units = memory(METHODS[name], training, outer)
    together, alone, first, last = times(METHODS[name], training, outer, n_outer)
    kept = units <= MOST_MEMORY and together <= MOST_TIME * alone
    return (
        name,
        np.dtype(dtype).name,
        f"{units:.2f}",
        f"{alone:.2f}",
        f"{together:.2f}",
        f"{together / alone:.2f}",
        f"{first:.3f}, {last:.3f}",
        "yes" if kept else "no",
    )


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10, help="outer steps")
    parser.add_argument("--type", choices=("float64", "float32"), action="append")
    arguments = parser.parse_args()
    print(
        "| inverse Hessian | type | memory | training, s | with tuning, s | ratio | losses | kept |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for dtype in arguments.type or ("float64", "float32"):
        for name in METHODS:
            print(f"| {' | '.join(row(name, dtype, arguments.steps))} |", flush=True)
    print(f"\nLimits: {MOST_MEMORY} times the weights, {MOST_TIME} times the training.")


if __name__ == "__main__":
    main()
