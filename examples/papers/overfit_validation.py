"""A validation set learned by heart, through weight decays alone (section 5.1).

Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit Differentiation",
AISTATS 2020: every weight of a network has a penalty of its own, exp(l_j) w_j^2, and is trained on
50 MNIST images. Their logarithms l_j are tuned on 50 other images, after every 5 steps of Adam on
all training images, which never starts again. If hypergradients are good enough, so many of them
can fit the validation images completely.

Settings are those of the authors' code: l_j from -4, inner Adam with rate 1e-4, RMSprop with rate
0.01 for the l_j, and the identity in place of the inverse Hessian. Training images are from the
first 50,000, validation images from the 10,000 after these. Target: an accuracy of 100 % within
1,000 steps of the hyperparameters, where a curve ends.

    python examples/papers/overfit_validation.py --data DIR    (about half a minute)
"""

import dataclasses
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network, glorot
from sklearn_hypergrad.training import Adam, Listed, Training
from sklearn_hypergrad.tuning import Stopped, tune

N_IMAGES, N_STEPS = 50, 5
SETTINGS = {"learning_rate_init": 1e-4, "beta_1": 0.9, "beta_2": 0.999}
START, RATE = -4.0, 0.01


@dataclasses.dataclass(frozen=True)
class Setup:
    n_outer: int = 1000
    n_train: int = 50000
    rate: float = 1e-4
    outer_rate: float = RATE
    hidden: tuple = ((), (784,))
    methods: tuple = ("identity", "neumann")


# Small, and so with longer steps.
QUICK = Setup(1000, 1000, 1e-2, 0.05, ((), (20,)))


def main():
    """Tune every network with every inverse, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup, data = QUICK if options.quick else Setup(), common.images(options)
    blocks = [data.standardised(first, N_IMAGES) for first in (0, setup.n_train)]
    rows, curves = [], {}
    for hidden in setup.hidden:
        for solver in setup.methods:
            begin = time.perf_counter()
            sizes = blocks[0][0].shape[1], *hidden, common.N_CLASSES
            name = f"{'-'.join(map(str, sizes))}, {solver}"
            results, spread = tuned(setup, sizes, solver, blocks, name)
            seconds = time.perf_counter() - begin
            rows += rows_of(name, results, spread, seconds)
            curves[name] = results
    common.save(options, "overfit_validation", draw(curves), rows)
    n_learned = sum(results[-1, 3] >= 1 for results in curves.values())
    print(
        f"{n_learned} of {len(curves)} curves end with all {N_IMAGES} validation images right: "
        f"penalties learn\nthem by heart, one per weight, while the weights are trained on others."
    )


def tuned(setup, sizes, solver, blocks, name):
    """Accuracies and losses at every outer step, and the smallest and largest l_j at the end.

    It ends as soon as all validation images are right.
    """
    network = Network(sizes, "relu", MultinomialLoss())
    start = glorot(network, np.random.RandomState(0))
    problem = common.PenalisedProblem(network, *blocks[0], start=start)
    settings = SETTINGS | {"learning_rate_init": setup.rate}
    training = Training(problem, Adam(), Listed([None]), N_STEPS * setup.n_outer, settings)
    results = []

    def judge(point):
        (train_loss, train_error), (loss, error) = (
            common.judge(network, point.w, *block) for block in blocks
        )
        results.append((train_loss, 1 - train_error, loss, 1 - error))
        if point.number % (setup.n_outer // 10) == 0 or error == 0:
            print(name, end=" ")
            accuracies = {"train accuracy": 1 - train_error, "valid accuracy": 1 - error}
            common.report(point.number, accuracies)
        if error == 0:
            raise Stopped("all validation images are right")

    # Penalties here have a half that those of the paper do not have.
    found = tune(
        training,
        common.FinalLoss(network, *blocks[1]),
        {"alpha": np.full(network.n_weights, 2 * np.exp(START))},
        method=Online(solver),
        optimizer=common.Steps(lambda: common.RMSprop(setup.outer_rate)),
        n_outer=setup.n_outer,
        keep="last",
        callback=judge,
    )
    logs = np.log(found.h["alpha"] / 2)
    return np.array(results), (logs.min(), logs.max())


def rows_of(name, results, spread, seconds):
    """Rows of the table."""
    accuracies = results[:, 3]
    perfect = np.flatnonzero(accuracies >= 1)
    reached = f"after {perfect[0] + 1} steps" if len(perfect) else "not reached"
    return [
        (f"{name}: validation accuracy of 100 %", "within 1000", reached),
        (
            f"{name}: validation accuracy, first and last",
            "",
            "{:.2f}, {:.2f}".format(*accuracies[[0, -1]]),
        ),
        (
            f"{name}: validation loss, first and last",
            "",
            "{:.4f}, {:.4f}".format(*results[[0, -1], 2]),
        ),
        (f"{name}: l_j from, to", "", "{:.1f}, {:.1f}".format(*spread)),
        (f"{name}: seconds", "", f"{seconds:.0f}"),
    ]


def draw(curves):
    """Accuracies on training and validation images."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for name, results in curves.items():
        (line,) = axes[0].plot(results[:, 3], label=name)
        axes[0].plot(results[:, 1], ":", color=line.get_color())
        axes[1].semilogy(results[:, 2], color=line.get_color(), label=name)
    axes[0].set(title="Accuracy: validation, training dotted", xlabel="outer step")
    axes[1].set(title="Validation loss", xlabel="outer step")
    axes[0].legend()
    return figure


if __name__ == "__main__":
    main()
