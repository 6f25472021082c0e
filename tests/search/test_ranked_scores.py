"""Rankings are scored without scikit-learn's functions, and as these score them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.datasets import load_breast_cancer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, make_scorer, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_hypergrad import HypergradSearchCV
from sklearn_hypergrad.search.strategies.judging import Judge
from sklearn_hypergrad.search.strategies.ranked_scores import RANKINGS, RankedScores

BY_DECISIONS = {"response_method": "decision_function"}
C = {"C": np.logspace(-3, 1, 4)}


@pytest.fixture(scope="module")
def data():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X[:200, :10]), y[:200]


@pytest.mark.parametrize("metric", RANKINGS)
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_scikit_learn(metric, weighted):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=60), rng.integers(2, size=60)
    # Some samples have no weight, among them the first and the last one.
    weight = rng.uniform(size=60) * (rng.uniform(size=60) < 0.7) if weighted else np.ones(60)
    order = np.argsort(z)
    weight[order[[0, -1]]] *= 1 - weighted
    positive, negative = np.where(y == 1, weight, 0.0), np.where(y == 1, 0.0, weight)
    found = RANKINGS[metric](positive[order], negative[order])
    assert_allclose(found, metric(y, z, sample_weight=weight), rtol=1e-12)


def seen(monkeypatch):
    """Lists that a search fills with scores of rankings, and with those of estimators."""
    ranked, computed = [], []

    def certain(self, h, certain=RankedScores.certain):
        ranked.append(certain(self, h))
        return ranked[-1]

    def scored(self, h, computed_at=Judge._computed):
        computed.append(computed_at(self, h))
        return computed[-1]

    monkeypatch.setattr(RankedScores, "certain", certain)
    monkeypatch.setattr(Judge, "_computed", scored)
    return ranked, computed


@pytest.mark.parametrize(
    ("model", "params", "scoring"),
    [
        (LinearSVC(), C, "roc_auc"),
        (LinearSVC(), C, "average_precision"),
        (LogisticRegression(), C, "roc_auc"),
        (LinearDiscriminantAnalysis(solver="lsqr"), {"shrinkage": [0.1, 0.5, 0.9]}, "roc_auc"),
    ],
)
@pytest.mark.parametrize("piped", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_rankings_are_scored_as_estimators_are(monkeypatch, data, model, params, scoring, piped):
    if piped:
        name = type(model).__name__.lower()
        params = {f"{name}__{key}": values for key, values in params.items()}
        model = make_pipeline(StandardScaler(), model)
    ranked, _ = seen(monkeypatch)
    search = HypergradSearchCV(model, params, scoring=scoring, cv=3)
    search.fit(*data)
    assert len(ranked) > 3
    assert np.isfinite(ranked).all()
    monkeypatch.setattr(RankedScores, "certain", lambda self, h: np.nan)
    other = HypergradSearchCV(model, params, scoring=scoring, cv=3).fit(*data)
    assert search.best_params_ == other.best_params_
    # Rows are scored by scikit-learn, and one of them is the best that was seen.
    assert_allclose(max(ranked), search.best_score_, atol=1e-3)


def test_weights_of_the_score_are_heard(monkeypatch, data):
    weight = np.random.default_rng(0).uniform(size=len(data[1]))
    ranked, _ = seen(monkeypatch)
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(roc_auc_score, **BY_DECISIONS).set_score_request(sample_weight=True)
        model = LogisticRegression().set_fit_request(sample_weight=False)
        search = HypergradSearchCV(model, C, scoring=scorer, cv=3)
        search.fit(*data, sample_weight=weight)
    assert_allclose(max(ranked), search.best_score_, atol=1e-4)


def test_samples_that_may_change_places_are_left_to_estimators(monkeypatch, data):
    X, y = data
    # Equal rows of both classes.
    X, y = np.concatenate([X, X[:9]]), np.concatenate([y, 1 - y[:9]])
    splits = [(np.arange(100), np.arange(100, 209)), (np.arange(100, 209), np.arange(100))]
    splits = [(train, np.append(test, [0, 200])) for train, test in splits]
    ranked, computed = seen(monkeypatch)
    HypergradSearchCV(LinearSVC(), C, scoring="roc_auc", cv=splits).fit(X, y)
    assert np.isnan(ranked).all()
    assert np.isfinite(computed).all()


@pytest.mark.parametrize(
    ("model", "params", "scoring", "classes"),
    [
        (GaussianNB(), {"var_smoothing": [0.1, 1.0]}, "roc_auc", 2),
        (LogisticRegression(), C, "roc_auc_ovr", 3),
        (LogisticRegression(), C, make_scorer(roc_auc_score, max_fpr=0.5, **BY_DECISIONS), 2),
        (LogisticRegression(), C, make_scorer(average_precision_score, **BY_DECISIONS), 0),
    ],
)
def test_others_are_scored_by_estimators(monkeypatch, data, model, params, scoring, classes):
    X, y = data
    # The average precision is that of the class 1, which here is the first one.
    y = {0: 1 + y, 2: y, 3: np.arange(200) % 3}[classes]
    ranked, _ = seen(monkeypatch)
    HypergradSearchCV(model, params, scoring=scoring, cv=2).fit(X, y)
    assert ranked == []
