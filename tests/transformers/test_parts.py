"""ColumnTransformer and FeatureUnion of data frames and texts, searched as a whole."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVR

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.neural_network import MLPRegressor
from sklearn_hypergrad.transformers import Rows, transformer

N, N_TRAIN = 60, 45
MAP = Nystroem(n_components=6, random_state=0)
SAMPLER = RBFSampler(n_components=10, random_state=0)
CODES = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
WORDS = ["red", "green", "blue", "cat", "dog"]


@pytest.fixture(scope="module")
def frame():
    """Numbers, some of which are missing, two kinds of categories, and texts."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=N),
            "b": rng.normal(size=N),
            "city": pd.Categorical(rng.choice(list("uvwx"), N)),
            "kind": rng.choice(["p", "q"], N),
            "text": [" ".join(rng.choice(WORDS, 4)) for _ in range(N)],
        },
        index=np.arange(N)[::-1] + 7,
    )
    X.loc[X.index[::7], "a"] = np.nan
    X.loc[X.index[-1], "kind"] = "only held out"
    return X


@pytest.fixture(scope="module")
def y(frame):
    cats, noise = frame.text.str.count("cat"), np.random.default_rng(1).normal(size=N)
    y = np.sin(2 * frame.a.fillna(0)) + frame.b**2 + (frame.city == "u") + cats + 0.1 * noise
    return y.to_numpy()


def of_numbers():
    return make_pipeline(SimpleImputer(), StandardScaler(), clone(MAP))


def columns(*more, numbers=("a", "b"), **options):
    numbers = list(numbers) if isinstance(numbers, tuple) else numbers
    return ColumnTransformer([("map", of_numbers(), numbers), *more], **options)


