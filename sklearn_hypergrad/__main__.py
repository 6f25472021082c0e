"""The search beside a grid and the untouched model: ``python -m sklearn_hypergrad --help``."""

import argparse

from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import demonstration
from sklearn_hypergrad.demonstration import MODELS

BUNDLED = {
    "ridge": ("ridge regression on diabetes", load_diabetes),
    "logistic": ("logistic regression on breast_cancer", load_breast_cancer),
}
DESCRIPTION = """
Compares a model as it is, GridSearchCV and HypergradSearchCV: their scores on a quarter of the rows
that none of them has seen, and what they cost. Without --data on two tables that come with
scikit-learn, with --data on your own.
"""
EPILOG = """
Numbers are imputed by their median and scaled, categories are one-hot encoded. Without --model the
target decides: labels, which are strings or at most ten different whole numbers, take "logistic",
and other numbers "ridge".
"""


def main(arguments=None):
    """Compare on bundled data, or on the table that ``arguments`` name, and print the tables."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if (asked.data is None) != (asked.target is None):
        parser.error("--data and --target go together: a file, and the column to predict")
    if asked.data is None:
        names = [asked.model] if asked.model else [*BUNDLED]
        if unknown := {*names} - {*BUNDLED}:
            parser.error(f"--model {unknown.pop()} needs --data and --target")
        for name in names:
            title, load = BUNDLED[name]
            X, y = load(return_X_y=True)
            _show(title, name, StandardScaler(), X, y, asked.seed)
        return
    try:
        X, y, left_out = demonstration.read(asked.data, asked.target)
    except demonstration.TableError as error:
        parser.error(str(error))
    for each in left_out:
        print(f"left out {each}")
    name = asked.model or demonstration.default_model(y)
    title = f"{name} for {asked.target} of {asked.data}, {X.shape[0]} rows, {X.shape[1]} columns"
    _show(title, name, demonstration.preprocessing(X), X, y, asked.seed)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_hypergrad", description=DESCRIPTION, epilog=EPILOG
    )
    parser.add_argument("--data", metavar="FILE", help="a .csv or .parquet file")
    parser.add_argument("--target", metavar="NAME", help="the column to predict")
    parser.add_argument("--model", choices=MODELS, help="what is tuned")
    parser.add_argument("--seed", type=int, default=0, help="which rows are held out (0)")
    return parser


def _show(title, name, preprocess, X, y, seed):
    model = MODELS[name]
    print(f"{title}: {demonstration.grid_of(model)}, {model.scoring}\n")
    print(demonstration.printed(demonstration.compare(model, preprocess, X, y, random_state=seed)))
    print()


if __name__ == "__main__":
    main()
