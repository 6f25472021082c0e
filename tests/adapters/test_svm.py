"""Searches of support vector machines."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.adapters.svm import SHARE, NuSVRFamily

GRID = {"C": [0.1, 1.0, 10.0, 100.0], "gamma": [1e-3, 1e-2, 1e-1]}


@pytest.fixture(scope="module")
def classes():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X)[::4], np.array(["bad", "good"])[y[::4]]


@pytest.fixture(scope="module")
def numbers():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X)[::5], y[::5] / 50


@pytest.mark.parametrize("scoring", [None, "roc_auc", "balanced_accuracy"])
def test_a_search_is_about_as_good_as_a_grid(classes, scoring):
    search = HypergradSearchCV(SVC(), GRID, scoring=scoring, cv=4).fit(*classes)
    grid = GridSearchCV(SVC(), GRID, scoring=scoring, cv=4).fit(*classes)
    assert search.best_score_ > grid.best_score_ - 0.01
    # Points are judged by predictions, without fits: at most the best two are rows.
    assert len(search.cv_results_["params"]) <= 2
    assert not any("could not judge" in remark for remark in search.remarks_)


def test_a_search_of_three_numbers(numbers):
    param_grid = {"C": [0.1, 1, 10], "epsilon": [0.01, 0.1, 1], "gamma": [1e-3, 1e-2, 1e-1]}
    search = HypergradSearchCV(SVR(), param_grid, cv=3).fit(*numbers)
    grid = GridSearchCV(SVR(), param_grid, cv=3).fit(*numbers)
    assert search.best_score_ > grid.best_score_
    assert search.validation_loss_ == "r2"


def inside(regressor):
    """Behind a fixed transformation of the targets."""
    return TransformedTargetRegressor(regressor, func=np.sqrt, inverse_func=np.square)


@pytest.mark.parametrize(
    ("wrap", "prefix", "scoring"),
    [
        (clone, "", "neg_median_absolute_error"),
        pytest.param(inside, "regressor__", "r2", marks=pytest.mark.thorough),
    ],
)
def test_scores_of_numbers_are_read_from_predictions(numbers, monkeypatch, wrap, prefix, scoring):
    """Only rows are fitted, on each split, and the result."""
    fits, fit = [], SVR.fit

    def counted(self, X, y, sample_weight=None):
        fits.append(self)
        return fit(self, X, y, sample_weight)

    monkeypatch.setattr(SVR, "fit", counted)
    grid = {f"{prefix}{name}": values for name, values in GRID.items()}
    search = HypergradSearchCV(wrap(SVR()), grid, scoring=scoring, cv=3).fit(*numbers)
    assert len(fits) == 3 * len(search.cv_results_["params"]) + 1
    plain = GridSearchCV(wrap(SVR()), grid, scoring=scoring, cv=3, refit=False).fit(*numbers)
    assert search.best_score_ > plain.best_score_ - 0.01


def test_words_for_gamma_are_numbers_of_each_part(numbers):
    search = HypergradSearchCV(SVR(), {"C": [0.1, 10]}, cv=3)
    assert np.median(check_hypergradient(search, *numbers, step=1e-4)) < 1e-6
    search.fit(*numbers)
    # Rows are fits to the estimator's own tolerance.
    assert search.best_score_ == pytest.approx(1 - search.history_["loss"].min(), abs=1e-3)


def test_without_bounds_a_search_ends_at_a_hundred_spreads(numbers):
    X, y = numbers
    search = HypergradSearchCV(SVR(epsilon=0.1), {"C": Continuous(), "gamma": [0.01, 0.1]}, cv=3)
    search.fit(X, 1000 * y)
    bounds = search.hyperparameters_.set_index("name").loc["C", ["low", "high"]]
    assert_allclose(bounds["high"], 100 * np.std(1000 * y), rtol=1e-9)
    assert bounds["low"] <= 1


def test_each_kernel_is_searched(classes):
    param_grid = {"C": [0.1, 10], "gamma": [1e-3, 1e-1], "kernel": ["rbf", "linear"]}
    search = HypergradSearchCV(SVC(), param_grid, cv=2).fit(*classes)
    assert "C, gamma: closed form" in search.hypergradient_
    assert "gamma: SVC has no gamma with kernel='linear'" in search.hypergradient_
    kernels = [params["kernel"] for params in search.cv_results_["params"]]
    assert set(kernels) == {"rbf", "linear"}


def test_several_classes_are_enumerated_with_the_reason():
    X, y = load_wine(return_X_y=True)
    search = HypergradSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=2).fit(X, y)
    assert "y has 3 classes, and SVC fits a machine to every pair" in search.hypergradient_
    assert len(search.cv_results_["params"]) == 3


@pytest.mark.filterwarnings("ignore:.*probability.*:FutureWarning")
def test_scores_of_probabilities_are_those_of_fits(classes):
    X, y = classes
    model = SVC(probability=True, random_state=0)
    param_grid = {"C": [0.1, 10], "gamma": [1e-3, 1e-1]}
    search = HypergradSearchCV(model, param_grid, scoring="neg_log_loss", cv=2)
    search.fit(X[::2], y[::2])
    assert search.validation_loss_ == "platt_log_loss"
    assert np.isfinite(search.best_score_)
    assert not any("could not judge" in remark for remark in search.remarks_)


def test_a_nu_that_is_too_large_is_left_out(classes):
    X, y = classes
    y = np.where(np.arange(len(y)) % 4, y[0], "bad" if y[0] == "good" else "good")
    search = HypergradSearchCV(NuSVC(nu=0.2), {"nu": [0.1, 0.9], "gamma": [1e-2, 1e-1]}, cv=2)
    search.fit(X, y)
    assert search.best_params_["nu"] < 0.55
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.thorough
def test_pipelines_have_a_kernel_for_each_part():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), SVC())
    param_grid = {f"svc__{name}": values for name, values in GRID.items()}
    search = HypergradSearchCV(model, param_grid, cv=3).fit(X, y)
    grid = GridSearchCV(model, param_grid, cv=3).fit(X, y)
    assert search.best_score_ > grid.best_score_ - 0.005


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision"])
def test_ties_count_as_half(classes, scoring):
    """Rows that are held out twice, of two classes: no fit is made to tell their order."""
    X, y = classes
    X, y = (
        np.concatenate([X, X]),
        np.concatenate([y == "good", np.roll(y == "good", 1)]).astype(int),
    )
    param_grid = {"C": [0.1, 10], "gamma": [1e-3, 1e-1]}
    search = HypergradSearchCV(SVC(), param_grid, scoring=scoring, cv=3).fit(X, y)
    grid = GridSearchCV(SVC(), param_grid, scoring=scoring, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) <= 2
    assert search.best_score_ > grid.best_score_ - 0.01


@pytest.mark.parametrize("ranges", [[0.05, 0.6], Continuous()], ids=["list", "free"])
@pytest.mark.parametrize("model", [NuSVR(), NuSVC()], ids=["numbers", "classes"])
def test_nu_alone_is_searched_in_all_of_its_range(classes, numbers, model, ranges):
    X, y = numbers if isinstance(model, NuSVR) else classes
    search = HypergradSearchCV(model, {"nu": ranges}, cv=3).fit(X, y)
    value = search.history_["value"]
    low, high = (0.05, 0.6) if isinstance(ranges, list) else (1e-3, 1.0)
    assert_allclose([value.min(), value.max()], [low, high])
    listed = {"nu": [0.05, 0.2, 0.4, 0.6]}
    grid = GridSearchCV(model, listed, cv=3).fit(X, y)
    assert search.best_score_ > grid.best_score_ - 0.005


def test_the_largest_share_is_the_end_of_the_range():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = X @ rng.normal(size=5) + 0.7 * rng.normal(size=60)
    search = HypergradSearchCV(NuSVR(), {"nu": Continuous()}, cv=3).fit(X, y)
    assert search.best_params_["nu"] == 1
    assert list(search.hyperparameters_["status"]) == ["end of range"]
    assert search.remarks_ == []


def test_one_value_on_a_logit_scale_is_searched_on_it(numbers, monkeypatch):
    """No family has one, but one that somebody adds may."""
    X, y = numbers
    found = {}
    for scale in ("linear", "logit"):
        share = dataclasses.replace(SHARE, scale=scale, closed=False)
        monkeypatch.setitem(NuSVRFamily.of_machine, "nu", share)
        search = HypergradSearchCV(NuSVR(), {"nu": [0.1, 0.9]}, scoring="neg_mean_squared_error")
        found[scale] = search.fit(X, y)
    assert set(found["logit"].hyperparameters_["status"]) == {"interior"}
    losses = [-search.best_score_ for search in found.values()]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert min(found["logit"].history_["value"]) == pytest.approx(0.1)
