"""A convolutional network whose learning rate is tuned while it is trained, once (RTHO).

Franceschi, Donini, Frasconi, Pontil, "Forward and Reverse Gradient-Based Hyperparameter
Optimization", ICML 2017: an example of the authors' code (RFHO, ``mnist_deep_ho.py``) tunes the
learning rate of Adam from 1e-4, and a penalty, while a network learns MNIST on a graphics card. It
has layers of 32 and 64 convolutions and one of 1,024 units, and gets 99.4 % of the test images.

Here it is a stand-in for one core: images of 14 x 14 pixels, 8 convolutions of 5 x 5, means over
squares of 2 x 2, 50 units; 1,000 steps on batches of 50 of 10,000 images. Hyperparameters move
after every 10 steps, along the gradient of the loss of 100 of 2,000 validation images. With
gradient descent the momentum is tuned, too.

    python examples/papers/real_time_cnn.py --data DIR    (about a minute)
"""

import dataclasses
import time

import autograd.numpy as np
import common
import numpy as onp
from autograd.scipy.special import logsumexp
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import RealTime
from sklearn_hypergrad.optimizers import Adam as OuterAdam
from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import Adam, Epochs, Momentum, Training
from sklearn_hypergrad.tuning import tune

SIZE, N_FILTERS, N_UNITS = 5, 8, 50
BATCH, VALID_BATCH, EVERY, STEP = 50, 100, 10, 0.1
# Dynamics, what is not tuned, and where hyperparameters start.
RUNS = {
    "momentum": (Momentum(), {}, {"learning_rate_init": 0.05, "momentum": 0.9}),
    "Adam": (Adam(), {"beta_1": 0.9, "beta_2": 0.999}, {"learning_rate_init": 1e-4}),
}
RECORDED = {"momentum": "", "Adam": "99.4 %, their network"}
ALPHA = 1e-5


@dataclasses.dataclass(frozen=True)
class Setup:
    side: int = 14
    n_samples: tuple = (10000, 2000, 10000)
    n_steps: int = 1000


QUICK = Setup(8, (1000, 400, 397), 200)


def main():
    """Train with fixed and with tuned hyperparameters; save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup = QUICK if options.quick else Setup()
    train, valid, test = samples(common.images(options), setup)
    rows, curves = [], {}
    for name, (dynamics, settings, rates) in RUNS.items():
        problem = AutogradTraining(loss, start(setup), data=train, backend="autograd")
        batches = Epochs(len(train[1]), BATCH, seed=0)
        training = Training(problem, dynamics, batches, setup.n_steps, settings)
        h = rates | {"alpha": ALPHA}
        begin = time.process_time()
        w = problem.structure.unflatten(training.run(h).weights())
        middle = time.process_time()
        tuned = in_real_time(training, valid, h)
        cost = (time.process_time() - middle) / (middle - begin)
        accuracies = [100 * accuracy(each, test) for each in (w, tuned.w)]
        found = ", ".join(f"{part} {value:.2g}" for part, value in tuned.h.items())
        rows += [
            (f"{name}: test accuracy where it starts held fixed", "", f"{accuracies[0]:.2f} %"),
            (
                f"{name}: test accuracy, tuned in real time",
                RECORDED[name],
                f"{accuracies[1]:.2f} %",
            ),
            (f"{name}: at the end", "", found),
            (f"{name}: cost in trainings", "", f"{cost:.1f}"),
        ]
        print(*(" ".join(row) for row in rows[-4:]), sep="\n", flush=True)
        curves[name] = [each["learning_rate_init"] for each in tuned.path], tuned.values
    common.save(options, "real_time_cnn", draw(curves), rows)


def in_real_time(training, valid, h):
    """Weights and hyperparameters, tuned in one training."""
    return tune(
        training,
        lambda w, h, rows: cross_entropy(outputs(w, valid[0][rows]), valid[1][rows]),
        h,
        method=RealTime(),
        optimizer=OuterAdam(STEP),
        n_outer=training.n_steps // EVERY,
        outer_batches=Epochs(len(valid[1]), VALID_BATCH, seed=1),
        keep="last",
    )


def outputs(w, patches):
    """Of the network, for patches of shape (n_images, n_places, n_pixels)."""
    n_images, n_places = patches.shape[:2]
    half = round(n_places**0.5) // 2
    features = np.maximum(np.dot(patches, w["filters"]) + w["shifts"], 0)
    squares = np.reshape(features, (n_images, half, 2, half, 2, N_FILTERS))
    pooled = np.reshape(np.mean(squares, axis=(2, 4)), (n_images, -1))
    return np.dot(np.tanh(np.dot(pooled, w["W"]) + w["b"]), w["V"]) + w["c"]


def cross_entropy(z, Y):
    return np.mean(logsumexp(z, axis=1) - np.sum(Y * z, axis=1))


def loss(w, h, patches, Y):
    """Of a batch, with a penalty on what multiplies."""
    penalty = sum(np.sum(w[name] ** 2) for name in ("filters", "W", "V"))
    return cross_entropy(outputs(w, patches), Y) + h["alpha"] * penalty


def start(setup):
    """Initial weights."""
    rng, n_pooled = onp.random.default_rng(0), ((setup.side - SIZE + 1) // 2) ** 2 * N_FILTERS
    return {
        "filters": 0.3 * rng.normal(size=(SIZE**2, N_FILTERS)),
        "shifts": onp.zeros(N_FILTERS),
        "W": rng.normal(size=(n_pooled, N_UNITS)) / n_pooled**0.5,
        "b": onp.zeros(N_UNITS),
        "V": rng.normal(size=(N_UNITS, common.N_CLASSES)) / N_UNITS**0.5,
        "c": onp.zeros(common.N_CLASSES),
    }


def samples(data, setup):
    """Training, validation and test images, the last in their own block: patches and classes."""
    n_train, n_valid, n_test = setup.n_samples
    firsts = 0, data.n_train - n_valid, data.n_train
    blocks = zip(firsts, (n_train, n_valid, n_test), strict=True)
    return [patches_of(*data.block(*block, centred=False), setup.side) for block in blocks]


def patches_of(X, Y, side):
    """All squares of pixels that a filter sees, and classes."""
    images = common.smaller(X, side).reshape(-1, side, side)
    windows = onp.lib.stride_tricks.sliding_window_view(images, (SIZE, SIZE), axis=(1, 2))
    return windows.reshape(len(X), -1, SIZE**2), Y


def accuracy(w, data):
    return onp.mean(outputs(w, data[0]).argmax(axis=1) == data[1].argmax(axis=1))


def draw(curves):
    """Learning rates and validation losses along training."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (rates, values) in curves.items():
        steps = EVERY * (1 + onp.arange(len(values)))
        left.semilogy(steps, rates, label=name)
        right.semilogy(steps, values, label=name)
    left.set(title="Learning rate", xlabel="step of training")
    right.set(title="Loss of 100 validation images", xlabel="step of training")
    for ax in (left, right):
        ax.legend()
    return figure


if __name__ == "__main__":
    main()
