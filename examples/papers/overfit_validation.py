"""A validation set learned by heart, through weight decays alone (section 5.1).

Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit Differentiation",
AISTATS 2020: every weight of a network has a penalty of its own, exp(l_j) w_j^2, and is trained on
50 MNIST images. Their logarithms l_j are tuned on 50 other images, after every 5 steps of Adam on
all training images, which never starts again. If hypergradients are good enough, so many of them
can fit the validation images completely.

Settings are those of the authors' code: l_j from -4, inner Adam with rate 1e-4, RMSprop with rate
0.01 for the l_j, and the identity in place of the inverse Hessian. Training images are from the
first 50,000, validation images from the 10,000 after these. Target: an accuracy of 100 % within
1,000 steps of the hyperparameters.

    python examples/papers/overfit_validation.py --data DIR    (about four minutes)
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

N_IMAGES, N_STEPS = 50, 5
# Mean and deviation of the pixels of MNIST.
MEAN, DEVIATION = 0.1307, 0.3081
SETTINGS = {"learning_rate_init": 1e-4, "beta_1": 0.9, "beta_2": 0.999}
START, RATE, DECAY, EPSILON = -4.0, 0.01, 0.99, 1e-8


@dataclasses.dataclass(frozen=True)
class Setup:
    n_outer: int = 1000
    n_train: int = 50000
    rate: float = 1e-4
    outer_rate: float = RATE
    hidden: tuple = ((), (784,))
    methods: tuple = ("identity", "neumann")


# Small, and so with longer steps.
QUICK = Setup(300, 1000, 1e-3, 0.05, ((), (20,)))


def main():
    """Tune every network with every inverse, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup, data = QUICK if options.quick else Setup(), common.images(options)
    blocks = [block_of(data, first) for first in (0, setup.n_train)]
    rows, curves = [], {}
    for hidden in setup.hidden:
        for solver in setup.methods:
            begin = time.perf_counter()
            sizes = blocks[0][0].shape[1], *hidden, common.N_CLASSES
            name = f"{'-'.join(map(str, sizes))}, {solver}"
            results, spread = tune(setup, sizes, solver, blocks, name)
            seconds = time.perf_counter() - begin
            rows += rows_of(name, results, spread, seconds)
            curves[name] = results
    common.save(options, "overfit_validation", draw(curves), rows)


def block_of(data, first):
    """The first images from there on, standardised as the authors do."""
    X, Y = data.block(first, N_IMAGES, centred=False)
    return (X - MEAN) / DEVIATION, Y


def tune(setup, sizes, solver, blocks, name):
    """Accuracies and losses at every outer step, and the smallest and largest l_j at the end."""
    network = Network(sizes, "relu", MultinomialLoss())
    start = glorot(network, np.random.RandomState(0))
    problem = common.PenalisedProblem(network, *blocks[0], start=start)
    settings = SETTINGS | {"learning_rate_init": setup.rate}
    training = Training(problem, Adam(), Listed([None]), N_STEPS * setup.n_outer, settings)
    outer, logs = common.FinalLoss(network, *blocks[1]), np.full(network.n_weights, START)
    session, square, results = None, 0.0, []
    for i in range(setup.n_outer):
        # Penalties here have a half that those of the paper do not have.
        h = {"alpha": 2 * np.exp(logs)}
        session = session or Online(solver).begin(training, h, setup.n_outer)
        slope = session.advance(h, outer).gradient["alpha"] * h["alpha"]
        square = DECAY * square + (1 - DECAY) * slope**2
        logs -= setup.outer_rate * slope / (np.sqrt(square) + EPSILON)
        (train_loss, train_error), (loss, error) = (
            common.judge(network, session.w, *block) for block in blocks
        )
        results.append((train_loss, 1 - train_error, loss, 1 - error))
        if i % (setup.n_outer // 10) == 0 or i == setup.n_outer - 1:
            print(name, end=" ")
            common.report(i, {"train accuracy": 1 - train_error, "valid accuracy": 1 - error})
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
