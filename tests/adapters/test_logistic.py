"""LogisticRegression: which penalty a configuration has, and what is tuned of it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.problems import LinearProblem, SparseLinearProblem, SplitData
from sklearn_hypergrad.search.candidates.expand import expand

LIBLINEAR = {"solver": "liblinear", "fit_intercept": False}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6))
    return X, (X[:, 0] - X[:, 1] + rng.normal(size=60) > 0).astype(int)


def reason(model, name):
    candidate, *_ = expand({name: [0.2, 0.8]}, model)
    return candidate.reason


def test_l1_ratio_is_tuned_where_the_solver_takes_it():
    assert reason(LogisticRegression(solver="saga"), "l1_ratio") is None
    assert "use 'saga'" in reason(LogisticRegression(), "l1_ratio")
    assert "use 'saga'" in reason(LogisticRegression(**LIBLINEAR), "l1_ratio")
    fixed = LogisticRegression(solver="saga", penalty="l1")
    assert "penalty='l1' sets it" in reason(fixed, "l1_ratio")


def test_configurations_that_no_fit_takes():
    assert "has no L1 penalty" in reason(LogisticRegression(l1_ratio=1), "C")
    mixed = LogisticRegression(l1_ratio=0.5, **LIBLINEAR)
    assert "has no mixed penalty" in reason(mixed, "C")
    assert "penalty=None has no C" in reason(LogisticRegression(penalty=None), "C")


@pytest.mark.parametrize(
    ("params", "sparse"),
    [
        ({"solver": "saga"}, False),
        ({"solver": "saga", "l1_ratio": 0.5}, True),
        # The name decides, not the ratio, for as long as scikit-learn knows it.
        ({"solver": "saga", "l1_ratio": 0.5, "penalty": "l2"}, False),
        ({"penalty": "l1", **LIBLINEAR}, True),
        ({"l1_ratio": 1, **LIBLINEAR}, True),
    ],
)
def test_the_penalty_is_that_of_the_fit(data, params, sparse):
    search = HypergradSearchCV(LogisticRegression(**params), {"C": Continuous()})
    (candidate,) = expand(search.param_grid, search.estimator)
    assert (candidate.family.vector_class is None) == sparse
    X, y = data
    from_table = family(search.estimator)
    block = _block(from_table, X, y)
    problem = from_table.model(search.estimator, block, {"C": None}, 0).problem
    assert type(problem) is (SparseLinearProblem if sparse else LinearProblem)


def _block(known, X, y):
    rows = np.arange(len(y))
    return SplitData(
        X=X,
        y=known.encode(y),
        trains=[rows[::2]],
        tests=[rows[1::2]],
        weights=[np.ones(len(rows[::2]))],
        score_weight=np.ones(len(y)),
        labels=y,
    )


@pytest.mark.parametrize("per", ["transformer", "feature"])
def test_an_l1_penalty_has_one_strength(per):
    for cls in (LogisticRegression, linear_model.LogisticRegression):
        model = cls(solver="saga", l1_ratio=0.5)
        with pytest.raises(ValueError, match=f"has no value per {per}; per may be None"):
            expand({"C": Continuous(per=per)}, model)


def test_a_listed_ratio_of_zero_is_a_candidate_of_its_own():
    grid = {"l1_ratio": [0, 0.5, 1], "C": [0.1, 10]}
    apart, together = expand(grid, LogisticRegression(solver="saga"))
    assert apart.settings == {"l1_ratio": 0}
    assert [span.leaf for span in apart.ranges] == ["C"]
    assert [span.leaf for span in together.ranges] == ["l1_ratio", "C"]


def test_rows_are_solutions_where_the_fit_arrives(data):
    X, y = data
    model = LogisticRegression(solver="saga", l1_ratio=1, tol=1e-8, max_iter=10000, random_state=0)
    search = HypergradSearchCV(model, {"C": [0.1, 0.5]}, scoring="neg_log_loss", cv=3).fit(X, y)
    assert not any("fits from the beginning" in line for line in search.remarks_)
    score = cross_val_score(search.best_estimator_, X, y, cv=3, scoring="neg_log_loss").mean()
    assert_allclose(search.best_score_, score, rtol=1e-6)
    assert np.any(search.best_estimator_.coef_ == 0)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_solver_that_stops_early_is_told_of_with_both_scores(data):
    X, y = data
    model = LogisticRegression(solver="saga", l1_ratio=1, max_iter=3, random_state=0)
    search = HypergradSearchCV(model, {"C": [0.1, 10]}, scoring="neg_log_loss", cv=3).fit(X, y)
    score = cross_val_score(search.best_estimator_, X, y, cv=3, scoring="neg_log_loss").mean()
    assert search.best_score_ == score
    exact = min(search.history_["loss"])
    (told,) = [line for line in search.remarks_ if "stops early" in line]
    assert f"the fits score {score:.6g}, the converged model -{exact:.6g}" in told
    assert "Raise max_iter or lower tol" in told


def test_only_implicit_differentiation_knows_zeros(data):
    model = LogisticRegression(solver="saga", l1_ratio=1)
    search = HypergradSearchCV(model, {"C": Continuous()}, hypergradient="reverse")
    with pytest.raises(ValueError, match="descent does not arrive at weights that are zero"):
        search.fit(*data)
