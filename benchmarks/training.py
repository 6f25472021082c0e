"""Hypergradients of training runs: memory, bits and time of every way back, and networks.

``python -m benchmarks.training`` writes ``docs/training.inc``; ``--quick`` tries small sizes and
writes nothing. JAX, with which one table compares, is optional. Times are medians of interleaved
runs on one BLAS thread.
"""

import argparse
import dataclasses
import functools
import importlib.util
import math
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.preprocessing import LabelBinarizer

from benchmarks.speed.tables import Table
from sklearn_hypergrad.hypergradients import Reverse, Reversible
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.neural_network.targets import Targets
from sklearn_hypergrad.neural_network.training import network_training, train
from sklearn_hypergrad.problems import VALIDATION_LOSSES, NetworkLoss, SplitData
from sklearn_hypergrad.threads import one_blas_thread
from sklearn_hypergrad.training import Adam, Checkpointed, Reversed, RMSprop, Storage, Stored

INCLUDE = Path(__file__).parents[1] / "docs" / "training.inc"
N_SAMPLES, N_FEATURES, N_CLASSES, N_HELD_OUT = 10_000, 784, 10, 2_000
METHODS = {
    "stored, float64": Reverse(),
    "stored, float32": Reverse(dtype="float32"),
    "checkpoints": None,
    "reversed": Reversible(),
}
IN_UNITS_OF_GRADIENTS = {
    "Adam": (Adam(), {"learning_rate_init": 1e-3, "beta_1": 0.9, "beta_2": 0.999}),
    "RMSprop": (RMSprop(), {"learning_rate_init": 1e-4, "momentum": 0.9, "decay": 0.99}),
}


def data(dtype):
    """Numbers of the size of MNIST; what they are does not change the arithmetic."""
    rng = np.random.default_rng(0)
    X = rng.random((N_SAMPLES, N_FEATURES)).astype(dtype)
    return X, rng.integers(N_CLASSES, size=N_SAMPLES)


def setting(hidden, n_steps, momentum, dtype):
    """``(training, outer, h)``: rates and momenta per layer and step, penalty, initial scales."""
    X, y = data(dtype)
    values = LabelBinarizer().fit_transform(y).astype(float)
    model = MLPClassifier(hidden, "tanh", n_steps=n_steps)
    targets = Targets(values, MultinomialLoss())
    training = network_training(model, X, targets, None, seed=0)
    rows = np.arange(N_HELD_OUT)
    block = SplitData(X, values, [rows], [rows], [np.ones(N_HELD_OUT)], np.ones(N_SAMPLES), y)
    outer = NetworkLoss(training.problem.network, block, VALIDATION_LOSSES["log_loss"])
    shape = n_steps, len(hidden) + 1
    h = {
        "learning_rate_init": np.full(shape, 0.05),
        "momentum": np.full(shape, momentum),
        "alpha": np.array(1e-4),
        "init_scale": np.ones(shape[1]),
    }
    return training, outer, h


