"""Categories that are encoded by the targets of their rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.transformers import Rows, transformer

N_TRAIN, N_TEST = 100, 20
FOLDS = KFold(5, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def towns():
    """A frame of strings, one of them missing here and there, and targets that depend on it."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    town, shop = rng.integers(0, 20, N_TRAIN + N_TEST), rng.integers(0, 3, N_TRAIN + N_TEST)
    X = {"town": [f"town {n}" for n in town], "shop": np.array(["a", "b", None])[shop]}
    y = rng.normal(size=20)[town] + 0.5 * shop + rng.normal(size=len(town))
    return pandas.DataFrame(X), y


def features(encoder, X, y, seed=0):
    return transformer(encoder).features(encoder, Rows(X, N_TRAIN, y[:N_TRAIN]), ["smooth"], seed)


@pytest.mark.parametrize("kind", ["numbers", "two classes", "three classes"])
@pytest.mark.parametrize("smooth", [1e-3, 5.0])
def test_frames_are_encoded_as_by_scikit_learn(towns, kind, smooth):
    X, y = towns
    y = y if kind == "numbers" else np.array(["p", "q", "r"])[np.digitize(y, [0.0, 0.9])]
    y = np.where(y == "p", "p", "q") if kind == "two classes" else y
    encoder = TargetEncoder(cv=FOLDS)
    found = features(encoder, X, y).at({"smooth": smooth}, X).X
    encoder.set_params(smooth=smooth)
    train = encoder.fit_transform(X[:N_TRAIN], y[:N_TRAIN])
    held_out = encoder.transform(X[N_TRAIN:])
    assert_allclose(found, np.concatenate([train, held_out]), rtol=1e-13)
    # Cross-fitted rows have other numbers than those of the fitted encoder.
    assert np.abs(train - encoder.transform(X[:N_TRAIN])).max() > 0.1


# Scikit-learn 1.9 deprecates the seed of the encoder.
@pytest.mark.filterwarnings("ignore:.*TargetEncoder.shuffle.*:FutureWarning")
@pytest.mark.parametrize("cv", [5, KFold(5, shuffle=True)])
def test_folds_without_a_seed_are_drawn_from_that_of_the_search(towns, cv):
    X, y = towns
    encoder, h = TargetEncoder(cv=cv), {"smooth": 2.0}
    found = features(encoder, X, y, seed=7).at(h, X).X
    seeded = TargetEncoder(cv=KFold(5, shuffle=True, random_state=7), smooth=2.0)
    assert_allclose(found[:N_TRAIN], seeded.fit_transform(X[:N_TRAIN], y[:N_TRAIN]), rtol=1e-13)
    assert_array_equal(features(encoder, X, y, seed=7).at(h, X).X, found)
    assert not np.array_equal(features(encoder, X, y, seed=8).at(h, X).X, found)
    of_encoder = TargetEncoder(random_state=7)
    assert_array_equal(features(of_encoder, X, y, seed=8).at(h, X).X, found)
    unmoved = TargetEncoder(shuffle=False)
    in_order = features(TargetEncoder(cv=KFold(5)), X, y).at(h, X).X
    assert_array_equal(features(unmoved, X, y).at(h, X).X, in_order)


def test_folds_that_overlap_are_refused(towns):
    with pytest.raises(ValueError, match="must have each training row in one fold"):
        features(TargetEncoder(cv=ShuffleSplit(3, random_state=0)), *towns)


def test_behind_a_step_that_is_tuned_it_is_refused():
    steps = make_pipeline(Nystroem(), TargetEncoder())
    obstacle = transformer(steps).obstacle(steps, ["nystroem__gamma"], False)
    assert "TargetEncoder stands behind a step that is tuned, and has no derivatives" in obstacle


@pytest.mark.parametrize(
    ("model", "name", "scoring"),
    [
        (Ridge(), "ridge__alpha", "r2"),
        pytest.param(
            Ridge(), "ridge__alpha", "neg_median_absolute_error", marks=pytest.mark.thorough
        ),
        (LogisticRegression(), "logisticregression__C", "accuracy"),
    ],
)
def test_smoothing_is_searched_together_with_a_penalty(towns, model, name, scoring):
    X, y = towns
    y = np.where(y > 0.5, "more", "less") if scoring == "accuracy" else y
    pipeline = make_pipeline(TargetEncoder(cv=FOLDS), model)
    grid = {"targetencoder__smooth": Continuous(), name: [1e-2, 1e2]}
    search = HypergradSearchCV(pipeline, grid, scoring=scoring).fit(X, y)
    assert "enumerated" not in search.hypergradient_
    best = clone(pipeline).set_params(**search.best_params_)
    scores = cross_val_score(best, X, y, scoring=scoring)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-6)
    if scoring == "r2":
        assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-6)
        assert check_hypergradient(search, X, y, n_points=2).max() < 1e-7


def test_some_columns_are_categories(towns):
    X, y = towns
    X = X.assign(size=np.random.default_rng(1).normal(size=len(y)))
    steps = make_column_transformer(
        (TargetEncoder(cv=FOLDS), ["town", "shop"]), (StandardScaler(), ["size"])
    )
    pipeline = make_pipeline(steps, Ridge())
    grid = {"columntransformer__targetencoder__smooth": Continuous(), "ridge__alpha": Continuous()}
    search = HypergradSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-9)
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-7


def test_inside_of_a_wrapper_frames_stay_what_they_are(towns):
    X, y = towns
    inside = make_pipeline(TargetEncoder(cv=FOLDS), Ridge())
    model = TransformedTargetRegressor(inside, func=np.exp, inverse_func=np.log)
    grid = {"regressor__targetencoder__smooth": [0.5, 50.0]}
    search = HypergradSearchCV(model, grid, cv=3).fit(X, y)
    assert "enumerated" not in search.hypergradient_
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-7


def test_no_smoothing_is_a_limit_that_needs_no_remedy(towns):
    """A penalty that is too strong wants columns as wide as they can be."""
    X, y = towns
    y = (X["shop"] == "b") + 2.0 * X["shop"].isna() + 0.1 * y
    model = make_pipeline(TargetEncoder(cv=FOLDS), Ridge(100.0))
    search = HypergradSearchCV(model, {"targetencoder__smooth": Continuous()}).fit(X[["shop"]], y)
    assert "flat towards zero" in str(search.report())
