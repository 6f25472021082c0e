"""Whole searches through every transformer that has hyperparameters, and through the others."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import KernelPCA
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, ParameterGrid, StratifiedKFold, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.exceptions import HypergradWarning

CV, SCORING = KFold(3), "neg_mean_squared_error"
DRAWN = {"n_components": 40, "random_state": 0}
# Steps, and values of their hyperparameters, between which the search stays.
PLACES = {
    "nystroem": (Nystroem(**DRAWN | {"n_components": 12}), {"gamma": np.logspace(-3, 0, 5)}),
    "fourier features": (RBFSampler(**DRAWN), {"gamma": np.logspace(-3, 0, 5)}),
    "sketch": (
        PolynomialCountSketch(**DRAWN),
        {"gamma": np.logspace(-3, 1, 5), "coef0": [0.1, 1, 10]},
    ),
    "skewed": (SkewedChi2Sampler(**DRAWN), {"skewedness": np.logspace(-2, 2, 5)}),
    "additive": (AdditiveChi2Sampler(), {"sample_interval": np.logspace(-2, 1, 5)}),
    "components": (KernelPCA(4, kernel="rbf"), {"gamma": np.logspace(-3, 1, 5)}),
    "all components": (KernelPCA(kernel="rbf"), {"gamma": np.logspace(-3, 1, 5)}),
    "components by arpack": (
        KernelPCA(4, kernel="poly", degree=2, eigen_solver="arpack"),
        {"gamma": np.logspace(-3, 1, 5), "coef0": [0.1, 1, 10]},
    ),
}
EVERY_DAY = {"fourier features", "skewed", "components", "nystroem"}
ALPHAS = np.logspace(-4, 2, 5)


@pytest.fixture(scope="module")
def positive():
    """Few rows of positive numbers, and a smooth function of them."""
    rng = np.random.default_rng(0)
    X = rng.gamma(2.0, size=(48, 3))
    return X, np.sin(X[:, 0]) + np.log1p(X[:, 1] * X[:, 2]) + 0.1 * rng.normal(size=48)


def least_of_grid(step, values, X, y):
    """The smallest loss of a grid, without the overhead of searches."""
    losses = []
    for each in ParameterGrid(values):
        parts = []
        for train, test in CV.split(X):
            fitted = clone(step).set_params(**each)
            Z, Z_test = fitted.fit_transform(X[train]), fitted.transform(X[test])
            models = [Ridge(alpha).fit(Z, y[train]) for alpha in ALPHAS]
            parts.append([mean_squared_error(y[test], m.predict(Z_test)) for m in models])
        losses.extend(np.mean(parts, axis=0))
    return min(losses)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in EVERY_DAY else pytest.mark.thorough)
        for name in PLACES
    ],
)
def test_the_loss_is_not_above_that_of_a_grid(name, positive):
    step, values = PLACES[name]
    model = make_pipeline(step, Ridge())
    place = model.steps[0][0]
    spans = {f"{place}__{each}": Continuous(min(of), max(of)) for each, of in values.items()}
    spans["ridge__alpha"] = Continuous(1e-4, 1e2)
    # The best place may be a corner of the grid.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*at bound", HypergradWarning)
        search = HypergradSearchCV(model, spans, cv=CV, scoring=SCORING).fit(*positive)
    scores = cross_val_score(search.best_estimator_, *positive, cv=CV, scoring=SCORING)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-6)
    assert_allclose(-search.best_score_, min(search.history_["loss"]), rtol=1e-6)
    assert -search.best_score_ <= least_of_grid(step, values, *positive)


@pytest.mark.thorough
def test_derivatives_pass_all_steps_that_may_stand_behind(positive):
    X, y = positive
    behind = [MaxAbsScaler(), PolynomialFeatures(), RobustScaler(), Normalizer(), MinMaxScaler()]
    first = RBFSampler(n_components=4, random_state=0)
    model = make_pipeline(first, *behind, StandardScaler(), Ridge())
    grid = {"rbfsampler__gamma": Continuous(0.01, 0.3)}
    search = HypergradSearchCV(model, grid, cv=CV, scoring=SCORING).fit(X, y)
    # Quantiles have kinks, which are close to each other.
    assert check_hypergradient(search, X, y, step=1e-5).max() < 1e-6
    scores = cross_val_score(search.best_estimator_, X, y, cv=CV, scoring=SCORING)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-6)


def test_points_are_not_judged_by_steps_that_make_other_rows():
    rng = np.random.default_rng(0)
    X = rng.integers(4, size=(60, 2))
    y = X[:, 0] + rng.normal(size=60) > 2
    # These folds are drawn at every fit.
    encoder = TargetEncoder(cv=StratifiedKFold(3, shuffle=True))
    model = make_pipeline(encoder, LogisticRegression())
    grid = {"targetencoder__smooth": Continuous(), "logisticregression__C": Continuous()}
    with pytest.warns(HypergradWarning, match="other rows when they are fitted once more"):
        HypergradSearchCV(model, grid, cv=CV, scoring=accuracy_of_estimator).fit(X, y)


def accuracy_of_estimator(estimator, X, y):
    return np.mean(estimator.predict(X) == y)


# Rows that a hyperparameter limits.


def skewed(low, high, X, y):
    model = make_pipeline(SkewedChi2Sampler(**DRAWN), Ridge())
    grid = {"skewedchi2sampler__skewedness": Continuous(low, high)}
    return HypergradSearchCV(model, grid, cv=CV, scoring=SCORING).fit(X, y)


def test_a_search_ends_where_the_rows_allow_no_less(positive):
    X, y = positive
    search = skewed(1e-2, None, X - 3.0, y)
    found, least = search.best_params_["skewedchi2sampler__skewedness"], 3.0 - X.min()
    assert least < found < 1.01 * least
    assert np.isfinite(search.history_["loss"]).all()
    assert search.remarks_ == []


def test_steps_and_models_in_wrappers_are_tuned_together_and_limited(positive):
    X, y = positive
    model = MultiOutputRegressor(make_pipeline(SkewedChi2Sampler(**DRAWN), Ridge()))
    place = "estimator__skewedchi2sampler__skewedness"
    grid = {place: Continuous(1e-2, 10.0), "estimator__ridge__alpha": Continuous()}
    Y = np.stack([y, X[:, 0] * X[:, 1]], axis=1)
    search = HypergradSearchCV(model, grid, cv=CV, scoring=SCORING).fit(X - 3.0, Y)
    # The first one is the estimator's own value.
    assert all(each[place] > 3.0 - X.min() for each in search.history_["value"][1:])
    scores = cross_val_score(search.best_estimator_, X - 3.0, Y, cv=CV, scoring=SCORING)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-6)


def test_a_range_that_the_rows_do_not_allow_is_refused(positive):
    X, y = positive
    with pytest.raises(ValueError, match=r"the rows of X allow a value above 2\.\d+ of skewed"):
        skewed(0.1, 1.0, X - 3.0, y)


def test_rows_that_a_step_before_has_moved_too_far_are_infinite_losses(positive):
    X, y = positive
    model = make_pipeline(
        PolynomialCountSketch(n_components=5, random_state=0),
        SkewedChi2Sampler(n_components=9, random_state=0, skewedness=3.0),
        Ridge(),
    )
    grid = {"polynomialcountsketch__gamma": Continuous(1e-3, 10.0)}
    search = HypergradSearchCV(model, grid, cv=CV, scoring=SCORING).fit(X, y)
    assert np.isinf(search.history_["loss"]).any()
    assert np.isfinite(search.best_score_)


# Numbers of columns that change with hyperparameters.


def test_fits_do_not_start_at_weights_of_other_columns(positive):
    X, y = positive
    model = make_pipeline(KernelPCA(kernel="rbf"), PoissonRegressor(tol=1e-8, max_iter=1000))
    grid = {"kernelpca__gamma": Continuous(1e-9, 1.0), "poissonregressor__alpha": [1e-3, 1.0]}
    search = HypergradSearchCV(model, grid, cv=CV).fit(X, np.exp(y))
    n_columns = {
        clone(model[0]).set_params(gamma=each["kernelpca__gamma"]).fit_transform(X[16:]).shape[1]
        for each in search.history_["value"]
    }
    assert len(n_columns) > 1
    scores = cross_val_score(search.best_estimator_, X, np.exp(y), cv=CV)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-5)


def test_points_are_judged_by_a_score_without_gradient(positive):
    X, y = positive
    model = make_pipeline(KernelPCA(3, kernel="rbf"), LogisticRegression())
    grid = {"kernelpca__gamma": Continuous(), "logisticregression__C": Continuous()}
    search = HypergradSearchCV(model, grid, cv=CV, scoring="accuracy").fit(X, y > np.median(y))
    assert search.remarks_ == []
