"""Rows are fitted and scored as GridSearchCV does it, whatever its release."""

import re
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.tree import DecisionTreeClassifier
from test_callbacks import Recorder

from sklearn_hypergrad import HypergradSearchCV

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
Y = (X[:, 0] + 0.3 * RNG.normal(size=24) > 0).astype(int)
WEIGHT = RNG.uniform(0.5, 2.0, 24)
GROUPS = np.arange(24) % 4
TREE, GRID = DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}


class Constant(ClassifierMixin, BaseEstimator):
    """Predicts a class; its fit, or its prediction, may fail."""

    def __init__(self, label=0, fails=""):
        self.label, self.fails = label, fails

    def fit(self, X, y):
        if self.fails == "fit":
            raise ValueError("no fit")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        if self.fails == "predict":
            raise ValueError("no prediction")
        return np.full(len(X), self.label)


def two_scores(estimator, X, y):
    right = estimator.predict(X) == y
    return {"right": right.mean(), "wrong": -(~right).mean()}


def fewest(results):
    return int(np.argmin(results["mean_test_score"]))


SOME_FAIL = {"fails": ["", "fit"]}
ALL_FAIL = {"fails": ["fit"]}
NO_SCORE = {"fails": ["", "predict"]}
BOTH = {"scoring": ["accuracy", "neg_brier_score"]}
CASES = {
    "plain": (TREE, GRID, {}),
    "verbose": (TREE, GRID, {"verbose": 3}),
    "very verbose": (TREE, GRID, {"verbose": 10, "return_train_score": True}),
    "train scores": (TREE, GRID, {"return_train_score": True}),
    "two jobs": (TREE, GRID, {"n_jobs": 2}),
    "no refit": (TREE, GRID, {"refit": False}),
    "chosen by a callable": (TREE, GRID, {"refit": fewest}),
    "several metrics": (TREE, GRID, {**BOTH, "refit": "neg_brier_score"}),
    "several metrics, no refit": (TREE, GRID, {**BOTH, "refit": False}),
    "several metrics, no such refit": (TREE, GRID, {**BOTH, "refit": "r2"}),
    "a callable with several": (TREE, GRID, {"scoring": two_scores, "refit": "wrong"}),
    "a callable with several, no refit": (TREE, GRID, {"scoring": two_scores, "refit": False}),
    "a callable with several, no such refit": (TREE, GRID, {"scoring": two_scores}),
    "some fits fail": (Constant(), SOME_FAIL, {}),
    "some fits fail, with a score": (Constant(), SOME_FAIL, {"error_score": -1.0}),
    "some fits fail, several": (Constant(), SOME_FAIL, {"scoring": two_scores, "refit": "right"}),
    "a fit raises": (Constant(), SOME_FAIL, {"error_score": "raise"}),
    "all fits fail": (Constant(), ALL_FAIL, {}),
    "scoring fails": (Constant(), NO_SCORE, {}),
    "scoring fails, several": (Constant(), NO_SCORE, {**BOTH, "refit": "accuracy"}),
    "scoring raises": (Constant(), NO_SCORE, {"error_score": "raise"}),
    "no such parameter": (TREE, {"depth": [1]}, {}),
}


def outcome(search, capsys, y=Y, **params):
    """All that a user sees of a fit."""
    recorder = Recorder()
    # Callbacks are copied to other processes, which cannot import tests.
    if search.n_jobs is None:
        search.set_callbacks(recorder)
    error = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            search.fit(X, y, **params)
        except (ValueError, AttributeError, TypeError) as raised:
            error = f"{type(raised).__name__}: {raised}"
    seen = [f"{w.category.__name__}: {w.message}" for w in caught]
    printed = re.sub(r"\.+|\d+\.\ds", "", capsys.readouterr().out)
    return {
        "error": _common(error),
        "warnings": [_common(text) for text in seen if "Hypergrad" not in text.split(":")[0]],
        "printed": printed,
        "tasks": sorted(recorder.begun, key=str),
        "ends": sorted(recorder.ended, key=str),
    }


