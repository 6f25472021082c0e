"""Learning rate and momentum that are tuned while the network is trained, once (RTHO).

Franceschi, Donini, Frasconi, Pontil, "Forward and Reverse Gradient-Based Hyperparameter
Optimization", ICML 2017, section 3.3 and 5.3: in forward mode the derivatives of the weights in few
hyperparameters go on with training, and the hyperparameters move every few steps by the gradient of
the validation loss. Here that is compared with all pairs of a grid of 5 learning rates and 5
momenta, each a training of its own with the pair held fixed: the same network, start, batches and
number of steps.

Recorded in a notebook of the authors (FAR-HO; 784-400-400-400-10, batches of 256, updates after
every 100 of 5,000 steps, from 0.02 and 0.9; a penalty is tuned, too): validation loss 0.148,
learning rate 0.0328, momentum 0.904. Here the network is 784-50-10 and takes 2,000 steps on batches
of 100 of 50,000 images, with updates after every 10 from 0.1 and 0.9: the grid takes a minute or
two. The tangents remember all steps, so that how far each update goes matters: with 0.1 after every
20 the learning rate falls too early, and the validation loss ends at 0.138 instead of 0.131.

    python examples/papers/real_time.py --data DIR    (about two minutes)
"""

import dataclasses
import itertools
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import RealTime
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network, NetworkProblem, glorot
from sklearn_hypergrad.training import Diverged, Epochs, Momentum, Training
from sklearn_hypergrad.tuning import tune

NAMES = "learning_rate_init", "momentum"
GRID = np.geomspace(1e-3, 1, 5), (0.0, 0.5, 0.9, 0.95, 0.99)
# Bounds of the momentum.
LOW, HIGH = 1e-3, 0.999
RECORDED = {"validation loss": "0.148", "learning rate": "0.0328", "momentum": "0.904"}


@dataclasses.dataclass(frozen=True)
class Setup:
    n_hidden: int = 50
    n_samples: tuple = (50000, 5000)
    batch_size: int = 100
    n_steps: int = 2000
    every: int = 10
    step: float = 0.03
    start: tuple = (0.1, 0.9)


# From a start that is far too slow for so few steps.
QUICK = Setup(20, (1000, 400), 50, 300, 10, 0.1, (0.01, 0.5))


def main():
    """Train in real time, then every pair of the grid; save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup = QUICK if options.quick else Setup()
    blocks = common.images(options).blocks(*setup.n_samples)
    training = training_of(setup, *blocks[0])
    network = training.problem.network

    begin = time.perf_counter()
    w, path = tuned(setup, training, common.FinalLoss(network, *blocks[1]))
    seconds = time.perf_counter() - begin
    found = judged(network, w, blocks)

    begin = time.perf_counter()
    grid = {pair: fixed(training, pair, blocks) for pair in itertools.product(*GRID)}
    seconds_of_grid = time.perf_counter() - begin
    start = fixed(training, setup.start, blocks)
    rates, momenta, losses = path.T
    rows = [
        ("validation loss", RECORDED["validation loss"], f"{found[1]:.4f}"),
        ("learning rate, last", RECORDED["learning rate"], f"{rates[-1]:.4f}"),
        ("momentum, last", RECORDED["momentum"], f"{momenta[-1]:.3f}"),
    ]
    for i, part in enumerate(("training", "validation")):
        pair = min(grid, key=lambda pair, i=i: grid[pair][i])
        name = f"{part} loss, best of the grid (rate {pair[0]:.3g}, momentum {pair[1]:.2g})"
        rows += [(f"{part} loss, in real time", "", f"{found[i]:.4f}")]
        rows += [(f"{part} loss, where it starts held fixed", "", f"{start[i]:.4f}")]
        rows += [(name, "", f"{grid[pair][i]:.4f}")]
        better = sum(values[i] < found[i] for values in grid.values())
        rows += [(f"pairs of the grid with a smaller {part} loss", "", f"{better} of {len(grid)}")]
    rows += [
        ("seconds: one run in real time, 25 trainings", "", f"{seconds:.0f}, {seconds_of_grid:.0f}")
    ]
    common.save(options, "real_time", draw(setup, path, grid), rows)
    n_worse = sum(values[1] >= found[1] for values in grid.values())
    print(
        f"One run that tunes itself ends at a validation loss of {found[1]:.4f}, and at "
        f"{start[1]:.4f} if it does\nnot; {n_worse} of {len(grid)} trainings with fixed pairs are "
        f"not better."
    )


def training_of(setup, X, Y):
    """Of a network with one hidden layer."""
    network = Network((X.shape[1], setup.n_hidden, common.N_CLASSES), "tanh", MultinomialLoss())
    start = glorot(network, np.random.RandomState(0))
    problem = NetworkProblem(network, X, Y, start=start)
    return Training(problem, Momentum(), Epochs(len(X), setup.batch_size, 0), setup.n_steps)


def tuned(setup, training, outer):
    """The last weights, and learning rate, momentum and loss at every update."""
    n_outer, path = setup.n_steps // setup.every, []

    def follow(point):
        path.append((*map(float, point.h.values()), point.value))
        if point.number % (n_outer // 10) == 0 or point.number == n_outer - 1:
            numbers = dict(zip(("rate", "momentum", "valid loss"), path[-1], strict=True))
            common.report(point.number, numbers)

    found = tune(
        training,
        outer,
        dict(zip(NAMES, setup.start, strict=True)),
        method=RealTime(),
        bounds={"momentum": (LOW, HIGH)},
        optimizer=common.Steps(lambda: common.Adam(setup.step)),
        n_outer=n_outer,
        keep="last",
        callback=follow,
    )
    return found.w, np.array(path)


def fixed(training, pair, blocks):
    """Losses after training with a pair of the grid."""
    h = dict(zip(NAMES, map(np.array, pair), strict=True))
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return judged(training.problem.network, training.run(h).final().w, blocks)
    except Diverged:
        return np.inf, np.inf


def judged(network, w, blocks):
    """Training and validation loss."""
    return tuple(common.judge(network, w, *block)[0] for block in blocks)


def draw(setup, path, grid):
    """What was tuned, and the loss on the way beside those that the grid ends with."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    axes, steps = figure.subplots(1, 3), setup.every * (1 + np.arange(len(path)))
    for ax, values, name in zip(axes, path.T, ("learning rate", "momentum", "loss"), strict=True):
        ax.plot(steps, values)
        ax.set(title=name, xlabel="step of training")
    axes[0].set_yscale("log")
    axes[2].set(title="Validation loss; dashed: the best pair", yscale="log")
    axes[2].axhline(min(values[1] for values in grid.values()), ls="--", color="gray")
    return figure


if __name__ == "__main__":
    main()