def interleaved(contenders, n_rounds):
    """Median seconds of each, run in turn."""
    seconds = {name: [] for name in contenders}
    for _ in range(n_rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def hypergradient(method, training, outer, h, storage):
    return method.evaluate(training, outer, h, None, 0.0, storage=storage)


def of_states(n_steps):
    """Methods by name, with checkpoints for this number of steps."""
    return {**METHODS, "checkpoints": Reverse(math.ceil(math.sqrt(n_steps)))}


def reversal_row(n_steps, momentum, n_rounds):
    training, outer, h = setting((), n_steps, momentum, np.float64)
    storage = Storage()
    seconds = interleaved(
        {
            name: functools.partial(hypergradient, method, training, outer, h, storage)
            for name, method in of_states(n_steps).items()
        },
        n_rounds,
    )
    run, n_weights = training.run(h), training.problem.network.n_weights
    reversed_ = Reversed(run)
    n_bits, n_bytes = reversed_.n_bits, reversed_.nbytes
    checkpoints = Checkpointed(run)
    for _ in checkpoints.backwards():
        pass
    base = seconds["stored, float64"]
    return (
        f"{momentum}",
        f"{n_steps:,}",
        f"{-math.log2(momentum):.4f}",
        f"{n_bits / n_weights / n_steps:.4f}",
        f"{n_bytes / n_weights:.1f}",
        f"{8 * n_steps * n_weights / n_bytes:,.0f}",
        f"{Stored(run, dtype=np.float32).nbytes / n_bytes:,.0f}",
        f"{checkpoints.nbytes / n_bytes:.0f}",
        f"{1e3 * base / n_steps:.2f} ms",
        *(f"{seconds[name] / base:.2f}" for name in list(METHODS)[1:]),
    )


def reversal(quick):
    """Bits, memory and time of the ways back, for softmax regression."""
    lengths = (20, 100) if quick else (100, 1_000, 10_000)
    rows = [
        reversal_row(
            n_steps, momentum, n_rounds=3 if n_steps < 5_000 else 1 + 2 * (momentum == 0.9)
        )
        for momentum in (0.5, 0.9, 0.98)
        for n_steps in lengths
    ]
    header = (
        "momentum",
        "steps",
        "limit, bits",
        "held, bits",
        "reversed, bytes per weight",
        "float32 (x, v) / reversed",
        "stored float32 / reversed, measured",
        "checkpoints / reversed",
        "stored float64, time per step",
        "float32",
        "checkpoints",
        "reversed",
    )
    return Table("Ways back through a training run of 7,850 weights", header, rows)


def slots_row(name, n_steps):
    training, outer, h = setting((), n_steps, 0.9, np.float64)
    dynamics, rates = IN_UNITS_OF_GRADIENTS[name]
    training = dataclasses.replace(training, dynamics=dynamics)
    h = {"alpha": h["alpha"], **{rate: np.array(value) for rate, value in rates.items()}}
    evaluations, seconds = [], []
    for method in (Reverse(math.ceil(math.sqrt(n_steps))), Reversible()):
        start = time.perf_counter()
        evaluations.append(hypergradient(method, training, outer, h, Storage()))
        seconds.append(time.perf_counter() - start)
    expected, found = (evaluation.gradient for evaluation in evaluations)
    run, n_weights = training.run(h), training.problem.network.n_weights
    undone, checkpoints = Reversed(run), Checkpointed(run)
    for _ in checkpoints.backwards():
        pass
    n_bytes = undone.nbytes
    # Weights, slots and gradients.
    stored = 8 * (2 + dynamics.n_slots) * n_steps * n_weights
    return (
        name,
        f"{n_steps:,}",
        f"{-sum(math.log2(rates[decay]) for decay in dynamics.decays):.4f}",
        f"{undone.n_bits / n_weights / n_steps:.4f}",
        f"{n_bytes / n_weights:.1f}",
        f"{stored / n_bytes:,.0f}",
        f"{checkpoints.nbytes / n_bytes:.0f}",
        f"{max(abs(found[key] / expected[key] - 1) for key in h):.0e}",
        f"{seconds[1] / seconds[0]:.2f}",
    )


def slots(quick):
    """Memory of undone training whose slots decay at two rates."""
    lengths = (20, 100) if quick else (100, 1_000, 10_000)
    header = (
        "",
        "steps",
        "limit, bits",
        "held, bits",
        "reversed, bytes per weight",
        "stored / reversed",
        "checkpoints / reversed",
        "difference of hypergradients",
        "time, reversed / checkpoints",
    )
    rows = [slots_row(name, n_steps) for name in IN_UNITS_OF_GRADIENTS for n_steps in lengths]
    return Table("Adam and RMSprop undone, 7,850 weights", header, rows)


def network_row(n_steps, dtype, n_rounds):
    training, outer, h = setting((100,), n_steps, 0.9, dtype)
    X, y = data(dtype)
    storage, n_epochs = Storage(), n_steps // (N_SAMPLES // 200)
    plain = SklearnMLPClassifier(
        (100,),
        "tanh",
        solver="sgd",
        nesterovs_momentum=False,
        learning_rate_init=0.05,
        max_iter=max(1, n_epochs),
        tol=0,
        n_iter_no_change=n_steps,
        random_state=0,
    )
    contenders = {
        "training": lambda: train(training.run({})),
        "hypergradient": lambda: hypergradient(Reverse(), training, outer, h, storage),
        "reversible": lambda: hypergradient(Reversible(), training, outer, h, storage),
        "scikit-learn": lambda: plain.fit(X, y),
    }
    if importlib.util.find_spec("jax"):
        from benchmarks.training_jax import jax_hypergradient

        contenders["JAX"] = jax_hypergradient(training, h, dtype)
    for run in contenders.values():
        run()
    seconds = interleaved(contenders, n_rounds)
    own = seconds["hypergradient"]
    return (
        np.dtype(dtype).name,
        f"{n_steps}",
        f"{1e3 * seconds['training'] / n_steps:.2f} ms",
        f"{own / seconds['training']:.2f}",
        f"{own / seconds['scikit-learn']:.2f}",
        f"{own / seconds['JAX']:.2f}" if "JAX" in seconds else "-",
        f"{seconds['reversible'] / seconds['training']:.2f}",
    )


def network(quick):
    """Cost of one hypergradient of a network."""
    rows = [
        network_row(50 if quick else 500, dtype, n_rounds=2 if quick else 7)
        for dtype in (np.float64, np.float32)
    ]
    header = (
        "",
        "steps",
        "training, per step",
        "hypergradient / training",
        "hypergradient / scikit-learn's training",
        "hypergradient / JAX's",
        "reversible / training",
    )
    return Table("One hypergradient of a network of 784-100-10 units, batches of 200", header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    with one_blas_thread():
        tables = [network(quick), reversal(quick), slots(quick)]
    for table in tables:
        print(table.markdown())
    if not quick:
        INCLUDE.write_text("\n".join(table.rst() for table in tables), "utf-8")


if __name__ == "__main__":
    main()