def _common(text):
    """Text without the name of the class, and without the lines of tracebacks."""
    text = re.sub("HypergradSearchCV|GridSearchCV", "Search", text)
    return re.sub(r'  File ".*\n(    .*\n)*', "", text)


def assert_same(ours, theirs):
    own = {"hypergradient_", "n_iter_", "remarks_"}
    assert {n for n in vars(ours) if n.endswith("_")} - own == {
        n for n in vars(theirs) if n.endswith("_")
    }
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, expected in theirs.cv_results_.items():
        found = ours.cv_results_[name]
        if name == "params":
            assert found == expected
        else:
            assert (type(found), found.dtype) == (type(expected), expected.dtype), name
            if "time" not in name:
                np.testing.assert_array_equal(found, expected)
    for name in ("best_index_", "best_params_", "best_score_", "multimetric_", "n_splits_"):
        assert hasattr(ours, name) == hasattr(theirs, name)
        np.testing.assert_equal(getattr(ours, name, 0), getattr(theirs, name, 0))
    assert type(ours.scorer_) is type(theirs.scorer_)
    if hasattr(theirs, "best_estimator_"):
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.thorough if name == "two jobs" else ())
        for name in CASES
    ],
)
def test_everything_is_as_in_grid_search(name, capsys):
    estimator, grid, options = CASES[name]
    theirs = GridSearchCV(estimator, grid, cv=2, **options)
    ours = HypergradSearchCV(estimator, grid, cv=2, **options)
    expected, found = outcome(theirs, capsys), outcome(ours, capsys)
    expected["tasks"] = [(t, n, s.replace("Grid", "Hypergrad")) for t, n, s in expected["tasks"]]
    expected["ends"] = [(t, n, s.replace("Grid", "Hypergrad")) for t, n, s in expected["ends"]]
    # What may be meant is appended to the error.
    assert (found["error"] or "").startswith(expected["error"] or "")
    assert {**found, "error": None} == {**expected, "error": None}
    if not found["error"]:
        assert_same(ours, theirs)


@pytest.mark.parametrize("routed", [False, True])
def test_metadata_go_where_they_go_in_grid_search(routed, capsys):
    with sklearn.config_context(enable_metadata_routing=routed):
        tree, scorer, cv = DecisionTreeClassifier(random_state=0), make_scorer(accuracy_score), 2
        params = {"sample_weight": WEIGHT, "groups": GROUPS}
        if routed:
            tree.set_fit_request(sample_weight=True)
            scorer.set_score_request(sample_weight=True)
            cv = GroupKFold(4)
        theirs, ours = (
            search(tree, GRID, scoring=scorer, cv=cv)
            for search in (GridSearchCV, HypergradSearchCV)
        )
        expected, found = outcome(theirs, capsys, **params), outcome(ours, capsys, **params)
        assert found["warnings"] == expected["warnings"]
        assert_same(ours, theirs)


def test_without_targets():
    grid = {"n_clusters": [2, 3]}
    theirs = GridSearchCV(KMeans(random_state=0, n_init=1), grid, cv=2).fit(X)
    ours = HypergradSearchCV(KMeans(random_state=0, n_init=1), grid, cv=2).fit(X)
    assert_same(ours, theirs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_where_fits_fail_all_listed_values_are_fitted():
    """Without shrinkage a constant column stops the solver of scikit-learn, not the search."""
    rng = np.random.default_rng(12)
    X, y = np.column_stack([rng.normal(size=(20, 2)), np.zeros(20)]), np.arange(20) % 3
    X[:, 0] += y
    model, grid = LinearDiscriminantAnalysis(solver="eigen"), {"shrinkage": [0, 1]}
    ours = HypergradSearchCV(model, grid, cv=2, scoring="neg_log_loss").fit(X, y)
    theirs = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss").fit(X, y)
    assert np.isnan(ours.cv_results_["mean_test_score"]).tolist() == [True, False]
    assert ours.best_params_ == theirs.best_params_
    assert any("could not fit the point that the search found" in r for r in ours.remarks_)
