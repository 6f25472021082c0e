"""Splits of a pipeline that share one X, with scales of their own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold, LeaveOneOut, RepeatedKFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.adapters.ridge import RidgeFamily
from sklearn_hypergrad.search.data import blocks as search_data
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives as objectives

MODELS = {
    "ridge": (linear_model.Ridge, "alpha", None),
    "logistic": (linear_model.LogisticRegression, "C", "neg_log_loss"),
}


def unknown(scaler):
    """A scaler of a class of its own: what it does is compared, not read from its attributes."""
    return type("Unknown", (type(scaler),), {})(**scaler.get_params())


COMPARED = unknown(StandardScaler())


def data(name, wide=False, seed=0):
    rng = np.random.default_rng(seed)
    shape = (30, 50) if wide else (60, 4)
    X = rng.normal(size=shape) * np.logspace(-1, 1, shape[1]) + 3
    signal = (X[:, 0] - 3) * 10 + rng.normal(size=len(X))
    return X, signal if name == "ridge" else (signal > 0).astype(int)


def search_for(name, transformer, per=None, **more):
    make, key, scoring = MODELS[name]
    fit_intercept = more.pop("fit_intercept", True)
    model = make(fit_intercept=fit_intercept)
    pipeline = make_pipeline(transformer, model)
    grid = {f"{make.__name__.lower()}__{key}": Continuous(per=per)}
    search_cv = "auto" if per is None else "halves"
    return HypergradSearchCV(pipeline, grid, scoring=scoring, search_cv=search_cv, **more)


def evaluated(search, X, y):
    """Blocks, and what the objective is at some place."""
    (objective,) = objectives(search, X, y)
    objective.tol = 1e-12
    size = len(objective.space.bounds)
    theta = np.random.default_rng(1).normal(size=size)
    return [term.data for term in objective.terms], objective.record(theta)


def check_same(search, X, y, monkeypatch, n_blocks):
    """The number of blocks, and that nothing else depends on them."""
    blocks, record = evaluated(search, X, y)
    assert len(blocks) == n_blocks
    monkeypatch.setattr(search_data, "_worth_sharing", lambda *args, **options: False)
    apart, expected = evaluated(search, X, y)
    assert len(apart) == len(record.losses)
    assert_allclose(record.losses, expected.losses, rtol=1e-8)
    scale = np.abs(expected.gradient).max()
    assert_allclose(record.gradient, expected.gradient, rtol=1e-6, atol=1e-8 * scale)
    return blocks


@pytest.mark.parametrize("scaler", [COMPARED, unknown(MinMaxScaler()), unknown(RobustScaler())])
@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", MODELS)
def test_scalers_make_one_block(monkeypatch, name, per, scaler):
    X, y = data(name)
    (block,) = check_same(search_for(name, scaler, per, cv=4), X, y, monkeypatch, 1)
    assert block.scales.shape == (4, 20 if per else 4)


@pytest.mark.parametrize("name", MODELS)
def test_vectors_on_wide_data_too(monkeypatch, name):
    X, y = data(name, wide=True)
    check_same(search_for(name, COMPARED, "feature", cv=4), X, y, monkeypatch, 1)


@pytest.mark.parametrize("name", MODELS)
def test_one_penalty_on_wide_data_is_tuned_apart(monkeypatch, name):
    X, y = data(name, wide=True)
    check_same(search_for(name, COMPARED, cv=4), X, y, monkeypatch, 4)


@pytest.mark.parametrize("name", MODELS)
def test_without_an_intercept_origins_tell_the_splits_apart(monkeypatch, name):
    X, y = data(name)
    search = search_for(name, COMPARED, cv=4, fit_intercept=False)
    check_same(search, X, y, monkeypatch, 4)
    scaled = search_for(name, unknown(StandardScaler(with_mean=False)), cv=4, fit_intercept=False)
    monkeypatch.undo()
    check_same(scaled, X, y, monkeypatch, 1)


@pytest.mark.parametrize("name", MODELS)
def test_what_mixes_or_bends_columns_is_tuned_apart(monkeypatch, name):
    X, y = data(name)
    check_same(search_for(name, PCA(3), cv=4), X, y, monkeypatch, 4)
    monkeypatch.undo()

    def bent(X):
        return np.minimum(X, 3 + 0.01 * len(X))

    check_same(search_for(name, FunctionTransformer(bent), cv=4), X, y, monkeypatch, 4)


def test_blocks_of_columns(monkeypatch):
    X, y = data("ridge")
    X[:, 3] = np.arange(len(X)) % 3
    both = ColumnTransformer([("n", COMPARED, [0, 1]), ("c", OneHotEncoder(), [3])])
    (block,) = check_same(search_for("ridge", both, "feature", cv=4), X, y, monkeypatch, 1)
    assert np.all(block.scales[2:] == 1)


def test_constant_columns(monkeypatch):
    X, y = data("ridge")
    X[:, 1] = 5.0
    X[:10, 2], X[10:, 2] = np.arange(10), 0.0
    check_same(search_for("ridge", COMPARED, "feature", cv=4), X, y, monkeypatch, 1)


@pytest.mark.parametrize(
    ("cv", "n_blocks"),
    [
        (RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), 1),
        (LeaveOneOut(), 1),
        # Other rows in every split.
        (ShuffleSplit(3, test_size=0.3, train_size=0.5, random_state=0), 3),
        ([(np.repeat(np.arange(40), 2), np.arange(40, 60)), (np.arange(40), np.arange(40, 60))], 2),
    ],
)
def test_any_splits(monkeypatch, cv, n_blocks):
    X, y = data("ridge")
    search = search_for("ridge", COMPARED, cv=cv)
    search.set_params(scoring="neg_mean_squared_error")
    check_same(search, X, y, monkeypatch, n_blocks)


def test_splits_keep_their_order(monkeypatch):
    X, y = data("ridge")
    cv = [(np.delete(np.arange(60), rows), rows) for rows in np.arange(60).reshape(6, 10)]
    cv.insert(2, (np.arange(20), np.arange(20, 30)))
    check_same(search_for("ridge", COMPARED, cv=cv), X, y, monkeypatch, 6)


def words(name, seed=0):
    """Sparse data with two columns without zeros, and two of zeros."""
    X, y = data(name, seed=seed)
    rare = np.random.default_rng(1).poisson(0.5, size=(len(X), 4)) * [1.0, 1.0, 1.0, 0.0]
    return sparse.csr_matrix(np.column_stack([X[:, :2], rare, np.zeros(len(X))])), y


def moved(columns):
    """A ColumnTransformer that centres and scales some columns, and scales the others."""
    others = [each for each in range(7) if each not in columns]
    parts = [(StandardScaler(), columns), (StandardScaler(with_mean=False), others)]
    dense = FunctionTransformer(lambda X: X.toarray())
    parts = [(make_pipeline(dense, parts[0][0]), columns), parts[1]]
    return make_column_transformer(*parts, sparse_threshold=1)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", MODELS)
def test_sparse_data_make_one_block(monkeypatch, name, per, kind):
    X, y = words(name)
    search = search_for(name, StandardScaler(with_mean=False), per, cv=4)
    (block,) = check_same(search, kind(X), y, monkeypatch, 1)
    assert sparse.issparse(block.X)
    assert block.scales.shape == (7, 20 if per else 4)


@pytest.mark.parametrize(("intercept", "n_blocks"), [(True, 1), (False, 4)])
@pytest.mark.parametrize("name", MODELS)
def test_columns_of_sparse_data_without_zeros_may_move(monkeypatch, name, intercept, n_blocks):
    X, y = words(name)
    search = search_for(name, moved([0, 1]), cv=4, fit_intercept=intercept)
    blocks = check_same(search, X, y, monkeypatch, n_blocks)
    assert sparse.issparse(blocks[0].X)


def raised(X):
    """The same, with other entries where it has any."""
    return sparse.csr_matrix((X.data + 1 / X.sum(), X.indices, X.indptr), shape=X.shape)


@pytest.mark.parametrize(
    "function", [raised, lambda X: X.power(1 + 1 / X.sum()), lambda X: X.multiply(X < X.max())]
)
def test_sparse_data_that_bend_are_tuned_apart(monkeypatch, function):
    X, y = words("logistic")
    search = search_for("logistic", FunctionTransformer(function), cv=3)
    check_same(search, X, y, monkeypatch, 3)


def test_a_column_that_bends_is_noticed_beside_a_large_one(monkeypatch):
    def bent(X):
        return sparse.hstack([1e9 * X[:, :1], raised(X.tocsr()[:, 1:])], format="csr")

    X, y = words("logistic")
    check_same(search_for("logistic", FunctionTransformer(bent), cv=3), X, y, monkeypatch, 3)


class Nameless(OneHotEncoder):
    def get_feature_names_out(self, input_features=None):
        raise ValueError("no names")


def categories(name, rare, encoder=OneHotEncoder, threshold=1):
    """Data with five categories and one more in each of some rows, and their transformers."""
    X, y = data(name)
    X[:, 3] = np.arange(len(X)) % 5
    X[rare, 3] = 5 + np.arange(len(rare))
    return (
        X,
        y,
        make_column_transformer(
            (encoder(handle_unknown="ignore"), [3]), (COMPARED, [0, 1]), sparse_threshold=threshold
        ),
    )


def held_out_last(split):
    """Rows of the data in the order of a split of three."""
    rows = np.arange(60).reshape(3, 20)
    return *np.delete(rows, split, axis=0), rows[split]


# The three splits hold out rows 0 to 19, 20 to 39 and 40 to 59.
@pytest.mark.parametrize(
    ("rare", "features"),
    [
        ([], (7, 7, 7)),
        ([59], (8, 8, 7)),
        ([0], (7, 8, 8)),
        ([0, 30], (8, 8, 9)),
        ([0, 59], (8, 9, 8)),
    ],
)
@pytest.mark.parametrize("threshold", [0, 1])
@pytest.mark.parametrize("name", MODELS)
def test_a_category_that_a_training_part_lacks(monkeypatch, name, rare, features, threshold):
    X, y, both = categories(name, rare, threshold=threshold)
    search = search_for(name, both, cv=KFold(3))
    (block,) = check_same(search, X, y, monkeypatch, 1)
    assert sparse.issparse(block.X) == (threshold == 1)
    assert (block.present is None) == (not rare)
    alone = [each.own(each.X, 0) for each in evaluated(search, X, y)[0]]
    assert tuple(each.shape[1] for each in alone) == features
    for split, each in enumerate(alone):
        own = block.own(block.X, split)
        own, each = (X.toarray() if sparse.issparse(X) else X for X in (own, each))
        rows = np.argsort(np.concatenate(held_out_last(split)))
        moves = own - each[rows]
        assert_allclose(moves, np.broadcast_to(moves[0], moves.shape), atol=1e-12)


@pytest.mark.parametrize(
    ("rare", "encoder", "n_blocks"),
    [
        # The last split has too few of the features.
        ([0, *range(40, 44)], OneHotEncoder, 2),
        ([59], Nameless, 2),
    ],
)
def test_splits_that_lack_more_are_tuned_apart(monkeypatch, rare, encoder, n_blocks):
    X, y, both = categories("ridge", rare, encoder)
    check_same(search_for("ridge", both, cv=KFold(3)), X, y, monkeypatch, n_blocks)


@pytest.mark.parametrize("scoring", ["accuracy", lambda model, X, y: model.score(X, y)])
@pytest.mark.parametrize("judge", ["warm", "cold"])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["words", "categories"])
def test_rows_of_shared_data_are_those_of_whole_pipelines(name, judge, scoring, kind):
    X, y, transformer = (*words(name), moved([0, 1])) if kind == "words" else categories(name, [0])
    scoring = "r2" if (name, scoring) == ("ridge", "accuracy") else scoring
    make, key, _ = MODELS[name]
    pipeline = make_pipeline(transformer, make(tol=1e-10, max_iter=10_000))
    grid, cv = {f"{make.__name__.lower()}__{key}": [1e-2, 1.0, 1e2]}, KFold(4)
    search = HypergradSearchCV(pipeline, grid, scoring=scoring, judge=judge, cv=cv).fit(X, y)
    expected = cross_val_score(search.best_estimator_, X, y, scoring=scoring, cv=cv).mean()
    assert_allclose(search.best_score_, expected, rtol=1e-7)
    assert not any("rows are fits from the beginning" in line for line in search.remarks_)


def test_float32(monkeypatch):
    X, y = data("ridge")
    search = search_for("ridge", COMPARED, "feature", cv=4)
    blocks, record = evaluated(search, X.astype(np.float32), y)
    assert len(blocks) == 1
    _, expected = evaluated(search, X, y)
    assert_allclose(record.losses, expected.losses, rtol=1e-5)


def test_families_that_know_no_scales_get_none(monkeypatch):
    X, y = data("ridge")
    monkeypatch.setattr(RidgeFamily, "knows_scales", False)
    blocks, _ = evaluated(search_for("ridge", COMPARED, cv=4), X, y)
    assert len(blocks) == 4
    assert all(block.scales is None for block in blocks)


def test_sample_weights(monkeypatch):
    X, y = data("ridge")
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    search = search_for("ridge", COMPARED, "feature", cv=4)
    options = {"ridge__sample_weight": weight}
    found = [objectives(search, X, y, **options)[0]]
    monkeypatch.setattr(search_data, "_worth_sharing", lambda *args, **options: False)
    found.append(objectives(search, X, y, **options)[0])
    records = [objective.record(np.zeros(4)) for objective in found]
    assert [len(objective.terms) for objective in found] == [1, 20]
    assert_allclose(records[0].losses, records[1].losses, rtol=1e-9)