CHOICES = {
    "by name": columns(("codes", CODES, ["city", "kind"])),
    "by a slice of names": columns(("codes", CODES, slice("city", "kind"))),
    "by index": columns(("codes", CODES, [-3, 3]), numbers=slice(0, 2)),
    "by a mask": columns(numbers=[True, True, False, False, False]),
    "by a function": columns(
        ("codes", CODES, lambda X: [name for name in X.columns if "i" in name]),
        numbers=lambda X: list(X.columns[:2]),
    ),
    "the rest": columns(("left out", "drop", "text"), remainder=CODES),
    "a column as numbers, and a text": columns(
        ("own", "passthrough", ["b"]), ("words", CountVectorizer(), "text")
    ),
    "sparse": columns(
        ("words", CountVectorizer(), "text"),
        ("codes", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        sparse_threshold=1.0,
        transformer_weights={"words": 3.0, "map": 0.5},
    ),
    "nothing": columns(("none", CODES, [])),
}


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("choice", CHOICES)
def test_the_rows_of_frames_are_those_of_scikit_learn(choice, library, frame, y):
    estimator, y = CHOICES[choice], y[:N_TRAIN]
    if library == "polars":
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame({n: frame[n].tolist() for n in frame})
    rows, h = Rows(frame, N_TRAIN, y), {"map__nystroem__gamma": 0.3}
    features = transformer(estimator).features(estimator, rows, dict.fromkeys(h), 0)
    own = clone(estimator).set_params(**h)
    expected = [own.fit_transform(rows.train, y), own.transform(rows.held_out)]
    found = features.at(h, frame).X
    assert issparse(found) == issparse(expected[0]) == (choice == "sparse")
    expected = [X.toarray() if issparse(X) else X for X in expected]
    found = found.toarray() if issparse(found) else found
    assert_allclose(found, np.concatenate(expected), rtol=1e-9, atol=1e-12)


def test_derivatives_are_of_columns_that_depend_on_something(frame, y, five_point):
    estimator, h = CHOICES["sparse"], {"map__nystroem__gamma": 0.3}
    rows = Rows(frame, N_TRAIN, y[:N_TRAIN])
    features = transformer(estimator).features(estimator, rows, dict.fromkeys(h), 0)
    left = features.at(h, frame)
    assert_array_equal(left.columns, np.arange(MAP.n_components))
    G = np.random.default_rng(2).normal(size=(N, MAP.n_components))
    slope = left.pull(G, False)[0]["map__nystroem__gamma"]

    def along(step):
        X = features.at({"map__nystroem__gamma": 0.3 * np.exp(step)}, frame).X
        return np.sum(G * X.toarray()[:, left.columns])

    expected = five_point(along, 1e-3)
    assert 0.3 * slope == pytest.approx(expected, rel=1e-8)
    assert 0.3003 * slope != pytest.approx(expected, rel=1e-8)


def searched(model, names, X, y, **options):
    """A search, whose score is that of its best estimator, and whose hypergradients are right."""
    search = HypergradSearchCV(model, dict.fromkeys(names, Continuous()), cv=2, **options)
    search.fit(X, y)
    scores = cross_val_score(search.best_estimator_, X, y, cv=2, scoring=options.get("scoring"))
    assert search.best_score_ == pytest.approx(scores.mean(), rel=1e-12)
    assert check_hypergradient(search, X, y).max() < 1e-5
    return search


def test_a_map_of_numbers_beside_codes_of_categories(frame, y):
    model = make_pipeline(columns(("codes", CODES, ["city", "kind"])), Ridge())
    names = ["columntransformer__map__nystroem__gamma", "ridge__alpha"]
    search = searched(model, names, frame, y, scoring="neg_mean_squared_error")
    assert min(search.history_["loss"]) == pytest.approx(-search.best_score_, rel=1e-9)


def test_a_map_and_an_encoder_are_tuned_together(frame, y):
    folds = KFold(3, shuffle=True, random_state=0)
    encoder = TargetEncoder(target_type="continuous", cv=folds)
    union = columns(("means", encoder, ["city", "kind"]), ("words", CountVectorizer(), "text"))
    names = ["columntransformer__map__nystroem__gamma", "columntransformer__means__smooth"]
    search = searched(make_pipeline(union, Ridge()), names, frame, y)
    assert search.hypergradient_.startswith(", ".join(names))


def test_a_word_of_the_model_is_the_number_of_the_rows_that_reach_it(frame, y):
    union = columns(("codes", CODES, ["city"]))
    grid = {"columntransformer__map__nystroem__gamma": [0.1, 1.0], "svr__gamma": [0.1, 1.0]}
    search = HypergradSearchCV(make_pipeline(union, SVR()), grid, cv=2).fit(frame, y)
    # Those of the first split, its training rows first: the map draws some of them.
    X = clone(union).fit_transform(frame.iloc[[*range(30, 60), *range(30)]])
    expected = 1 / (X.shape[1] * X.var())
    before = search.hyperparameters_.set_index("name")["before"]
    assert before["svr__gamma"] == pytest.approx(expected, rel=1e-9)


def test_two_samplers_beside_each_other(frame, y):
    X, classes = frame[["a", "b"]].fillna(0), (y > np.median(y)).astype(int)
    other = clone(SAMPLER).set_params(random_state=1)
    union = FeatureUnion([("wide", clone(SAMPLER)), ("narrow", other)])
    names = ["union__wide__gamma", "union__narrow__gamma", "model__C"]
    model = Pipeline([("union", union), ("model", LogisticRegression())])
    search = searched(model, names, X, classes, scoring="neg_log_loss")
    own = cross_val_score(model, X, classes, cv=2, scoring="neg_log_loss").mean()
    assert search.best_score_ > own


@pytest.mark.parametrize("kind", [list, pd.Series])
def test_texts_are_taken_as_they_are(kind, frame, y):
    topics = make_pipeline(CountVectorizer(), TruncatedSVD(3, random_state=0), clone(MAP))
    union = FeatureUnion([("words", CountVectorizer()), ("topics", topics)])
    X, names = kind(frame.text.tolist()), ["featureunion__topics__nystroem__gamma"]
    search = searched(make_pipeline(union, Ridge()), names, X, y, scoring="r2")
    assert search.best_score_ > 0


def test_categories_that_a_step_before_makes_stay_categories(frame, y):
    def categories(X):
        return X.assign(kind=X.kind.astype("category"))

    coded = ("codes", CODES, make_column_selector(dtype_include="category"))
    model = make_pipeline(FunctionTransformer(categories), columns(coded), Ridge())
    search = searched(model, ["columntransformer__map__nystroem__gamma"], frame, y, scoring="r2")
    assert 1 - min(search.history_["loss"]) == pytest.approx(search.best_score_, rel=1e-9)


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")
def test_steps_that_put_out_frames_stand_before_a_tuned_one(frame, y):
    model = make_pipeline(columns(("codes", CODES, ["kind"])), StandardScaler(), Ridge())
    model.set_output(transform="pandas")
    searched(model, ["columntransformer__map__nystroem__gamma"], frame, y, scoring="r2")


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        (
            columns(numbers=("a", "b")).set_params(map=make_pipeline(clone(MAP), PCA(2))),
            "PCA stands behind a step that is tuned",
        ),
        (
            columns().set_params(map=make_pipeline(SimpleImputer(), clone(MAP), CODES)),
            "OneHotEncoder stands behind a step that is tuned",
        ),
        (
            columns().set_params(map__nystroem=clone(MAP).set_params(kernel="linear")),
            "Nystroem has no gamma with kernel='linear'",
        ),
        (
            type("Own", (ColumnTransformer,), {"transform": None})([("map", of_numbers(), ["a"])]),
            "Own overrides ColumnTransformer.transform",
        ),
    ],
)
def test_obstacles_are_named(behind, message, frame, y):
    search = HypergradSearchCV(
        make_pipeline(behind, Ridge()), {"behind__map__nystroem__gamma": Continuous()}
    )
    search.estimator.steps[0] = "behind", behind
    with pytest.raises(ValueError, match=message):
        search.fit(frame, y)


