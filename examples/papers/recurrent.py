"""A penalty for every weight of a recurrent network, tuned while it is trained.

Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit Differentiation",
AISTATS 2020: an LSTM that predicts the next word is regularised by penalties and dropout. They are
tuned during training by implicit differentiation, with the identity in place of the inverse
Hessian: 7 numbers, or a penalty for every weight besides. Perplexities on the test part of the Penn
Treebank are quoted from memory: grid search 94.58, 7 numbers 66.40, a penalty for every weight
66.14.

That text is not free. Here an LSTM with 48 units predicts the next character of movie reviews. It
is trained on 20,000 characters, 90 times over, so that it begins to know them by heart. Noise that
multiplies inputs, states and outputs of the LSTM stands in for dropout, since its deviations can be
differentiated; they are 3 numbers. Compared are hyperparameters held where they start, one penalty
from a grid, 7 numbers that are tuned (a penalty for each of 4 matrices), and 17,571 (a penalty for
each of their weights). Every training is judged by its weights of the lowest validation loss on the
way: all stop early.

The settings are the third of three that were tried. With 10,000 characters a penalty for every
weight fits the validation text too well: in test it is behind hyperparameters that are held (3.125
against 3.107 bits), and 7 numbers are better (3.070).

    python examples/papers/recurrent.py --data DIR --jax    (about three minutes)
    python examples/papers/recurrent.py --data DIR          (ten times as long, without JAX)
"""

import dataclasses
import time

import characters
import common
import numpy
from lstm import MATRICES, NOISY, Network, initial
from matplotlib.figure import Figure

from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.optimizers import Adam as OuterAdam
from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import Adam, Training
from sklearn_hypergrad.tuning import tune

DECAYS = {"beta_1": 0.9, "beta_2": 0.999}
# Where penalties start, where they and noise may go, and training steps for each of their steps.
PENALTY, BOUNDS, EVERY = 1e-5, {"alpha": (1e-9, 1.0), "noise": (1e-3, 2.0)}, 10
HELD, GRID = "held where they start", "one penalty from a grid"
RECORDED = {GRID: "perplexity 94.58", "7 tuned": "66.40", "17571 tuned": "66.14"}


@dataclasses.dataclass(frozen=True)
class Setup:
    n_embedded: int = 24
    n_units: int = 48
    n_steps: int = 3000
    n_characters: tuple = (20000, 20000, 40000)
    # Characters of a window, and windows of a batch in training and validation.
    length: int = 30
    batch_size: int = 20
    n_valid: int = 80
    rate: float = 4e-3
    # Where noise starts, and how far logarithms of hyperparameters move at a time.
    noise: float = 0.1
    step: float = 0.05
    grid: tuple = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)
    # Steps between looks at all validation characters.
    look: int = 100


# Few characters and high rates, to know them by heart in seconds.
QUICK = Setup(8, 16, 200, (2500, 2500, 5000), 8, 16, 40, 0.02, 0.3, 0.2, (1e-4, 1e-3), 20)


def main():
    """Train with all kinds of hyperparameters, save a figure and a table."""
    options = common.parser(__doc__, characters.ARCHIVE)
    options.add_argument("--jax", action="store_true", help="compile losses, if JAX is installed")
    options = options.parse_args()
    setup = QUICK if options.quick else Setup()
    experiment = Experiment(setup, characters.text(options), options.jax)

    start, shapes = same(PENALTY, setup.noise), experiment.shapes
    each = {name: numpy.full(shapes[name], PENALTY) for name in MATRICES}
    grid = [experiment.held(f"penalty {a:.0e}", same(a, 0.0)) for a in setup.grid]
    runs = {HELD: experiment.held(HELD, start), GRID: min(grid, key=lambda run: run.lowest)}
    costs = {GRID: sum(run.seconds for run in grid)}
    for h in (start, {**start, "alpha": each}):
        name = f"{sum(numpy.size(value) for part in h.values() for value in part.values())} tuned"
        runs[name], found = experiment.tuned(name, h)
        costs[name] = runs[name].seconds
        if not options.quick:
            anew = f"{name}, trained anew with the last"
            runs[anew] = experiment.held(anew, found)

    rows = [row for name, run in runs.items() for row in rows_of(name, run)]
    one = costs[GRID] / len(grid)
    rows += [(f"{name}: trainings", "", f"{cost / one:.1f}") for name, cost in costs.items()]
    rows += [("seconds of one training", "", f"{one:.0f}")]
    common.save(options, "recurrent", draw(runs), rows)
    order = sorted(runs, key=lambda name: runs[name].test)
    print(f"Test bits per character from low to high: {'; '.join(order)}.")


def same(alpha, noise):
    """One penalty for each matrix, and one deviation for each place of noise."""
    return {"alpha": dict.fromkeys(MATRICES, alpha), "noise": dict.fromkeys(NOISY, noise)}


