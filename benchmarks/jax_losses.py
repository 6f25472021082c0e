"""Losses of one's own in JAX: against autograd, and against programs that are JAX from end to end.

``python -m benchmarks.jax_losses`` writes ``docs/jax_hypergradients.inc``, with ``--searches`` also
``docs/jax_searches.inc``; ``--quick`` tries few steps and writes nothing.
Everything runs on one thread, contenders in turn; times are medians of CPU times, when all has been
compiled.
Each model is written once, for a namespace that is autograd.numpy or jax.numpy.
"""

import os

# Read when JAX starts.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import dataclasses
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold

from benchmarks.speed.tables import Table
from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning
from sklearn_hypergrad.differentiable import (
    DifferentiableClassifier,
    DifferentiableRegressor,
    Hyperparameter,
)
from sklearn_hypergrad.hypergradients import Implicit, Reverse
from sklearn_hypergrad.problems import AutogradLoss, AutogradProblem, AutogradTraining
from sklearn_hypergrad.threads import one_blas_thread
from sklearn_hypergrad.training import Epochs, Momentum, Training

DOCS = Path(__file__).parents[1] / "docs"
BACKENDS = {"autograd": anp, "jax": jnp}
# Rows of images of the recurrent network, and its units.
N_ROWS, N_UNITS = 8, 16
MOMENTUM = 0.5


def digits():
    """Images of 8 x 8 pixels."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def large_images():
    """Numbers of the size of MNIST, centred, with classes that a network can learn."""
    rng = np.random.default_rng(0)
    # With a mean of 0.5 training is chaotic, and its gradient 10^10.
    X = rng.random((2000, 784)) - 0.5
    return X, (X @ rng.normal(size=(784, 10))).argmax(axis=1)


def damaged():
    """A regression in which one target of ten is wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 50))
    y = X[:, :10].sum(axis=1) + rng.normal(size=2000)
    return X, np.where(rng.random(2000) < 0.1, y + 10 * rng.random(2000), y)


def two_layers(np, w, X):
    """Outputs of a network with tanh units."""
    return np.dot(np.tanh(np.dot(X, w["W"])), w["V"])


def recurrent(np, w, X):
    """Outputs of a network that reads images row by row."""
    state = np.zeros((X.shape[0], N_UNITS))
    for row in np.split(X, N_ROWS, axis=1):
        state = np.tanh(np.dot(row, w["input"]) + np.dot(state, w["state"]))
    return np.dot(state, w["output"])


def cross_entropy(np, z, y):
    """Of one-hot classes, a number for each sample."""
    top = np.max(z, axis=1, keepdims=True)
    logarithm = np.log(np.sum(np.exp(z - top), axis=1)) + top[:, 0]
    return logarithm - np.sum(y * z, axis=1)


def squares(np, w):
    """Sum of squares of all weights."""
    return sum(np.sum(w[name] ** 2) for name in sorted(w))


@dataclasses.dataclass(frozen=True)
class Trained:
    """A network: data, shapes of the weights, outputs, and how long it is trained.

    Attributes
    ----------
    data : callable
    shapes : dict of str -> tuple of int
    outputs : callable
        ``outputs(np, w, X)``.
    n_steps, batch_size : int
    """

    data: Callable
    shapes: dict
    outputs: Callable
    n_steps: int
    batch_size: int

    def start(self, rng):
        """Initial weights."""
        return {name: rng.normal(size=s) / s[0] ** 0.5 for name, s in self.shapes.items()}

    def estimator(self, np):
        """A model for searches."""
        case = self

        class Model(DifferentiableClassifier):
            hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
            dynamics, batch_size, n_steps = Momentum(), case.batch_size, case.n_steps
            backend = "jax" if np is jnp else "autograd"

            def __init__(self, alpha=1e-3, learning_rate_init=0.1, momentum=MOMENTUM):
                self.alpha = alpha
                self.learning_rate_init = learning_rate_init
                self.momentum = momentum

            def initial(self, X, y, rng):
                return case.start(rng)

            def forward(self, w, X, h):
                return case.outputs(np, w, X)

            def penalty(self, w, h):
                return 0.5 * h["alpha"] * squares(np, w)

        return Model()

    def grid(self):
        """What searches tune."""
        return {"alpha": Continuous(), "learning_rate_init": Continuous(0.01, 1)}

    def contenders(self):
        """``(h, functions)``: the same hypergradient, three times."""
        X, y = self.data()
        y, n = np.eye(10)[y], len(X) * 4 // 5
        start = self.start(np.random.default_rng(0))
        batches = Epochs(n, self.batch_size, seed=0)
        h = {"alpha": np.array(1e-3), "learning_rate_init": np.full(self.n_steps, 0.1)}
        plugged = {name: self._plugged(name, X, y, n, start, batches) for name in BACKENDS}
        functions = {name: lambda f=f: f(h).gradient for name, f in plugged.items()}
        return h, {**functions, "pure": self._pure(X, y, n, start, batches, h)}

    def _losses(self, np):
        def inner(w, h, X, y):
            mean = np.mean(cross_entropy(np, self.outputs(np, w, X), y))
            return mean + 0.5 * h["alpha"] * squares(np, w)

        def outer(w, h, X, y):
            return np.mean(cross_entropy(np, self.outputs(np, w, X), y))

        return inner, outer

    def _plugged(self, backend, X, y, n, start, batches):
        inner, outer = self._losses(BACKENDS[backend])
        problem = AutogradTraining(inner, start, data=(X[:n], y[:n]), backend=backend)
        training = Training(problem, Momentum(), batches, self.n_steps, {"momentum": MOMENTUM})
        held_out = X[n:], y[n:]
        outer = AutogradLoss(outer, problem.structure, backend=backend, data=held_out)
        return lambda h: Reverse().evaluate(training, outer, h, None, None)

    def _pure(self, X, y, n, start, batches, h):
        inner, outer = self._losses(jnp)
        rows = np.stack([batches.rows(t) for t in range(self.n_steps)])
        with jax.enable_x64(True):
            X, y, rows, w = jax.tree.map(jnp.array, (X, y, rows, start))

            @jax.jit
            @jax.grad
            def gradient(h):
                def step(state, at):
                    w, v = state
                    rate, rows = at
                    g = jax.grad(inner)(w, {"alpha": h["alpha"]}, X[rows], y[rows])
                    v = jax.tree.map(lambda v, g: MOMENTUM * v - rate * g, v, g)
                    return (jax.tree.map(jnp.add, w, v), v), None

                still = jax.tree.map(jnp.zeros_like, w)
                over = h["learning_rate_init"], rows
                (last, _), _ = jax.lax.scan(step, (w, still), over)
                return outer(last, h, X[n:], y[n:])

        return in_doubles(lambda: jax.block_until_ready(gradient(h)))


