"""How many products with the Hessian a hypergradient takes, with each inverse.

``python -m benchmarks.inverse_hessians`` writes ``docs/_static/inverse_hessians.png`` and
``docs/inverse_hessians.inc`` (a minute). Both problems are solved to the last digits; errors are
those of the hypergradient in the logarithms of all penalties, relative to its norm, against
conjugate gradients to a residual of 1e-12. The identity has no length of its own and gets the one
that suits it best. A second table has the curvatures of the network on its way to the minimum.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from scipy.optimize import minimize  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

from benchmarks.speed.tables import Table  # noqa: E402
from sklearn_hypergrad.linalg import CG, Direct, Identity, Neumann  # noqa: E402
from sklearn_hypergrad.losses import MultinomialLoss  # noqa: E402
from sklearn_hypergrad.problems import (  # noqa: E402
    VALIDATION_LOSSES,
    L2Penalty,
    LinearProblem,
    Network,
    NetworkLoss,
    NetworkProblem,
    PredictionLoss,
    SplitData,
    glorot,
)

DOCS = Path(__file__).parents[1] / "docs"
COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
SHOWN = (1, 10, 100, 1000)
TIGHT = 1e-12
# Strength of the penalty on the sum of losses, and units of the hidden layer.
STRENGTH, HIDDEN = 1.0, 8
NEWTON_STEPS = 20
# Iterations of L-BFGS after which the network is looked at.
LOOKED_AT = (0, 10, 30, 100)
# Errors below are those of the reference.
LEAST = 1e-9
BLUE, RED, GREY = "#1f5fa8", "#c1440e", "#6b7280"


@dataclasses.dataclass(frozen=True)
class Case:
    """A linear system ``product(adjoint) = right``, and the hypergradient that the adjoint makes.

    ``gauss_newton`` is a product, too, or None where it is the same.
    """

    title: str
    product: Callable
    right: np.ndarray
    hypergradient: Callable
    axis: int | None = None
    gauss_newton: Callable | None = None


def halves():
    """Digits, with a penalty per coefficient; either half trains and the other one validates."""
    X, digits = load_digits(return_X_y=True)
    parts = np.array_split(np.random.default_rng(0).permutation(len(X)), 2)
    ones = [np.ones(len(part)) for part in parts]
    y = np.eye(10)[digits]
    return SplitData(X / 16, y, parts, parts[::-1], ones, np.ones(len(X)), digits)


def softmax_regression():
    block = halves()
    n_features = block.X.shape[1]
    penalty = L2Penalty("alpha", entries=np.arange(10 * n_features).reshape(10, -1).T)
    problem = LinearProblem(block, penalty, MultinomialLoss(), fit_intercept=True)
    outer = PredictionLoss(problem, block, VALIDATION_LOSSES["log_loss"])
    h = {"alpha": np.full((10, n_features), STRENGTH)}
    w = problem.solve(h, None, 1e-13).w
    _, right, _ = outer(w, h)
    return Case(
        f"Softmax regression, {w[:, 0].size} weights",
        problem.products(w, h),
        right,
        lambda adjoint: -h["alpha"] * problem.cross_vjp(w, h, adjoint)["alpha"],
        problem.split_axis,
    )


def training_of_network():
    """``(problem, outer, h)``: the first half trains."""
    block = halves().in_batches(1)[0]
    (rows,) = block.trains
    shape = Network((64, HIDDEN, 10), "tanh", MultinomialLoss())
    start = glorot(shape, np.random.RandomState(0))
    problem = NetworkProblem(shape, block.X[rows], block.y[rows], start=start)
    n_coefs = sum(a * b for a, b in shape.shapes)
    h = {"alpha": np.full(n_coefs, STRENGTH / len(rows))}
    return problem, NetworkLoss(shape, block, VALIDATION_LOSSES["log_loss"]), h


def network(problem, outer, h, w):
    """At the weights ``w``."""
    linearization = problem.linearize(w, h, None)
    _, right, _ = outer(w, h)
    return Case(
        f"Network with {HIDDEN} hidden units, {w.size} weights",
        lambda v: linearization.push(v, {}),
        right,
        lambda adjoint: -h["alpha"] * linearization.cross(adjoint)["alpha"],
        gauss_newton=linearization.gauss_newton,
    )


def descended(problem, h, n_iter):
    """Weights after some iterations of L-BFGS."""

    def fun(w):
        linearization = problem.linearize(w, h, None)
        return linearization.value, linearization.gradient

    options = {"maxiter": n_iter, "maxfun": 20_000, "maxcor": 50, "ftol": 0, "gtol": 1e-9}
    return minimize(fun, problem.initial(h), jac=True, method="L-BFGS-B", options=options).x


def minimum(problem, h):
    """By L-BFGS, and then Newton's method to the last digits."""
    w = descended(problem, h, 20_000)
    for _ in range(NEWTON_STEPS):
        linearization = problem.linearize(w, h, None)
        step = Direct().solve(lambda v, at=linearization: at.push(v, {}), linearization.gradient)
        w = w - step.x
    print(f"minimum: gradient {np.linalg.norm(linearization.gradient):.1e}")
    return w


