"""Vectors where the splitter knows which rows belong together: a mean of three models."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, cross_val_score

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import Ridge
from sklearn_hypergrad.search.strategies.mixes import KNEE
from sklearn_hypergrad.search.strategies.sparse_descent import SparseDescent
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent

MSE = "neg_mean_squared_error"
GROUPS = np.arange(60) // 6


def few_of_many():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 15))
    return X, 2 * X[:, :3].sum(axis=1) + rng.normal(size=60) + rng.normal(size=10)[GROUPS]


def grouped(**options):
    options = {"cv": GroupKFold(5), "scoring": MSE, **options}
    return HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}, **options)


@pytest.fixture(scope="module")
def parts():
    """The search, and the logarithms of penalties that its mean is made of."""
    seen, own = {}, VectorDescent.halfway

    def noted(self, start, vectors):
        vector, sparse = vectors
        seen.update(common=start, vector=vector.record.theta, sparse=sparse.record.theta)
        return own(self, start, vectors)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VectorDescent, "halfway", noted)
        search = grouped(tol=1e-5, max_iter=300).fit(*few_of_many(), groups=GROUPS)
    return search, seen


def test_it_is_halfway_to_one_value_from_the_mean_of_two_vectors(parts):
    search, seen = parts
    theta = np.log(search.cv_results_["params"][0]["alpha"])
    expected = seen["common"] / 2 + seen["vector"] / 4 + seen["sparse"] / 4
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-12)
    assert "then halfway to one value for all" in search.stopping_reason_


def test_what_neither_vector_singles_out_stays_pooled(parts):
    status = np.asarray(parts[0].hyperparameters_["status"])
    assert set(status[:3]) == {"below pool"}
    assert np.mean(status[3:] == "pooled") > 0.6


def test_held_out_losses_of_related_rows_count_half(parts):
    search, seen = parts
    X, y = few_of_many()
    values, counts = np.unique(seen["vector"], return_counts=True)
    level = values[counts.argmax()]

    def descended(level, deviations):
        alpha = np.exp(level + deviations)
        folds = {"cv": GroupKFold(5), "groups": GROUPS, "scoring": MSE}
        loss = -cross_val_score(Ridge(alpha), X, y, **folds).mean()
        rows, target = X - X.mean(axis=0), y - y.mean()
        covariance = np.eye(60) + rows / alpha @ rows.T
        evidence = 59 * np.log(target @ np.linalg.solve(covariance, target))
        evidence += np.linalg.slogdet(covariance)[1]
        penalty = np.sum(KNEE * np.log1p(np.abs(deviations) / KNEE))
        return 15 * np.log(loss) + evidence / 2 + 2 * penalty

    found = descended(level, seen["vector"] - level)
    for step in (-0.03, 0.03):
        assert descended(level + step, seen["vector"] - level) > found
        for j in range(4):
            moved = seen["vector"] - level + step * (np.arange(15) == j)
            assert descended(level, moved) > found
    assert "a third of what is descended is the squared error" in search.hypergradient_
    assert "two thirds is the evidence" in search.hypergradient_


def test_plain_splits_and_free_entries_have_no_mean():
    X, y = few_of_many()
    for options in ({"cv": KFold(5)}, {"shrinkage": 0.0}):
        groups = {} if "cv" in options else {"groups": GROUPS}
        search = grouped(max_iter=3, tol=1.0, **options).fit(X, y, **groups)
        assert "halfway" not in search.stopping_reason_


def test_a_guard_does_not_look_for_the_sparse_vector_twice(monkeypatch):
    runs, own = [], SparseDescent.run

    def counted(self, theta):
        runs.append(len(self.objective.terms))
        return own(self, theta)

    monkeypatch.setattr(SparseDescent, "run", counted)
    search = grouped(guard=True, cv=GroupKFold(2), max_iter=5).fit(*few_of_many(), groups=GROUPS)
    assert search.guard_.sparse_loss is not None
    # One of all rows, and one of each fold.
    assert len(runs) == 3
