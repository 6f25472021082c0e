"""Searches of rows in parts find what the search in memory finds, in few passes."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn import linear_model as plain
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    StandardScaler,
)

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.problems.rows import rows_linear
from sklearn_hypergrad.rows import ArrayRows
from sklearn_hypergrad.search.by_blocks import prepared_rows
from sklearn_hypergrad.search.by_blocks.buckets import plan
from sklearn_hypergrad.search.by_blocks.hinted_line_search import HintedLineSearch
from sklearn_hypergrad.search.by_blocks.prepared_rows import PreparedRows
from sklearn_hypergrad.search.by_blocks.rows_inputs import RowsInputs
from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.objective.options import Options

RNG = np.random.default_rng(0)
X = RNG.normal(size=(900, 6)) * np.exp(RNG.normal(size=6)) + 2
Y = X[:, :3] @ [0.3, -0.2, 0.1] + RNG.normal(size=900) * 2
TWO, THREE = (Y > np.median(Y)).astype(int), np.digitize(Y, np.quantile(Y, [0.3, 0.7]))
WEIGHT = RNG.uniform(0.5, 2, 900)
SPARSE = csr_matrix(np.where(RNG.random(X.shape) < 0.4, X, 0))
ALPHA, C = {"alpha": Continuous()}, {"C": Continuous()}
EXACT = {"tol": 1e-9, "max_iter": 1000}
SPARSE_CG = Ridge(solver="sparse_cg", tol=1e-12)
LOGISTIC = LogisticRegression(**EXACT)
CT = ColumnTransformer(
    [
        ("s", StandardScaler(), [4, 1]),
        ("m", make_pipeline(MinMaxScaler(), StandardScaler(with_std=False)), slice(2, 4)),
        ("d", "drop", [5]),
    ],
    remainder="passthrough",
)


def behind(*steps, name="ridge__alpha", **options):
    return make_pipeline(*steps), {name: Continuous(**options)}


def cv(splitter=None, **options):
    return {"cv": KFold(4) if splitter is None else splitter, "tol": 1e-5, **options}


# Estimator, grid, X, y, options of the search, and how many passes it may take.
LOG = {"scoring": "neg_log_loss"}
MSE = {"scoring": "neg_mean_squared_error"}
CASES = {
    "ridge": (Ridge(), ALPHA, X, Y, {}, 1),
    "a list": (Ridge(), {"alpha": [0.1, 10, 1e4]}, X, Y, MSE, 1),
    "no intercept": (Ridge(fit_intercept=False), ALPHA, X, Y, MSE, 1),
    "two targets": (Ridge(), ALPHA, X, np.c_[Y, Y**2], {}, 1),
    "sparse": (SPARSE_CG, ALPHA, SPARSE, Y, MSE, 1),
    "enumerated": (Ridge(), {**ALPHA, "fit_intercept": [False, True]}, X, Y, MSE, 1),
    "classes": (RidgeClassifier(), ALPHA, X, TWO, {}, 3),
    "three classes": (RidgeClassifier(class_weight={1: 2.0}), ALPHA, X, THREE, {}, 3),
    "scaled": (*behind(StandardScaler(), Ridge()), X, Y, {}, 1),
    "scaled, no intercept": (*behind(StandardScaler(), Ridge(fit_intercept=False)), X, Y, MSE, 1),
    "to a range": (*behind(MinMaxScaler((-1, 2)), Ridge(fit_intercept=False)), X, Y, MSE, 1),
    "sparse, scaled": (*behind(MaxAbsScaler(), SPARSE_CG), SPARSE, Y, MSE, 1),
    "columns": (*behind(CT, Ridge()), X, Y, MSE, 1),
    "polynomials": (*behind(PolynomialFeatures(2), StandardScaler(), Ridge()), X, Y, MSE, 1),
    "stateless": (*behind(FunctionTransformer(np.tanh), Ridge()), X, Y, MSE, 1),
    "logistic": (LOGISTIC, C, X, TWO, LOG, 30),
    "three logits": (LOGISTIC, C, X, THREE, LOG, 60),
    "balanced": (clone(LOGISTIC).set_params(class_weight="balanced"), C, X, TWO, LOG, 30),
    "logistic, scaled": (
        *behind(StandardScaler(), LOGISTIC, name="logisticregression__C"),
        X,
        TWO,
        LOG,
        40,
    ),
    "logistic, no intercept": (
        *behind(Normalizer(), clone(LOGISTIC).set_params(fit_intercept=False),
                name="logisticregression__C"),
        X,
        TWO,
        LOG,
        40,
    ),
    "brier": (LOGISTIC, C, X, TWO, {"scoring": "neg_brier_score"}, 40),
    "per feature": (linear_model.Ridge(), {"alpha": Continuous(per="feature")}, X, Y, {}, 1),
    "per group": (
        linear_model.Ridge(),
        {"alpha": Continuous(per="group", groups=["a", "b", "b", "a", "c", "c"])},
        X,
        Y,
        {},
        1,
    ),
    "per target": (
        Ridge(),
        {"alpha": Continuous(per="target")},
        X,
        np.c_[Y, Y**2],
        {"search_cv": "cv"},
        1,
    ),
    "per transformer": (*behind(CT, Ridge(), per="transformer"), X, Y, {}, 1),
    "logits per feature": (
        linear_model.LogisticRegression(**EXACT),
        {"C": Continuous(per="feature")},
        X,
        TWO,
        {**LOG, "search_cv": "cv"},
        120,
    ),
}  # fmt: skip


def searched(name, rows, *y):
    estimator, grid, _, _, options, _ = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return HypergradSearchCV(estimator, grid, **cv(**options)).fit(rows, *y)


@pytest.mark.parametrize("name", CASES)
def test_the_result_is_that_of_the_search_in_memory(name):
    _, _, features, y, _, most = CASES[name]
    rows = ArrayRows(features, y, part_rows=250)
    search, memory = searched(name, rows), searched(name, features, y)
    exact = "log" not in name and name not in ("balanced", "brier", "three logits")
    close = 1e-9 if exact else 1e-6
    assert search.best_score_ == pytest.approx(memory.best_score_, rel=close, abs=1e-12)
    own, theirs = (s.best_estimator_.predict(features[:200]) for s in (search, memory))
    if np.issubdtype(np.asarray(theirs).dtype, np.floating):
        np.testing.assert_allclose(own, theirs, rtol=1e-4, atol=1e-4)
    else:
        assert np.mean(own == theirs) > 0.98
    assert len(passes(search)) == 1
    assert int(passes(search)[0].split()[0]) <= most
    assert search.n_splits_ == 4
    pickle.loads(pickle.dumps(search))


def passes(search):
    return [remark for remark in search.remarks_ if " over the rows in " in remark]


def test_the_refit_is_a_plain_estimator():
    pipeline, grid = behind(MinMaxScaler(), StandardScaler(), Ridge())
    search = HypergradSearchCV(pipeline, grid).fit(ArrayRows(X, Y, part_rows=250))
    fitted = clone(pipeline).set_params(**search.best_params_).fit(X, Y)
    assert type(search.best_estimator_[-1]) is plain.Ridge
    np.testing.assert_allclose(search.best_estimator_.predict(X), fitted.predict(X), rtol=1e-8)
    for own, other in zip(search.best_estimator_, fitted, strict=True):
        for attribute, value in vars(other).items():
            if attribute.endswith("_") and not isinstance(value, str | type(None)):
                np.testing.assert_allclose(vars(own)[attribute], value, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("estimator", "grid", "y", "scoring"),
    [
        (Ridge(), ALPHA, Y, {}),
        (RidgeClassifier(class_weight={1: 3.0}), ALPHA, THREE, {}),
        (LOGISTIC, C, TWO, LOG),
    ],
)
def test_weights_train_and_score(estimator, grid, y, scoring):
    search = HypergradSearchCV(estimator, grid, **cv(**scoring))
    memory = clone(search).fit(X, y, sample_weight=WEIGHT)
    unweighted = clone(search).fit(ArrayRows(X, y, part_rows=250))
    search.fit(ArrayRows(X, y, sample_weight=WEIGHT, part_rows=250))
    assert search.best_score_ == pytest.approx(memory.best_score_, rel=1e-6)
    assert unweighted.best_score_ != pytest.approx(memory.best_score_, rel=1e-4)


FOLDS, MANY = RNG.integers(-1, 3, 900), RNG.integers(0, 60, 900)


@pytest.mark.parametrize(
    ("splitter", "groups", "memory"),
    [
        (PredefinedSplit(FOLDS), None, PredefinedSplit(FOLDS)),
        (LeaveOneGroupOut(), FOLDS, PredefinedSplit(FOLDS + 1)),
    ],
)
def test_folds_of_a_table_or_a_column(splitter, groups, memory):
    rows = ArrayRows(X, Y, groups=groups, part_rows=250)
    search = HypergradSearchCV(Ridge(), ALPHA, cv=splitter).fit(rows)
    expected = HypergradSearchCV(Ridge(), ALPHA, cv=memory).fit(X, Y)
    assert search.best_score_ == pytest.approx(expected.best_score_)


@pytest.mark.parametrize("splitter", [None, 4, GroupKFold(3)])
def test_hashed_folds_are_those_of_their_buckets(splitter):
    rows = ArrayRows(X, Y, groups=MANY, part_rows=250)
    search = HypergradSearchCV(Ridge(), ALPHA, cv=splitter).fit(rows)
    buckets, splits, _ = plan(splitter, rows, None, divided=False, n_features=6)
    (whole,) = ArrayRows(X, Y, groups=MANY, part_rows=900).sums(lambda part: (buckets.of(part),))
    splits = [(np.isin(whole, train), np.isin(whole, test)) for train, test in splits]
    splits = [(np.flatnonzero(train), np.flatnonzero(test)) for train, test in splits]
    scores = cross_val_score(Ridge(**search.best_params_), X, Y, cv=splits)
    assert search.best_score_ == pytest.approx(scores.mean())


# Gradients: by the closed form or implicit differentiation, by differences, and by the search in
# memory; a gradient that is 0.1 % wrong is rejected.
def objective_of(estimator, grid, y, scoring, weight=None, splitter=None):
    rows = ArrayRows(X, y, sample_weight=weight, part_rows=250)
    inputs = RowsInputs(rows, get_scorer(scoring), estimator)
    inputs.buckets, inputs.splits, inputs.splitter = plan(
        splitter or KFold(3), rows, None, divided=False, n_features=6
    )
    (candidate,) = expand(grid, estimator)
    options = Options(None, None, "auto", "auto", None, False, tol=1e-3, max_iter=50, seed=0)
    prepared = PreparedRows(candidate, inputs, options)
    objective = prepared.objective(prepared.cv_models, prepared.choice.loss)
    objective.tol = 1e-9
    return objective


@pytest.mark.parametrize(
    ("estimator", "grid", "y", "scoring"),
    [
        (Ridge(), ALPHA, Y, "neg_mean_squared_error"),
        (Ridge(), ALPHA, np.c_[Y, Y**2], "r2"),
        (RidgeClassifier(), ALPHA, THREE, "accuracy"),
        (*behind(StandardScaler(), Ridge(fit_intercept=False)), Y, "neg_root_mean_squared_error"),
        (LOGISTIC, C, TWO, "neg_log_loss"),
        (LOGISTIC, C, THREE, "neg_log_loss"),
        (LOGISTIC, C, TWO, "balanced_accuracy"),
        (clone(LOGISTIC).set_params(class_weight="balanced"), C, THREE, "neg_brier_score"),
        (
            *behind(
                MinMaxScaler(), clone(LOGISTIC).set_params(fit_intercept=False),
                name="logisticregression__C",
            ),
            TWO,
            "neg_log_loss",
        ),
    ],
)  # fmt: skip
def test_gradients_agree_with_differences(estimator, grid, y, scoring, monkeypatch):
    monkeypatch.setattr(rows_linear, "FINEST", 1e-10)
    objective = objective_of(estimator, grid, y, scoring, WEIGHT)
    theta, step = np.array([0.7]), 1e-3
    gradient = objective.record(theta).gradient[0]
    near, far = (
        objective.record(theta + k * step).value - objective.record(theta - k * step).value
        for k in (1, 2)
    )
    difference = (8 * near - far) / (12 * step)
    assert gradient == pytest.approx(difference, rel=2e-5)
    assert gradient * 1.001 != pytest.approx(difference, rel=2e-5)


def test_digits_that_differences_lose_are_found_by_a_pass():
    exact = X @ [1.0, -2, 3, -4, 5, -6] + 1e-6 * Y
    rows = ArrayRows(X, exact, part_rows=250)
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-9, 1e-3]}, **cv(**MSE)).fit(rows)
    scores = cross_val_score(Ridge(**search.best_params_), X, exact, cv=KFold(4), **MSE)
    assert search.best_score_ == pytest.approx(scores.mean(), rel=1e-4)
    assert int(passes(search)[0].split()[0]) > 1


@pytest.mark.parametrize(
    "scoring", ["accuracy", "f1_macro", "balanced_accuracy", "roc_auc_misnamed", "neg_log_loss"]
)
def test_scores_are_sums_of_one_last_pass(scoring):
    if scoring == "roc_auc_misnamed":
        scoring = make_scorer(get_scorer("matthews_corrcoef")._score_func)
    search = HypergradSearchCV(LOGISTIC, C, scoring=scoring, cv=KFold(4))
    search.fit(ArrayRows(X, TWO, part_rows=250))
    fitted = clone(LOGISTIC).set_params(**search.best_params_)
    scores = cross_val_score(fitted, X, TWO, cv=KFold(4), scoring=scoring)
    assert search.best_score_ == pytest.approx(scores.mean(), rel=1e-3)


def test_several_scores():
    scoring = ["r2", "neg_mean_absolute_error", "neg_mean_squared_error"]
    search = HypergradSearchCV(Ridge(), ALPHA, scoring=scoring, refit="r2", cv=KFold(4))
    search.fit(ArrayRows(X, Y, part_rows=250))
    for name in scoring:
        scores = cross_val_score(Ridge(**search.best_params_), X, Y, cv=KFold(4), scoring=name)
        assert search.cv_results_[f"mean_test_{name}"][0] == pytest.approx(scores.mean())
        assert search.cv_results_[f"std_test_{name}"][0] == pytest.approx(scores.std())


def test_without_a_refit_and_with_a_start():
    rows = ArrayRows(X, Y, part_rows=250)
    search = HypergradSearchCV(Ridge(), ALPHA, scoring=["r2"], refit=False)
    assert not hasattr(search.fit(rows), "best_estimator_")
    assert np.isfinite(search.cv_results_["mean_test_r2"]).all()
    begun = HypergradSearchCV(Ridge(), {"alpha": Continuous(init=30.0)}).fit(rows)
    usual = HypergradSearchCV(Ridge(), ALPHA).fit(rows)
    assert begun.best_score_ == pytest.approx(usual.best_score_, rel=1e-6)


def test_a_score_without_gradient_judges_listed_and_visited_values():
    listed = [1.0, 30.0, 1e3, 1e5]
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": listed}, cv=KFold(4))
    search.fit(ArrayRows(X, THREE, part_rows=250))
    scores = [
        cross_val_score(RidgeClassifier(alpha=a), X, THREE, cv=KFold(4)).mean() for a in listed
    ]
    assert search.best_score_ >= max(scores) - 1e-12


def test_halves_come_from_the_same_buckets():
    rows = ArrayRows(X, Y, part_rows=250)
    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(linear_model.Ridge(), grid, search_cv="halves").fit(rows)
    assert passes(search)[0].startswith("1 pass ")
    assert {"cv", "search_cv"} == set(search.history_["splits"])
    assert search.feature_regularization_.shape == (6,)
    assert 0 < search.effective_dof_ < 6


def test_vectors_of_logits_are_described_without_a_pass():
    rows = ArrayRows(X, TWO, part_rows=250)
    estimator, grid = linear_model.LogisticRegression(), {"C": Continuous(per="feature")}
    search = HypergradSearchCV(estimator, grid, max_iter=3, cv=2, **LOG).fit(rows)
    assert search.feature_regularization_.shape == (6,)
    assert 0 < search.effective_dof_ <= 6


def test_what_rows_are_is_said():
    search = HypergradSearchCV(Ridge(), ALPHA).fit(ArrayRows(X, Y, part_rows=250))
    assert "solutions of the search itself" in search.remarks_[0]
    assert "1 pass over the rows in" in search.remarks_[1]
    assert "of 0.0432 MB" in str(search.report())


UNEVEN = np.where(np.arange(900) == 700, np.nan, Y)


@pytest.mark.parametrize(
    ("estimator", "grid", "y", "options", "message"),
    [
        (Lasso(), ALPHA, Y, {}, "Lasso: only Ridge, RidgeClassifier and LogisticRegression"),
        (Ridge(), {"fit_intercept": [True]}, Y, {}, "each setting needs a penalty"),
        (Ridge(), {"alpha": [0, 1, 2]}, Y, {}, "each setting needs a penalty"),
        (Ridge(), ALPHA, Y, {"guard": True}, "guard=True: it repeats the search"),
        (Ridge(), ALPHA, Y, {"rows": "listed"}, "Leave rows='found'"),
        (Ridge(), ALPHA, Y, {"judge": "cold"}, "Leave judge='warm'"),
        (Ridge(), ALPHA, Y, {"selection": "one_se"}, "Leave selection='best'"),
        (Ridge(), ALPHA, Y, {"return_train_score": True}, "training rows are not scored"),
        (Ridge(), ALPHA, Y, {"search_cv": 3}, "splits are unions of buckets"),
        (Ridge(), ALPHA, Y, {"cv": ShuffleSplit()}, "lists of row numbers, or are shuffled"),
        (Ridge(), ALPHA, Y, {"cv": KFold(3, shuffle=True)}, "are shuffled"),
        (Ridge(), ALPHA, Y, {"cv": LeaveOneGroupOut()}, "The rows have no groups"),
        (Ridge(), ALPHA, Y, {"hypergradient": "reverse"}, "Leave hypergradient='auto'"),
        (Ridge(), ALPHA, Y, {"scoring": "neg_median_absolute_error"}, "no sum over rows"),
        (Ridge(), ALPHA, Y, {"cv": GroupKFold(9)}, "Folds of rows and groups follow from hashes"),
        (LOGISTIC, C, TWO, {"scoring": "roc_auc"}, "the score roc_auc_score: it needs all"),
        (Ridge(), ALPHA, Y, {"validation_loss": "absolute_error"}, "sums of products"),
        (Ridge(), ALPHA, Y, {"refit": lambda results: 0}, "a callable refit"),
        (Ridge(), ALPHA, UNEVEN, {}, "values that are not finite"),
        (Ridge(), ALPHA, None, {}, "The rows have no targets"),
        (RidgeClassifier(), ALPHA, np.ones(900), {}, "y has one class"),
        (RidgeClassifier(class_weight="balanced"), ALPHA, TWO, {}, "Give a dict of weights"),
        (LogisticRegression(solver="saga", l1_ratio=0.5), C, TWO, {}, "an L1 penalty"),
        (make_pipeline(PCA(2), Ridge()), {"ridge__alpha": [1, 2]}, Y, {}, "PCA before the model"),
        (
            make_pipeline(StandardScaler(), PolynomialFeatures(), Ridge()),
            {"ridge__alpha": [1, 2]},
            Y,
            {},
            "Put 'polynomialfeatures' first",
        ),
        (
            linear_model.Ridge(),
            {"alpha": Continuous(per="coefficient")},
            Y,
            {},
            "Use per='feature'",
        ),
    ],
)
def test_refusals_say_what_to_do(estimator, grid, y, options, message):
    search = HypergradSearchCV(estimator, grid, **{"cv": 3, **options})
    with pytest.raises(ValueError, match=message):
        search.fit(ArrayRows(X, y, groups=groups(options), part_rows=250))


def groups(options):
    return FOLDS if isinstance(options.get("cv"), GroupKFold) else None


def test_y_and_weights_belong_to_the_rows():
    search, rows = HypergradSearchCV(Ridge(), ALPHA), ArrayRows(X, Y)
    with pytest.raises(ValueError, match="Pass y to the rows"):
        search.fit(rows, Y)
    with pytest.raises(ValueError, match="Pass sample_weight to the rows"):
        search.fit(rows, sample_weight=WEIGHT)


def test_sparse_rows_stay_sparse():
    pipeline, grid = behind(StandardScaler(), Ridge())
    with pytest.raises(
        ValueError, match=r"Take MaxAbsScaler, or StandardScaler\(with_mean=False\)"
    ):
        HypergradSearchCV(pipeline, grid).fit(ArrayRows(SPARSE, Y))


class Counted(ArrayRows):
    """Rows that raise Ctrl-C in one of their passes."""

    n_passes, at = 0, None

    def sums(self, function):
        self.n_passes += 1
        if self.n_passes == self.at:
            raise KeyboardInterrupt
        return super().sums(function)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_ctrl_c_between_passes_loses_nothing():
    rows = Counted(X, TWO, part_rows=250)
    rows.at = 9
    search = HypergradSearchCV(LOGISTIC, C, **cv(**LOG)).fit(rows)
    assert search.stopping_reason_.startswith("interrupted after")
    assert rows.n_passes == 9
    assert np.isfinite(search.best_score_)
    assert search.predict(X[:3]).shape == (3,)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_max_time_ends_a_search_between_passes():
    search = HypergradSearchCV(LOGISTIC, C, max_time=1e-3, **cv(**LOG))
    search.fit(ArrayRows(X, TWO, part_rows=250))
    assert search.stopping_reason_.startswith("max_time=0.001 s reached after 1 of")
    assert search.predict(X[:3]).shape == (3,)


def test_a_checkpoint_continues_with_the_same_bits(tmp_path):
    def fit(at=None):
        rows = Counted(X, TWO, part_rows=250)
        rows.at = at
        search = HypergradSearchCV(LOGISTIC, C, checkpoint=tmp_path, **cv(**LOG))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return search.fit(rows), rows.n_passes

    fit(at=9)
    first, n_first = fit()
    second, n_second = fit()
    assert n_second < n_first
    assert first.best_params_ == second.best_params_
    np.testing.assert_array_equal(first.best_estimator_.coef_, second.best_estimator_.coef_)


def test_texts_are_hashed_piece_by_piece():
    words = [[f"w{n}" for n in RNG.integers(0, 20 + 20 * label, 8)] for label in TWO]
    texts = np.array([" ".join(each) for each in words], dtype=object)
    vectorizer, name = HashingVectorizer(n_features=16), "logisticregression__C"
    search = HypergradSearchCV(make_pipeline(vectorizer, LOGISTIC), {name: [1e-3, 1]}, **cv(**LOG))
    memory = clone(search).fit(texts, TWO)
    search.fit(ArrayRows(texts, TWO, part_rows=250))
    assert search.best_score_ == pytest.approx(memory.best_score_, rel=1e-6)
    np.testing.assert_array_equal(search.predict(texts), memory.predict(texts))


@pytest.mark.parametrize(
    ("estimator", "y", "scoring"),
    [(Ridge(), np.c_[Y, Y + X[:, 1]], MSE), (RidgeClassifier(class_weight={1: 2.0}), THREE, {})],
)
def test_ridge_of_many_features_is_iterated(estimator, y, scoring, monkeypatch):
    monkeypatch.setattr(prepared_rows, "MAX_GRAM", 5)
    search = HypergradSearchCV(estimator, ALPHA, **cv(**scoring))
    memory = clone(search).fit(X, y)
    search.fit(ArrayRows(X, y, part_rows=250))
    assert int(passes(search)[0].split()[0]) > 5
    assert search.best_score_ == pytest.approx(memory.best_score_, rel=1e-6)


# dask.


@pytest.mark.parametrize(
    ("estimator", "grid", "y", "options"),
    [(*behind(StandardScaler(), Ridge()), Y, MSE), (LOGISTIC, C, TWO, LOG)],
)
def test_dask_collections_give_the_same_bits(estimator, grid, y, options):
    array = pytest.importorskip("dask.array")
    parts = [array.from_array(each, chunks=250) for each in (X, y, WEIGHT)]
    search = HypergradSearchCV(estimator, grid, cv=KFold(3), **options)
    by_dask = clone(search).fit(parts[0], parts[1], sample_weight=parts[2])
    rows = ArrayRows(X, y, sample_weight=WEIGHT, part_rows=250)
    here = search.fit(rows)
    assert by_dask.best_params_ == here.best_params_
    assert by_dask.best_score_ == here.best_score_
    np.testing.assert_array_equal(by_dask.predict(X), here.predict(X))
    assert "went sums of every part" in by_dask.remarks_[-1]


def test_data_frames_of_dask_have_names():
    frames = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    frame["y"] = Y
    data = frames.from_pandas(frame, npartitions=3)
    search = HypergradSearchCV(Ridge(), ALPHA, cv=KFold(3)).fit(data[list("abcdef")], data["y"])
    expected = HypergradSearchCV(Ridge(), ALPHA, cv=KFold(3)).fit(X, Y)
    assert search.best_score_ == pytest.approx(expected.best_score_)
    assert search.feature_names_in_.tolist() == list("abcdef")


class Dying:
    """``load(path)`` that ends the process of one worker, once."""

    def __init__(self, marker):
        self._marker = str(marker)

    def __call__(self, start, stop):
        import os

        if start and not os.path.exists(self._marker):
            with open(self._marker, "w"):
                os._exit(1)
        return X[start:stop]


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore")
def test_a_lost_worker_is_survived(tmp_path):
    distributed = pytest.importorskip("dask.distributed")
    dask, array = pytest.importorskip("dask"), pytest.importorskip("dask.array")
    load = dask.delayed(Dying(tmp_path / "died"))
    parts = [array.from_delayed(load(s, s + 300), (300, 6), float) for s in (0, 300, 600)]
    y = array.from_array(Y, chunks=300)
    search = HypergradSearchCV(Ridge(), ALPHA, cv=KFold(3))
    here = clone(search).fit(ArrayRows(X, Y, part_rows=300))
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        search.fit(array.concatenate(parts), y)
    assert (tmp_path / "died").exists()
    assert search.best_params_ == here.best_params_
    assert search.best_score_ == here.best_score_


def test_the_best_penalty_of_a_sample_is_near_that_of_all_rows(monkeypatch):
    monkeypatch.setattr(prepared_rows, "SAMPLE_ROWS", 400)
    monkeypatch.setattr(prepared_rows, "FEWEST", 400)
    rng, hints = np.random.default_rng(0), []
    more = rng.normal(size=(6400, 30))
    signal = more @ rng.normal(size=30) * 0.1
    classes = rng.random(6400) < 1 / (1 + np.exp(-signal))
    hint = HintedLineSearch._hint
    monkeypatch.setattr(
        HintedLineSearch, "_hint", lambda line: hints.append(hint(line)) or hints[-1]
    )
    search = HypergradSearchCV(LOGISTIC, C, scoring="neg_log_loss")
    search.fit(ArrayRows(more, classes, part_rows=1600))
    assert len(hints) == 1
    # Against all rows, the penalty of the sample would be 16 times as large.
    assert abs(hints[0] - np.log(search.best_params_["C"])) < np.log(4)
