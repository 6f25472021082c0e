"""One hypergradient of a softmax regression: derivatives from autograd against closed forms.

Run ``python -m benchmarks.autograd_overhead [--data DIR] [--runs N]``: digits, or with ``--data``
10,000 training and 10,000 validation images of MNIST in ``DIR/mnist``. Both start from the same
solution and solve the linear system of the hypergradient by the same conjugate gradients, to the
same tolerance; runs alternate, times are medians, on one thread of BLAS. The results are compared
once with a system that is solved as well as rounding allows.
"""

import argparse
import time
from pathlib import Path

import autograd.numpy as anp
import numpy as np
from autograd.scipy.special import logsumexp
from sklearn.datasets import load_digits

from benchmarks.jobs import print_table
from benchmarks.mnist import N_ALL, N_TRAIN, images, labels
from sklearn_hypergrad.linalg import CG
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import (
    AutogradLoss,
    AutogradProblem,
    L2Penalty,
    LinearProblem,
    SplitData,
)
from sklearn_hypergrad.threads import one_blas_thread

TOL, TIGHT = 1e-6, 1e-12
PENALTY = 10.0


def data(folder):
    """Training and validation images between 0 and 1, with one-hot classes."""
    if folder is None:
        X, y = load_digits(return_X_y=True)
        X, n_train = X / 16, 1000
    else:
        folder = folder / "mnist"
        X = images(folder / "train-images-idx3-ubyte.gz")[:N_ALL]
        y = labels(folder / "train-labels-idx1-ubyte.gz")[:N_ALL]
        n_train = N_TRAIN
    y = np.eye(10)[y]
    return (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])


class ClosedForms:
    """The problem by its closed forms."""

    def __init__(self, train, validation, entries):
        (X, y), (self._X, self._y) = train, validation
        rows = np.arange(len(X))
        ones = np.ones(len(X))
        block = SplitData(X, y, [rows], [rows[:1]], [ones], ones)
        penalty = L2Penalty("alpha", entries=entries)
        self.problem = LinearProblem(block, penalty, MultinomialLoss(), fit_intercept=True)

    def outer(self, w, h):
        z = self._X @ w[:-1, 0] + w[-1, 0]
        losses, slopes, _ = MultinomialLoss().evaluate(self._y, z)
        slopes = slopes / len(z)
        gradient = np.vstack([self._X.T @ slopes, slopes.sum(axis=0)])
        return np.array([losses.mean()]), gradient[:, None], {}


class Autograd:
    """The same, as one writes it down."""

    def __init__(self, train, validation, entries):
        X, y = train

        def cross_entropy(w, X, y):
            z = anp.dot(X, w["W"]) + w["b"]
            return anp.sum(logsumexp(z, axis=1)) - anp.sum(y * z)

        def inner(w, h):
            return cross_entropy(w, X, y) + 0.5 * anp.sum(h["alpha"] * w["W"] ** 2)

        start = {"W": np.zeros((X.shape[1], y.shape[1])), "b": np.zeros(y.shape[1])}
        self.problem = AutogradProblem(inner, start)
        self.outer = AutogradLoss(
            lambda w, h: cross_entropy(w, *validation) / len(validation[0]), self.problem.structure
        )


def hypergradient(model, w, h, tol):
    """The implicit hypergradient at ``w``, and how many products with the Hessian it took."""
    _, slope, _ = model.outer(w, h)
    solved = CG(tol=tol).solve(model.problem.products(w, h), slope)
    return -model.problem.cross_vjp(w, h, solved.x)["alpha"], solved.n_iter


def compare(name, alpha, entries, train, validation, n_runs):
    """A row of the table."""
    closed, derived = (kind(train, validation, entries) for kind in (ClosedForms, Autograd))
    h = {"alpha": alpha}
    w = closed.problem.solve(h, None, 1e-6).w
    models = [(closed, w), (derived, w.ravel())]
    expected, actual = (np.ravel(hypergradient(*model, h, TIGHT)[0]) for model in models)
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    seconds, counts = [], set()
    for model, start in n_runs * models:
        begin = time.perf_counter()
        _, n_iter = hypergradient(model, start, h, TOL)
        seconds.append(time.perf_counter() - begin)
        counts.add(f"{n_iter:.0f}")
    medians = np.median(np.reshape(seconds, (-1, 2)), axis=0)
    cells = *(f"{1000 * t:.1f}" for t in medians), f"{medians[1] / medians[0]:.2f}", f"{error:.0e}"
    return name, ", ".join(sorted(counts)), *cells


def main():
    """One penalty for all weights, and one for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, help="folder with mnist/train-images-idx3-ubyte.gz etc."
    )
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    train, validation = data(options.data)
    n_features, n_classes = train[0].shape[1], train[1].shape[1]
    entries = np.arange(n_features * n_classes).reshape(n_features, n_classes)
    each = PENALTY * np.random.default_rng(0).uniform(0.5, 2, entries.shape)
    with one_blas_thread():
        rows = [
            compare("one", np.array(PENALTY), None, train, validation, options.runs),
            compare(f"{each.size:,}", each, entries, train, validation, options.runs),
        ]
    header = "penalties", "products", "closed forms, ms", "autograd, ms", "ratio", "difference"
    print_table(header, rows)


if __name__ == "__main__":
    main()
