"""What a guard chooses between: one value for all, the vector, and the sparse vector."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.search.strategies import sparse_descent
from sklearn_hypergrad.search.strategies.guard import COMMON, SPARSE, VECTOR, Outside, _verdict
from sklearn_hypergrad.tuning import Objective, Stopped

GRID = {"alpha": Continuous(per="feature")}


def few_of_many(seed=3, n_samples=100, n_features=50):
    """Every third feature matters, and neighbours are correlated."""
    rng = np.random.default_rng(seed)
    place = np.arange(n_features)
    X = rng.normal(size=(n_samples, n_features))
    X = X @ np.linalg.cholesky(0.5 ** np.abs(place - place[:, None])).T
    y = X[:, ::3] @ rng.choice([-1.0, 1.0], len(place[::3]))
    return X, y + np.sqrt(3) * rng.normal(size=n_samples)


def guarded(**options):
    options = {"scoring": "neg_mean_squared_error", "cv": KFold(5), **options}
    return HypergradSearchCV(Ridge(), GRID, guard=True, **options)


@pytest.fixture(scope="module")
def sparse():
    return guarded().fit(*few_of_many())


def test_the_sparse_vector_is_chosen_where_few_features_matter(sparse):
    guard = sparse.guard_
    assert guard.chosen == SPARSE
    assert guard.kept
    assert guard.sparse_difference > guard.sparse_standard_error
    assert guard.difference == pytest.approx(guard.common_loss - guard.sparse_loss)
    assert guard.reason.startswith("the loss of the sparse vector is lower than that of the vector")
    assert "the guard kept the sparse vector" in sparse.stopping_reason_
    status = np.asarray(sparse.hyperparameters_["status"])
    assert np.mean(status[::3] == "below pool") > 0.6
    assert np.mean(np.delete(status, np.s_[::3]) == "pooled") > 0.6


def test_the_sparse_vector_is_a_minimum_of_evidence_and_penalty(sparse):
    X, y = few_of_many()
    theta = np.log(sparse.best_params_["alpha"])
    level = np.median(theta)

    def descended(level, deviations):
        alpha, m = np.exp(level + deviations), len(y) - 1
        rows, target = X - X.mean(axis=0), y - y.mean()
        covariance = np.eye(len(y)) + rows / alpha @ rows.T
        nats = 0.5 * m * np.log(target @ np.linalg.solve(covariance, target))
        inside = np.minimum(np.abs(deviations), 4)
        penalty = 0.25 * np.sum(inside - inside**2 / 8)
        return nats + 0.5 * np.linalg.slogdet(covariance)[1] + penalty

    found = descended(level, theta - level)
    for step in (-0.1, 0.1):
        assert descended(level + step, theta - level) > found
        for j in range(12):
            assert descended(level, theta - level + step * (np.arange(50) == j)) > found


def test_the_nested_score_is_the_asked_score_of_what_was_tuned_inside(sparse):
    X, y = few_of_many()
    guard = sparse.guard_
    # Folds of one size: the mean score is minus the mean loss.
    assert guard.nested_score == pytest.approx(-guard.sparse_loss)
    # Rows are judged as ever.
    assert sparse.best_score_ == sparse.cv_results_["mean_test_score"][0]
    assert guard.nested_score < sparse.best_score_
    kept = guarded(scoring="r2", shrinkage=20.0).fit(X, y)
    assert not hasattr(kept, "guard_")  # nothing left the pool


def test_scores_without_a_gradient_are_nested_too():
    X, y = few_of_many(n_samples=60, n_features=9)
    search = HypergradSearchCV(LogisticRegression(tol=1e-8), {"C": Continuous(per="feature")})
    search.set_params(scoring="accuracy", guard=True, cv=KFold(2), shrinkage=0.1, max_iter=5)
    guard = search.fit(X, y > 0).guard_
    assert guard.sparse_loss is None
    # A mean of two shares of thirty samples.
    assert 60 * guard.nested_score == pytest.approx(round(60 * guard.nested_score))
    assert 0.5 < guard.nested_score < 1


def test_the_report_begins_with_the_nested_score(sparse):
    report = sparse.report()
    heading, (line,) = report.sections[0]
    assert heading == "Nested score"
    assert line.startswith(f"{sparse.guard_.nested_score:.6g} +/- ")
    assert "of the sparse vector, tuned without the rows that it is scored on" in line
    told = dict(report.sections)["Guard"]
    assert told[0].startswith("kept the sparse vector: on rows outside of 5 more searches the loss")
    assert f"of the sparse vector {sparse.guard_.sparse_loss:.6g}" in told[1]


@pytest.mark.parametrize(
    "options", [{"search_cv": "halves", "shrinkage": 0.1}, {"shrinkage": 0.0, "max_iter": 5}]
)
@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_there_is_no_sparse_vector_without_evidence_or_pool(options):
    X, y = few_of_many(n_features=9)
    guard = guarded(cv=KFold(2), **options).fit(X, y).guard_
    assert guard.sparse_loss is guard.sparse_difference is None


def test_one_standard_error_selects_among_sparse_vectors_too():
    X, y = few_of_many(n_features=12)
    search = guarded(selection="one_se", cv=KFold(3)).fit(X, y)
    assert search.guard_.sparse_loss is not None


def test_an_interrupt_of_the_sparse_descent_keeps_one_value_for_all(monkeypatch):
    def stopped(self, theta):
        raise Stopped("enough")

    monkeypatch.setattr(sparse_descent.SparseDescent, "run", stopped)
    with pytest.warns(match="The search was stopped"):
        search = guarded().fit(*few_of_many(n_features=12))
    assert not hasattr(search, "guard_")
    assert len(search.cv_results_["params"]) == 1
    assert "the guard was interrupted" in search.stopping_reason_


def outside(**losses):
    n = len(next(iter(losses.values())))
    scores = {name: -float(np.mean(loss)) for name, loss in losses.items()}
    return Outside(losses, scores, np.full(n, 1.0), np.arange(n), 1)


class Inputs:
    split_params = {}
    splits = [(np.arange(4), np.arange(4))]


STEADY, NOISY = np.zeros(4), np.array([1.0, -1.0, 1.0, -1.0])
CASES = {
    "each step is better": (3 + STEADY, 2 + STEADY, 1 + STEADY, SPARSE),
    "the vector alone": (3 + STEADY, 1 + STEADY, 2 + STEADY, VECTOR),
    "a gain of sparseness within its error": (3 + STEADY, 2 + STEADY, 1.7 + NOISY, VECTOR),
    "a gain of the vector within its error": (2.3 + NOISY, 2 + STEADY, 3 + STEADY, COMMON),
    "all worse": (1 + STEADY, 2 + STEADY, 3 + STEADY, COMMON),
    "sparseness beats the vector, not one value": (1 + STEADY, 3 + STEADY, 2 + STEADY, COMMON),
}


@pytest.mark.parametrize("name", CASES)
def test_a_simpler_model_is_kept_within_one_standard_error(name):
    common, vector, sparse, expected = CASES[name]
    verdict = _verdict([outside(**{COMMON: common, VECTOR: vector, SPARSE: sparse})], Inputs)
    assert verdict.chosen == expected
    assert verdict.kept == (expected != COMMON)
    losses = {COMMON: common, VECTOR: vector, SPARSE: sparse}
    assert verdict.nested_score == -losses[expected].mean()


def test_the_objective_of_the_sparse_descent_is_differentiated_exactly(monkeypatch, five_point):
    """Against finite differences of the evidence; a derivative that is 0.1 % off is told apart."""
    objectives = []
    began = Objective.__init__

    def noting(self, *args, **kwargs):
        began(self, *args, **kwargs)
        objectives.append(self)

    monkeypatch.setattr(Objective, "__init__", noting)
    guarded(cv=KFold(2), max_iter=3).fit(*few_of_many(n_samples=40, n_features=9))
    objective = next(o for o in objectives if o.stage.splits == "all rows")
    rng = np.random.default_rng(0)
    theta, v = rng.normal(size=9), rng.normal(size=9)
    slope = five_point(lambda s: objective(theta + s * v)[0], 1e-2)
    _, gradient = objective(theta)
    assert gradient @ v == pytest.approx(slope, rel=1e-6)
    assert 1.001 * gradient @ v != pytest.approx(slope, rel=1e-4)
