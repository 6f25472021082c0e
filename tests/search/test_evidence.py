"""Vectors of penalties from the user's folds and the evidence side by side."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn import linear_model as plain
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.hypergradients import Forward, Implicit
from sklearn_hypergrad.linear_model import Ridge, RidgeClassifier
from sklearn_hypergrad.problems import Evidence
from sklearn_hypergrad.search.strategies.mixes import KNEE
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent

MSE = "neg_mean_squared_error"
PER_FEATURE = Continuous(per="feature")


def sparse_signal(n_samples=80, n_features=30, n_informative=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    return X, 2 * X[:, :n_informative].sum(axis=1) + rng.normal(size=n_samples)


def ridge_search(**options):
    options = {"search_cv": "evidence", "scoring": MSE, **options}
    return HypergradSearchCV(Ridge(), {"alpha": PER_FEATURE}, **options)


@pytest.fixture(scope="module")
def fitted():
    X, y = sparse_signal()
    return ridge_search(tol=1e-5, max_iter=300).fit(X, y), X, y


def steps(search):
    """Evaluations of the vector, as ``(values, losses, log evidence)``."""
    history = search.history_
    history = history[[np.size(value) > 1 for value in history["value"]]]
    history = history[np.isfinite(history["log_evidence"])]
    return np.stack(history["value"]), *(history[c].to_numpy() for c in ("loss", "log_evidence"))


def log_evidence(X, y, alpha):
    """The log density of the centred targets at the best variance, up to a constant."""
    X, y, m = X - X.mean(axis=0), y - y.mean(), len(y) - 1
    covariance = np.eye(len(y)) + X / alpha @ X.T
    misfit = y @ np.linalg.solve(covariance, y)
    return -0.5 * (m * np.log(misfit) + np.linalg.slogdet(covariance)[1])


def test_informative_features_leave_the_pool_and_the_others_do_not(fitted):
    status = np.asarray(fitted[0].hyperparameters_["status"])
    assert set(status[:3]) == {"below pool"}
    assert np.mean(status[3:] == "pooled") > 0.8


def test_losses_are_those_of_fits_on_the_folds_and_evidence_is_that_of_all_rows(fitted):
    search, X, y = fitted
    values, losses, evidence = steps(search)
    for alpha, loss, value in zip(values[::7], losses[::7], evidence[::7], strict=True):
        assert loss == pytest.approx(-cross_val_score(Ridge(alpha), X, y, scoring=MSE).mean())
        assert value == pytest.approx(log_evidence(X, y, alpha), abs=1e-8)


def test_the_result_is_the_lowest_sum_of_both_and_the_penalty(fitted):
    """No shift of the level, and no deviation that is made or undone, has a lower one."""
    search, X, y = fitted
    theta = np.log(search.cv_results_["params"][0]["alpha"])
    pooled = np.asarray(search.hyperparameters_["status"]) == "pooled"
    level = theta[pooled][0]

    def descended(level, deviations):
        alpha = np.exp(level + deviations)
        loss = -cross_val_score(Ridge(alpha), X, y, scoring=MSE).mean()
        nats = 0.25 * len(y) * np.log(loss) - 0.5 * log_evidence(X, y, alpha)
        return nats + np.sum(KNEE * np.log1p(np.abs(deviations) / KNEE))

    found = descended(level, theta - level)
    for step in (-0.03, 0.03):
        assert descended(level + step, theta - level) > found
        for j in range(6):
            assert descended(level, theta - level + step * (np.arange(30) == j)) > found


def test_what_is_descended_is_said(fitted):
    search = fitted[0]
    assert search.validation_loss_ == "squared_error and evidence"
    assert "half is the evidence of all rows" in search.hypergradient_
    assert "half is the evidence of all rows" in str(search.report())
    assert set(search.history_["splits"]) == {"cv"}
    other = ridge_search(search_cv="cv").fit(*sparse_signal())
    assert "log_evidence" not in other.history_
    assert other.validation_loss_ == "squared_error"


def test_evidences_of_several_targets_are_added():
    X, y = sparse_signal(60, 10)
    Y = np.c_[y, 3 * y + X[:, 4]]
    search = ridge_search(scoring="r2").fit(X, Y)
    assert search.validation_loss_ == "r2 and evidence"
    values, losses, evidence = steps(search)
    for alpha, loss, value in zip(values[::4], losses[::4], evidence[::4], strict=True):
        assert loss == pytest.approx(1 - cross_val_score(Ridge(alpha), X, Y, scoring="r2").mean())
        expected = sum(log_evidence(X, target, alpha[0]) for target in Y.T)
        assert value == pytest.approx(expected, abs=1e-8)
    assert check_hypergradient(ridge_search(), X, Y, n_points=1).max() < 1e-6


def test_other_scores_judge_rows_and_squared_errors_are_descended():
    X, y = sparse_signal()
    search = ridge_search(scoring="neg_mean_absolute_error").fit(X, y)
    assert search.validation_loss_ == "squared_error and evidence"
    row, score = (search.cv_results_[key][0] for key in ("params", "mean_test_score"))
    real = cross_val_score(Ridge(**row), X, y, scoring="neg_mean_absolute_error").mean()
    assert score == pytest.approx(real)


class Wrong(Implicit):
    def evaluate(self, *args):
        evaluation = super().evaluate(*args)
        for name in evaluation.gradient:
            evaluation.gradient[name] = 1.001 * evaluation.gradient[name]
        return evaluation


def test_hypergradients_are_exact_and_wrong_ones_are_rejected(monkeypatch):
    X, y = sparse_signal()
    assert check_hypergradient(ridge_search(), X, y).max() < 1e-6
    assert check_hypergradient(ridge_search(hypergradient=Wrong()), X, y).max() > 1e-4
    right = Evidence.__call__

    def wrong(self, h):
        value, slopes = right(self, h)
        return value, {name: 1.001 * slope for name, slope in slopes.items()}

    monkeypatch.setattr(Evidence, "__call__", wrong)
    assert check_hypergradient(ridge_search(), X, y).max() > 1e-4


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("per", ["feature", "group", "coefficient"])
@pytest.mark.parametrize(("n_samples", "n_features"), [(50, 9), (20, 40)])
def test_every_form_and_layout(n_samples, n_features, per, scaled, thin):
    X, y = sparse_signal(n_samples, n_features)
    X = sparse.csr_array(np.where(np.abs(X) > 0.7, X, 0)) if thin else X
    groups = np.resize(list("aabc"), n_features).tolist() if per == "group" else None
    estimator = make_pipeline(StandardScaler(with_mean=False), Ridge()) if scaled else Ridge()
    grid = {"ridge__alpha" if scaled else "alpha": Continuous(per=per, groups=groups)}
    search = HypergradSearchCV(estimator, grid, cv=3, search_cv="evidence", tol=0.1)
    assert check_hypergradient(search, X, y, n_points=2, step=1e-2).max() < 1e-6
    search.fit(X, y)
    assert search.feature_regularization_.shape == (n_features,)


def test_a_second_start_leaves_where_all_slopes_are_small(monkeypatch):
    """The best value for all may be as weak as it goes, where no penalty makes a difference."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 20))
    y = X[:, :5].sum(axis=1) + 0.1 * rng.normal(size=60)
    search = ridge_search().fit(X, y)
    monkeypatch.setattr(VectorDescent, "_more_starts", lambda self, z0: [])
    once = ridge_search().fit(X, y)
    assert set(once.hyperparameters_["status"]) == {"pooled"}
    status = np.asarray(search.hyperparameters_["status"])
    assert "pooled" not in status[:5]
    assert set(status[5:]) == {"pooled"}
    # The strong start: a third of the sum of squares of a feature.
    strong = np.square(X - X.mean(axis=0)).sum(axis=0).mean() / 3
    assert np.isclose(steps(search)[0], strong).all(axis=1).any()