@dataclasses.dataclass(frozen=True)
class Robust:
    """A regression with the pseudo-Huber loss and a penalty per feature, minimised."""

    data: Callable

    def estimator(self, np):
        """A model for searches."""

        class Model(DifferentiableRegressor):
            hyperparameters = {"alpha": Hyperparameter(regularizes=1, per=("feature",))}
            backend = "jax" if np is jnp else "autograd"

            def __init__(self, alpha=0.1):
                self.alpha = alpha

            def initial(self, X, y, rng):
                return {"coef": np.zeros(X.shape[1]), "intercept": 0.0}

            def forward(self, w, X, h):
                return np.dot(X, w["coef"]) + w["intercept"]

            def loss(self, y, z, h):
                return np.sqrt(1 + (z - y) ** 2) - 1

            def penalty(self, w, h):
                return 0.5 * np.sum(h["alpha"] * w["coef"] ** 2)

        return Model()

    def grid(self):
        """What searches tune."""
        return {"alpha": Continuous(per="feature")}

    def contenders(self):
        """``(h, functions)``: the same hypergradient, three times."""
        X, y = self.data()
        n = len(X) * 4 // 5
        h = {"alpha": np.full(X.shape[1], 0.01)}
        found = {name: self._plugged(name, X, y, n, h) for name in BACKENDS}
        return h, {**found, "pure": self._pure(X, y, n, h)}

    def _losses(self, np):
        def inner(w, h, X, y):
            mean = np.mean(np.sqrt(1 + (np.dot(X, w) - y) ** 2) - 1)
            return mean + 0.5 * np.sum(h["alpha"] * w**2)

        def outer(w, h, X, y):
            return np.mean(np.sqrt(1 + (np.dot(X, w) - y) ** 2) - 1)

        return inner, outer

    def _plugged(self, backend, X, y, n, h):
        inner, outer = self._losses(BACKENDS[backend])
        start = np.zeros(X.shape[1])
        problem = AutogradProblem(inner, start, data=(X[:n], y[:n]), backend=backend)
        held_out = X[n:], y[n:]
        outer = AutogradLoss(outer, problem.structure, backend=backend, data=held_out)
        return lambda: Implicit("cg").evaluate(problem, outer, h, None, 1e-8).gradient

    def _pure(self, X, y, n, h):
        """Reweighted least squares, which cannot diverge, then implicit differentiation."""
        inner, outer = self._losses(jnp)
        with jax.enable_x64(True):
            X, y = jnp.array(X), jnp.array(y)
            train, slope = (X[:n], y[:n]), jax.grad(inner)
            first = jnp.linalg.norm(slope(jnp.zeros(X.shape[1]), h, *train))

            def improved(w):
                weight = 1 / jnp.sqrt(1 + (X[:n] @ w - y[:n]) ** 2) / n
                A = X[:n].T @ (weight[:, None] * X[:n]) + jnp.diag(h["alpha"])
                return jnp.linalg.solve(A, X[:n].T @ (weight * y[:n]))

            def unfinished(w):
                return jnp.linalg.norm(slope(w, h, *train)) > 1e-8 * first

            @jax.jit
            def gradient(h):
                w = jax.lax.while_loop(unfinished, improved, jnp.zeros(X.shape[1]))
                hessian = jax.hessian(inner)(w, h, *train)
                q = jnp.linalg.solve(hessian, jax.grad(outer)(w, h, X[n:], y[n:]))
                return jax.grad(lambda h: -jnp.vdot(q, slope(w, h, *train)))(h)

        return in_doubles(lambda: jax.block_until_ready(gradient(h)))


