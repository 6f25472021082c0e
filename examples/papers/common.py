"""What the experiments share: data, seeds, problems, the outer optimizer, tables.

They repeat Maclaurin, Duvenaud, Adams, "Gradient-based Hyperparameter Optimization through
Reversible Learning", ICML 2015. Where the paper leaves details open, they follow the code that the
authors published (https://github.com/HIPS/hypergrad), quirks included, to arrive at its numbers.
"""

import argparse
import dataclasses
import gzip
import hashlib
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from sklearn_hypergrad.optimizers import Minimum, Optimizer
from sklearn_hypergrad.problems import MeanLoss, NetworkProblem
from sklearn_hypergrad.training import Listed

FILES = {"train": "train-{}-ubyte.gz", "test": "t10k-{}-ubyte.gz"}
WANTED = FILES["train"].format("images-idx3")
N_CLASSES = 10
# Mean and deviation of the pixels of MNIST.
MEAN, DEVIATION = 0.1307, 0.3081
# The fraction that 0.9 becomes in the authors' code where it multiplies velocities. Gradients are
# multiplied by 1 - 0.9 there, and here by 1 - MOMENTUM: a factor of learning rates makes up for it.
MOMENTUM = 58983 / 65536
CORRECTION = (1 - 0.9) / (1 - MOMENTUM)


def parser(description, wanted=WANTED):
    """The options of all scripts."""
    made = argparse.ArgumentParser(description=description.splitlines()[0])
    made.add_argument("--data", metavar="DIR", type=Path, help=f"folder with {wanted} etc.")
    made.add_argument("--quick", action="store_true", help="small, on the digits of scikit-learn")
    made.add_argument("--output", metavar="DIR", type=Path, default=Path(), help="for the results")
    return made


@dataclasses.dataclass(frozen=True)
class Images:
    """Images as bytes, training images first, and their classes."""

    pixels: np.ndarray
    labels: np.ndarray
    white: float
    n_train: int

    def block(self, start, n, *, centred=True):
        """``n`` images from 0 to 1, minus the mean training image, and one-hot classes."""
        X = self.pixels[start : start + n] / self.white
        if centred:
            X -= self.pixels[: self.n_train].mean(axis=0) / self.white
        return X, np.eye(N_CLASSES)[self.labels[start : start + n]]

    def standardised(self, start, n):
        """``n`` images as Lorraine et al. take them."""
        X, Y = self.block(start, n, centred=False)
        return (X - MEAN) / DEVIATION, Y

    def blocks(self, *sizes):
        """Consecutive blocks, the first one from the first image on."""
        starts = np.cumsum((0, *sizes[:-1]))
        return [self.block(start, n) for start, n in zip(starts, sizes, strict=True)]


def images(options):
    """MNIST from the folder that was given, or digits if it is to be quick."""
    if options.quick:
        digits = load_digits()
        return Images(digits.data, digits.target, 16.0, 1400)
    folders = [] if options.data is None else [options.data, options.data / "mnist"]
    for folder in folders:
        if (folder / WANTED).exists():
            parts = [idx(folder, part) for part in FILES]
            pixels, labels = map(np.concatenate, zip(*parts, strict=True))
            return Images(pixels, labels, 255.0, len(parts[0][0]))
    raise SystemExit(f"Give --data DIR, the folder of MNIST with {WANTED} etc., or --quick.")


def idx(folder, part):
    """``(pixels, labels)`` of the training or the test images."""
    with gzip.open(folder / FILES[part].format("labels-idx1")) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    with gzip.open(folder / FILES[part].format("images-idx3")) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(len(labels), -1), labels


def smaller(X, side):
    """Images of ``side`` times ``side`` pixels, each the mean over a square of them."""
    factor = round(X.shape[1] ** 0.5) // side
    return X.reshape(len(X), side, factor, side, factor).mean(axis=(2, 4)).reshape(len(X), -1)


def random_state(seed):
    """A stream for any object, by what it prints."""
    digest = hashlib.md5(str(seed).encode(), usedforsecurity=False).hexdigest()
    return np.random.RandomState(int(digest[:8], base=16))


def normal_start(n_weights, scale):
    """Start weights of seed 0, whose first numbers went into velocities that are zero."""
    stream = np.random.RandomState(0)
    stream.randn(n_weights)
    return scale * stream.randn(n_weights)


def consecutive(n_samples, batch_size):
    """Batches in the order of the samples, again and again."""
    starts = range(0, n_samples, batch_size)
    return Listed([slice(start, start + batch_size) for start in starts])


class GroupedProblem(NetworkProblem):
    """Biases are parameter groups of their own: W, b of the first layer, W, b of the second."""

    def __init__(self, network, *data, **options):
        super().__init__(network, *data, **options)
        shapes = network.shapes
        self.group_sizes = tuple(n for n_in, n_out in shapes for n in (n_in * n_out, n_out))


