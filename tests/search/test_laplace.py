"""Vectors of penalties of logistic regression from log losses and the evidence side by side."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.datasets import load_iris
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.linear_model import LogisticRegression
from sklearn_hypergrad.problems import LaplaceEvidence
from sklearn_hypergrad.search.strategies.mixes import MIXES

PER_FEATURE = Continuous(per="feature")
MODEL = LogisticRegression(tol=1e-8, max_iter=1000)


def two_classes(n_samples=80, n_features=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    return X, (X[:, :2].sum(axis=1) + 0.5 * rng.normal(size=n_samples) > 0).astype(int)


def log_loss_search(**options):
    options = {"scoring": "neg_log_loss", "search_cv": "evidence", **options}
    return HypergradSearchCV(MODEL, {"C": PER_FEATURE}, **options)


@pytest.fixture(scope="module")
def fitted():
    return log_loss_search().fit(*two_classes(150, 30))


def minus_log_evidence(X, y, C):
    """Laplace's approximation from scratch, up to a constant."""
    rows, ridge = np.c_[X, np.ones(len(X))], np.r_[1 / C, 0]

    def objective(w):
        z = rows @ w
        p = 1 / (1 + np.exp(-z))
        value = np.sum(np.logaddexp(0, z) - y * z) + 0.5 * ridge @ w**2
        return value, rows.T @ (p - y) + ridge * w

    found = minimize(objective, np.zeros(len(ridge)), jac=True, options={"gtol": 1e-9})
    p = 1 / (1 + np.exp(-rows @ found.x))
    hessian = (rows.T * (p * (1 - p))) @ rows + np.diag(ridge)
    return found.fun + 0.5 * np.linalg.slogdet(hessian)[1] + 0.5 * np.log(C).sum()


def test_informative_features_leave_the_pool_and_the_others_do_not(fitted):
    status = np.asarray(fitted.hyperparameters_["status"])
    assert set(status[:2]) == {"below pool"}
    assert np.mean(status[2:] == "pooled") > 0.7


def test_what_is_descended_is_said(fitted):
    assert fitted.validation_loss_ == "log_loss and evidence"
    assert "0.7 of what is descended is the log loss on splits into fifths" in fitted.hypergradient_
    assert len([c for c in fitted.history_ if c.endswith("_loss")]) == 10


def test_evidence_is_that_of_all_rows(fitted):
    X, y = two_classes(150, 30)
    history = fitted.history_[np.isfinite(fitted.history_["log_evidence"])]
    for value, told in zip(history["value"][::8], history["log_evidence"][::8], strict=True):
        assert told == pytest.approx(-minus_log_evidence(X, y, np.asarray(value)), abs=1e-5)


class Wrong(LaplaceEvidence):
    def __call__(self, h):
        value, slopes = super().__call__(h)
        return value, {name: 1.001 * slope for name, slope in slopes.items()}


def test_hypergradients_are_exact_and_wrong_ones_are_rejected(monkeypatch):
    X, y = two_classes(40, 5)
    assert check_hypergradient(log_loss_search(), X, y).max() < 1e-6
    monkeypatch.setattr("sklearn_hypergrad.adapters.logistic.LaplaceEvidence", Wrong)
    assert check_hypergradient(log_loss_search(), X, y).max() > 1e-5


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_every_form(thin, scaled, intercept):
    """The gradient is a difference of values, of all rows as the model sees them."""
    X, y = two_classes(40, 4)
    X = sparse.csr_array(np.where(np.abs(X) > 0.5, X, 0)) if thin else X
    model = LogisticRegression(tol=1e-8, fit_intercept=intercept, class_weight={0: 2.0, 1: 1.0})
    model = make_pipeline(StandardScaler(with_mean=False), model) if scaled else model
    grid = {"logisticregression__C" if scaled else "C": PER_FEATURE}
    search = HypergradSearchCV(model, grid, scoring="neg_log_loss", search_cv="evidence")
    assert check_hypergradient(search, X, y, n_points=2).max() < 1e-6


@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_brier_score"])
def test_other_scores_judge_rows_and_log_losses_are_descended(scoring):
    search = log_loss_search(scoring=scoring, max_iter=2, tol=1.0).fit(*two_classes(40, 3))
    assert search.validation_loss_ == "log_loss and evidence"


@pytest.mark.parametrize(
    ("options", "loss"),
    [
        ({}, "log_loss and evidence"),
        ({"scoring": "accuracy"}, "log_loss and evidence"),
        ({"scoring": "neg_brier_score"}, "brier_score"),
        ({"cv": GroupKFold(4)}, "log_loss"),
    ],
    ids=["usual", "accuracy", "brier", "groups"],
)
def test_it_is_usual_for_log_losses_and_plain_splits(options, loss):
    search = log_loss_search(search_cv="auto", max_iter=2, tol=1.0, **options)
    groups = {"groups": np.arange(40) // 5} if "cv" in options else {}
    assert search.fit(*two_classes(40, 3), **groups).validation_loss_ == loss


def test_more_features_than_rows_take_halves():
    search = log_loss_search(search_cv="auto", max_iter=2, tol=1.0).fit(*two_classes(20, 30))
    assert search.validation_loss_ == "log_loss"
    assert len([c for c in search.history_ if c.endswith("_loss")]) == 20


def test_splits_that_know_of_groups_are_those_of_the_loss():
    X, y = two_classes(80, 3)
    search = log_loss_search(tol=1.0, max_iter=2, cv=GroupKFold(4))
    search.fit(X, y, groups=np.arange(80) // 8)
    assert len([c for c in search.history_ if c.endswith("_loss")]) == 4


def test_where_there_is_no_evidence_it_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="is for two classes, and y has 3"):
        log_loss_search().fit(*load_iris(return_X_y=True))
    monkeypatch.setattr("sklearn_hypergrad.adapters.logistic.MAX_WEIGHTS", 2)
    with pytest.raises(ValueError, match="3 of 80 rows are too many for that"):
        log_loss_search().fit(*two_classes(80, 3))


def test_without_it_the_level_is_never_weaker_than_that_of_one_value(monkeypatch):
    asked = []

    def noted(objective, theta, own, bounds, run):
        asked.append((theta, bounds))
        return theta

    monkeypatch.setattr("sklearn_hypergrad.search.strategies.vector_descent.shifted", noted)
    # The descent of these data ends at a level of e and more times that of one value.
    search = log_loss_search(search_cv="halves").fit(*two_classes(60, 5, seed=2))
    ((theta, (low, high)),) = asked
    common = np.log(search.cv_results_["params"][-1]["C"][0])
    level = np.median(theta)
    assert low < 0 <= high
    assert level + high == pytest.approx(common, abs=1e-6)


def test_a_second_start_is_a_strong_value(fitted):
    level = 0.4 * 150 / 4
    values = [np.asarray(v) for v in fitted.history_["value"] if np.size(v) > 1]
    alike = [1 / v[0] for v in values if np.ptp(v) == 0]
    assert any(strength == pytest.approx(level, rel=0.2) for strength in alike)
    assert MIXES["log_loss"].strong == 0.4