def test_a_part_without_derivatives_behind_a_tuned_step_is_refused(frame, y):
    X = frame[["a", "b"]].fillna(0)
    behind = ColumnTransformer([("kept", "passthrough", [0, 1]), ("turned", PCA(2), [2, 3])])
    model = make_pipeline(clone(SAMPLER), behind, Ridge())
    search = HypergradSearchCV(model, {"rbfsampler__gamma": Continuous(0.1, 1)})
    with pytest.raises(ValueError, match="PCA stands behind a step that is tuned"):
        search.fit(X, y)
    behind.set_params(turned=StandardScaler())
    assert check_hypergradient(search.fit(X, y), X, y).max() < 1e-5


def test_a_part_without_a_seed_is_named(frame, y):
    model = make_pipeline(columns(("codes", CODES, ["kind"])), Ridge())
    model.set_params(columntransformer__map__nystroem__random_state=np.random.RandomState(0))
    search = HypergradSearchCV(
        model, {"columntransformer__map__nystroem__gamma": Continuous()}, cv=2
    )
    with pytest.warns(HypergradWarning, match="columntransformer__map__nystroem without a seed"):
        search.fit(frame, y)


def test_samplers_without_seeds_draw_differently(frame):
    union = FeatureUnion([(name, RBFSampler(n_components=5)) for name in ("one", "other")])
    rows = Rows(frame[["a", "b"]].fillna(0), N_TRAIN, None)
    h = {"one__gamma": 0.5, "other__gamma": 0.5}
    X = transformer(union).features(union, rows, dict.fromkeys(h), 0).at(h, rows.X).X
    assert np.abs(X[:, :5] - X[:, 5:]).max() > 0.1


def test_an_own_value_that_data_decide_may_be_unknown(frame):
    X = frame[["a", "b"]].fillna(0).to_numpy()

    def own(*steps):
        part = Pipeline([(f"step{number}", step) for number, step in enumerate(steps)])
        union = ColumnTransformer([("part", part, [0])])
        return transformer(union).own_value(union, f"part__step{len(steps) - 1}__gamma", X)

    # One over the number of features of the part.
    assert own(Nystroem()) == 1
    scaled = RBFSampler(gamma="scale")
    assert own(scaled) == pytest.approx(1 / X[:, 0].var())
    assert own(StandardScaler(), scaled) == pytest.approx(1)
    assert np.isnan(own(SelectKBest(k=1), scaled))
    assert own(SelectKBest(k=1), RBFSampler(gamma=0.3)) == 0.3


WEIGHTS = "union__transformer_weights"
EACH = Continuous(per="transformer")


def of_kinds(model, **options):
    """Numbers that matter, noise, and categories, before a model."""
    blocks = [("numbers", of_numbers()[:2], ["a", "b"]), ("noise", "passthrough", ["x", "y", "z"])]
    union = ColumnTransformer([*blocks, ("codes", CODES, ["city"])], **options)
    return Pipeline([("union", union), ("model", model)])


@pytest.fixture(scope="module")
def noisy(frame):
    noise = np.random.default_rng(3).normal(size=(N, 3))
    return frame.assign(x=noise[:, 0], y=noise[:, 1], z=noise[:, 2])