def in_doubles(function):
    """The function in float64."""

    def called():
        with jax.enable_x64(True):
            return function()

    return called


def cases(quick):
    """What is compared, by name."""
    steps = (10, 10, 10) if quick else (200, 200, 80)
    sizes = {"input": (8, N_UNITS), "state": (N_UNITS, N_UNITS), "output": (N_UNITS, 10)}
    return {
        "network 64-30-10": Trained(
            digits, {"W": (64, 30), "V": (30, 10)}, two_layers, steps[0], 100
        ),
        "network 784-50-10": Trained(
            large_images, {"W": (784, 50), "V": (50, 10)}, two_layers, steps[1], 100
        ),
        "recurrent, 8 x 16": Trained(digits, sizes, recurrent, steps[2], 200),
        "robust (2000, 50), 50 penalties": Robust(damaged),
    }


def in_turn(functions, n_rounds):
    """Median CPU seconds of each, and what each returned at last."""
    seconds, returned = {name: [] for name in functions}, {}
    for _ in range(n_rounds):
        for name, function in functions.items():
            began = time.process_time()
            returned[name] = function()
            seconds[name].append(time.process_time() - began)
    return {name: float(np.median(times)) for name, times in seconds.items()}, returned


def difference(one, other):
    """Of two gradients, relative to the largest entry."""
    one, other = ({k: np.asarray(x) for k, x in d.items()} for d in (one, other))
    scale = max(np.abs(part).max() for part in other.values())
    return max(np.abs(one[name] - other[name]).max() for name in other) / scale


def hypergradients(quick, n_rounds):
    """One hypergradient of each."""
    rows = []
    for name, case in cases(quick).items():
        _, functions = case.contenders()
        first, _ = in_turn(functions, 1)
        seconds, found = in_turn(functions, n_rounds)
        rows.append(
            (
                name,
                f"{1e3 * seconds['jax']:.1f} ms",
                f"{seconds['autograd'] / seconds['jax']:.1f}",
                f"{seconds['jax'] / seconds['pure']:.2f}",
                f"{difference(found['jax'], found['autograd']):.0e}",
                f"{difference(found['jax'], found['pure']):.0e}",
                f"{first['jax'] - seconds['jax']:.1f} s",
            )
        )
        print(*rows[-1], sep=" | ", flush=True)
    header = (
        "",
        "with JAX",
        "autograd / with JAX",
        "with JAX / JAX from end to end",
        "difference to autograd",
        "to JAX from end to end",
        "compilation",
    )
    return Table("One hypergradient, after compilation", header, rows)


def searches(quick, n_rounds):
    """Whole searches of five folds."""
    rows = []
    for name, case in cases(quick).items():
        X, y = case.data()
        fitted = {
            backend: HypergradSearchCV(
                case.estimator(np),
                case.grid(),
                scoring="neg_log_loss" if isinstance(case, Trained) else None,
                cv=KFold(5, shuffle=True, random_state=0),
                max_iter=2,
            )
            for backend, np in BACKENDS.items()
        }
        fits = {b: lambda s=s, X=X, y=y: clone(s).fit(X, y) for b, s in fitted.items()}
        first, _ = in_turn({"jax": fits["jax"]}, 1)
        seconds, found = in_turn(fits, n_rounds)
        scores = found["jax"].best_score_, found["autograd"].best_score_
        rows.append(
            (
                name,
                f"{seconds['autograd']:.1f} s",
                f"{first['jax']:.1f} s",
                f"{seconds['jax']:.1f} s",
                f"{seconds['autograd'] / seconds['jax']:.1f}",
                f"{abs(scores[0] / scores[1] - 1):.0e}",
            )
        )
        print(*rows[-1], sep=" | ", flush=True)
    header = (
        "",
        "autograd",
        "JAX, first fit",
        "JAX, second fit",
        "autograd / second fit",
        "difference of scores",
    )
    return Table("Whole searches, five folds", header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--searches", action="store_true", help="whole searches, too: minutes")
    options = parser.parse_args()
    # Two steps of a search need not converge.
    warnings.simplefilter("ignore", HypergradWarning)
    with one_blas_thread():
        tables = {"hypergradients": hypergradients(options.quick, options.rounds)}
        if options.searches:
            tables["searches"] = searches(options.quick, max(1, options.rounds // 4))
    for name, table in tables.items():
        print(table.markdown())
        if not options.quick:
            (DOCS / f"jax_{name}.inc").write_text(table.rst(), "utf-8")


if __name__ == "__main__":
    main()
