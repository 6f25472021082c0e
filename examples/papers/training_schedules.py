"""Schedules of learning rate and momentum, for every layer and step (Figures 2, 3, 5, 6).

Maclaurin, Duvenaud, Adams (2015), section 3.1: a network 784-50-50-50-10 of tanh units takes 100
steps on batches of 200 of 10,000 MNIST images. Tuned are 100 x 8 learning rates and 100 x 8
momenta, one of each for every step and every W and b, and the scales of the 8 initialisations:
1,608 hyperparameters, by 50 steps of Adam on the gradient of the *training* loss at the end, taken
backwards through training that is undone exactly. Weights and batches are drawn anew every time.

Recorded in the authors' files: training loss 0.5314 at the start and 0.2109 after 20 steps, test
error 0.1788 and 0.0877; in their figure, training loss 0.12 and test loss 0.24 after 50.

    python examples/papers/training_schedules.py --data DIR    (about a minute)
"""

import dataclasses
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Reversible
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network
from sklearn_hypergrad.training import Listed, Momentum, Training
from sklearn_hypergrad.tuning import Draws, tune

STEP = 0.04
START = {"learning_rate_init": np.exp(-1), "momentum": 0.5, "init_scale": np.exp(-3)}
PARTS = ("train loss", "valid loss", "test loss", "test error")
RECORDED = {
    0: ("0.5314", "0.6011", "0.5888", "0.1788"),
    5: ("0.2953", "0.3748", "0.3645", "0.1071"),
    10: ("0.2561", "0.3498", "0.3361", "0.1015"),
    20: ("0.2109", "0.3071", "0.3014", "0.0877"),
    # Read off the figure.
    50: ("0.12", "0.24", "0.24", ""),
}


@dataclasses.dataclass(frozen=True)
class Setup:
    layer_sizes: tuple = (784, 50, 50, 50, 10)
    n_samples: tuple = (10000, 10000, 10000)
    batch_size: int = 200
    n_steps: int = 100
    n_outer: int = 50

    def training(self, network, X, Y, draw):
        """Training with the weights and the batches of this draw."""
        start = common.random_state((0, draw)).randn(network.n_weights)
        streams = [common.random_state((0, draw, t)) for t in range(self.n_steps)]
        batches = Listed([stream.randint(len(X), size=self.batch_size) for stream in streams])
        problem = common.GroupedProblem(network, X, Y, start=start)
        return Training(problem, Momentum(averaged=True), batches, self.n_steps)


QUICK = Setup((64, 20, 20, 20, 10), (600, 600, 597), 100, 40, 20)


def main():
    """Tune, print every step, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup = QUICK if options.quick else Setup()
    train, valid, test = common.images(options).blocks(*setup.n_samples)
    network = Network(setup.layer_sizes, "tanh", MultinomialLoss())
    begin, results = time.perf_counter(), []

    def judge(point):
        judged = [common.judge(network, point.w, *part) for part in (train, valid, test)]
        numbers = (*(loss for loss, _ in judged), judged[-1][1])
        results.append(dict(zip(PARTS, numbers, strict=True)))
        common.report(point.number, results[-1])

    path = tune(
        Draws(lambda i: setup.training(network, *train, i)),
        common.FinalLoss(network, *train),
        start_of(setup.n_steps, 2 * len(network.shapes)),
        method=Reversible(),
        optimizer=common.Steps(lambda: common.TheirAdam(STEP)),
        n_outer=setup.n_outer + 1,
        callback=judge,
    ).path
    seconds = time.perf_counter() - begin

    rows = [
        (f"{part}, outer step {i}", number, f"{results[i][part]:.4f}")
        for i, recorded in RECORDED.items()
        if i < len(results)
        for part, number in zip(PARTS, recorded, strict=True)
    ]
    rows += [common.recovered(len(results)), ("seconds", "", f"{seconds:.0f}")]
    curves = [curve(setup.training(network, *train, i), network, train, path[i]) for i in (0, -1)]
    common.save(options, "training_schedules", draw(path, results, curves), rows)


def start_of(n_steps, n_groups):
    """The same for all steps and groups."""
    shapes = {name: (n_steps, n_groups) for name in START} | {"init_scale": (n_groups,)}
    return {name: np.full(shape, START[name]) for name, shape in shapes.items()}


def curve(training, network, train, h):
    """The training loss after every fifth step."""
    steps, losses = [], []
    for t, _, after, _ in training.run(h).walk():
        if t % 5 == 4:
            steps.append(t + 1)
            losses.append(common.judge(network, after.w, *train)[0])
    return steps, losses


def draw(path, results, curves):
    """Schedules, what they do, and scales."""
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    axes = dict(zip("abcdef", figure.subplots(2, 3).flat, strict=True))
    n_layers, last = len(path[-1]["init_scale"]) // 2, path[-1]
    scales = np.array([h["init_scale"] for h in path])
    for layer in range(n_layers):
        name = f"layer {layer + 1}"
        axes["a"].plot(last["learning_rate_init"][:, 2 * layer], ".-", label=name)
        axes["d"].plot(last["momentum"][:, 2 * layer], ".-", label=name)
        axes["c"].plot(scales[:, 2 * layer], label=name)
        axes["f"].plot(scales[:, 2 * layer + 1], label=name)
    for values, name in zip(curves, ("initial", "learned"), strict=True):
        axes["b"].plot(*values, ".-", label=f"{name} schedule")
    for part in PARTS[:3]:
        axes["e"].plot([numbers[part] for numbers in results], label=part)
    axes["a"].set(title="Learning rates of the W", xlabel="step of training", ylim=(0, None))
    axes["d"].set(title="Momenta of the W", xlabel="step of training", ylim=(0, 1))
    axes["b"].set(title="Training loss along training", xlabel="step of training")
    axes["e"].set(title="Losses at the end of training", xlabel="outer step", ylim=(0, None))
    axes["c"].set(title="Initial scales of the W", xlabel="outer step", ylim=(0, None))
    axes["f"].set(title="Initial scales of the b", xlabel="outer step", ylim=(0, None))
    for ax in axes.values():
        ax.legend()
    return figure


if __name__ == "__main__":
    main()
