"""Loss and hypergradient against the learning rate: when training is chaotic (Figure 11).

Maclaurin, Duvenaud, Adams (2015), section 4: a network 784-200-50-10 of tanh units takes 50 steps
on four batches of 250 MNIST images, always from the same weights. As the learning rate grows, the
loss after training first falls smoothly, and the gradient tells in which direction; then it becomes
so rough that the gradient, though exact, explodes and says nothing of the way down.

Recorded in the authors' file: the loss at ten learning rates below, and how often the sign of the
gradient agrees with that of a central difference, of steps of 0.002: 100 % for logarithms of the
learning rate below 1.4, then 97, 85, 64 and, from 2.0 on, 49 %.

    python examples/papers/chaos.py --data DIR [--points 1000]    (about 2 s per point)
"""

import dataclasses
import itertools
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Reversible
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network, NetworkProblem
from sklearn_hypergrad.training import Momentum, Training

# Half of the central difference: the distance of the 1,000 points of the paper.
STEP = 2 / 999
# Losses at ten equidistant points.
RECORDED = [0.028806423, 0.017624879, 0.010823023, 0.0067668814, 0.0042411690]
RECORDED += [0.0032491479, 0.0040157213, 0.0135465195, 0.0620871184, 148.69617849]
AGREEMENT = ("100 %", "97 %", "85 %", "64 %", "49 %")


@dataclasses.dataclass(frozen=True)
class Setup:
    layer_sizes: tuple = (784, 200, 50, 10)
    n_samples: int = 1000
    batch_size: int = 250
    n_steps: int = 50
    n_points: int = 100
    # Ends of the intervals in which signs are compared.
    ends: tuple = (0.5, 1.4, 1.6, 1.8, 2.0, 2.5)

    def log_rates(self, n_points):
        return np.linspace(self.ends[0], self.ends[-1], n_points)


QUICK = Setup((64, 50, 20, 10), 400, 100, 50, 40, (0.0, 1.0, 3.0))


def main():
    """Print loss and gradient at every point, save a figure and a table."""
    options = common.parser(__doc__)
    options.add_argument("--points", metavar="N", type=int, help="learning rates to look at")
    options = options.parse_args()
    setup = QUICK if options.quick else Setup()
    train = common.images(options).block(0, setup.n_samples, centred=False)
    network = Network(setup.layer_sizes, "tanh", MultinomialLoss())
    training = training_of(setup, network, *train)
    outer = common.FinalLoss(network, *train)

    begin = time.perf_counter()
    log_rates = setup.log_rates(options.points or setup.n_points)
    losses, gradients, differences = np.empty((3, len(log_rates)))
    for i, log_rate in enumerate(log_rates):
        losses[i], gradients[i] = evaluate(training, outer, log_rate)
        below, above = (loss(training, outer, log_rate + step) for step in (-STEP, STEP))
        differences[i] = (above - below) / (2 * STEP)
        print(f"{i:3d}  log rate {log_rate:.4f}  loss {losses[i]:.8g}", end="")
        print(f"  gradient {gradients[i]:.4g}  difference {differences[i]:.4g}", flush=True)
    seconds = time.perf_counter() - begin

    # Points that the 100 and the 1,000 have in common.
    known = zip(setup.log_rates(len(RECORDED)), RECORDED, strict=True)
    found = [(np.isclose(log_rates, where), where, recorded) for where, recorded in known]
    rows = [
        (f"loss at log rate {where:.3f}", f"{recorded:.8g}", f"{losses[here].item():.8g}")
        for here, where, recorded in found
        if here.any()
    ]
    rows += agreement(setup.ends, log_rates, gradients, differences)
    rows += [common.recovered(len(losses)), ("seconds", "", f"{seconds:.0f}")]
    common.save(options, "chaos", draw(log_rates, losses, gradients), rows)


def training_of(setup, network, X, Y):
    """Training on consecutive batches, where the learning rate is still open."""
    start = common.normal_start(network.n_weights, np.exp(-2))
    problem = NetworkProblem(network, X, Y, start=start)
    batches = common.consecutive(len(X), setup.batch_size)
    dynamics, settings = Momentum(averaged=True), {"momentum": common.MOMENTUM}
    return Training(problem, dynamics, batches, setup.n_steps, settings)


def evaluate(training, outer, log_rate):
    """The loss after training, and its derivative in the logarithm of the learning rate."""
    h = hyperparameters(log_rate)
    evaluation = Reversible().evaluate(training, outer, h, None, None)
    gradient = h["learning_rate_init"] * evaluation.gradient["learning_rate_init"]
    return evaluation.values[0], gradient


def loss(training, outer, log_rate):
    """The loss after training, which is not undone."""
    h = hyperparameters(log_rate)
    return outer(training.run(h).final().w, h)[0].item()


def hyperparameters(log_rate):
    return {"learning_rate_init": common.CORRECTION * np.exp(log_rate)}


def agreement(ends, log_rates, gradients, differences):
    """Rows of how often the sign of the gradient is that of the difference, in intervals."""
    same = np.sign(gradients) == np.sign(differences)
    for (low, high), recorded in zip(itertools.pairwise(ends), AGREEMENT, strict=False):
        inside = (low <= log_rates) & (log_rates < high)
        if not inside.any():
            continue
        share = f"{100 * same[inside].mean():.0f} % of {inside.sum()}"
        yield f"signs that agree, log rates {low} to {high}", recorded, share


def draw(log_rates, losses, gradients):
    """Loss and gradient."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    # Lines to numbers far outside of the axes would be left out.
    upper.plot(log_rates, np.clip(losses, 0, 1))
    upper.set(ylabel="training loss", ylim=(0, 0.1), title="Loss after training")
    lower.plot(log_rates, np.clip(gradients, -5, 5), color="k")
    lower.set(ylabel="gradient", xlabel="logarithm of the learning rate", ylim=(-0.5, 0.5))
    return figure


if __name__ == "__main__":
    main()
