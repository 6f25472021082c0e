"""Which features a vector needs, and what is said where it cannot have them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model as plain
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest, f_regression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge

N = 60
RNG = np.random.default_rng(0)
NUMBERS = pd.DataFrame(RNG.normal(size=(N, 4)), columns=list("abcd"))
Y = 3 * NUMBERS["a"].to_numpy() + RNG.normal(size=N)
# A category that most training parts do not see all of.
KINDS = NUMBERS.assign(kind=[f"k{i}" if i < 8 else "other" for i in range(N)])
FEATURE = Continuous(per="feature")


def fit(estimator, key, continuous, X, y=Y, **options):
    options = {"cv": 4, "search_cv": 3, **options}
    return HypergradSearchCV(estimator, {key: continuous}, **options).fit(X, y)


def one_hot(model, **options):
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    transformer = ColumnTransformer(
        [("kinds", encoder, ["kind"]), ("numbers", StandardScaler(), list("abcd"))]
    )
    return make_pipeline(transformer.set_output(**options), model)


def test_names_of_features_are_those_that_enter_the_model():
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), Ridge())
    search = fit(pipeline, "ridge__alpha", FEATURE, NUMBERS[["a", "b"]])
    names = ["a", "b", "a^2", "a b", "b^2"]
    assert list(search.hyperparameters_["name"]) == [f"ridge__alpha[{name}]" for name in names]
    assert search.feature_regularization_.shape == (5,)


@pytest.mark.parametrize("model", [Ridge(), plain.Ridge()])
@pytest.mark.parametrize(
    ("continuous", "steps", "message"),
    [
        (FEATURE, [PCA(2)], "PCA mixes columns"),
        (FEATURE, [FeatureUnion([("p", make_pipeline(PCA(2)))])], "PCA mixes columns"),
        (Continuous(per="group", groups=[0, 1]), [PCA(2)], "PCA mixes columns"),
        (Continuous(per="group", groups=[0, 1]), [], "groups has 2 labels for 4 features"),
        (Continuous(per="transformer"), [StandardScaler()], "needs a ColumnTransformer"),
        (Continuous(per="target"), [], "needs y of shape"),
    ],
)
def test_what_cannot_be_had_is_refused(model, continuous, steps, message):
    if type(model) is plain.Ridge and continuous.per not in ("transformer", "target"):
        message = r"sklearn_hypergrad\.linear_model\.Ridge"
    with pytest.raises(ValueError, match=f"Cannot tune 'ridge__alpha'.*{message}"):
        fit(make_pipeline(*steps, model), "ridge__alpha", continuous, NUMBERS)


@pytest.mark.parametrize("continuous", [FEATURE, Continuous(per="group", groups=[0] * 13)])
def test_features_that_differ_between_splits_are_refused_by_name(continuous):
    with pytest.raises(ValueError, match=r"same features in every split.*kinds__kind_k\d"):
        fit(one_hot(Ridge()), "ridge__alpha", continuous, KINDS)


def test_without_names_features_are_counted():
    class Nameless(OneHotEncoder):
        get_feature_names_out = None

    pipeline = make_pipeline(Nameless(handle_unknown="ignore"), Ridge())
    with pytest.raises(ValueError, match=r"same features in every split.*got 9 and \d"):
        fit(pipeline, "ridge__alpha", FEATURE, KINDS[["kind"]].to_numpy())


def test_a_dict_of_groups_serves_features_that_come_and_go():
    groups = {f"numbers__{name}": "number" for name in "abcd"}
    continuous = Continuous(per="group", groups=groups)
    pipeline = one_hot(Ridge(), transform="pandas")
    search = fit(pipeline, "ridge__alpha", continuous, KINDS)
    assert set(search.best_params_["ridge__alpha"]) == {*groups, None}
    score = cross_val_score(search.best_estimator_, KINDS, Y, cv=4).mean()
    assert search.best_score_ == pytest.approx(score)
    assert check_hypergradient(search, KINDS, Y, n_points=1).max() < 1e-6
    with pytest.raises(ValueError, match=r"set_output\(transform='pandas'\)"):
        fit(one_hot(Ridge(), transform="default"), "ridge__alpha", continuous, KINDS)


RARE = KINDS[["a"]].assign(kind=["rare"] * 2 + ["one", "other"] * (N // 2 - 1))
OUTPUTS = np.column_stack([Y, np.sin(Y)])


def rare(model):
    """Features that come and go: no half of the rows may have those of the rare category."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encode = ColumnTransformer([("k", encoder, ["kind"]), ("a", "passthrough", ["a"])])
    return make_pipeline(encode, model).set_output(transform="pandas")


