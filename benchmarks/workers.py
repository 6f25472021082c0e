"""What a second process gains: wall time with ``n_jobs=2`` over that with ``n_jobs=1``.

``python -m benchmarks.workers [--data DIR] [--rounds N]`` needs an idle machine with two cores.
Every process has one BLAS thread, workers are stopped before each round, and the two searches
take turns. ``docs/workers.inc`` is written with ``--data``, which brings the texts.
"""

import time
from pathlib import Path

import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from benchmarks.cases import film_reviews, list_table, measured_cases
from benchmarks.speed import data
from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model

PAGE = Path(__file__).parents[1] / "docs" / "workers.inc"
SIZES = [(20,), (30,), (40,), (50,)]
TEXT = {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)], "tfidfvectorizer__min_df": [1, 2, 5]}


def networks(iterations):
    """Four sizes of a network for 1000 digits, each with a range of alpha."""
    X, y = (part[:1000] for part in load_digits(return_X_y=True))
    model = MLPClassifier(solver="sgd", max_iter=iterations, random_state=0)
    grid = {"hidden_layer_sizes": SIZES, "alpha": Continuous()}
    return HypergradSearchCV(model, grid, scoring="neg_log_loss"), X / 16, y


def texts(folder):
    """Six settings of a vectorizer for film reviews, each with a range of C."""
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    grid = {**TEXT, "logisticregression__C": Continuous()}
    return HypergradSearchCV(model, grid, scoring="neg_log_loss"), *film_reviews(folder)


def vector():
    """A penalty for each of 150 features, with guard=True."""
    X, y = data.factor_classification(6000, 150)
    grid = {"C": Continuous(per="feature")}
    return HypergradSearchCV(linear_model.LogisticRegression(), grid, guard=True), X, y


def cases(folder):
    """``{name: function that makes the search, X and y}``."""
    made = {
        "MLPClassifier, 4 sizes x a range of alpha, 1,000 digits": lambda: networks(20),
        "LogisticRegression, a vector, 6,000 x 150, guard=True": vector,
    }
    if folder is not None:
        name = "TfidfVectorizer and LogisticRegression, 6 settings x a range of C, 2,000 reviews"
        made[name] = lambda: texts(folder)
    return made


def seconds(search, X, y, n_jobs):
    """Wall time of a fit whose workers have to be started, and its best score."""
    get_reusable_executor().shutdown(wait=True)
    fresh, began = clone(search).set_params(n_jobs=n_jobs), time.perf_counter()
    fresh.fit(X, y)
    return time.perf_counter() - began, fresh.best_score_


def row(name, make, rounds):
    """Name, wall time with one process and with two, and their ratio, as text."""
    search, X, y = make()
    times, scores = {1: [], 2: []}, set()
    for _ in range(rounds):
        for n_jobs, spent in times.items():
            wall, score = seconds(search, X, y, n_jobs)
            spent.append(wall)
            scores.add(score)
    assert len(scores) == 1, f"{name}: scores depend on n_jobs: {scores}"
    alone, shared = (float(np.median(spent)) for spent in times.values())
    return name, f"{alone:.1f}", f"{shared:.1f}", f"{shared / alone:.2f}"


def main():
    rows, complete = measured_cases(__doc__, cases, row, rounds=3)
    if complete:
        header = "Search", "``n_jobs=1``, s", "``n_jobs=2``, s", "ratio"
        PAGE.write_text(list_table(header, rows, widths="58 14 14 14"), encoding="utf-8")


if __name__ == "__main__":
    main()
