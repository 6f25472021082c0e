"""Searches of models inside of others: transformed targets, one versus rest, several outputs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.search.candidates.expand import expand

LISTED = [0.01, 1.0, 100.0]
ROOT = {"func": np.sqrt, "inverse_func": np.square}
LOG = {"func": np.log, "inverse_func": np.exp}


@pytest.fixture
def numbers():
    """80 rows with 5 features of different scales, positive targets of two columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5))
    signal = X @ rng.normal(size=(5, 2)) + rng.normal(size=(80, 2))
    return X * [1, 3, 10, 0.1, 1], np.exp(0.5 * signal)


@pytest.fixture
def classes(numbers):
    """The same rows with three classes."""
    X, y = numbers
    return X, np.digitize(y[:, 0], np.quantile(y[:, 0], [0.4, 0.7]))


def target(model, **params):
    return TransformedTargetRegressor(model, **(params or LOG))


# The model, and the name of its hyperparameter.
CASES = {
    "target": (target(Ridge()), "regressor__alpha"),
    "pipeline in it": (target(make_pipeline(StandardScaler(), Ridge())), "regressor__ridge__alpha"),
    "pipeline around it": (
        make_pipeline(
            StandardScaler(), target(PoissonRegressor(), func=np.sqrt, inverse_func=np.square)
        ),
        "transformedtargetregressor__regressor__alpha",
    ),
    "reduction in it": (target(make_pipeline(PCA(3), Ridge())), "regressor__ridge__alpha"),
    "transformer": (
        target(Ridge(), transformer=FunctionTransformer(np.log, np.exp)),
        "regressor__alpha",
    ),
    "outputs": (MultiOutputRegressor(Ridge()), "estimator__alpha"),
    "classes": (OneVsRestClassifier(RidgeClassifier()), "estimator__alpha"),
    "classes in a pipeline": (
        make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression())),
        "onevsrestclassifier__estimator__C",
    ),
    "densities": (OneVsRestClassifier(GaussianNB()), "estimator__var_smoothing"),
    "labels": (MultiOutputClassifier(LogisticRegression()), "estimator__C"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_searched_and_judged_by_the_asked_score(numbers, classes, case):
    (X, y), (model, name) = numbers, CASES[case]
    if case == "labels":
        y = (y > np.median(y, axis=0)).astype(int)
    elif case in ("classes", "classes in a pipeline", "densities"):
        y = classes[1]
    elif case in ("target", "pipeline in it", "reduction in it"):
        y = y[:, 0]
    elif case == "pipeline around it":
        y = y[:, 1]
    search = HypergradSearchCV(model, {name: LISTED}, cv=3).fit(X, y)
    assert search.hypergradient_.startswith(f"{name}: ")
    grid = GridSearchCV(model, {name: LISTED}, cv=3).fit(X, y)
    assert search.best_score_ >= grid.best_score_ - 1e-12
    own = clone(model).set_params(**search.best_params_)
    assert_allclose(search.best_score_, cross_val_score(own, X, y, cv=3).mean(), rtol=1e-6)
    assert_array_equal(search.predict(X), own.fit(X, y).predict(X))


def test_steps_before_the_model_may_be_inside_or_outside(numbers):
    X, y = numbers
    found = [
        HypergradSearchCV(model, {name: Continuous()}, cv=3).fit(X, y[:, 0]).best_params_[name]
        for model, name in (
            CASES["pipeline in it"],
            (
                make_pipeline(StandardScaler(), target(Ridge())),
                "transformedtargetregressor__regressor__alpha",
            ),
        )
    ]
    assert found[0] == found[1]


def test_steps_that_are_tuned_may_be_inside_or_outside(numbers):
    X, y = numbers[0] / numbers[0].std(axis=0), np.log(numbers[1])
    features, spans = RBFSampler(n_components=40, random_state=0), [Continuous(), Continuous()]
    inside, outside = (
        HypergradSearchCV(model, dict(zip(names, spans, strict=True)), cv=KFold(3)).fit(X, y)
        for model, names in (
            (
                MultiOutputRegressor(make_pipeline(features, Ridge())),
                ("estimator__rbfsampler__gamma", "estimator__ridge__alpha"),
            ),
            (
                make_pipeline(features, MultiOutputRegressor(Ridge())),
                ("rbfsampler__gamma", "multioutputregressor__estimator__alpha"),
            ),
        )
    )
    assert_allclose(inside.best_score_, outside.best_score_, rtol=1e-4)
    # Along a valley both numbers may be smaller together; there both are the same model.
    values = dict(zip(outside.best_params_, inside.best_params_.values(), strict=True))
    same = clone(outside.estimator).set_params(**values)
    scores = cross_val_score(same, X, y, cv=KFold(3))
    assert_allclose(scores.mean(), inside.best_score_, rtol=1e-9)
    assert inside.remarks_ == outside.remarks_ == []


def test_the_loss_of_one_versus_rest_is_the_mean_over_classes(classes):
    X, y = classes
    X, binary = X / X.std(axis=0), LogisticRegression(solver="newton-cholesky", tol=1e-10)
    splits = list(StratifiedKFold(3).split(X, y))
    search = HypergradSearchCV(OneVsRestClassifier(binary), {"estimator__C": LISTED}, cv=splits)
    history = search.fit(X, y).history_
    value, loss = list(history["value"])[-1], list(history["loss"])[-1]
    binary.set_params(C=value)
    scores = [
        cross_val_score(binary, X, y == label, cv=splits, scoring="neg_log_loss")
        for label in range(3)
    ]
    assert_allclose(loss, -np.mean(scores), rtol=1e-6)


def test_names_of_features_reach_the_copies(numbers):
    pandas = pytest.importorskip("pandas")
    X, y = numbers
    frame = pandas.DataFrame(X, columns=list("abcde"))

    def scoring(estimator, X, y):
        assert list(estimator.regressor_.feature_names_in_) == list("abcde")
        return estimator.score(X, y)

    search = HypergradSearchCV(target(Ridge()), {"regressor__alpha": LISTED}, scoring=scoring)
    assert search.fit(frame, y[:, 0]).best_score_ > 0


def test_weights_groups_and_several_scores(numbers):
    X, y = numbers
    weight, groups = np.where(np.arange(80) < 10, 0.0, 1.0), np.arange(80) // 8
    options = {"scoring": ["r2", "neg_mean_absolute_error"], "refit": "r2", "cv": GroupKFold(4)}
    model, values = target(Ridge()), {"regressor__alpha": LISTED}
    wrong = np.where(weight > 0, y[:, 0], 1e6)
    fits = [
        kind(model, values, **options).fit(X, wrong, sample_weight=weight, groups=groups)
        for kind in (HypergradSearchCV, GridSearchCV)
    ]
    assert fits[0].best_score_ >= fits[1].best_score_
    assert np.isfinite(fits[0].cv_results_["mean_test_neg_mean_absolute_error"]).all()


@pytest.mark.parametrize(
    ("model", "name", "reason"),
    [
        (
            target(RandomForestRegressor()),
            "regressor__ccp_alpha",
            "in TransformedTargetRegressor, RandomForestRegressor predicts by trees",
        ),
        (target(Ridge()), "regressor__tol", "in TransformedTargetRegressor, tol of Ridge says"),
        (target(MLPRegressor()), "regressor__alpha", "with solved models of its kind inside"),
        (OneVsRestClassifier(Ridge()), "estimator__alpha", "with solved models of its kind"),
        (target(Ridge(), func=np.log), "regressor__alpha", "only one of func and inverse_func"),
        (
            target(Ridge(), transformer=StandardScaler()),
            "regressor__alpha",
            "regressor__alpha of TransformedTargetRegressor: its transformer StandardScaler learns",
        ),
        (
            target(Ridge(), transformer=FunctionTransformer(), **LOG),
            "regressor__alpha",
            "both a transformer and func",
        ),
    ],
)
def test_what_cannot_be_searched_says_why(model, name, reason):
    assert reason in expand({name: LISTED}, model)[0].reason
    with pytest.raises(ValueError, match=f"Cannot tune '{name}' with .*This is because .*"):
        expand({name: Continuous()}, model)


def test_a_missing_class_and_more_classes_are_enumerated(numbers):
    X, y = numbers
    X = X / X.std(axis=0)
    model = MultiOutputClassifier(LogisticRegression())
    several = np.digitize(y, [0.5, 1.5])
    search = HypergradSearchCV(model, {"estimator__C": LISTED}).fit(X, several)
    assert "must be coded as 0 and 1" in search.hypergradient_
    rare = np.zeros((80, 2), dtype=int)
    rare[:40, 0] = rare[0, 1] = 1
    model = OneVsRestClassifier(LogisticRegression())
    with pytest.warns(UserWarning, match="Label not 1 is present in all training examples"):
        search = HypergradSearchCV(model, {"estimator__C": LISTED}, cv=KFold(4)).fit(X, rare)
    assert "is missing from the training part" in search.hypergradient_


def test_steps_in_it_that_use_targets_are_enumerated(numbers):
    X, y = numbers
    inside = make_pipeline(SelectKBest(f_regression, k=3), Ridge())
    values = {"regressor__ridge__alpha": LISTED}
    search = HypergradSearchCV(target(inside), values).fit(X, y[:, 0])
    assert "the model in TransformedTargetRegressor use its targets" in search.hypergradient_
    around = make_pipeline(SelectKBest(f_regression, k=3), target(Ridge()))
    values = {"transformedtargetregressor__regressor__alpha": LISTED}
    search = HypergradSearchCV(around, values).fit(X, y[:, 0])
    assert "Implicit()" in search.hypergradient_


def test_own_losses_are_refused(numbers):
    X, y = numbers
    search = HypergradSearchCV(
        target(Ridge()),
        {"regressor__alpha": LISTED},
        validation_loss=lambda y, prediction: ((y - prediction) ** 2).mean(),
    )
    with pytest.raises(ValueError, match="does not apply to TransformedTargetRegressor: the mod"):
        search.fit(X, y[:, 0])