class TrainingBatches:
    """Windows, and the numbers that noise multiplies: those of a unit are the same in a window."""

    def __init__(self, setup, text):
        self._setup, self._text = setup, text

    def rows(self, t):
        setup, rng = self._setup, numpy.random.default_rng((0, t))
        shapes = {"input": (1, setup.n_embedded), "state": (setup.n_units,)}
        shapes["output"] = 1, setup.n_units
        drawn = {
            place: rng.normal(size=(setup.batch_size, *shape)).astype(numpy.float32)
            for place, shape in shapes.items()
        }
        return self._text.drawn("train", setup.batch_size, rng), drawn


class ValidBatches:
    """Windows of the validation part."""

    def __init__(self, setup, text):
        self._setup, self._text = setup, text

    def rows(self, t):
        return self._text.drawn("valid", self._setup.n_valid, numpy.random.default_rng((1, t)))


class Run:
    """What is known about a training: its losses of all validation characters, and the lowest.

    Parameters
    ----------
    name : str
    judge : callable
        ``judge(w, windows)``, the loss.
    text : Characters
    every : int
        Training steps from one look to the next.

    Attributes
    ----------
    steps, losses : list
        Training steps, and bits per character in validation after them.
    test : float
        Bits per character in the test part, with the weights of the lowest of these losses.
    seconds : float
        Duration of the training, without looking.
    """

    def __init__(self, name, judge, text, every):
        self._name, self._judge, self._windows, self._every = name, judge, text.windows, every
        self.steps, self.losses, self.test = [], [], numpy.inf
        self.seconds = -time.perf_counter()

    @property
    def lowest(self):
        """The lowest validation loss so far."""
        return min(self.losses)

    def look(self, n_taken, w):
        """Remember losses of the weights after ``n_taken`` steps, if it is time."""
        if n_taken % self._every:
            return
        self.seconds += time.perf_counter()
        loss = float(self._judge(w, self._windows("valid")))
        if not self.losses or loss < self.lowest:
            self.test = float(self._judge(w, self._windows("test")))
        self.steps.append(n_taken)
        self.losses.append(loss)
        if n_taken % (5 * self._every) == 0:
            print(self._name, end=" ")
            common.report(n_taken, {"valid bits": loss})
        self.seconds -= time.perf_counter()

    def end(self):
        """The same, after its training."""
        self.seconds += time.perf_counter()
        return self


class Experiment:
    """A training with hyperparameters that are held or tuned.

    Parameters
    ----------
    setup : Setup
    text : str
    jax : bool
        Whether losses are compiled.

    Attributes
    ----------
    shapes : dict of str -> tuple
        Of the weights.
    """

    def __init__(self, setup, text, jax):
        parts = dict(zip(("train", "valid", "test"), setup.n_characters, strict=True))
        self._setup, self._text = setup, characters.Characters(text, parts, setup.length)
        self._backend = "jax" if jax else "autograd"
        self._network = Network(self._backend)
        start = initial(
            self._text.n_different, setup.n_embedded, setup.n_units, numpy.random.default_rng(0)
        )
        self.shapes = {name: part.shape for name, part in start.items()}
        problem = AutogradTraining(
            self._network.training_loss, start, backend=self._backend, dtype="float32"
        )
        batches, settings = TrainingBatches(setup, self._text), {"learning_rate_init": setup.rate}
        self._training = Training(problem, Adam(), batches, setup.n_steps, settings | DECAYS)

    def held(self, name, h):
        """The Run with hyperparameters as they are."""
        run, shaped = self._run(name), self._training.problem.structure.unflatten
        for t, _, state, _ in self._training.run(h).walk():
            run.look(t + 1, shaped(state.w))
        return run.end()

    def tuned(self, name, h):
        """The Run in which hyperparameters move every few steps, and the last of them."""
        run = self._run(name)
        found = tune(
            self._training,
            lambda w, h, windows: self._network.bits(w, windows),
            h,
            method=Online("identity"),
            bounds=BOUNDS,
            optimizer=OuterAdam(self._setup.step),
            n_outer=self._setup.n_steps // EVERY,
            keep="last",
            outer_batches=ValidBatches(self._setup, self._text),
            backend=self._backend,
            callback=lambda point: run.look(EVERY * (point.number + 1), point.w),
        )
        return run.end(), found.h

    def _run(self, name):
        return Run(name, self._network.judge, self._text, self._setup.look)


def rows_of(name, run):
    """Rows of the table."""
    step = run.steps[run.losses.index(run.lowest)]
    return [
        (f"{name}: test bits per character", RECORDED.get(name, ""), f"{run.test:.4f}"),
        (f"{name}: lowest and last validation bits", "", f"{run.lowest:.4f}, {run.losses[-1]:.4f}"),
        (f"{name}: lowest after steps", "", f"{step} of {run.steps[-1]}"),
    ]


def draw(runs):
    """Validation losses of all trainings."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    ax = figure.subplots()
    for name, run in runs.items():
        ax.plot(run.steps, run.losses, label=name)
    lowest = min(run.lowest for run in runs.values())
    ax.set(title="Bits per character in validation", xlabel="training step")
    ax.set_ylim(lowest - 0.02, lowest + 0.5)
    ax.legend()
    return figure


if __name__ == "__main__":
    main()