@pytest.mark.parametrize("scoring", [None, MSE, "neg_root_mean_squared_error"])
@pytest.mark.parametrize("cv", [None, 4, KFold(3, shuffle=True, random_state=0)])
def test_it_is_the_usual_choice_for_ridge_and_squared_errors(cv, scoring):
    X, y = sparse_signal()
    usual, asked = (
        ridge_search(search_cv=s, cv=cv, scoring=scoring).fit(X, y) for s in ("auto", "evidence")
    )
    assert usual.validation_loss_ == "squared_error and evidence"
    assert_array_equal(usual.best_params_["alpha"], asked.best_params_["alpha"])


@pytest.mark.parametrize("cv", [GroupKFold(4), TimeSeriesSplit(4)], ids=["groups", "time"])
@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_it_stands_beside_splits_of_the_user(cv):
    X, y = sparse_signal(80, 5)
    search = ridge_search(search_cv="auto", max_iter=2, cv=cv)
    search.fit(X, y, **({"groups": np.arange(80) // 8} if isinstance(cv, GroupKFold) else {}))
    assert search.validation_loss_ == "squared_error and evidence"
    assert set(search.history_["splits"]) == {"cv"}
    assert len([c for c in search.history_ if c.endswith("_loss")]) == 4


OTHERS = {
    "a score of other errors": ({"scoring": "neg_mean_absolute_error"}, 20),
    "gradient descent": ({"hypergradient": Forward()}, 20),
    "two targets": ({}, 20),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.thorough if name == "gradient descent" else ())
        for name in OTHERS
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_others_descend_halves(name):
    X, y = sparse_signal(80, 5)
    y = np.c_[y, -y] if name == "two targets" else y
    options, n_splits = OTHERS[name]
    search = ridge_search(**{"search_cv": "auto", "max_iter": 2, **options})
    search.fit(X, y)
    assert "evidence" not in search.validation_loss_
    assert "log_evidence" not in search.history_
    assert len([c for c in search.history_ if c.endswith("_loss")]) == n_splits


def test_data_too_large_for_a_factorisation_descend_halves(monkeypatch):
    monkeypatch.setattr("sklearn_hypergrad.adapters.ridge.MAX_GRAM", 10)
    search = ridge_search(search_cv="auto", max_iter=2)
    with pytest.warns(match="not converged"):
        search.fit(*sparse_signal(80, 12))
    assert "split19_loss" in search.history_


def test_halves_and_cv_by_name_are_what_they_say():
    X, y = sparse_signal()
    named, given = (ridge_search(search_cv=s).fit(X, y) for s in ("cv", KFold(5)))
    assert_array_equal(named.best_params_["alpha"], given.best_params_["alpha"])
    halves = ridge_search(search_cv="halves").fit(X, y)
    assert len([c for c in halves.history_ if c.endswith("_loss")]) == 20
    assert set(halves.history_["splits"]) == {"cv", "search_cv"}
    other = ridge_search(search_cv="halves", random_state=1).fit(X, y)
    assert not np.array_equal(other.best_params_["alpha"], halves.best_params_["alpha"])


def test_one_value_may_descend_halves():
    X, y = sparse_signal()
    search = HypergradSearchCV(plain.Ridge(), {"alpha": [0.1, 100]}, search_cv="halves")
    assert "split19_loss" in search.fit(X, y).history_


REFUSED = [
    (plain.Ridge(), {"alpha": Continuous()}, "param_grid has none"),
    (RidgeClassifier(), {"alpha": PER_FEATURE}, "not for RidgeClassifier"),
    (MLPRegressor(), {"alpha": Continuous(), "learning_rate_init": Continuous(per="step")}, "MLP"),
]


@pytest.mark.parametrize(("model", "grid", "match"), REFUSED)
def test_models_without_evidence_are_refused(model, grid, match):
    X, y = sparse_signal()
    y = y > 0 if hasattr(model, "class_weight") else y
    with pytest.raises(ValueError, match=match):
        HypergradSearchCV(model, grid, search_cv="evidence").fit(X, y)


def test_penalties_of_each_target_and_functions_are_refused():
    X, y = sparse_signal()
    search = ridge_search().set_params(param_grid={"alpha": Continuous(per=("feature", "target"))})
    with pytest.raises(ValueError, match="penalties that all targets share, and per=.'feature'"):
        search.fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="descends squared errors and the evidence"):
        ridge_search(validation_loss=lambda y, z: ((y - z) ** 2).mean()).fit(X, y)


@pytest.mark.parametrize("shape", [(80, 30), (20, 40)])
def test_data_too_large_for_a_factorisation_are_refused(monkeypatch, shape):
    for name in ("MAX_GRAM", "MAX_KERNEL"):
        monkeypatch.setattr(f"sklearn_hypergrad.adapters.ridge.{name}", 10)
    with pytest.raises(ValueError, match="is too large for that"):
        ridge_search().fit(*sparse_signal(*shape))


def test_halves_of_groups_are_refused():
    X, y = sparse_signal()
    with pytest.raises(ValueError, match="divides rows at random"):
        ridge_search(search_cv="halves", cv=GroupKFold(4)).fit(X, y, groups=np.arange(80) // 8)


def test_guards_and_workers_give_the_same():
    X, y = sparse_signal()
    search = ridge_search(guard=True, cv=3).fit(X, y)
    assert search.guard_.kept
    again = ridge_search(guard=True, cv=3, n_jobs=2).fit(X, y)
    assert_array_equal(again.best_params_["alpha"], search.best_params_["alpha"])


def test_a_search_goes_on_from_its_checkpoint(tmp_path):
    X, y = sparse_signal(60, 10)
    first = ridge_search(checkpoint=tmp_path).fit(X, y)
    again = ridge_search(checkpoint=tmp_path).fit(X, y)
    for search in (first, again):
        assert np.isfinite(search.history_["log_evidence"]).any()
    columns = ["loss", "log_evidence", "seconds"]
    assert_array_equal(first.history_[columns], again.history_[columns])


def test_an_evidence_that_fails_is_not_gone_to(monkeypatch):
    right, calls = Evidence.__call__, []

    def failing(self, h):
        calls.append(1)
        if len(calls) == 5:
            raise np.linalg.LinAlgError("no factor")
        return (np.nan, right(self, h)[1]) if len(calls) == 9 else right(self, h)

    monkeypatch.setattr(Evidence, "__call__", failing)
    X, y = sparse_signal()
    search = ridge_search().fit(X, y)
    assert len(calls) > 9
    assert np.isinf(search.history_["loss"]).sum() == 2
    assert np.asarray(search.hyperparameters_["status"])[0] == "below pool"
