"""A schedule for two weights that descend a curved valley (Figure 1).

Maclaurin, Duvenaud, Adams (2015): two weights take 50 steps down a surface like that of Rosenbrock.
The learning rate and the momentum of every step are tuned by three steps of gradient descent on the
loss at the end, taken backwards through training that is undone exactly.

Recorded in the authors' files: losses of 395.305, 356.566 and 356.341 at the end. Momenta are
rounded to multiples of 1 / 65536 there; here only those of the start are.

    python examples/papers/toy.py    (about a second)
"""

import autograd.numpy as np
import common
import numpy as onp
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Reversible
from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import Listed, Momentum, Training
from sklearn_hypergrad.tuning import tune

START = onp.array([1.4, 3.9])
N_STEPS, N_OUTER = 50, 3
# What 0.99 becomes in the authors' code where it multiplies velocities, but not in 1 - 0.99.
MOMENTUM = 64881 / 65536
H = {
    "learning_rate_init": onp.full(N_STEPS, onp.exp(-4.5) * (1 - 0.99) / (1 - MOMENTUM)),
    "momentum": onp.full(N_STEPS, MOMENTUM),
}
STEP, MASS = 0.01, 0.9
RECORDED = "395.305", "356.566", "356.341"


def main():
    """Tune, print every step, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    problem = AutogradTraining(lambda w, h, rows: loss(w), START, backend="autograd")
    training = Training(problem, Momentum(averaged=True), Listed([None]), N_STEPS)
    tuned = tune(
        training,
        lambda w, h: loss(w),
        H,
        method=Reversible(),
        optimizer=common.Steps(Heavy),
        n_outer=N_OUTER,
        callback=lambda point: common.report(point.number, {"loss": point.value}),
    )
    rows = [
        (f"loss at the end, outer step {i}", recorded, f"{value:.3f}")
        for i, (recorded, value) in enumerate(zip(RECORDED, tuned.values, strict=True))
    ]
    rows.append(common.recovered(len(tuned.values)))
    common.save(options, "toy", draw([path(training, h) for h in tuned.path]), rows)


def loss(w):
    """Of both weights, or of many in columns."""
    valley = 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2 + 200 * w[0]
    return 800 / (1 + np.exp(-valley / 500))


class Heavy:
    """Gradient descent along a running mean of the gradient, which starts at zero."""

    def __init__(self):
        self._mean = 0.0

    def __call__(self, g):
        """What is to be taken off for a gradient ``g``."""
        self._mean = MASS * self._mean + (1 - MASS) * g
        return STEP * self._mean


def path(training, h):
    """The weights at every step, of shape (n_steps + 1, 2)."""
    return onp.array([START, *(after.w.copy() for _, _, after, _ in training.run(h).walk())])


def draw(paths):
    """The paths on the surface."""
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    ax = figure.subplots()
    grid = onp.meshgrid(onp.linspace(-1, 2.4, 100), onp.linspace(-0.5, 4.5, 100))
    filled = ax.contourf(*grid, loss(onp.array(grid)), levels=20, cmap="Greys")
    figure.colorbar(filled, label="loss")
    for i, weights in enumerate(paths):
        ax.plot(*weights.T, ".-", label=f"outer step {i}")
        ax.plot(*weights[-1], "o", color=ax.lines[-1].get_color())
    ax.set(xlabel="first weight", ylabel="second weight")
    ax.legend()
    return figure


if __name__ == "__main__":
    main()
