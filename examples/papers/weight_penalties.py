"""An L2 penalty for every weight (Figure 7).

Maclaurin, Duvenaud, Adams (2015), section 3.2: a linear classifier of MNIST images is trained for
50 steps on batches of 10,000 images. Every one of its 7,850 weights, biases too, has a penalty of
its own, lambda_j w_j^2. They are tuned by gradient descent in their logarithms on the loss of
10,000 other images, taken backwards through training that is undone exactly.

Recorded in the authors' files, first trial (batches of 100, 10 steps of size 100): validation loss
0.6817 to 0.6222, training loss with penalty 0.9299 to 0.8701. In their figure, second trial, which
is that of the paper (batches of 200, 50 steps of size 1,000, and a cost of 0.01 sum lambda_j^2):
validation loss with the cost 0.76 to 0.425, test loss 0.705 to 0.45 (on 1,000 images).

    python examples/papers/weight_penalties.py --data DIR    (about half a minute)
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
from sklearn_hypergrad.training import Momentum, Training
from sklearn_hypergrad.tuning import tune

SETTINGS = {"learning_rate_init": common.CORRECTION, "momentum": common.MOMENTUM}
# Penalties here have a half that those of the paper do not have.
ALPHA = 2 * np.exp(np.log(0.01) + 1)
PARTS = ("train loss", "valid loss", "test loss")


@dataclasses.dataclass(frozen=True)
class Trial:
    batch_size: int
    step: float
    n_outer: int
    cost: float
    recorded: dict

    def direct(self, h):
        """``cost * sum lambda^2`` for lambda = alpha / 2, and its derivatives."""
        alpha = h["alpha"]
        return self.cost / 4 * float(alpha @ alpha), {"alpha": self.cost / 2 * alpha}


FIRST = {
    0: ("0.9299", "0.6817", "0.6879"),
    3: ("0.9092", "0.6604", "0.6680"),
    6: ("0.8890", "0.6403", "0.6493"),
    9: ("0.8701", "0.6222", "0.6323"),
}
# Read off the figure.
SECOND = {0: ("0.91", "0.76", "0.705"), 49: ("0.51", "0.425", "0.45")}
TRIALS = (Trial(100, 100.0, 10, 0.0, FIRST), Trial(200, 1000.0, 50, 0.01, SECOND))
N_SAMPLES, N_STEPS, N_UNSEEN = (10000, 10000, 1000), 50, 10000
# One of few weights means more to the loss than one of many: steps are shorter.
QUICK = (Trial(100, 10.0, 10, 0.0, FIRST), Trial(100, 10.0, 50, 0.01, SECOND))
QUICK_SAMPLES, QUICK_UNSEEN = (700, 700, 397), 397


def main():
    """Run both trials, print every step, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    data = common.images(options)
    blocks = data.blocks(*(QUICK_SAMPLES if options.quick else N_SAMPLES))
    unseen = data.block(data.n_train, QUICK_UNSEEN if options.quick else N_UNSEEN)
    network = Network((blocks[0][0].shape[1], common.N_CLASSES), "tanh", MultinomialLoss())
    rows, curves = [], []
    for number, trial in enumerate(QUICK if options.quick else TRIALS, 1):
        begin = time.perf_counter()
        training = training_of(trial, network, *blocks[0])
        results, errors, alpha = tuned(trial, training, network, blocks, unseen)
        rows += [
            (f"trial {number}, {part}, outer step {i}", known, f"{results[i][part]:.4f}")
            for i, recorded in trial.recorded.items()
            for part, known in zip(PARTS, recorded, strict=True)
        ]
        what = f"trial {number}, test error on {len(unseen[0])}, first and last"
        rows += [(what, "", f"{errors[0]:.4f}, {errors[-1]:.4f}")]
        rows += [common.recovered(len(results), f"trial {number}, starts recovered bit for bit")]
        rows += [(f"trial {number}, seconds", "", f"{time.perf_counter() - begin:.0f}")]
        curves.append(results)
    common.save(options, "weight_penalties", draw(network, alpha, curves), rows)


def training_of(trial, network, X, Y):
    """Training on consecutive batches from one start."""
    start = common.normal_start(network.n_weights, np.exp(-4))
    problem = common.PenalisedProblem(network, X, Y, start=start)
    batches = common.consecutive(len(X), trial.batch_size)
    return Training(problem, Momentum(averaged=True), batches, N_STEPS, SETTINGS)


def tuned(trial, training, network, blocks, unseen):
    """Losses at every step, errors on unseen images, and the penalties that were used last."""
    train, valid, test = blocks
    results, errors = [], []

    def judge(point):
        w, penalty = point.w, training.problem.penalty.value(point.h["alpha"], point.w)
        losses = common.judge(network, w, *train)[0] + penalty, point.value
        results.append(dict(zip(PARTS, (*losses, common.judge(network, w, *test)[0]), strict=True)))
        errors.append(common.judge(network, w, *unseen)[1])
        common.report(point.number, {**results[-1], "unseen error": errors[-1]})

    path = tune(
        training,
        common.FinalLoss(network, *valid, trial.direct),
        {"alpha": np.full(network.n_weights, ALPHA)},
        method=Reversible(),
        optimizer=common.descent(trial.step),
        n_outer=trial.n_outer,
        callback=judge,
    ).path
    return results, errors, path[-1]["alpha"]


def draw(network, alpha, curves):
    """Penalties of the pixels for every class, cut at the 98th percentile, and losses."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
    ((penalties, _),) = network.layers(alpha / 2)
    side, highest = math.isqrt(len(penalties)), np.percentile(penalties, 98)
    axes = left.subplots(2, common.N_CLASSES // 2)
    for label, ax in enumerate(axes.flat):
        image = penalties[:, label].reshape(side, side)
        shown = ax.imshow(image, "binary", vmin=0, vmax=highest)
        ax.set(title=label, xticks=[], yticks=[])
    left.colorbar(shown, ax=axes)
    ax = right.subplots()
    for part in PARTS:
        ax.plot([losses[part] for losses in curves[-1]], label=part)
    ax.set(title="Losses at the end of training", xlabel="outer step", ylim=(0, None))
    ax.legend()
    return figure


if __name__ == "__main__":
    main()
