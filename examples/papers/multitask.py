"""Which layers of networks for several tasks are to be alike (Figure 10).

Maclaurin, Duvenaud, Adams (2015), section 3.4: ten tasks, each to tell the characters of an
alphabet of Omniglot apart; the last five alphabets are the first five, turned by 90 degrees. Every
task has a network, and those of all tasks are trained together for 50 steps. In every layer a
10x10 matrix A mixes the weights of the tasks: those of task i are sum_j A_ij z_j, and z is trained,
with a penalty. A = I means separate networks, A = 1/10 everywhere the same layer for all tasks. The
three matrices are tuned by 20 steps of gradient descent on the loss of drawings that are held out,
others at every step. "Tied" shares the first layer only.

Recorded in the authors' files are losses, and the correlations of the tasks' weights that A A'
implies: on average over all pairs of tasks, and over pairs of an alphabet and the same turned.
Their networks are 784-400-200-55, and their alphabets larger ones, of an edition of Omniglot that
is not at hand. Here they are 784-100-50-55 and those of Omniglot small 1, so that losses are
others. Compare the order of the test losses, and the correlation of turned pairs in the last layer.

The order of the other two depends on the scale of the pixels: divided by their standard deviation,
50 steps suffice for tied networks (test losses 2.039 separate, 1.796 tied, 1.842 learned). Here
pixels are only centred, as in the authors' code. States of training are stored in float32, which
takes 350 MB and less time than undoing them exactly.

    python examples/papers/multitask.py --data DIR    (about three minutes)
"""

import dataclasses
import time

import autograd.numpy as np
import common
import numpy
import omniglot
from autograd.scipy.special import logsumexp
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Reverse
from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import Listed, Momentum, Training
from sklearn_hypergrad.tuning import Draws, tune

# Learning rate, penalty, scale of the start, length of training and of steps are the authors'.
SETTINGS = {"learning_rate_init": common.CORRECTION, "momentum": common.MOMENTUM}
PENALTY, SCALE, N_STEPS, STEP = numpy.exp(-4), numpy.exp(-2), 50, 0.2
# Drawings of a character: in training and test, and of the former in training and validation.
N_DRAWINGS, N_TEST, N_VALID = 15, 3, 2
RECORDED = {
    "separate": "0.6070, 1.3425",
    "tied": "0.8974, 1.2462",
    "learned": "0.6039, 1.1301",
}
RECORDED_CORRELATIONS = "0.608, 0.560", "0.258, 0.289", "0.363, 0.727"


@dataclasses.dataclass(frozen=True)
class Setup:
    hidden: tuple = (100, 50)
    # As many as the largest alphabet of all has.
    n_outputs: int = 55
    n_outer: int = 20


QUICK = Setup((20, 10), 10, 5)


def main():
    """Tune the matrices, train with all three kinds of them, save a figure and a table."""
    options = common.parser(__doc__, omniglot.ARCHIVE).parse_args()
    setup = QUICK if options.quick else Setup()
    tasks = Tasks(omniglot.alphabets(options), setup)
    begin = time.perf_counter()
    learned, values = tuned(tasks, setup.n_outer)
    seconds = time.perf_counter() - begin

    n_layers, identity = len(tasks.sizes) - 1, numpy.eye(tasks.n)
    tied = numpy.stack([numpy.full_like(identity, 1 / tasks.n)] + [identity] * (n_layers - 1))
    kinds = {"separate": numpy.stack([identity] * n_layers), "tied": tied, "learned": learned}
    begin = time.perf_counter()
    losses = {name: trained(tasks, sharing) for name, sharing in kinds.items()}
    seconds_of_one = (time.perf_counter() - begin) / len(kinds)

    rows = [
        (f"{name}: training and test loss", RECORDED[name], "{:.4f}, {:.4f}".format(*both))
        for name, both in losses.items()
    ]
    for i, (layer, recorded) in enumerate(zip(learned, RECORDED_CORRELATIONS, strict=True), 1):
        what = f"layer {i}: correlation of all pairs, of turned pairs"
        rows.append((what, recorded, "{:.3f}, {:.3f}".format(*correlations(layer))))
    rows += [
        ("cost of tuning, in trainings", "", f"{seconds / seconds_of_one:.0f}"),
        ("seconds: tuning, one training", "", f"{seconds:.0f}, {seconds_of_one:.1f}"),
    ]
    common.save(options, "multitask", draw(learned, values, losses), rows)
    order = sorted(losses, key=lambda name: losses[name][1])
    print(f"Test losses from low to high: {', '.join(order)}.")


