"""Vectors of penalties for three classes and more end halfway to one value."""

import numpy as np
import pytest

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent


def three_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))
    scores = np.c_[3 * X[:, 0], -3 * X[:, 0], np.zeros(60)] + rng.gumbel(size=(60, 3))
    return X, scores.argmax(axis=1)


def searched(X, y, **options):
    options = {"scoring": "neg_log_loss", "cv": 2, "search_cv": "cv", "max_iter": 20, **options}
    grid = {"C": Continuous(1e-4, 1e4, per="feature")}
    return HypergradSearchCV(LogisticRegression(tol=1e-8), grid, **options).fit(X, y)


def test_the_result_is_the_geometric_mean_of_vector_and_one_value(monkeypatch):
    seen, own = {}, VectorDescent.halfway

    def noted(self, start, vectors):
        seen.update(common=start, vectors=[found.record.theta for found in vectors])
        return own(self, start, vectors)

    monkeypatch.setattr(VectorDescent, "halfway", noted)
    search = searched(*three_classes(), shrinkage=0.2)
    (vector,) = seen["vectors"]
    assert np.ptp(vector) > 0.1
    theta = np.log(search.best_params_["C"])
    np.testing.assert_allclose(theta, (seen["common"] + vector) / 2, rtol=0, atol=1e-12)
    assert "then halfway to one value for all" in search.stopping_reason_


@pytest.mark.parametrize("options", [{"shrinkage": 0.0}, {"classes": 2}])
def test_free_entries_and_two_classes_do_not(options):
    X, y = three_classes()
    y = np.minimum(y, options.pop("classes", 3) - 1)
    search = searched(X, y, **{"max_iter": 2, "tol": 1.0, **options})
    assert "halfway" not in search.stopping_reason_
