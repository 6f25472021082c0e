"""Ten training images, learned from nothing (Figure 8).

Maclaurin, Duvenaud, Adams (2015), section 3.3: a linear classifier of MNIST images is trained for
20 full-batch steps on ten images, one for each class. The 7,840 pixels of these images, which start
as noise, and the strength of one L2 penalty are hyperparameters: 40 steps of gradient descent on
the loss of 10,000 true images, taken backwards through training that is undone exactly.

Recorded in the authors' figure: validation loss from 2.32 to 0.42, test loss to 0.50 (on 1,000 test
images), pixels from -0.3 to 0.3.

    python examples/papers/learned_images.py --data DIR    (about ten seconds)
"""

import dataclasses
import math
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Reversible
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network
from sklearn_hypergrad.training import Listed, Momentum, Training
from sklearn_hypergrad.tuning import tune

STEP = 1.0
SETTINGS = {"learning_rate_init": common.CORRECTION, "momentum": common.MOMENTUM}
# The penalty of the paper is the sum of 0.01 w^2, without a half.
ALPHA = 2 * 0.01
NOISE = 0.01
PARTS = ("valid loss", "test loss", "unseen error")


@dataclasses.dataclass(frozen=True)
class Setup:
    n_pixels: int = 28**2
    n_valid: int = 10000
    n_test: int = 1000
    n_unseen: int = 10000
    n_steps: int = 20
    n_outer: int = 40


QUICK = Setup(8**2, 1400, 200, 397, n_outer=60)


def main():
    """Learn the images, print every step, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup = QUICK if options.quick else Setup()
    data = common.images(options)
    valid = data.block(0, setup.n_valid)
    test, unseen = (data.block(data.n_train, n) for n in (setup.n_test, setup.n_unseen))
    network = Network((setup.n_pixels, common.N_CLASSES), "tanh", MultinomialLoss())
    shape = common.N_CLASSES, setup.n_pixels
    X = NOISE * np.random.RandomState(0).randn(*shape)
    start = common.normal_start(network.n_weights, np.exp(-4))
    problem = common.PenalisedProblem(network, X, np.eye(common.N_CLASSES), start=start)
    training = Training(problem, Momentum(averaged=True), Listed([None]), setup.n_steps, SETTINGS)

    begin, results = time.perf_counter(), []

    def judge(point):
        (test_loss, _), (_, error) = (common.judge(network, point.w, *d) for d in (test, unseen))
        results.append(dict(zip(PARTS, (point.value, test_loss, error), strict=True)))
        common.report(point.number, results[-1])

    tuned = tune(
        training,
        common.FinalLoss(network, *valid),
        {"X": X, "alpha": ALPHA},
        method=Reversible(),
        optimizer=common.descent(STEP),
        n_outer=setup.n_outer,
        callback=judge,
    )
    seconds = time.perf_counter() - begin

    first, last, h = results[0], results[-1], tuned.path[-1]
    rows = [
        ("valid loss, first", "2.32", f"{first['valid loss']:.4f}"),
        ("valid loss, last", "0.42", f"{last['valid loss']:.4f}"),
        (f"test loss, last, on {setup.n_test}", "0.50", f"{last['test loss']:.4f}"),
        (f"test error, first, on {setup.n_unseen}", "", f"{first['unseen error']:.4f}"),
        (f"test error, last, on {setup.n_unseen}", "", f"{last['unseen error']:.4f}"),
        ("smallest and largest pixel", "-0.3, 0.3", f"{h['X'].min():.2f}, {h['X'].max():.2f}"),
        common.recovered(len(results)),
        ("seconds", "", f"{seconds:.0f}"),
    ]
    common.save(options, "learned_images", draw(h["X"], results), rows)


def draw(X, results):
    """The images, and what they are good for."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
    side, limit = math.isqrt(X.shape[1]), np.abs(X).max()
    axes = left.subplots(2, common.N_CLASSES // 2)
    for label, ax in enumerate(axes.flat):
        shown = ax.imshow(X[label].reshape(side, side), "RdBu_r", vmin=-limit, vmax=limit)
        ax.set(title=label, xticks=[], yticks=[])
    left.colorbar(shown, ax=axes)
    ax = right.subplots()
    for part in PARTS[:2]:
        ax.plot([losses[part] for losses in results], label=part)
    ax.set(title="Losses at the end of training", xlabel="outer step", ylim=(0, None))
    ax.legend()
    return figure


if __name__ == "__main__":
    main()
