"""Bad input gives what GridSearchCV gives; our own arguments say what is allowed."""

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, linear_model

X = np.arange(40.0).reshape(20, 2) ** 0.5
Y = np.arange(20.0)


def outcome(search, X, y):
    with pytest.raises((ValueError, TypeError)) as error:  # noqa: PT011
        search.fit(X, y)
    return type(error.value), str(error.value).replace(type(search).__name__, "Search")


@pytest.mark.parametrize(
    ("X", "y", "options"),
    [
        (np.full_like(X, np.nan), Y, {}),
        (X, Y[:-1], {}),
        (X, None, {}),
        (X, Y, {"cv": 1}),
        (X, Y, {"cv": 50}),
        (X, Y, {"cv": []}),
        (X, Y, {"n_jobs": "two"}),
        (X, Y, {"refit": "r2", "scoring": ["neg_mean_squared_error"]}),
        (X, ["a"] * 20, {}),
        (np.array([["a", "b"]] * 20), Y, {}),
    ],
)
def test_the_same_error_as_grid_search(X, y, options):
    grid = {"alpha": [0.1, 1.0, 10.0]}
    expected = outcome(GridSearchCV(Ridge(), grid, **options), X, y)
    found = outcome(HypergradSearchCV(Ridge(), grid, **options), X, y)
    assert found[0] is expected[0]
    # Tracebacks of failed fits name files and lines.
    assert found[1].splitlines()[0] == expected[1].splitlines()[0]


@pytest.mark.filterwarnings("ignore:Scoring failed", "ignore:One or more of the test scores")
def test_a_class_missing_in_a_split_is_scored_as_grid_search_does():
    y = np.r_[np.zeros(10), np.ones(9), 2]
    grid = {"C": [0.1, 1.0, 10.0]}
    options = {"cv": KFold(4), "scoring": "accuracy"}
    expected = GridSearchCV(LogisticRegression(), grid, **options).fit(X, y)
    search = HypergradSearchCV(LogisticRegression(), grid, **options).fit(X, y)
    assert search.cv_results_["params"] == expected.cv_results_["params"]
    assert np.array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert "class 2.0 is missing from the training part of split 3" in search.hypergradient_
    ranged = HypergradSearchCV(LogisticRegression(), {"C": Continuous()}, **options)
    with pytest.warns(HypergradWarning, match="was enumerated, not searched: class"):
        ranged.fit(X, y)
    assert ranged.best_params_ == {"C": 1.0}


def test_one_failing_split_is_a_nan_and_the_search_goes_on():
    y = Y.copy()
    bad = X.copy()
    bad[0] = np.inf
    cv = [(np.arange(1, 10), np.arange(10, 20)), (np.arange(10), np.arange(10, 20))]
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=cv, refit=False)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(bad, y)
    first, second = (search.cv_results_[f"split{k}_test_score"] for k in range(2))
    assert np.isfinite(first).all()
    assert np.isnan(second).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"hypergradient": "magic"}, "'hypergradient' parameter .* must be .*'implicit'"),
        ({"optimizer": "sgd"}, "'optimizer' parameter .* must be .*'lbfgs'"),
        ({"validation_loss": "nice"}, "'validation_loss' parameter .* must be .*'log_loss'"),
        ({"validation_loss": "log_loss"}, "validation_loss='log_loss' does not apply to Ridge"),
        ({"max_iter": 0}, "'max_iter' parameter"),
        ({"tol": -1}, "'tol' parameter"),
    ],
)
def test_our_own_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, **options).fit(X, Y)


def test_before_fit():
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]})
    with pytest.raises(NotFittedError):
        search.predict(X)
    assert not hasattr(search, "predict_proba")
    assert not hasattr(search, "n_features_in_")
    without = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, refit=False).fit(X, Y)
    with pytest.raises(AttributeError, match="has no attribute 'predict'"):
        without.predict(X)


def test_a_new_fit_forgets_the_reports_of_the_last():
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}).fit(X, Y)
    assert hasattr(search, "history_")
    search.set_params(param_grid={"alpha": [1.0]}).fit(X, Y)
    assert not hasattr(search, "history_")


@pytest.mark.parametrize("model", [LogisticRegression(), linear_model.LogisticRegression()])
def test_one_class_is_not_searched(model):
    grid, one = {"C": [0.1, 1.0, 10.0]}, np.ones(20)
    expected = outcome(GridSearchCV(model, grid), X, one)
    found = outcome(search := HypergradSearchCV(model, grid, verbose=1), X, one)
    # Lines of files are in the tracebacks: the last line is the reason.
    assert found[1].splitlines()[-1] == expected[1].splitlines()[-1]
    assert not hasattr(search, "history_")


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_ridge_fits_one_class_without_a_search():
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": Continuous()}).fit(X, np.ones(20))
    assert search.best_params_ == {"alpha": 1.0}
    assert "y has one class, 1.0, and two are needed" in search.remarks_[0]
