"""Scalers that are read: the same blocks and losses as if what they do is compared."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.search.data import blocks as search_data
from sklearn_hypergrad.search.data.scalers import FitOnly
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives

MODELS = {"ridge": linear_model.Ridge(), "logistic": linear_model.LogisticRegression()}
KEYS = {"ridge": "alpha", "logistic": "C"}
SCALERS = [
    [StandardScaler()],
    [StandardScaler(with_std=False)],
    [MinMaxScaler((-1, 3))],
    [MaxAbsScaler()],
    [RobustScaler(unit_variance=True)],
    [RobustScaler(with_centering=False)],
    [RobustScaler(with_scaling=False)],
    [MinMaxScaler(), "passthrough", StandardScaler(), MaxAbsScaler()],
    [make_pipeline(StandardScaler())],
]


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)) * np.logspace(-1, 1, 4) + 3
    X[:, 1] = 5.0
    X[:10, 2], X[10:, 2] = np.arange(10), 0.0
    return X, (X[:, 0] - 3) * 10 + rng.normal(size=len(X))


def search_for(name, scalers, per=None, **options):
    final = clone(MODELS[name]).set_params(**options.pop("final", {}))
    steps = [(f"s{number}", scaler) for number, scaler in enumerate(scalers)]
    pipeline = Pipeline([*steps, ("m", final)])
    scoring = "neg_log_loss" if name == "logistic" else "neg_mean_squared_error"
    grid = {f"m__{KEYS[name]}": Continuous(per=per)}
    return HypergradSearchCV(pipeline, grid, scoring=scoring, **{"cv": 4} | options)


def check_same(monkeypatch, search, X, y, *, is_read=True, **params):
    """That scalers are read, and that nothing else depends on it."""
    found = []
    for read in (True, False):
        with monkeypatch.context() as context:
            fitted = counted_fits(context)
            if not read:
                context.setattr(search_data, "are_scalers", lambda *args: False)
            (objective,) = build_objectives(clone(search), X, y, **params)
            objective.tol = 1e-12
            theta = np.random.default_rng(1).normal(size=objective.space.size)
            found.append((objective.record(theta), objective.terms[0].data.columns))
            assert bool(fitted) is (read and is_read)
    (record, columns), (expected, expected_columns) = found
    assert_allclose(record.losses, expected.losses, rtol=1e-9)
    scale = np.abs(expected.gradient).max()
    assert_allclose(record.gradient, expected.gradient, rtol=1e-7, atol=1e-9 * scale)
    assert columns == expected_columns


def counted_fits(monkeypatch):
    fitted, fit = [], FitOnly.fit_transform

    def counted(self, *args, **params):
        fitted.append(self)
        return fit(self, *args, **params)

    monkeypatch.setattr(FitOnly, "fit_transform", counted)
    return fitted


@pytest.mark.parametrize("scalers", SCALERS, ids=str)
@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", MODELS)
def test_scalers_that_are_read(monkeypatch, numbers, name, per, scalers):
    X, y = numbers
    y = y if name == "ridge" else (y > 0).astype(int)
    # A pipeline before the last step is no scaler.
    is_read = not isinstance(scalers[0], Pipeline)
    check_same(monkeypatch, search_for(name, scalers, per), X, y, is_read=is_read)


def test_the_check_rejects_a_factor_that_is_wrong_by_a_thousandth(monkeypatch, numbers):
    from sklearn_hypergrad.search.data import scalers

    right = scalers.READ[StandardScaler]
    wrong = {**scalers.READ, StandardScaler: lambda scaler: np.multiply(1.001, right(scaler))}
    monkeypatch.setattr(scalers, "READ", wrong)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_same(monkeypatch, search_for("ridge", [StandardScaler()]), *numbers)


@pytest.mark.parametrize(
    ("scaler", "is_read"), [(StandardScaler(), False), (MaxAbsScaler(), True)], ids=str
)
def test_without_an_intercept_no_origin_moves(monkeypatch, numbers, scaler, is_read):
    search = search_for("ridge", [scaler], final={"fit_intercept": False})
    X, y = numbers
    with monkeypatch.context() as context:
        fitted = counted_fits(context)
        (objective,) = build_objectives(search, X, y)
    assert len(fitted) == (4 if is_read else 1)
    assert len(objective.terms) == (1 if is_read else 4)


def bent():
    class Bent(StandardScaler):
        def transform(self, X, copy=None):
            return np.sqrt(np.abs(super().transform(X)))

    return Bent()


@pytest.mark.parametrize("scaler", [MinMaxScaler(clip=True), MaxAbsScaler(clip=True), bent()])
def test_what_bends_is_not_read(monkeypatch, numbers, scaler):
    check_same(monkeypatch, search_for("ridge", [scaler]), *numbers, is_read=False)


@pytest.mark.parametrize(
    "cv", [RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), ShuffleSplit(3, random_state=0)]
)
def test_any_splits(monkeypatch, numbers, cv):
    check_same(monkeypatch, search_for("ridge", [StandardScaler()], cv=cv), *numbers)


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_data_frames_keep_their_names(monkeypatch, numbers, output):
    X, y = numbers
    X = pd.DataFrame(np.round(X).astype(int), columns=list("abcd"))
    scaler = StandardScaler().set_output(transform=output)
    search = search_for("ridge", [scaler, clone(scaler)], "feature")
    check_same(monkeypatch, search, X, y)


def test_missing_and_sparse_values_are_not_read(monkeypatch, numbers):
    X, y = numbers
    scaler = StandardScaler(with_mean=False)
    check_same(monkeypatch, search_for("ridge", [scaler]), sparse.csr_array(X), y, is_read=False)
    X[0, 0] = np.nan
    search = search_for("ridge", [scaler]).set_params(error_score="raise")
    with pytest.raises(ValueError, match="contains NaN"):
        search.fit(X, y)


def test_factors_whose_squares_overflow_are_not_used(monkeypatch, numbers):
    X, y = numbers
    X[:, 0] *= 1e-160
    with monkeypatch.context() as context:
        fitted = counted_fits(context)
        (objective,) = build_objectives(search_for("ridge", [StandardScaler()]), X, y)
    assert len(fitted) == 1
    assert objective.terms[0].data.scales is not None


def test_weights_reach_scalers_and_model(monkeypatch, numbers):
    X, y = numbers
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    names = {"s0__sample_weight": weight, "m__sample_weight": weight[::-1]}
    check_same(monkeypatch, search_for("ridge", [StandardScaler()]), X, y, **names)
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        search = search_for("ridge", [scaler])
        search.estimator.steps[-1][1].set_fit_request(sample_weight=True)
        search.scoring = None
        search.estimator.steps[-1][1].set_score_request(sample_weight=True)
        check_same(monkeypatch, search, X, y, sample_weight=weight)


def test_a_scorer_of_pipelines_gets_those_that_were_fitted(numbers):
    X, y = numbers
    X = pd.DataFrame(X, columns=list("abcd"))
    seen = []

    def scorer(estimator, X, y):
        seen.append(estimator)
        assert list(estimator[-1].feature_names_in_) == list("abcd")
        return -np.abs(estimator.predict(X) - y).max()

    scaler = StandardScaler().set_output(transform="pandas")
    search = search_for("ridge", [scaler]).set_params(scoring=scorer)
    search.fit(X, y)
    # The search has judged its solutions as scikit-learn judges its fits.
    judged = [each for each in seen if each[-1].alpha == search.best_params_["m__alpha"]]
    assert len(judged) == 2 * 4
    for ours, fit in zip(judged[:4], judged[4:], strict=True):
        assert_allclose(ours[-1].coef_, fit[-1].coef_, rtol=1e-6, atol=1e-12)
        assert_allclose(ours[-1].intercept_, fit[-1].intercept_, rtol=1e-9)


@pytest.mark.parametrize("scalers", SCALERS[:-1], ids=str)
def test_features_of_every_split_are_those_of_its_pipeline(numbers, scalers):
    X, y = numbers
    (objective,) = build_objectives(search_for("ridge", scalers), X, y)
    block = objective.terms[0].data
    for split, (train, _) in enumerate(KFold(4).split(X)):
        steps = [scaler for scaler in scalers if scaler != "passthrough"]
        expected = make_pipeline(*map(clone, steps)).fit(X[train]).transform(X)
        assert_allclose(block.own(X, split), expected, rtol=1e-12, atol=1e-12)
        (part,) = block.in_batches(1)[split : split + 1]
        assert_allclose(part.own(X, 0), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("judge", ["warm", "cold"])
def test_rows_and_refit_are_those_of_the_pipeline(numbers, judge):
    X, y = numbers
    X = X + [2000, 0, 0, -70]
    search = search_for("logistic", [StandardScaler()]).set_params(judge=judge)
    search.estimator.set_params(m__tol=1e-8)
    found = search.fit(X, (y > 0).astype(int))
    assert not any("from the beginning" in remark for remark in found.remarks_)
    best = clone(search.estimator).set_params(**found.best_params_)
    scores = cross_val_score(best, X, y > 0, cv=4, scoring="neg_log_loss")
    assert_allclose(found.best_score_, scores.mean(), rtol=1e-6)
    best.fit(X, y > 0)
    assert_allclose(found.best_estimator_[-1].coef_, best[-1].coef_, rtol=1e-4, atol=1e-6)
