"""How many images should be validation images, for one penalty and for one per weight.

Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit Differentiation",
AISTATS 2020: of a few labelled MNIST images some train a linear classifier, the others tune its
penalties, either one for all 7,850 weights or one for each. Then a classifier is trained on all of
them with the penalties that were found. What is left to validation is swept.

Their code tunes while training runs, for 250 full-batch steps, with the identity in place of the
inverse Hessian; sizes, shares and repeats are those of the code. Recorded is a figure, with test
accuracies from 0.65 to 0.90. Here the penalties start at 0.01 and move after every 5 steps. A share
of 0 is training with the penalties of the start.

    python examples/papers/validation_proportion.py --data DIR    (about two minutes)
"""

import dataclasses
import itertools
import time

import common
import numpy as np
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.optimizers import Adam as OuterAdam
from sklearn_hypergrad.problems import Network
from sklearn_hypergrad.training import Adam, Listed, Training
from sklearn_hypergrad.tuning import tune

N_STEPS, N_OUTER, STEP = 250, 50, 0.2
SETTINGS = {"learning_rate_init": 1e-3, "beta_1": 0.9, "beta_2": 0.999}
START, BOUNDS = 1e-2, (1e-6, 1e2)
SHARES = 0.0, 0.1, 0.25, 0.5, 0.75, 0.9
# Axis of the figure.
RECORDED = "0.65 to 0.90"
WHICH = "one penalty", "one per weight"


@dataclasses.dataclass(frozen=True)
class Setup:
    n_pixels: int = 28**2
    # Images are drawn from the first ones.
    n_known: int = 50000
    n_test: int = 10000
    sizes: tuple = (100, 200, 1600)
    n_repeats: int = 4


QUICK = Setup(8**2, 1400, 397, (50, 200), 2)


def main():
    """Sweep the shares for every number of images; save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup, data = QUICK if options.quick else Setup(), common.images(options)
    known, test = data.standardised(0, setup.n_known), data.standardised(data.n_train, setup.n_test)
    network = Network((setup.n_pixels, common.N_CLASSES), "tanh", MultinomialLoss())
    rows = [("share of validation images", "", ", ".join(map(str, SHARES)))]
    curves = {}
    for size, which in itertools.product(setup.sizes, WHICH):
        swept = np.array(
            [
                [swept_once(network, known, test, size, share, which, i) for share in SHARES]
                for i in range(setup.n_repeats)
            ]
        )
        # Of shape (3, repeats, shares): before and after the training on all images, and costs.
        *curves[size, which], costs = np.moveaxis(swept, -1, 0)
        rows += rows_of(f"{size} images, {which}", curves[size, which], costs)
    common.save(options, "validation_proportion", draw(setup, curves), rows)


def swept_once(network, known, test, size, share, which, seed):
    """Test accuracies of the weights that were trained while tuned, and of those trained on all.

    The third number is the time of tuning, in trainings on all.
    """
    rows = np.random.default_rng(seed).permutation(len(known[0]))[:size]
    X, Y = (part[rows] for part in known)
    h = {"alpha": START if which == WHICH[0] else np.full(network.n_weights, START)}
    n_valid = round(share * size)
    begin = time.process_time()
    tuned = tuned_on(network, X, Y, n_valid, h) if n_valid else None
    middle = time.process_time()
    w = training_of(network, X, Y).run(tuned.h if tuned else h).weights()
    cost = (middle - begin) / (time.process_time() - middle)
    both = tuned.w if tuned else w, w
    return [*(1 - common.judge(network, each, *test)[1] for each in both), cost]


def tuned_on(network, X, Y, n_valid, h):
    """Weights and penalties, with the first images for validation and the others for training."""
    return tune(
        training_of(network, X[n_valid:], Y[n_valid:]),
        common.FinalLoss(network, X[:n_valid], Y[:n_valid]),
        h,
        method=Online("identity"),
        bounds={"alpha": BOUNDS},
        optimizer=OuterAdam(STEP),
        n_outer=N_OUTER,
        keep="last",
    )


def training_of(network, X, Y):
    """Of the linear classifier, from zero."""
    start = np.zeros(network.n_weights)
    problem = common.PenalisedProblem(network, X, Y, start=start)
    return Training(problem, Adam(), Listed([None]), N_STEPS, SETTINGS)


def rows_of(name, accuracies, costs):
    """Rows of the table: accuracies with their standard errors, the best share, and the cost."""
    rows = []
    for when, each in zip(("", ", retrained on all"), accuracies, strict=True):
        means, errors = each.mean(axis=0), error_of(each)
        shown = (f"{m:.3f} ± {e:.3f}" for m, e in zip(means, errors, strict=True))
        best = f"best at {SHARES[1 + means[1:].argmax()]}"
        rows.append((f"{name}{when}", RECORDED, f"{', '.join(shown)}; {best}"))
        print(*rows[-1][::2], flush=True)
    return [*rows, (f"{name}: cost in trainings", "", f"{costs[:, 1:].mean():.1f}")]


def error_of(accuracies):
    """Standard errors of the means over repeats."""
    return accuracies.std(axis=0, ddof=1) / len(accuracies) ** 0.5


def draw(setup, curves):
    """Test accuracy against the share, one panel for each number of images."""
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    axes = figure.subplots(1, len(setup.sizes), sharey=True)
    for (size, which), accuracies in curves.items():
        ax = axes[setup.sizes.index(size)]
        ax.set(title=f"{size} images", xlabel="share of validation images")
        for when, each, style in zip(("", ", retrained"), accuracies, (":", "-"), strict=True):
            color = f"C{WHICH.index(which)}"
            label = f"{which}{when}"
            ax.errorbar(
                SHARES, each.mean(axis=0), error_of(each), ls=style, color=color, label=label
            )
    axes[0].set_ylabel("test accuracy")
    axes[0].legend(fontsize="small")
    return figure


if __name__ == "__main__":
    main()
