"""GridSearchCV and HypergradSearchCV side by side: ``python -m sklearn_hypergrad``."""

import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV

VALUES = np.logspace(-4, 4, 20)
JOBS = {
    "ridge regression on diabetes, r2": (load_diabetes, Ridge(), "alpha", "r2"),
    "logistic regression on breast_cancer, log loss": (
        load_breast_cancer,
        LogisticRegression(solver="newton-cholesky"),
        "C",
        "neg_log_loss",
    ),
}


def main():
    """Run both searches on both jobs and print what they found and what it cost."""
    for title, (load, model, name, scoring) in JOBS.items():
        print(f"{title}: {len(VALUES)} values of {name} from {VALUES[0]:g} to {VALUES[-1]:g}\n")
        X, y = load(return_X_y=True)
        parts = train_test_split(X, y, random_state=0)
        pipeline = make_pipeline(StandardScaler(), model)
        key = f"{type(model).__name__.lower()}__{name}"
        rows = [
            _row(search(pipeline, {key: VALUES}, scoring=scoring, cv=5), name, *parts)
            for search in (GridSearchCV, HypergradSearchCV)
        ]
        _print_table(rows)


def _row(search, name, X_train, X_test, y_train, y_test):
    start = time.perf_counter()
    search.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    (value,) = search.best_params_.values()
    inner = np.sum(search.history_["inner_solves"]) if hasattr(search, "history_") else 0
    return {
        "": type(search).__name__,
        "best_score_": f"{search.best_score_:.6f}",
        "held-out score": f"{search.score(X_test, y_test):.6f}",
        name: f"{value:.6g}",
        "scikit-learn fits": str(len(search.cv_results_["params"]) * search.n_splits_ + 1),
        "own inner solves": str(inner),
        "seconds": f"{seconds:.3f}",
    }


def _print_table(rows):
    for name in rows[0]:
        print(f"  {name:18s}" + "".join(f"{row[name]:>20s}" for row in rows))
    print()


if __name__ == "__main__":
    main()
