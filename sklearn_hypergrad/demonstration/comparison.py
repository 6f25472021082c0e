"""The untouched model, a grid and the search: what each scores on rows it has not seen."""

import math
import time

from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_hypergrad.search import HypergradSearchCV

UNTOUCHED, GRID, SEARCH = "untouched model", "GridSearchCV", "HypergradSearchCV"


def compare(model, preprocess, X, y, *, random_state=0):
    """Fit all three on three quarters of the rows, and score them on the last quarter.

    Parameters
    ----------
    model : Model
        What is tuned, the grid, and the score.
    preprocess : transformer
        What goes before the model.
    X : array-like or frame of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Target.
    random_state : int
        Which rows are held out.

    Returns
    -------
    table : dict of str to dict of str to str
        Of each of the three: the score on held-out rows, ``best_score_``, the values, fits by
        scikit-learn, inner problems that the search solved itself, and seconds.
    """
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=random_state)
    step = type(model.estimator).__name__.lower()
    grid = {f"{step}__{name}": values for name, values in model.grid.items()}
    pipeline = make_pipeline(preprocess, model.estimator)
    candidates = {
        UNTOUCHED: pipeline,
        GRID: GridSearchCV(pipeline, grid, scoring=model.scoring, cv=5),
        SEARCH: HypergradSearchCV(pipeline, grid, scoring=model.scoring, cv=5),
    }
    score, table = get_scorer(model.scoring), {}
    for title, candidate in candidates.items():
        candidate, start = clone(candidate), time.perf_counter()
        candidate.fit(X_train, y_train)
        seconds = time.perf_counter() - start
        held_out = score(candidate, X_test, y_test)
        table[title] = {
            "held-out score": f"{held_out:.6f}",
            **_told(candidate, pipeline, grid),
            "seconds": f"{seconds:.3f}",
        }
    return table


def _told(fitted, pipeline, grid):
    if not hasattr(fitted, "best_params_"):
        own = {name: pipeline.get_params()[name] for name in grid}
        return {
            "best_score_": "",
            **_values(own),
            "scikit-learn fits": "1",
            "own inner solves": "0",
        }
    solves = sum(fitted.history_["inner_solves"]) if hasattr(fitted, "history_") else 0
    return {
        "best_score_": f"{fitted.best_score_:.6f}",
        **_values(fitted.best_params_),
        "scikit-learn fits": str(len(fitted.cv_results_["params"]) * fitted.n_splits_ + 1),
        "own inner solves": str(solves),
    }


def _values(params):
    return {
        name.split("__")[-1]: value if isinstance(value, str) else f"{value:.6g}"
        for name, value in params.items()
    }


def printed(table):
    """The table as text: one line per fact, one column per candidate."""
    head = "  " + " " * 18 + "".join(f"{title:>20s}" for title in table)
    lines = [
        f"  {fact:18s}" + "".join(f"{row[fact]:>20s}" for row in table.values())
        for fact in next(iter(table.values()))
    ]
    return "\n".join([head, *lines])


def grid_of(model):
    """The grid in words: "20 values of alpha from 0.0001 to 10000"."""
    parts = [
        f"{len(values)} values of {name} from {min(values):g} to {max(values):g}"
        for name, values in model.grid.items()
    ]
    n_combinations = math.prod(map(len, model.grid.values()))
    return " x ".join(parts) + (f" ({n_combinations} combinations)" if len(parts) > 1 else "")