class PenalisedProblem(NetworkProblem):
    """The penalty is on all weights, biases too: one strength, or one for each of them."""

    def __init__(self, network, *data, **options):
        super().__init__(network, *data, **options)
        self.penalty = WeightPenalty()
        self.scheduled = {self.penalty_name: (network.n_weights,)}


class WeightPenalty:
    """``1/2 sum_j strength_j w_j^2`` over all weights."""

    def value(self, strength, w):
        return 0.5 * float(np.sum(strength * w * w))

    def add(self, strength, w, out):
        out += strength * w

    def cross(self, strength, w, v):
        return w * v if np.ndim(strength) else w @ v


class FinalLoss(MeanLoss):
    """Mean loss of the trained network as an outer objective.

    ``direct(h)`` is what depends on hyperparameters directly: a value, and a dict of derivatives.
    """

    def __init__(self, network, X, Y, direct=lambda h: (0.0, {})):
        super().__init__(network, X, Y)
        self._direct = direct

    def __call__(self, w, h):
        values, gradient, _ = super().__call__(w, h)
        value, direct = self._direct(h)
        return values + value, gradient, direct


def judge(network, w, X, Y):
    """Mean loss and share of errors."""
    z = network.outputs(w, X)
    return network.loss.value(Y, z).mean(), np.mean(z.argmax(axis=1) != Y.argmax(axis=1))


class Steps(Optimizer):
    """As many steps as are asked for, by a rule of the authors.

    ``make_rule()`` returns ``rule(gradient)``: what is to be taken off.
    """

    needs_smooth = False
    accepts_noise = True

    def __init__(self, make_rule):
        self._make_rule = make_rule

    def minimize(self, fun, z0, bounds, *, tol, max_iter, **facts):
        z, rule = np.clip(z0, *bounds.T), self._make_rule()
        for _ in range(max_iter):
            _, gradient = fun(z)
            z = np.clip(z - rule(gradient), *bounds.T)
        return Minimum(z, False, f"max_iter={max_iter} steps")


def descent(step):
    """Plain gradient descent."""
    return Steps(lambda: lambda g: step * g)


class TheirAdam:
    """Adam of the authors' code, where decays are one minus the usual ones.

    From the second step on the mean of gradients is the gradient itself, but its bias is corrected
    as if it were not: the first steps are up to five times as long. Standard Adam is slower here.
    """

    def __init__(self, step, b1=0.1, b2=0.01, epsilon=1e-4, decay=1e-4):
        self._step, self._b1, self._b2, self._epsilon, self._decay = step, b1, b2, epsilon, decay
        self._i, self._m, self._v = 0, 0.0, 0.0

    def __call__(self, g):
        """What is to be taken off for a gradient ``g``."""
        weight = 1 - (1 - self._b1) * self._decay**self._i
        self._m = weight * g + (1 - weight) * self._m
        self._v = self._b2 * g**2 + (1 - self._b2) * self._v
        self._i += 1
        mean = self._m / (1 - (1 - self._b1) ** self._i)
        square = self._v / (1 - (1 - self._b2) ** self._i)
        return self._step * mean / (np.sqrt(square) + self._epsilon)


class RMSprop:
    """Steps along the gradient divided by its root mean square, which starts at zero."""

    def __init__(self, step, decay=0.99, epsilon=1e-8):
        self._step, self._decay, self._epsilon, self._square = step, decay, epsilon, 0.0

    def __call__(self, g):
        """What is to be taken off for a gradient ``g``."""
        self._square = self._decay * self._square + (1 - self._decay) * g**2
        return self._step * g / (np.sqrt(self._square) + self._epsilon)


class Adam:
    """Adam (Kingma, Ba 2015) with steps of at most ``rate``."""

    def __init__(self, rate, decays=(0.9, 0.99)):
        self._rate, self._decays, self._n, self._mean, self._square = rate, decays, 0, 0.0, 0.0

    def __call__(self, g):
        """What is to be taken off."""
        self._n += 1
        first, second = self._decays
        self._mean = first * self._mean + (1 - first) * g
        self._square = second * self._square + (1 - second) * g**2
        mean, square = self._mean / (1 - first**self._n), self._square / (1 - second**self._n)
        return np.clip(self._rate * mean / np.sqrt(square), -self._rate, self._rate)


def report(i, numbers):
    """One line for an outer step."""
    print(f"{i:3d}", *(f" {name} {number:.4f}" for name, number in numbers.items()), flush=True)


def recovered(n_runs, name="starts recovered bit for bit"):
    """A row of the table: going back is verified for every run, there and here, or it fails."""
    return name, "all", f"all {n_runs}"


def save(options, name, figure, rows):
    """The figure as an image, and rows (what, recorded, here) as a table, which is also printed.

    Numbers of other data are nothing to compare with: there is no "recorded" if it is to be quick.
    """
    rows = [("", "recorded", "here"), ("---", "---", "---"), *rows]
    if options.quick:
        rows = [(what, here) for what, _, here in rows]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.md").write_text(f"{table}\n", encoding="utf-8")
    figure.savefig(options.output / f"{name}.png", dpi=150)
    print(table)
