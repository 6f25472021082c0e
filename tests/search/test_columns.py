"""One penalty for all features that come from one column of X."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from sklearn_hypergrad import Continuous, HypergradSearchCV, kernel_ridge
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.search.data.sources import CONSTANT, SEVERAL, positions_of

N = 60
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(size=N),
        "town": np.where(np.arange(N) < 2, "small", np.resize(["x", "y", "z"], N)),
        "b": RNG.normal(size=N),
        "job": RNG.choice(["p", "q"], N),
    },
    index=np.arange(N)[::-1],
)
Y = FRAME["a"] + 2.0 * (FRAME["town"] == "y") + RNG.normal(size=N)
CATEGORIES = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
ENCODE = make_column_transformer(
    (CATEGORIES, ["job", "town"]), (StandardScaler(), ["b", "a"]), verbose_feature_names_out=False
)
SOURCES = ["job"] * 2 + ["town"] * 4 + ["b", "a"]


def polars_frame(numbers):
    return pytest.importorskip("polars").DataFrame(numbers)


@pytest.mark.parametrize("n_columns", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("kind", [np.asarray, csr_array, pd.DataFrame, polars_frame])
def test_sources_of_features(kind, n_columns):
    numbers = np.random.default_rng(1).integers(1, 4, size=(20, n_columns))
    order = np.random.default_rng(2).integers(n_columns, size=12)
    X = kind(numbers)

    def transform(X):
        rows = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        assert rows.dtype.kind in "if"
        several = rows[:, [0]] * rows[:, [-1]]
        return np.hstack([rows[:, order] ** 2, np.ones((20, 1)), several])

    last = SEVERAL if n_columns > 1 else 0
    found = positions_of(transform, X)
    assert found.tolist() == [*order, CONSTANT, last]
    assert_array_equal(positions_of(lambda X: csr_array(transform(X)), X), found)
    kept = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    assert_array_equal(kept, numbers)


@pytest.mark.parametrize(
    ("step", "columns", "expected"),
    [
        (SplineTransformer(4), ["b", "a"], [2] * 6 + [0] * 6),
        (KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), ["b"], [2] * 3),
        (SimpleImputer(add_indicator=True), ["a", "b"], [0, 2, 2]),
        (TfidfVectorizer(token_pattern="."), "job", [3, 3]),
        (OneHotEncoder(drop="first", min_frequency=5), ["town", "job"], [1, 1, 1, 3]),
    ],
)
def test_sources_through_transformers(step, columns, expected):
    frame = FRAME.assign(b=FRAME["b"].mask(FRAME["b"] > 1) if "add" in str(step) else FRAME["b"])
    encode = make_column_transformer((step, columns)).fit(frame)
    assert positions_of(encode.transform, frame).tolist() == expected


def fit(model, name, continuous, X=FRAME, y=Y, output="pandas", **options):
    pipeline = make_pipeline(ENCODE, model).set_output(transform=output)
    grid = {f"{type(model).__name__.lower()}__{name}": continuous}
    return HypergradSearchCV(pipeline, grid, cv=3, max_iter=2, **options).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize(
    ("model", "name", "y", "output"),
    [
        (Ridge(), "alpha", np.c_[Y, -(Y**2)], "default"),
        (LogisticRegression(), "C", Y > 1, "pandas"),
        (kernel_ridge.KernelRidge(kernel="rbf"), "gamma", Y, "pandas"),
    ],
)
def test_a_column_is_the_group_of_its_features(model, name, y, output):
    # No category is missing in a split, so that labels by position are allowed.
    X = FRAME.assign(town=np.resize(["x", "y", "z"], N))
    groups = [label for label in SOURCES if label != "town"]
    groups = [*groups[:2], *["town"] * 3, *groups[2:]]
    options = {"X": X, "y": y, "output": output, "search_cv": "cv", "guard": False}
    found = fit(model, name, Continuous(per="column"), **options)
    expected = fit(model, name, Continuous(per="group", groups=groups), **options)
    assert found.best_score_ == expected.best_score_
    assert list(found.hyperparameters_["name"]) == list(expected.hyperparameters_["name"])
    assert_array_equal(found.hyperparameters_["value"], expected.hyperparameters_["value"])


def test_without_transformers_every_column_is_a_feature():
    X = FRAME[["a", "b"]].to_numpy()
    options = {"cv": 3}
    found, expected = (
        HypergradSearchCV(Ridge(), {"alpha": Continuous(per=per)}, **options).fit(X, Y)
        for per in ("column", "feature")
    )
    assert_array_equal(found.best_params_["alpha"], expected.best_params_["alpha"])


def test_features_of_several_columns_are_refused():
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous(per="column")})
    with pytest.raises(ValueError, match="made of one column of X each, and 'a b' is made of sev"):
        search.fit(FRAME[["a", "b"]], Y)