@pytest.mark.thorough
def test_weights_of_transformers_before_a_kernel(noisy, y):
    model, grid = of_kinds(KernelRidge(kernel="rbf", alpha=0.1)), {WEIGHTS: EACH}
    search = HypergradSearchCV(model, grid, cv=2, search_cv=2, guard=False).fit(noisy, y)
    found = search.best_params_[WEIGHTS]
    assert list(found) == ["numbers", "noise", "codes"]
    assert found["noise"] < 0.7 * found["numbers"]
    own = cross_val_score(model, noisy, y, cv=2).mean()
    assert search.best_score_ > own + 0.05
    scores = cross_val_score(search.best_estimator_, noisy, y, cv=2)
    assert search.best_score_ == pytest.approx(scores.mean(), rel=1e-12)
    assert list(search.hyperparameters_["start"]) == [1.0, 1.0, 1.0]
    near = Continuous(0.3, 3.0, per="transformer")
    free = HypergradSearchCV(model, {WEIGHTS: near}, cv=2, shrinkage=0)
    assert check_hypergradient(free, noisy, y).max() < 1e-6


def test_a_level_with_bounds_moves(noisy, y):
    model, bounded = of_kinds(Ridge(alpha=30)), Continuous(0.5, 1.5, per="transformer")
    search = HypergradSearchCV(model, {WEIGHTS: bounded}, cv=2, guard=False, shrinkage=100.0)
    with pytest.warns(HypergradWarning, match="at bound"):
        search.fit(noisy, y)
    assert search.best_params_[WEIGHTS] == dict.fromkeys(["numbers", "noise", "codes"], 1.5)


def test_weights_before_a_network_that_is_trained(noisy, y):
    network = MLPRegressor((3,), "tanh", n_steps=20, learning_rate_init=0.1, random_state=0)
    search = HypergradSearchCV(of_kinds(network), {WEIGHTS: EACH}, cv=2, max_iter=4)
    search.fit(noisy, (y - y.mean()) / y.std())
    assert list(search.best_params_[WEIGHTS]) == ["numbers", "noise", "codes"]
    assert search.history_["loss"].min() < search.history_["loss"][0]
    assert 1 - search.history_["loss"].min() == pytest.approx(search.best_score_, rel=1e-9)


def test_one_weight_for_all_is_refused(noisy, y):
    search = HypergradSearchCV(of_kinds(Ridge()), {WEIGHTS: Continuous()})
    with pytest.raises(
        ValueError, match=r"for each transformer. Use Continuous\(per='transformer'\)"
    ):
        search.fit(noisy, y)


@pytest.mark.parametrize("asked", [EACH, Continuous()])
def test_weights_inside_of_a_wrapper_are_refused(asked, noisy, y):
    model = TransformedTargetRegressor(of_kinds(Ridge()), func=np.cbrt, inverse_func=np.square)
    search = HypergradSearchCV(model, {f"regressor__{WEIGHTS}": asked})
    with pytest.raises(ValueError, match="has a value for each transformer, and Transf"):
        search.fit(noisy, y)


def test_penalties_per_transformer_beside_a_tuned_part_are_weights(frame, y):
    model = make_pipeline(columns(("codes", CODES, ["kind"])), Ridge())
    grid = {"columntransformer__map__nystroem__gamma": Continuous(), "ridge__alpha": EACH}
    with pytest.raises(ValueError, match="Use it for columntransformer__transformer_weights"):
        HypergradSearchCV(model, grid).fit(frame, y)


def test_listed_weights_are_enumerated(noisy, y):
    grid = {WEIGHTS: [None, {"noise": 0.1}], "model__alpha": [0.1, 10.0]}
    search = HypergradSearchCV(of_kinds(Ridge()), grid, cv=2).fit(noisy, y)
    listed = [params[WEIGHTS] for params in search.cv_results_["params"]]
    assert listed == grid[WEIGHTS]
    numbers = HypergradSearchCV(of_kinds(Ridge()), {WEIGHTS: [0.1, 1.0]}, cv=2)
    with pytest.raises(ValueError, match="All the 4 fits failed"):
        numbers.fit(noisy, y)


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, 1.0), ({"numbers": 2.0, "noise": 2.0, "codes": 2.0}, 2.0), ({"noise": 2.0}, np.nan)],
)
def test_own_weights_are_one_number_if_they_are_equal(own, expected):
    union = of_kinds(None, transformer_weights=own).steps[0][1]
    found = transformer(union).own_value(union, "transformer_weights", None)
    assert_array_equal(found, expected)