@pytest.mark.filterwarnings("ignore:.*not converged")
@pytest.mark.parametrize(
    ("model", "continuous", "y", "guard"),
    [
        (Ridge(), FEATURE, Y, True),
        (Ridge(), Continuous(per="coefficient"), OUTPUTS, False),
        (Ridge(), Continuous(per="group", groups=[1, 1, 2, 3]), Y, False),
        (Ridge(), Continuous(per="group", groups={"k__kind_rare": 1, "a__a": 2}), Y, True),
        (Ridge(), Continuous(per="column"), Y, True),
        (LogisticRegression(), FEATURE, Y > 0, False),
    ],
)
@pytest.mark.thorough
def test_a_model_that_sees_names_serves_features_that_come_and_go(model, continuous, y, guard):
    key = f"{type(model).__name__.lower()}__{'alpha' if type(model) is Ridge else 'C'}"
    scoring = "r2" if type(model) is Ridge else "neg_log_loss"
    search = fit(rare(model), key, continuous, RARE, y, guard=guard, scoring=scoring, max_iter=2)
    vector = search.cv_results_["params"][0][key]
    assert {"k__kind_rare", "a__a"} <= set(vector)
    fitted = clone(search.estimator).set_params(**{key: vector})
    score = cross_val_score(fitted, RARE, y, cv=4, scoring=scoring).mean()
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(score)


def test_features_that_the_refit_does_not_select_are_refused():
    noise = pd.DataFrame(RNG.normal(size=(N, 20))).add_prefix("f")
    select = make_pipeline(SelectKBest(f_regression, k=3), Ridge()).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"entry for each feature of the refit.*others: f\d"):
        fit(select, "ridge__alpha", FEATURE, noise)


def test_a_name_that_is_nowhere_is_refused():
    continuous = Continuous(per="group", groups={"a": 1, "typo": 2})
    with pytest.raises(ValueError, match="the feature 'typo', .* they have a, b, c, d"):
        fit(Ridge(), "alpha", continuous, NUMBERS)


def test_a_selector_does_not_mix():
    select = SelectFromModel(make_pipeline(PCA(2), Ridge()), threshold=-np.inf, max_features=4)
    select.set_params(importance_getter=lambda model: np.ones(4))
    search = fit(make_pipeline(select, Ridge()), "ridge__alpha", FEATURE, NUMBERS)
    assert search.feature_regularization_.shape == (4,)


def test_a_dict_of_groups_needs_names():
    continuous = Continuous(per="group", groups={"a": 1})
    with pytest.raises(ValueError, match="features that reach the model have none"):
        fit(Ridge(), "alpha", continuous, NUMBERS.to_numpy())


@pytest.mark.parametrize("as_frame", [True, False])
def test_groups_as_a_dict_and_as_a_sequence_agree(as_frame):
    continuous = Continuous(per="group", groups={"a": "x", "c": "x"})
    listed = Continuous(per="group", groups=["x", None, "x", None])
    scale = StandardScaler().set_output(transform="pandas" if as_frame else "default")
    first, second = (
        fit(make_pipeline(scale, Ridge()), "ridge__alpha", spread, NUMBERS)
        for spread in (continuous, listed)
    )
    assert_allclose(first.feature_regularization_, second.feature_regularization_)
    assert first.best_score_ == pytest.approx(second.best_score_)


