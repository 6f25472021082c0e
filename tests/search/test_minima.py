"""No result is worse than what the search itself has seen, whatever the units of columns."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import ElasticNet, HuberRegressor, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, scale
from sklearn.svm import NuSVR

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.tuning.objective import Record, lowest

MSE, LOG_LOSS = "neg_mean_squared_error", "neg_log_loss"
# Of scikit-learn's fits of data that are badly scaled, and of what the search says of them.
pytestmark = pytest.mark.filterwarnings("ignore")


def record(value, *statuses):
    theta = np.zeros(1)
    return Record(theta, {}, value, theta, np.array([value]), 1e-6, statuses, 0.0, 0)


def test_unsolved_problems_neither_win_nor_lose():
    known = [record(2.0), record(1.0, Status.INNER_NOT_CONVERGED), record(3.0)]
    assert lowest(known) is known[0]
    assert lowest(known[1:2]) is known[1]
    inexact = record(1.5, Status.LINEAR_SOLVE_INEXACT)
    assert lowest([*known, inexact]) is inexact


def test_separable_classes_that_are_badly_scaled():
    """From a solution with hardly any penalty, Newton's method does not get back."""
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(
        PolynomialFeatures(2), LogisticRegression(solver="newton-cholesky", max_iter=1000)
    )
    grid = {"logisticregression__C": np.logspace(-4, 6, 11)}
    search = HypergradSearchCV(model, grid, scoring=LOG_LOSS, refit=False).fit(X, y)
    assert -search.best_score_ == pytest.approx(search.history_["loss"].min(), rel=1e-3)
    listed = {"logisticregression__C": np.logspace(-2, 2, 5)}
    plain = GridSearchCV(model, listed, scoring=LOG_LOSS, refit=False).fit(X, y)
    assert search.best_score_ >= plain.best_score_


def test_coarse_values_do_not_end_a_scan():
    """Few rows that are separable: the loss falls, by little, to the end of what is searched."""
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:400]
    X, y = scale(X[rows])[:20], y[rows][:20]
    search = HypergradSearchCV(
        LogisticRegression(), {"C": Continuous()}, scoring=LOG_LOSS, refit=False
    ).fit(X, y)
    assert list(search.hyperparameters_["status"]) == ["limit"]


def other_units(X, factor):
    X = scale(X)
    X[:, 2] *= factor
    return X


@pytest.mark.parametrize("factor", [1e-6, 1e-2, 1e2, 1e8])
@pytest.mark.parametrize("key", ["alpha", "C"])
def test_one_column_in_other_units(key, factor):
    X, y = load_diabetes(return_X_y=True)
    X, y = other_units(X, factor)[:200], y[:200]
    model, scoring = Ridge(), MSE
    if key == "C":
        y, scoring = y > 140, LOG_LOSS
        model = LogisticRegression(solver="newton-cholesky", tol=1e-8)
    search = HypergradSearchCV(model, {key: Continuous()}, scoring=scoring, cv=3).fit(X, y)
    dense = {key: np.logspace(-4, 4, 17)}
    plain = GridSearchCV(model, dense, scoring=scoring, cv=3, refit=False).fit(X, y)
    # The loss of solutions: of such data the fits themselves may not converge.
    assert -search.history_["loss"].min() >= plain.best_score_ * (1 + 1e-6)
    told = "scales of the features differ" in " ".join(search.remarks_)
    assert told == (factor in (1e-6, 1e8))


def test_a_date_without_information():
    """Where the level is that of one column, the estimator's own value is far from it."""
    X, y = load_diabetes(return_X_y=True)
    day = 1.6e9 + 86400.0 * np.random.default_rng(0).permutation(len(y))
    X = np.column_stack([X, day])
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous()}, scoring=MSE).fit(X, y)
    own = cross_val_score(Ridge(), X, y, scoring=MSE).mean()
    plain = GridSearchCV(Ridge(), {"alpha": np.logspace(-4, 2, 13)}, scoring=MSE).fit(X, y)
    assert search.best_score_ >= max(own, plain.best_score_)


