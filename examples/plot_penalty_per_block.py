"""
One penalty per block of columns
================================

Tables are put together from unlike parts: words and measurements, dozens of one-hot columns and one
age, ten features and the fifty-five products of them. One penalty for all of them is a compromise.
``Continuous(per="transformer")`` tunes one for the columns of each transformer of a
ColumnTransformer or FeatureUnion, through their ``transformer_weights``, so it works for
scikit-learn's own models. A penalty leaves the common value only where the data say so.

With ``--data DIR`` the data are the census of 1994 ("Adult"), if ``DIR/adult-train.csv.gz`` and
``DIR/adult-test.csv.gz`` are there: numbers, the same numbers cut into ten intervals, one-hot
columns of every category, and pairs of categories. Otherwise they are the diabetes data of
scikit-learn with the products of its features.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from sklearn_hypergrad import Continuous, HypergradSearchCV

TRAIN, TEST = "adult-train.csv.gz", "adult-test.csv.gz"
N_TRAIN = 1000
NUMBERS = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
COLUMNS = (
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex "
    "capital-gain capital-loss hours-per-week native-country income"
).split()
CATEGORIES = [name for name in COLUMNS[:-1] if name not in NUMBERS]
PAIRED = ["education", "occupation", "relationship", "workclass"]


def main():
    """Tune one penalty for all and one per block, compare on unseen data, draw the penalties."""
    parser = argparse.ArgumentParser(description="Tune one penalty per block of columns.")
    parser.add_argument("--data", metavar="DIR", type=Path, help=f"folder with {TRAIN}")
    parser.add_argument("--output", metavar="PATH", help="save the figure there")
    arguments = parser.parse_args()
    there = arguments.data is not None and (arguments.data / TRAIN).exists()
    pipeline, name, scoring, parts = census(arguments.data) if there else diabetes()

    X_train, X_test, y_train, y_test = parts
    scores = {}
    for per in (None, "transformer"):
        search = HypergradSearchCV(pipeline, {name: Continuous(per=per)}, scoring=scoring, cv=5)
        search.fit(X_train, y_train)
        scores[per] = search.score(X_test, y_test)
        print(f"per={per}: {scoring} {search.best_score_:.4f}, unseen {scores[per]:.4f}")
        print(f"  {search.best_params_}")
    # The last search is the one per block.
    draw(search, scores, scoring)
    if arguments.output is not None:
        plt.savefig(arguments.output)
    else:
        plt.show()


def diabetes():
    """Ten features and their products."""
    X, y = load_diabetes(return_X_y=True)
    products = make_pipeline(PolynomialFeatures(2, interaction_only=True), StandardScaler())
    blocks = FeatureUnion([("features", "passthrough"), ("products", products)])
    pipeline = make_pipeline(StandardScaler(), blocks, Ridge())
    return pipeline, "ridge__alpha", "r2", train_test_split(X, y, test_size=0.5, random_state=0)


def census(folder):
    """Numbers, categories, intervals and pairs; the test set is that of the census."""
    tables = [
        pd.read_csv(folder / name, header=None, names=COLUMNS, skipinitialspace=True, comment="|")
        for name in (TRAIN, TEST)
    ]
    train, test = tables[0].sample(N_TRAIN, random_state=0), tables[1]
    one_hot = OneHotEncoder(handle_unknown="ignore")
    pairs = make_pipeline(
        OneHotEncoder(handle_unknown="ignore", min_frequency=10),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
    )
    blocks = ColumnTransformer(
        [
            ("numbers", StandardScaler(), NUMBERS),
            ("intervals", KBinsDiscretizer(10, strategy="uniform"), NUMBERS),
            *[(name, one_hot, [name]) for name in CATEGORIES],
            ("pairs", pairs, PAIRED),
        ]
    )
    pipeline = make_pipeline(blocks, LogisticRegression(solver="newton-cg", tol=1e-6))
    y_train, y_test = (table["income"].str.startswith(">50K").to_numpy() for table in (train, test))
    return pipeline, "logisticregression__C", "neg_log_loss", (train, test, y_train, y_test)


def draw(search, scores, scoring):
    """Strengths of the penalties, and the score on unseen data."""
    table = search.hyperparameters_
    names = [name.partition("[")[2].rstrip("]") for name in table["name"]]
    inverse = table["name"][0].partition("[")[0].endswith("__C")
    values = np.array(table["value"]) ** (-1 if inverse else 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.barh(names, values, color="C0")
    common = table["start"][0] ** (-1 if inverse else 1)
    left.axvline(common, color="C1", linestyle="--", label="one penalty for all")
    left.set(xscale="log", xlabel="penalty", title="Strength of each block")
    left.legend(loc="lower right")
    right.plot(["one for all", "one per block"], list(scores.values()), "o:", color="C0")
    right.margins(0.4)
    right.set(ylabel=scoring, title="On unseen data (higher is better)")
    return figure


if __name__ == "__main__":
    main()