def errors(case):
    """``{name: relative errors after COUNTS products}``, and that of the identity."""
    # Solutions of a singular system differ by what no hypergradient depends on.
    exact = CG(TIGHT, 100_000).solve(case.product, case.right, axis=case.axis)
    expected = case.hypergradient(exact.x)
    print(f"{case.title}: CG {exact.n_iter} iterations, {exact.residual:.1e}, {exact.status}")

    def error(solver, product, best_length=False):
        solved = solver.solve(product, case.right, tol=TIGHT, axis=case.axis)
        found = case.hypergradient(solved.x)
        if best_length:
            found = found * np.sum(found * expected) / np.sum(found**2)
        return np.linalg.norm(found - expected) / np.linalg.norm(expected)

    products = {"": case.product}
    if case.gauss_newton is not None:
        products[", Gauss-Newton"] = case.gauss_newton
    solvers = {"Neumann series": Neumann, "conjugate gradients": lambda k: CG(max_iter=k)}
    found = {
        name + suffix: [error(make(count), product) for count in COUNTS]
        for suffix, product in products.items()
        for name, make in solvers.items()
    }
    return found, error(Identity(), case.product, best_length=True)


def draw(results):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    for axis, (title, (found, identity)) in zip(axes, results.items(), strict=True):
        for name, values in found.items():
            style = "--" if name.endswith("Newton") else "-"
            color = BLUE if name.startswith("Neumann") else RED
            axis.plot(COUNTS, values, style, color=color, marker="o", ms=3, label=name)
        axis.axhline(identity, color=GREY, ls=":", label="identity, best length")
        axis.set(xscale="log", yscale="log", xlabel="products with the Hessian", title=title)
        axis.set_ylim(1e-4, 3)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, loc="lower left")
    axes[0].set_ylabel("relative error of the hypergradient")
    figure.savefig(DOCS / "_static" / "inverse_hessians.png", dpi=110)
    plt.close(figure)


def table(results):
    rows = []
    for title, (found, identity) in results.items():
        for name, values in found.items():
            cells = [text(values[COUNTS.index(count)]) for count in SHOWN]
            rows.append((title, name, *cells))
        rows.append((title, "identity, best length", text(identity), "", "", ""))
    header = ("", "inverse", *(f"{count:,} product{'s' * (count > 1)}" for count in SHOWN))
    return Table("Relative error of the hypergradient", header, rows)


def text(error):
    return f"{error:.2g}" if error > LEAST else "below 1e-9"


def curvatures(points, problem, outer, h):
    """Curvatures of the Hessian and of the Gauss-Newton matrix at some weights."""
    rows = []
    for when, w in points.items():
        case = network(problem, outer, h, w)
        spectra = [
            np.linalg.eigvalsh([product(unit) for unit in np.eye(w.size)])
            for product in (case.product, case.gauss_newton)
        ]
        negative = [str(np.sum(values < -1e-10 * values[-1])) for values in spectra]
        ends = [f"{value:.2g}" for value in (spectra[0][0], spectra[0][-1], spectra[1][-1])]
        solved = CG().solve(case.product, case.right)
        rows.append((when, *ends, *negative, f"{solved.status.value}"))
    header = (
        "iterations of L-BFGS",
        "lowest curvature",
        "highest",
        "highest, Gauss-Newton",
        "negative curvatures",
        "negative, Gauss-Newton",
        "conjugate gradients with the Hessian",
    )
    return Table("Curvatures of the network on its way to a minimum", header, rows)


def main():
    problem, outer, h = training_of_network()
    w = minimum(problem, h)
    cases = softmax_regression(), network(problem, outer, h, w)
    results = {case.title: errors(case) for case in cases}
    draw(results)
    points = {f"{n_iter}": descended(problem, h, n_iter) for n_iter in LOOKED_AT}
    tables = table(results), curvatures({**points, "minimum": w}, problem, outer, h)
    for each in tables:
        print(each.markdown())
    written = "\n".join(each.rst() for each in tables)
    (DOCS / "inverse_hessians.inc").write_text(written, "utf-8")


if __name__ == "__main__":
    main()