BLOCKS = {
    "columns": ColumnTransformer(
        [("scaled", StandardScaler(), ["a", "b"]), ("gone", "drop", ["c"])],
        remainder="passthrough",
    ),
    "union": FeatureUnion([("scaled", StandardScaler()), ("main", PCA(2)), ("gone", "drop")]),
    "weighted": ColumnTransformer(
        [("one", "passthrough", ["a", "b"]), ("two", StandardScaler(), ["c", "d"])],
        transformer_weights={"two": 3.0},
    ),
}


@pytest.mark.filterwarnings("ignore:.*not converged")
@pytest.mark.parametrize("model", [plain.Ridge(), Ridge()])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.thorough
def test_one_penalty_per_transformer(name, nested, model):
    pipeline = make_pipeline(clone(BLOCKS[name]), model)
    prefix = ""
    if nested:
        pipeline, prefix = make_pipeline("passthrough", pipeline), "pipeline__"
    key = f"{prefix}ridge__alpha"
    options = {"shrinkage": 0.2, "max_iter": 3}
    search = fit(pipeline, key, Continuous(per="transformer"), NUMBERS, **options)
    assert check_hypergradient(search, NUMBERS, Y, n_points=1).max() < 1e-6
    assert type(search.best_estimator_[-1]) is type(pipeline[-1])
    score = cross_val_score(search.best_estimator_, NUMBERS, Y, cv=4).mean()
    assert search.best_score_ == pytest.approx(score)


def test_weights_of_transformers_make_the_penalties_of_their_blocks():
    search = fit(
        make_pipeline(clone(BLOCKS["weighted"]), plain.Ridge()),
        "ridge__alpha",
        Continuous(per="transformer"),
        NUMBERS,
        shrinkage=0.0,
    )
    row = search.cv_results_["params"][0]
    fitted = clone(search.estimator).set_params(**row).fit(NUMBERS, Y)
    # The same model on the blocks as they were, with one penalty per column.
    values = np.repeat(np.asarray(search.hyperparameters_["value"]), 2)
    X = clone(BLOCKS["weighted"]).fit_transform(NUMBERS)
    assert_allclose(fitted.predict(NUMBERS), Ridge(alpha=values).fit(X, Y).predict(X))
    common = search.cv_results_["params"][1]["columntransformer__transformer_weights"]
    assert common == {"one": 1.0, "two": 3.0}


@pytest.mark.thorough
def test_blocks_of_words_that_differ_between_splits():
    rng = np.random.default_rng(1)
    words = np.array([f"word{i}" for i in range(60)])
    texts = [" ".join(rng.choice(words, 8)) for _ in range(N)]
    X = pd.DataFrame({"text": texts, "number": Y})
    blocks = ColumnTransformer(
        [("words", TfidfVectorizer(), "text"), ("number", StandardScaler(), ["number"])]
    )
    pipeline = make_pipeline(blocks, plain.LogisticRegression(solver="newton-cg", tol=1e-8))
    key = "logisticregression__C"
    search = fit(pipeline, key, Continuous(per="transformer"), X, Y > 0, scoring="neg_log_loss")
    weights = search.cv_results_["params"][0]["columntransformer__transformer_weights"]
    assert set(weights) == {"words", "number"}
    assert list(search.hyperparameters_["name"]) == [f"{key}[words]", f"{key}[number]"]


def test_a_vector_of_a_model_for_plain_data_frames():
    search = fit(LogisticRegression(), "C", FEATURE, NUMBERS, Y > 0, scoring="neg_brier_score")
    assert list(search.hyperparameters_["name"]) == [f"C[{name}]" for name in "abcd"]
    assert_array_equal(search.best_estimator_.feature_names_in_, list("abcd"))
