"""Ten training images, learned by implicit differentiation while training runs (section 5.2).

Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit Differentiation",
AISTATS 2020: the pixels of a few training images are hyperparameters, tuned for the loss of a
linear classifier on validation images. ``learned_images.py`` differentiates whole trainings for
that; here there is one training, and the images move after every 5 steps of it.

Settings are those of the authors' code: ten images with the classes 0 to 9, weights from zero, the
penalty exp(-4) w^2, RMSprop for the images, the identity in place of the inverse Hessian; but Adam
takes longer steps here, 0.01, so that fewer are needed. A Neumann series is tried beside it. They
have 100 validation images; recorded are pictures of the ten, no numbers. So few are learned by
heart, and 5,000 are tried, too. ``validation_proportion.py`` is about how many there should be.

    python examples/papers/distillation.py --data DIR    (about two minutes)
"""

import dataclasses
import math
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network
from sklearn_hypergrad.training import Adam, Listed, Training
from sklearn_hypergrad.tuning import tune

N_STEPS = 5
# The penalty of the paper has no half.
SETTINGS = {
    "learning_rate_init": 1e-2,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "alpha": 2 * math.exp(-4),
}
NOISE, STEP = 1e-3, 1e-2
SOLVERS = "identity", "neumann"


@dataclasses.dataclass(frozen=True)
class Setup:
    n_pixels: int = 28**2
    first: int = 50000
    n_test: int = 10000
    # Numbers of validation images, with the number of outer steps.
    n_outer: tuple = ((100, 2000), (5000, 500))


QUICK = Setup(8**2, 0, 397, ((100, 300), (1300, 300)))


def main():
    """Learn images from few and from many others; save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup, data = QUICK if options.quick else Setup(), common.images(options)
    network = Network((setup.n_pixels, common.N_CLASSES), "tanh", MultinomialLoss())
    test = data.standardised(data.n_train, setup.n_test)
    rows, curves, images = [], {}, {}
    for n_valid, n_outer in setup.n_outer:
        valid = data.standardised(setup.first, n_valid)
        for solver in SOLVERS:
            name = f"{n_valid} validation images, {solver}"
            tuned, accuracies, costs = distilled(network, n_outer, solver, valid, test, name)
            X, found = tuned.h["X"], accuracies_of(network, tuned.w, valid, test)
            texts = [f"{100 * accuracy:.1f} %" for accuracy in found]
            rows += [
                (f"{name}: accuracy on them and on test images", "", ", ".join(texts)),
                (f"{name}: smallest and largest pixel", "", f"{X.min():.1f}, {X.max():.1f}"),
                (f"{name}: cost in trainings", "", f"{costs[0]:.1f}"),
                (f"{name}: cost in trainings on the validation images", "", f"{costs[1]:.1f}"),
            ]
            curves[name], images[name] = accuracies, X
    common.save(options, "distillation", draw(images, curves), rows)


def distilled(network, n_outer, solver, valid, test, name):
    """What was found, accuracies on validation and test images on the way, and two costs.

    These are in trainings of as many steps on ten images, and on all validation images.
    """
    X = NOISE * np.random.RandomState(0).randn(common.N_CLASSES, valid[0].shape[1])
    training = training_of(network, X, np.eye(common.N_CLASSES), N_STEPS * n_outer)
    accuracies, begin = [], time.process_time()

    def judge(point):
        if point.number % (n_outer // 20) == 0 or point.number == n_outer - 1:
            accuracies.append(accuracies_of(network, point.w, valid, test))
            if point.number % (n_outer // 5) == 0 or point.number == n_outer - 1:
                print(name, end=" ")
                parts = dict(zip(("valid accuracy", "test accuracy"), accuracies[-1], strict=True))
                common.report(point.number, parts)

    tuned = tune(
        training,
        common.FinalLoss(network, *valid),
        {"X": X},
        method=Online(solver),
        optimizer=common.Steps(lambda: common.RMSprop(STEP)),
        n_outer=n_outer,
        callback=judge,
    )
    seconds = time.process_time() - begin
    others = (training, training_of(network, *valid, training.n_steps))
    return tuned, accuracies, [seconds / time_of(other) for other in others]


def accuracies_of(network, w, *blocks):
    return [1 - common.judge(network, w, *block)[1] for block in blocks]


def training_of(network, X, Y, n_steps):
    """Of the linear classifier, from zero."""
    start = np.zeros(network.n_weights)
    problem = common.PenalisedProblem(network, X, Y, start=start)
    return Training(problem, Adam(), Listed([None]), n_steps, SETTINGS)


def time_of(training):
    """CPU seconds of a training that is not differentiated."""
    begin = time.process_time()
    training.run({}).weights()
    return time.process_time() - begin


def draw(images, curves):
    """The images, and accuracies along training."""
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
    for (name, X), row in zip(images.items(), left.subfigures(len(images)), strict=True):
        row.suptitle(name, fontsize="small")
        # Few pixels are far from the others.
        side, limit = math.isqrt(X.shape[1]), np.quantile(np.abs(X), 0.99)
        for x, ax in zip(X, row.subplots(1, len(X)), strict=True):
            ax.imshow(x.reshape(side, side), "RdBu_r", vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[])
    ax = right.subplots()
    for name, accuracies in curves.items():
        valid, test = np.transpose(accuracies)
        part = np.linspace(0, 1, len(test))
        (line,) = ax.plot(part, test, label=name)
        ax.plot(part, valid, ":", color=line.get_color())
    ax.set(title="Accuracy: test, validation dotted", xlabel="part of training", ylim=(0, 1.02))
    ax.legend(fontsize="small")
    return figure


if __name__ == "__main__":
    main()
