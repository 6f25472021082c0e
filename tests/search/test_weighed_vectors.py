"""Vectors of two classes go as far from one value as their gain on held-out rows is certain."""

import numpy as np
import pytest

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent

MODEL = LogisticRegression(tol=1e-8, max_iter=1000)


def two_classes(noise=0.4, seed=6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(90, 12))
    return X, (X[:, :2].sum(axis=1) + noise * rng.normal(size=90) > 0).astype(int)


def searched(X, y, **options):
    grid = {"C": Continuous(1e-4, 1e4, per="feature")}
    return HypergradSearchCV(MODEL, grid, scoring="neg_log_loss", **options).fit(X, y)


def gain_in_standard_errors(splits, common, vector, X, y):
    """From scratch: mean over rows, of which each is held out twice, over its standard error."""
    gains = np.zeros(len(y))
    for train, test in splits:
        for C, sign in ((common, 1), (vector, -1)):
            model = MODEL.__class__(C=C, tol=1e-10, max_iter=1000).fit(X[train], y[train])
            p = model.predict_proba(X[test])[np.arange(len(test)), y[test]]
            gains[test] -= sign * np.log(p) / 2
    return gains.mean() / (gains.std(ddof=1) / np.sqrt(len(y)))


@pytest.mark.parametrize(
    ("noise", "seed", "low", "high"),
    [(0.5, 2, -9, 1), (0.4, 6, 2.2, 2.8), (0.2, 7, 3.2, 99)],
    ids=["doubtful", "between", "certain"],
)
def test_the_way_from_one_value_is_that_of_the_gain_in_standard_errors(
    monkeypatch, noise, seed, low, high
):
    seen, own = {}, VectorDescent.weighed

    def noted(self, start, vector):
        seen.update(start=start, vector=vector.record.theta, splits=self._data.splits)
        return own(self, start, vector)

    monkeypatch.setattr(VectorDescent, "weighed", noted)
    X, y = two_classes(noise, seed)
    search = searched(X, y)
    start, vector = seen["start"], seen["vector"]
    common = np.full(12, np.exp(start[0]))
    certainty = gain_in_standard_errors(seen["splits"], common, np.exp(vector), X, y)
    assert low < certainty < high
    way = 0.25 + 0.75 * min(max(certainty - 2, 0), 1)
    theta = np.log(search.cv_results_["params"][0]["C"])
    np.testing.assert_allclose(theta, start + way * (vector - start), rtol=0, atol=1e-3)
    assert ("of the way from one value" in search.stopping_reason_) == (way < 1)


def test_entries_of_the_pool_stay_there():
    search = searched(*two_classes())
    status = np.asarray(search.hyperparameters_["status"])
    C = np.asarray(search.cv_results_["params"][0]["C"])
    assert np.count_nonzero(status == "pooled") > 6
    assert np.ptp(C[status == "pooled"]) == 0


def test_the_level_is_that_of_the_descent(monkeypatch):
    """No line search along it follows, as there is without the evidence."""
    asked = []

    def noted(objective, theta, *args):
        asked.append(theta)
        return theta

    monkeypatch.setattr("sklearn_hypergrad.search.strategies.vector_descent.shifted", noted)
    searched(*two_classes())
    assert not asked
    searched(*two_classes(), search_cv="halves")
    assert len(asked) == 1


def test_free_entries_are_not_weighed():
    search = searched(*two_classes(), shrinkage=0.0, max_iter=2, tol=1.0)
    assert "of the way" not in search.stopping_reason_
