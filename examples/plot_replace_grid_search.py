"""
Replacing GridSearchCV
======================

The same pipeline is tuned twice, once by :class:`~sklearn.model_selection.GridSearchCV` and once by
:class:`~sklearn_hypergrad.HypergradSearchCV`. Only the name of the class differs. Both are judged
by their cross-validated score and on samples that neither has seen; what they cost is counted in
fits of the pipeline, which is what scikit-learn does, in inner problems that the search solved by
itself, and in seconds.
"""

import argparse
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV

PARAM_GRID = {"logisticregression__C": np.logspace(-4, 4, 25)}


def main():
    """Run both searches, print a table and draw what they cost."""
    parser = argparse.ArgumentParser(description="Replace GridSearchCV by HypergradSearchCV.")
    parser.add_argument("--output", metavar="PATH", help="save the figure there")
    output = parser.parse_args().output

    X, y = load_breast_cancer(return_X_y=True)
    parts = train_test_split(X, y, stratify=y, random_state=0)
    results = [run(search_class, *parts) for search_class in (GridSearchCV, HypergradSearchCV)]
    for name in results[0]:
        print(f"{name:22s}" + "".join(f"{result[name]:>20}" for result in results))

    draw(results)
    if output:
        plt.savefig(output)
    elif plt.get_backend().lower() != "agg":
        plt.show()


def run(search_class, X_train, X_test, y_train, y_test):
    """Fit one search; its results as a row of the table."""
    model = LogisticRegression(solver="newton-cholesky", tol=1e-6)
    pipeline = make_pipeline(StandardScaler(), model)
    search = search_class(pipeline, PARAM_GRID, scoring="neg_log_loss", cv=5)
    start = time.perf_counter()
    search.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    return {
        "search": search_class.__name__,
        "best C": f"{search.best_params_['logisticregression__C']:.4f}",
        "best_score_": f"{search.best_score_:.5f}",
        "score on unseen data": f"{search.score(X_test, y_test):.5f}",
        "fits": len(search.cv_results_["params"]) * search.n_splits_ + 1,
        "own inner solves": sum(search.history_["inner_solves"])
        if hasattr(search, "history_")
        else 0,
        "seconds": f"{seconds:.3f}",
    }


def draw(results):
    """Bars of fits and seconds."""
    names = [result["search"] for result in results]
    _, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for ax, quantity, title in zip(
        axes, ("fits", "seconds"), ("fits of the pipeline", "seconds"), strict=True
    ):
        bars = ax.bar(names, [float(result[quantity]) for result in results], color=["C7", "C0"])
        ax.bar_label(bars)
        ax.set_title(title)
        ax.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