@pytest.mark.parametrize("own", [1e-9, 1e-3, 1e9])
def test_the_own_value_is_seen_and_counts(own):
    X, y = load_diabetes(return_X_y=True)
    search = HypergradSearchCV(Ridge(own), {"alpha": Continuous()}, cv=3, refit=False).fit(X, y)
    seen = search.history_[np.isclose(search.history_["value"], own, rtol=1e-12, atol=0)]
    assert len(seen)
    assert 1 - search.best_score_ <= seen["loss"].min() * (1 + 1e-9)


def test_an_own_value_at_the_end_of_the_scan_is_one_point():
    """Three decades from the centre of the scan, up to the rounding of a logarithm."""
    X, y = load_diabetes(return_X_y=True)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(init=1e3)}, refit=False).fit(X, y)
    assert search.best_params_["alpha"] < 0.5
    assert list(search.hyperparameters_["status"]) == ["interior"]


def test_an_own_value_out_of_bounds_is_no_result():
    X, y = load_diabetes(return_X_y=True)
    range_ = Continuous(10, 1e3)
    search = HypergradSearchCV(Ridge(1e-2), {"alpha": range_}, cv=3, refit=False).fit(X, y)
    assert search.history_["loss"].iloc[-1] < search.history_["loss"].iloc[:-1].min()
    assert search.best_params_["alpha"] == pytest.approx(10, rel=1e-12)


def few(seed, n_rows):
    X, y = load_diabetes(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))[:n_rows]
    return scale(X)[rows], scale(y)[rows]


def test_a_dip_beside_the_lowest_point_of_a_line_with_kinks():
    """The end of the list has a lower loss than all of its other values."""
    X, y = few(0, 60)
    options = {"scoring": MSE, "cv": 3, "refit": False}
    model = ElasticNet(alpha=0.1)
    search = HypergradSearchCV(model, {"l1_ratio": np.linspace(0.1, 1, 5)}, **options).fit(X, y)
    dense = GridSearchCV(model, {"l1_ratio": np.linspace(0.9, 1.0, 41)}, **options).fit(X, y)
    assert dense.best_params_["l1_ratio"] < 0.99
    assert search.best_score_ >= dense.best_score_ * (1 + 1e-4)


def test_a_minimum_beside_values_without_a_solution():
    """With epsilon=1.1 the scale of the residuals goes to zero."""
    X, y = few(4, 50)
    options = {"scoring": MSE, "cv": 3, "refit": False}
    model = HuberRegressor(max_iter=1000)
    search = HypergradSearchCV(model, {"epsilon": [1.1, 1.575, 3.0]}, **options).fit(X, y)
    assert np.isinf(search.history_["loss"]).any()
    assert search.history_["loss"].min() < 0.672
    assert 1.1 < search.best_params_["epsilon"] < 1.3


@pytest.mark.parametrize("values", [Continuous(), np.linspace(0.1, 0.9, 5)])
def test_shares_below_a_half_are_searched(values):
    """Wherever its scan begins, a share may be any."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y, options = X[:, 0] + rng.uniform(-1, 1, 60), {"scoring": MSE}
    search = HypergradSearchCV(NuSVR(tol=1e-6), {"nu": values}, **options).fit(X, y)
    grid = {"nu": np.linspace(0.05, 0.95, 19).tolist()}
    grid = GridSearchCV(NuSVR(tol=1e-6), grid, **options).fit(X, y)
    assert grid.best_params_["nu"] == pytest.approx(0.3)
    assert search.best_score_ > grid.best_score_ - 1e-4


def test_a_vector_starts_at_the_best_value_for_all():
    """Smooth spectra want a level far below the scale of their columns."""
    rng, t = np.random.default_rng(0), np.linspace(0, 1, 40)
    peaks = np.exp(-((t - np.linspace(0.1, 0.9, 8)[:, None]) ** 2) / 0.03)
    A = rng.uniform(size=(80, 8))
    X = scale(A @ peaks + 1e-5 * rng.normal(size=(80, 40)))
    y = A[:, 5] + 0.02 * rng.normal(size=80)
    groups = np.arange(40) // 20
    vector = HypergradSearchCV(
        linear_model.Ridge(), {"alpha": Continuous(per="group", groups=groups)}, cv=4
    ).fit(X, y)
    alone = HypergradSearchCV(Ridge(), {"alpha": Continuous()}, cv=4).fit(X, y)
    assert alone.best_params_["alpha"] < 1e-4
    assert vector.best_score_ >= alone.best_score_ - 1e-9
