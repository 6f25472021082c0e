"""The hypergradient of schedules before they have moved (Figure 4).

Maclaurin, Duvenaud, Adams (2015), section 3.1: where the experiment of ``training_schedules.py``
starts, the gradient of the training loss in all scales, rates and momenta is averaged over 50
drawings of weights and batches. It is smooth from step to step, although nothing asks for that.

Recorded in the authors' files are its 1,608 numbers. The table has those of the scales of the four
W, and the sums over steps for their rates and momenta. Derivatives are those in logarithms, and in
logits of momenta.

    python examples/papers/initial_gradient.py --data DIR    (about a minute)
"""

import time

import common
import numpy as np
import training_schedules
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Reversible
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network

N_DRAWS, N_QUICK = 50, 5
NAMES = {
    "init_scale": "log scales of the W",
    "learning_rate_init": "log rates of the W, sums over steps",
    "momentum": "logits of the momenta of the W, sums over steps",
}
RECORDED = {
    "init_scale": "-0.10100, -0.20627, -0.21697, -0.19084",
    "learning_rate_init": "-0.10132, -0.08440, -0.10758, -0.17467",
    "momentum": "0.00435, 0.00275, 0.00274, 0.00281",
}


def main():
    """Average over draws, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup = training_schedules.QUICK if options.quick else training_schedules.Setup()
    train, *_ = common.images(options).blocks(*setup.n_samples)
    n_draws = N_QUICK if options.quick else N_DRAWS
    begin = time.process_time()
    gradients = [gradient_of(setup, train, i) for i in range(n_draws)]
    seconds = time.process_time() - begin
    mean = {name: np.mean([each[name] for each in gradients], axis=0) for name in NAMES}
    rows = []
    for name, what in NAMES.items():
        sums = mean[name] if mean[name].ndim == 1 else mean[name].sum(axis=0)
        rows.append((what, RECORDED[name], ", ".join(f"{number:.5f}" for number in sums[::2])))
    rows += [
        common.recovered(len(gradients)),
        ("cost of each in trainings", "", f"{seconds / seconds_of(setup, train) / n_draws:.1f}"),
        ("seconds", "", f"{seconds:.0f}"),
    ]
    common.save(options, "initial_gradient", draw(mean), rows)


def gradient_of(setup, train, number):
    """Derivatives in logarithms and logits, of the weights and batches of one drawing."""
    network = Network(setup.layer_sizes, "tanh", MultinomialLoss())
    training = setup.training(network, *train, number)
    h = training_schedules.start_of(setup.n_steps, 2 * len(network.shapes))
    outer = common.FinalLoss(network, *train)
    gradient = Reversible().evaluate(training, outer, h, None, None).gradient
    slopes = h | {"momentum": h["momentum"] * (1 - h["momentum"])}
    return {name: gradient[name] * slopes[name] for name in NAMES}


def seconds_of(setup, train):
    """CPU time of a training that is not differentiated."""
    network = Network(setup.layer_sizes, "tanh", MultinomialLoss())
    h = training_schedules.start_of(setup.n_steps, 2 * len(network.shapes))
    begin = time.process_time()
    setup.training(network, *train, 0).run(h).weights()
    return time.process_time() - begin


def draw(mean):
    """Derivatives along training, for the W of every layer."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    titles = {"learning_rate_init": "Derivatives in log rates", "momentum": "In logits of momenta"}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        for layer, values in enumerate(mean[name].T[::2]):
            ax.plot(values, ".-", label=f"layer {layer + 1}")
        ax.axhline(0, color="gray", lw=0.5)
        ax.set(title=title, xlabel="step of training")
        ax.legend()
    return figure


if __name__ == "__main__":
    main()