class Tasks:
    """Alphabets and the same turned by 90 degrees, with characters in an order of their own.

    Parameters
    ----------
    alphabets : list of ndarray of shape (n_characters, n_people, side, side)
    setup : Setup

    Attributes
    ----------
    n : int
        Number of tasks.
    sizes : tuple of int
        Of the layers of a network.
    train, test : ndarray
        Numbers of the drawings that belong to training and test.
    """

    def __init__(self, alphabets, setup):
        turned = [numpy.rot90(images, -1, axes=(2, 3)) for images in alphabets]
        inputs = [images[:, :N_DRAWINGS] for images in (*alphabets, *turned)]
        inputs = [images.reshape(*images.shape[:2], -1) for images in inputs]
        mean = numpy.concatenate(inputs).mean(axis=(0, 1))
        self._inputs = [images - mean for images in inputs]
        rng = common.random_state((0, "top_rs"))
        orders = [rng.permutation(setup.n_outputs) for _ in alphabets]
        # An alphabet and itself turned have the same outputs for the same characters.
        self._outputs = [*orders, *orders]
        self.n = len(inputs)
        self.sizes = (self._inputs[0].shape[2], *setup.hidden, setup.n_outputs)
        self.train, self.test = parted(N_DRAWINGS, N_TEST, rng)

    def samples(self, drawings):
        """Drawings of all characters, for each task X in float32 and the numbers of outputs."""
        return [
            (
                images[:, drawings].reshape(-1, self.sizes[0]).astype(numpy.float32),
                numpy.repeat(outputs[: len(images)], len(drawings)),
            )
            for images, outputs in zip(self._inputs, self._outputs, strict=True)
        ]

    def start(self, rng):
        """Initial weights and biases of all tasks, for each layer a dict."""
        shapes = list(zip(self.sizes, self.sizes[1:], strict=False))
        return [
            {
                "coef": SCALE * rng.randn(self.n, n_in, n_out),
                "intercept": SCALE * rng.randn(self.n, n_out),
            }
            for n_in, n_out in shapes
        ]


def parted(drawings, n_held_out, rng):
    """Numbers of drawings, at random, without and with those held out."""
    order = rng.permutation(drawings)
    return order[:-n_held_out], order[-n_held_out:]


def mean_loss(z, h, samples):
    """Cross entropy, on average over the tasks, with weights that the matrices mix."""
    layers = [
        [np.tensordot(matrix, layer[name], 1) for name in ("coef", "intercept")]
        for matrix, layer in zip(h["sharing"], z, strict=True)
    ]
    return sum(task_loss(layers, i, *task) for i, task in enumerate(samples)) / len(samples)


def task_loss(layers, i, X, outputs):
    """Mean cross entropy of the network of task ``i``."""
    for coef, intercept in layers[:-1]:
        X = np.tanh(np.dot(X, coef[i]) + intercept[i])
    coef, intercept = layers[-1]
    scores = np.dot(X, coef[i]) + intercept[i]
    return np.mean(logsumexp(scores, axis=1) - scores[numpy.arange(len(scores)), outputs])


def training_loss(z, h, samples):
    """The sum over tasks, with a penalty on what is mixed."""
    penalty = sum(np.sum(part**2) for layer in z for part in layer.values())
    return len(samples) * mean_loss(z, h, samples) + PENALTY * penalty


