"""
The validation loss and the way to its minimum
==============================================

The cross-validation loss is a curve over the logarithm of the penalty. A grid search samples it;
here it does so 61 times, to draw it. :class:`~sklearn_hypergrad.HypergradSearchCV` scans it
coarsely from the strongly regularised end and then follows its derivative to the minimum. Its own
evaluations, kept in ``history_``, lie on the curve that scikit-learn measures.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_hypergrad import HypergradSearchCV

ALPHAS = np.logspace(-3, 5, 61)


def main():
    """Fit both searches and draw the curve, the points visited and the optimum."""
    parser = argparse.ArgumentParser(description="Draw a validation loss and a search on it.")
    parser.add_argument("--output", metavar="PATH", help="save the figure there")
    output = parser.parse_args().output

    X, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), Ridge())
    arguments = pipeline, {"ridge__alpha": ALPHAS}
    options = {"scoring": "neg_mean_squared_error", "cv": 5}
    grid = GridSearchCV(*arguments, **options).fit(X, y)
    search = HypergradSearchCV(*arguments, **options).fit(X, y)
    for fitted in (grid, search):
        alpha = fitted.best_params_["ridge__alpha"]
        print(f"{type(fitted).__name__:18s} alpha={alpha:8.4f}  loss={-fitted.best_score_:.4f}")
    print(f"values of alpha: {len(ALPHAS)} and {search.n_iter_}")

    draw(grid, search)
    if output:
        plt.savefig(output)
    elif plt.get_backend().lower() != "agg":
        plt.show()


def draw(grid, search):
    """The curve of the grid search with the points that the other has visited."""
    values, losses, tols = (
        np.asarray(search.history_[name]) for name in ("value", "loss", "inner_tol")
    )
    scanned = tols == tols.max()
    _, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    ax.semilogx(
        ALPHAS, -grid.cv_results_["mean_test_score"], color="0.6", label="GridSearchCV, 61 values"
    )
    ax.plot(values[scanned], losses[scanned], "o", color="C0", label="scan")
    ax.plot(values[~scanned], losses[~scanned], ".", color="C1", label="polish")
    ax.plot(
        search.best_params_["ridge__alpha"],
        -search.best_score_,
        "*",
        color="C3",
        markersize=14,
        label="optimum",
    )
    ax.set(xlabel="alpha", ylabel="cross-validated mean squared error")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend()


if __name__ == "__main__":
    main()
