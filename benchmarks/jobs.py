"""The data sets and models that are compared."""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

UCI = ("concrete", "energy", "housing", "stock", "yacht")
VALUES = np.logspace(-4, 4, 20)


def parse_data_folder():
    """The folder given by ``--data``, or None."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="folder with uci/NAME/data.csv.gz")
    return parser.parse_args().data


def regression_sets(folder):
    """``{name: (X, y)}``."""
    sets = {"diabetes": load_diabetes(return_X_y=True)}
    if folder is not None:
        for name in UCI:
            table = np.loadtxt(folder / "uci" / name / "data.csv.gz", delimiter=",")
            sets[name] = table[:, :-1], table[:, -1]
    return sets


def classification_sets():
    """``{name: (X, y)}``."""
    loaders = {"breast_cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits}
    return {name: load(return_X_y=True) for name, load in loaders.items()}


def jobs(folder):
    """``(data set, X, y, estimator, grid, scoring)`` of every comparison."""
    ridge = make_pipeline(StandardScaler(), Ridge())
    classifier = make_pipeline(StandardScaler(), RidgeClassifier())
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    for name, (X, y) in regression_sets(folder).items():
        # The rows of some tables are sorted: the same shuffle for both searches.
        order = np.random.default_rng(0).permutation(len(y))
        for scoring in ("r2", "neg_mean_absolute_error"):
            yield name, X[order], y[order], ridge, {"ridge__alpha": VALUES}, scoring
    for name, (X, y) in classification_sets().items():
        for scoring in ("neg_log_loss", "accuracy"):
            yield name, X, y, logistic, {"logisticregression__C": VALUES}, scoring
        yield name, X, y, classifier, {"ridgeclassifier__alpha": VALUES}, "accuracy"


def quiet():
    """No warnings of fits that do not converge: both searches have them."""
    warnings.simplefilter("ignore", ConvergenceWarning)


def print_table(header, rows):
    """A Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