def training_of(tasks, drawings, rng):
    """Training of all networks together, on all drawings at every step."""
    samples = tasks.samples(drawings)
    problem = AutogradTraining(
        training_loss,
        tasks.start(rng),
        data=lambda rows: (samples,),
        backend="autograd",
        dtype="float32",
    )
    return Training(problem, Momentum(averaged=True), Listed([None]), N_STEPS, SETTINGS)


class Held:
    """Drawings that are held out at every outer step, and the training on the others.

    Parameters
    ----------
    tasks : Tasks
    """

    def __init__(self, tasks):
        self._tasks = tasks

    def training(self, n):
        """Training at outer step ``n``, from a start of its own."""
        drawings, _ = self._parted(n)
        return training_of(self._tasks, drawings, common.random_state((0, n, "start")))

    def rows(self, n):
        """Held out samples of outer step ``n``."""
        _, drawings = self._parted(n)
        return self._tasks.samples(drawings)

    def _parted(self, n):
        return parted(self._tasks.train, N_VALID, common.random_state((0, n, "hyperloss")))


def tuned(tasks, n_outer):
    """The matrices after all steps, and validation losses of all evaluations."""
    identity, held = numpy.eye(tasks.n), Held(tasks)
    half = 0.5 * identity + 0.5 / tasks.n
    found = tune(
        Draws(held.training),
        mean_loss,
        {"sharing": numpy.stack([half] * (len(tasks.sizes) - 1))},
        method=Reverse(),
        # Matrices may become negative.
        bounds={"sharing": (-numpy.inf, numpy.inf)},
        optimizer=common.descent(STEP),
        # The last evaluation is at the end of the last step.
        n_outer=n_outer + 1,
        keep="last",
        outer_batches=held,
        backend="autograd",
        callback=lambda point: common.report(point.number, {"valid loss": point.value}),
    )
    return found.h["sharing"], found.values


def trained(tasks, sharing):
    """Training and test loss of a training on all drawings but those of the test."""
    training = training_of(tasks, tasks.train, common.random_state("final"))
    h = {"sharing": sharing}
    z = training.problem.structure.unflatten(training.run(h).weights())
    return [
        float(mean_loss(z, h, tasks.samples(drawings))) for drawings in (tasks.train, tasks.test)
    ]


def correlation(layer):
    """Correlations of the weights of the tasks, where those that are mixed have none."""
    covariance = layer @ layer.T
    deviations = numpy.sqrt(numpy.diag(covariance))
    return covariance / numpy.outer(deviations, deviations)


def correlations(layer):
    """Their mean over all pairs of tasks, and over pairs of an alphabet and itself turned."""
    each, n = correlation(layer), len(layer)
    return (each.sum() - n) / (n * n - n), numpy.diag(each, n // 2).mean()


def draw(learned, values, losses):
    """Correlations in every layer, and losses."""
    figure = Figure(figsize=(13, 3.4), layout="constrained")
    ratios = *[1] * len(learned), 1.6
    *images, ax = figure.subplots(1, len(ratios), width_ratios=ratios)
    for i, (layer, image) in enumerate(zip(learned, images, strict=True), 1):
        shown = image.imshow(correlation(layer), "RdBu_r", vmin=-1, vmax=1)
        image.set(title=f"Layer {i}: correlations", xlabel="task", ylabel="task")
    figure.colorbar(shown, ax=images, shrink=0.7)
    ax.plot(values, "k", label="validation, while learned")
    for i, (name, (_, test)) in enumerate(losses.items()):
        ax.axhline(test, color=f"C{i}", linestyle="--", label=f"test, {name}")
    ax.set(title="Losses at the end of training", xlabel="outer step")
    ax.legend(fontsize="small")
    return figure


if __name__ == "__main__":
    main()
