"""Sample weights, groups, scorers and metadata routing."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import brier_score_loss, get_scorer, make_scorer, mean_squared_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV

VALUES = np.logspace(-3, 3, 7)
NEWTON = LogisticRegression(solver="newton-cholesky", tol=1e-8)


@pytest.fixture
def weighted(data):
    X, y = data("diabetes")
    rng = np.random.default_rng(0)
    return X, y, rng.uniform(0, 3, len(y)) * (rng.uniform(size=len(y)) > 0.2)


def inner_score(search, offset=0.0):
    return offset - search.history_["loss"].min()


@pytest.mark.parametrize("model", [Ridge(), Ridge(fit_intercept=False)])
def test_weights_reach_training_and_score(weighted, model):
    X, y, weight = weighted
    grid = GridSearchCV(model, {"alpha": VALUES}).fit(X, y, sample_weight=weight)
    search = HypergradSearchCV(model, {"alpha": VALUES}).fit(X, y, sample_weight=weight)
    assert search.best_score_ >= grid.best_score_ - 1e-9
    assert search.best_score_ == pytest.approx(inner_score(search, 1), abs=1e-9)


def test_rows_of_weight_zero_do_not_matter(weighted):
    X, y, weight = weighted
    cv = KFold(3)
    clean = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=cv).fit(X, y, sample_weight=weight)
    dirty = np.where(weight == 0, 1e3 * y + 17, y)
    other = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=cv).fit(X, dirty, sample_weight=weight)
    assert other.best_params_["alpha"] == pytest.approx(clean.best_params_["alpha"], rel=1e-6)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 5}])
@pytest.mark.parametrize(
    ("model", "key", "scoring"),
    [(NEWTON, "C", "neg_log_loss"), (RidgeClassifier(), "alpha", "accuracy")],
)
def test_class_weights_with_sample_weights(data, class_weight, model, key, scoring):
    X, y = (part[::3] for part in data("breast_cancer"))
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    model = model.set_params(class_weight=class_weight)
    options = {"scoring": scoring, "cv": 2}
    grid = GridSearchCV(model, {key: VALUES}, **options).fit(X, y, sample_weight=weight)
    search = HypergradSearchCV(model, {key: VALUES}, **options)
    search.fit(X, y, sample_weight=weight)
    assert search.best_score_ >= grid.best_score_ - 1e-6
    if scoring == "neg_log_loss":
        assert search.best_score_ == pytest.approx(inner_score(search), abs=1e-7)


def test_a_scorer_without_weights_is_not_weighted(weighted):
    X, y, weight = weighted

    def rough(y_true, y_pred):
        return float(np.mean((y_true - y_pred) ** 2))

    search = HypergradSearchCV(
        Ridge(), {"alpha": VALUES}, scoring=make_scorer(rough, greater_is_better=False)
    )
    with pytest.warns(UserWarning, match="does not support sample_weight"):
        search.fit(X, y, sample_weight=weight)
    assert search.validation_loss_ == "squared_error"
    assert search.best_score_ == pytest.approx(inner_score(search), rel=1e-3)


def test_metadata_routing_reaches_the_last_step(weighted):
    X, y, weight = weighted
    with config_context(enable_metadata_routing=True):
        scorer = get_scorer("neg_mean_squared_error").set_score_request(sample_weight=True)
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            Ridge().set_fit_request(sample_weight=True),
        )
        search = HypergradSearchCV(pipeline, {"ridge__alpha": VALUES}, scoring=scorer)
        search.fit(X, y, sample_weight=weight)
        grid = GridSearchCV(pipeline, {"ridge__alpha": VALUES}, scoring=scorer)
        grid.fit(X, y, sample_weight=weight)
    assert search.best_score_ >= grid.best_score_ - 1e-6
    assert search.best_score_ == pytest.approx(inner_score(search), rel=1e-9)


def test_weights_of_a_step_without_routing(weighted):
    X, y, weight = weighted
    pipeline = make_pipeline(StandardScaler(), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": VALUES})
    search.fit(X, y, ridge__sample_weight=weight)
    assert search.best_score_ == pytest.approx(inner_score(search, 1), abs=1e-9)


def test_groups(data):
    X, y = data("diabetes")
    groups = np.arange(len(y)) % 11
    arguments = Ridge(), {"alpha": VALUES}
    search = HypergradSearchCV(*arguments, cv=GroupKFold(4)).fit(X, y, groups=groups)
    grid = GridSearchCV(*arguments, cv=GroupKFold(4)).fit(X, y, groups=groups)
    assert search.best_score_ >= grid.best_score_ - 1e-9
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        HypergradSearchCV(*arguments, cv=GroupKFold(4)).fit(X, y)


def test_several_metrics_descend_the_one_of_refit(data):
    X, y = (part[::2] for part in data("breast_cancer"))
    scoring = {"loss": "neg_log_loss", "hits": "accuracy"}
    search = HypergradSearchCV(NEWTON, {"C": VALUES}, scoring=scoring, refit="loss").fit(X, y)
    assert search.validation_loss_ == "log_loss"
    assert len(search.cv_results_["params"]) == 1
    options = {"scoring": scoring, "refit": "hits", "cv": 3}
    hits = HypergradSearchCV(NEWTON, {"C": VALUES}, judge="cold", **options).fit(X, y)
    grid = GridSearchCV(NEWTON, {"C": VALUES}, **options).fit(X, y)
    assert hits.best_score_ >= grid.best_score_ - 1e-9


@pytest.mark.parametrize("refit", [False, lambda results: 0], ids=["none", "callable"])
def test_refit_that_names_no_metric(data, refit):
    X, y = data("diabetes")
    search = HypergradSearchCV(
        Ridge(), {"alpha": VALUES}, scoring=["r2", "neg_mean_absolute_error"], refit=refit
    ).fit(X, y)
    assert search.validation_loss_ == "squared_error"
    assert hasattr(search, "best_estimator_") == bool(refit)


def test_callables_as_scoring(data):
    X, y = data("diabetes")

    def several(estimator, X, y):
        error = mean_squared_error(y, estimator.predict(X))
        return {"minus": -error, "rounded": -round(error, 1)}

    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, scoring=several, refit="rounded")
    grid = GridSearchCV(Ridge(), {"alpha": VALUES}, scoring=several, refit="rounded").fit(X, y)
    assert search.fit(X, y).best_score_ >= grid.best_score_ - 1e-9


def test_a_loss_of_probabilities_scored_on_labels_has_no_gradient(data):
    X, y = (part[::2] for part in data("breast_cancer"))
    scorer = make_scorer(brier_score_loss, greater_is_better=False)
    search = HypergradSearchCV(NEWTON, {"C": VALUES}, scoring=scorer, judge="cold").fit(X, y)
    grid = GridSearchCV(NEWTON, {"C": VALUES}, scoring=scorer).fit(X, y)
    assert search.validation_loss_ == "log_loss"
    assert search.best_score_ >= grid.best_score_ - 1e-9
