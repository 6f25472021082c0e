"""Vectors of penalties: what is descended, what becomes a row, what is reported."""

import dataclasses
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model as plain
from sklearn.base import clone
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import (
    Continuous,
    HypergradSearchCV,
    HypergradWarning,
    check_hypergradient,
)
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn_hypergrad.search.strategies import guard
from sklearn_hypergrad.search.strategies import vector as vector_search
from sklearn_hypergrad.tuning import Objective

PER_FEATURE = Continuous(per="feature")


def sparse_signal(n_samples=80, n_features=30, n_informative=3, seed=0):
    """Few features that matter, as penalties per feature are for."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    signal = 2 * X[:, :n_informative].sum(axis=1)
    return X, signal + rng.normal(size=n_samples)


def ridge_search(**options):
    return HypergradSearchCV(Ridge(), {"alpha": PER_FEATURE}, **options)


@pytest.fixture(scope="module")
def fitted():
    X, y = sparse_signal()
    return ridge_search().fit(X, y), X, y


def test_informative_features_leave_the_pool_and_the_others_do_not(fitted):
    search, _, _ = fitted
    status = np.asarray(search.hyperparameters_["status"])
    assert set(status[:3]) <= {"below pool", "unpenalised"}
    assert np.mean(status[3:] == "pooled") > 0.8


def test_penalties_of_the_pool_are_exactly_equal(fitted):
    search, _, _ = fitted
    value = np.asarray(search.hyperparameters_["value"])
    pooled = np.asarray(search.hyperparameters_["status"]) == "pooled"
    assert len(set(value[pooled])) == 1
    assert value[pooled][0] not in value[~pooled]


def test_rows_are_the_vector_and_the_best_value_for_all(fitted):
    search, X, y = fitted
    vector, common = (row["alpha"] for row in search.cv_results_["params"])
    assert vector.shape == common.shape == (30,)
    alone = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, y)
    assert_array_equal(common, alone.best_params_["alpha"])
    score = search.cv_results_["mean_test_score"][1]
    assert score == pytest.approx(alone.best_score_, rel=1e-12)


def test_rows_are_scores_of_real_fits(fitted):
    search, X, y = fitted
    for row, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        assert cross_val_score(Ridge(**row), X, y).mean() == pytest.approx(score, abs=1e-12)
    assert type(search.best_estimator_) is Ridge
    assert search.best_params_["alpha"].shape == (30,)


def test_a_fitted_search_is_pickled_without_the_data(fitted):
    search, X, _ = fitted
    stored = pickle.dumps(search)
    again = pickle.loads(stored)
    assert_array_equal(again.predict(X), search.predict(X))
    X, y = sparse_signal(2000)
    large = len(pickle.dumps(ridge_search().fit(X, y)))
    assert large < X.nbytes / 4
    assert clone(search).param_grid == search.param_grid


def test_the_vector_is_better_on_new_data():
    ratios = []
    for seed in range(3):
        X, y = sparse_signal(600, seed=seed)
        search = ridge_search().fit(X[:80], y[:80])
        common = Ridge(**search.cv_results_["params"][1]).fit(X[:80], y[:80])
        errors = [np.mean((y - m.predict(X))[80:] ** 2) for m in (search.best_estimator_, common)]
        ratios.append(errors[0] / errors[1])
    assert np.exp(np.mean(np.log(ratios))) < 0.9


def test_recovery_of_the_informative_features():
    X, y = sparse_signal(150, 200, 20)
    strength = ridge_search().fit(X, y).feature_regularization_
    # Share of pairs that are in the right order.
    informative, rest = strength[:20, None], strength[None, 20:]
    assert np.mean((informative < rest) + 0.5 * (informative == rest)) > 0.9


def test_the_optimum_satisfies_the_conditions_of_the_l1_penalty():
    X, y = sparse_signal()
    search = ridge_search(search_cv="halves", tol=1e-6, max_iter=500).fit(X, y)
    table = search.hyperparameters_
    loss = search.history_["loss"][search.history_["purpose"] == "search"].iloc[-1]
    slope = np.asarray(table["gradient"]) * 0.5 * len(y) / loss
    status = np.asarray(table["status"])
    assert np.abs(slope[status == "pooled"]).max() <= 1 + 1e-3
    assert_allclose(slope[status == "below pool"], 1, rtol=1e-2)
    assert_allclose(slope[status == "above pool"], -1, rtol=1e-2)


def test_without_a_signal_most_stay_in_the_pool():
    rng = np.random.default_rng(0)
    search = ridge_search().fit(rng.normal(size=(60, 40)), rng.normal(size=60))
    assert np.mean(np.asarray(search.hyperparameters_["status"]) == "pooled") > 0.8


def test_a_number_and_its_spelled_out_splitter_give_the_same_model(fitted):
    search, X, y = fitted
    for cv in (5, KFold(5)):
        other = ridge_search(cv=cv).fit(X, y)
        assert_array_equal(other.best_params_["alpha"], search.best_params_["alpha"])


def test_random_state_draws_the_halves():
    X, y = sparse_signal()
    usual, first, second = (
        ridge_search(search_cv="halves", random_state=s).fit(X, y).best_params_["alpha"]
        for s in (None, 0, 1)
    )
    assert_array_equal(usual, first)
    assert not np.array_equal(first, second)


def test_a_second_fit_is_bit_equal(fitted):
    search, X, y = fitted
    again = clone(search).fit(X, y)
    again.fit(X, y)
    assert_array_equal(again.best_params_["alpha"], search.best_params_["alpha"])


def test_groups_of_samples_are_respected():
    X, y = sparse_signal()
    groups = np.arange(80) // 8
    search = ridge_search(cv=GroupKFold(4)).fit(X, y, groups=groups)
    losses = [c for c in search.history_ if c.endswith("_loss")]
    assert len(losses) == 4


def test_the_splits_to_descend_can_be_given():
    X, y = sparse_signal()
    search = ridge_search(search_cv=RepeatedKFold(n_splits=3, n_repeats=2, random_state=0))
    search.fit(X, y)
    assert np.isfinite(np.asarray(search.history_["split5_loss"])[-1])


def test_a_scalar_descends_them_too():
    X, y = sparse_signal()
    scoring = "neg_mean_squared_error"
    search = HypergradSearchCV(
        Ridge(), {"alpha": Continuous()}, search_cv=LeaveOneOut(), scoring=scoring
    ).fit(X, y)
    closed = HypergradSearchCV(
        Ridge(), {"alpha": Continuous()}, search_cv="loo", scoring=scoring
    ).fit(X, y)
    assert_allclose(search.best_params_["alpha"], closed.best_params_["alpha"], rtol=1e-3)
    best = min(closed.history_["loss"])
    model = Ridge(**closed.best_params_)
    left_out = cross_val_score(model, X, y, cv=LeaveOneOut(), scoring=scoring).mean()
    assert best == pytest.approx(-left_out)


def test_leave_one_out_of_a_vector_is_that_of_real_fits():
    X, y = sparse_signal(40, 20)
    options = {"search_cv": "loo", "scoring": "neg_mean_squared_error", "shrinkage": 0.1}
    search = ridge_search(**options).fit(X, y)
    vector = search.cv_results_["params"][0]
    assert np.ptp(vector["alpha"]) > 0
    left_out = cross_val_score(
        Ridge(**vector), X, y, cv=LeaveOneOut(), scoring="neg_mean_squared_error"
    )
    history = search.history_[search.history_["splits"] == "search_cv"]
    same = [np.allclose(value, vector["alpha"], rtol=1e-12) for value in history["value"]]
    assert np.asarray(history["loss"])[same] == pytest.approx(-left_out.mean())


def test_leave_one_out_is_for_ridge_only():
    X, y = sparse_signal()
    search = HypergradSearchCV(LogisticRegression(), {"C": PER_FEATURE}, search_cv="loo")
    with pytest.raises(ValueError, match="needs the closed form of ridge regression"):
        search.fit(X, y > 0)


def test_without_shrinkage_all_entries_are_free(fitted):
    _, X, y = fitted
    search = ridge_search(shrinkage=0).fit(X, y)
    assert len(set(search.cv_results_["params"][0]["alpha"])) == 30
    assert "pooled" not in set(search.hyperparameters_["status"])


@pytest.mark.parametrize("bounds", [(1.0, 5.0), (5.0, 500.0), (200.0, None), (None, 0.1)])
@pytest.mark.parametrize("shrinkage", ["auto", 0])
def test_bounds_hold_for_the_level_or_for_entries_without_one(bounds, shrinkage):
    X, y = sparse_signal()
    grid = {"alpha": Continuous(*bounds, per="feature")}
    search = HypergradSearchCV(Ridge(), grid, shrinkage=shrinkage)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    table = search.hyperparameters_
    status, value = np.asarray(table["status"]), np.asarray(table["value"])
    low, high = bounds[0] or 0.0, bounds[1] or np.inf
    bounded = value if shrinkage == 0 else value[np.isin(status, ["pooled", "at bound"])]
    assert bounded.min() >= low * (1 - 1e-9)
    assert bounded.max() <= high * (1 + 1e-9)
    assert "not converged" not in status
    assert any("at bound" in str(w.message) for w in caught) == ("at bound" in status)
    held = bounded[status[: len(bounded)] == "at bound"] if shrinkage == 0 else []
    assert all(np.isclose(v, low) or np.isclose(v, high) for v in held)


def test_an_interrupt_keeps_the_best_so_far(monkeypatch):
    X, y = sparse_signal()
    calls = []
    evaluate = Objective._evaluate

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return evaluate(self, *args)

    monkeypatch.setattr(Objective, "_evaluate", interrupted)
    with pytest.warns(match="The search was stopped"):
        search = ridge_search().fit(X, y)
    assert "interrupted after " in search.stopping_reason_
    assert len(search.cv_results_["params"]) == 2


MODELS = [
    (Ridge(), "alpha", "r2", 1),
    (Ridge(fit_intercept=False), "alpha", "neg_root_mean_squared_error", 2),
    (Ridge(), "alpha", "neg_mean_absolute_error", 1),
    (RidgeClassifier(), "alpha", "accuracy", 3),
    (LogisticRegression(), "C", "neg_log_loss", 2),
    (LogisticRegression(), "C", "neg_brier_score", 2),
    (LogisticRegression(), "C", "neg_log_loss", 3),
]


def problem(scoring, n_outputs, n_samples=90):
    X, y = sparse_signal(n_samples, 6)
    if scoring in ("neg_log_loss", "neg_brier_score", "accuracy"):
        y = np.digitize(y, np.quantile(y, np.arange(1, n_outputs) / n_outputs))
    elif n_outputs == 2:
        y = np.c_[y, X[:, 4] - y]
    return X, y


@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize("per", ["feature", "coefficient", "group"])
@pytest.mark.parametrize(("model", "name", "scoring", "n_outputs"), MODELS)
def test_every_model_and_layout(model, name, scoring, n_outputs, per, pipeline):
    X, y = problem(scoring, n_outputs)
    groups = list("aabbcc") if per == "group" else None
    continuous = Continuous(per=per, groups=groups)
    estimator = make_pipeline(StandardScaler(), model) if pipeline else model
    prefix = f"{type(model).__name__.lower()}__" if pipeline else ""
    search = HypergradSearchCV(
        estimator, {f"{prefix}{name}": continuous}, scoring=scoring, cv=3, search_cv=3, tol=0.1
    )
    step = 1e-6 if scoring == "neg_mean_absolute_error" else 1e-2
    assert check_hypergradient(search, X, y, n_points=1, step=step).max() < 1e-6
    search.fit(X, y)
    n_coef = 1 if per != "coefficient" else {2: 1, 3: 3}[n_outputs] if n_outputs > 1 else 1
    if model.__class__ is Ridge and n_outputs == 2 and per == "coefficient":
        n_coef = 2
    expected = (6,) if n_coef == 1 else (n_coef, 6)
    assert search.feature_regularization_.shape == expected
    assert 0 < search.effective_dof_ <= 6 * max(n_outputs, 1)


class Wrong(Implicit):
    def evaluate(self, *args):
        evaluation = super().evaluate(*args)
        for name in evaluation.gradient:
            evaluation.gradient[name] = 1.001 * evaluation.gradient[name]
        return evaluation


@pytest.mark.parametrize("search_cv", ["halves", "loo", 4])
def test_a_wrong_hypergradient_of_a_vector_is_rejected(search_cv):
    X, y = sparse_signal()
    right = check_hypergradient(ridge_search(search_cv=search_cv), X, y)
    assert right.max() < 1e-6
    search = ridge_search(search_cv=search_cv, hypergradient=Wrong())
    assert check_hypergradient(search, X, y).min() > 5e-4


def test_a_constant_target_tells_nothing_apart():
    X, _ = sparse_signal()
    with pytest.warns(match="flat"):
        HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, np.ones(80))
    search = ridge_search().fit(X, np.ones(80))
    assert set(search.hyperparameters_["status"]) == {"flat"}
    assert len(set(search.cv_results_["params"][0]["alpha"])) == 1


def test_halves_that_cannot_be_drawn_are_refused_in_the_words_of_a_fit():
    X, _ = sparse_signal()
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": PER_FEATURE}, error_score="raise")
    with pytest.raises(ValueError, match="Unknown label type"):
        search.fit(X, (np.arange(80) % 2).astype(object))


def test_the_loss_that_is_descended_is_named():
    X, y = sparse_signal()
    search = ridge_search(scoring="r2", search_cv="halves").fit(X, y)
    assert search.validation_loss_ == "squared_error"
    assert set(search.history_["splits"]) == {"cv", "search_cv"}


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), [(np.arange(50), np.arange(50, 80))] * 2])
def test_splits_of_cv_are_called_so(cv):
    """Splits that are no plain folds are those of a vector, too, and say so."""
    search = ridge_search(cv=cv, scoring="neg_mean_squared_error").fit(*sparse_signal())
    assert set(search.history_["splits"]) == {"cv"}
    assert any(np.size(value) > 1 for value in search.history_["value"])
    assert "of search_cv" not in str(search.report())


def test_strengths_of_targets_are_for_all_features():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 40)), rng.normal(size=(20, 3))
    search = HypergradSearchCV(plain.Ridge(), {"alpha": Continuous(per="target")}).fit(X, Y)
    assert search.feature_regularization_.shape == (3, 40)


def test_a_constant_feature_is_flat():
    X, y = sparse_signal()
    X[:, 7] = 3.0
    search = ridge_search().fit(X, y)
    assert np.asarray(search.hyperparameters_["status"])[7] == "flat"


def test_unequal_scales_are_worth_a_word():
    X, y = sparse_signal()
    X[:, 5] *= 1e4
    with pytest.warns(match="Put a StandardScaler before the model"):
        ridge_search().fit(X, y)


def test_the_level_goes_where_one_value_goes():
    """Of separable classes to weak penalties, which one value alone finds."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    X[:, 0] += np.sign(X[:, 0])
    model = LogisticRegression(solver="newton-cholesky", tol=1e-8)
    scores = []
    for range_ in (PER_FEATURE, Continuous()):
        search = HypergradSearchCV(model, {"C": range_}, scoring="neg_log_loss")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores.append(search.fit(X, X[:, 0] > 0).best_score_)
    assert scores[0] >= scores[1]
    assert search.best_params_["C"] > 1e4 / X.var(axis=0).mean()


def test_a_vector_of_c_is_reported_as_strength():
    X, y = problem("neg_log_loss", 2)
    model = LogisticRegression(tol=1e-8)
    search = HypergradSearchCV(model, {"C": PER_FEATURE}, scoring="neg_log_loss").fit(X, y)
    assert_allclose(search.feature_regularization_, 1 / search.best_params_["C"])


class TestGuard:
    def test_a_vector_that_helps_is_kept(self):
        X, y = sparse_signal()
        search = ridge_search(guard=True).fit(X, y)
        assert search.guard_.kept
        assert search.guard_.vector_loss < search.guard_.common_loss
        (row,) = search.cv_results_["params"]
        assert len(set(row["alpha"])) > 1

    def test_what_it_keeps_is_the_result(self, monkeypatch):
        rng = np.random.default_rng(55)
        X = rng.normal(size=(40, 12)) * rng.choice([1, 1, 1, 4], size=(40, 1))
        noise = 2 * rng.normal(size=40) * rng.choice([1, 3], size=40)
        y = X @ np.repeat([1.0, 0.2], [2, 10]) + noise
        search = ridge_search(cv=KFold(3)).fit(X, y)
        # One value has the better score on the splits of cv.
        assert search.best_index_ == 1
        assert not ridge_search(cv=KFold(3), guard=True).fit(X, y).guard_.kept

        def judged(*arguments):
            verdict = guard.judged(*arguments)
            return dataclasses.replace(verdict, chosen=guard.VECTOR, kept=True)

        monkeypatch.setattr(vector_search, "judged", judged)
        kept = ridge_search(cv=KFold(3), guard=True).fit(X, y)
        assert_array_equal(kept.best_params_["alpha"], search.cv_results_["params"][0]["alpha"])

    def test_one_that_does_not_is_not_a_row(self):
        rng = np.random.default_rng(1)
        X = rng.normal(size=(60, 10))
        y = X @ np.ones(10) + 5 * rng.normal(size=60)
        search = ridge_search(guard=True, shrinkage=0.1).fit(X, y)
        assert not search.guard_.kept
        (row,) = search.cv_results_["params"]
        assert row["alpha"].shape == (10,)
        assert len(set(row["alpha"])) == 1
        assert set(search.hyperparameters_["status"]) == {"pooled"}
        assert "the guard kept one value for all" in search.stopping_reason_

    def test_losses_are_those_of_models_tuned_inside(self):
        X, y = sparse_signal(60, 20)
        cv = KFold(3)
        search = ridge_search(guard=True, cv=cv).fit(X, y)
        losses = []
        for train, test in cv.split(X):
            inner = ridge_search(cv=cv).fit(X[train], y[train])
            pair = [Ridge(**row).fit(X[train], y[train]) for row in inner.cv_results_["params"]]
            # Where nothing left the pool there is one row.
            both = [(model.predict(X[test]) - y[test]) ** 2 for model in (pair[0], pair[-1])]
            losses.append(both)
        vector, common = np.concatenate(losses, axis=1)
        assert search.guard_.vector_loss == pytest.approx(vector.mean())
        assert search.guard_.common_loss == pytest.approx(common.mean())
        difference = common - vector
        assert search.guard_.difference == pytest.approx(difference.mean())
        error = difference.std(ddof=1) / np.sqrt(len(y))
        assert search.guard_.standard_error == pytest.approx(error)

    def test_rows_without_weight_do_not_matter(self):
        X, y = sparse_signal()
        weight = np.ones(80)
        weight[::4] = 0
        noise = np.where(weight == 0, 1e3, 0.0)
        first, second = (
            ridge_search(guard=True, scoring="neg_mean_squared_error")
            .fit(X, target, sample_weight=weight)
            .guard_
            for target in (y, y + noise)
        )
        assert first.vector_loss == pytest.approx(second.vector_loss)
        assert first.difference == pytest.approx(second.difference)
        assert first.standard_error == pytest.approx(second.standard_error)

    def test_samples_of_a_group_count_once(self):
        X, y = sparse_signal()
        groups = np.arange(80) // 4
        search = ridge_search(guard=True, cv=GroupKFold(4)).fit(X, y, groups=groups)
        assert np.isfinite(search.guard_.standard_error)

    def test_nothing_is_judged_if_nothing_leaves_the_pool(self, monkeypatch):
        rng = np.random.default_rng(1)
        X = rng.normal(size=(60, 10))
        y = X @ np.ones(10) + rng.normal(size=60)
        monkeypatch.setattr(guard, "_outside", None)
        search = ridge_search(guard=True).fit(X, y)
        alone = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, y)
        (row,) = search.cv_results_["params"]
        assert_allclose(row["alpha"], alone.best_params_["alpha"], rtol=1e-12)
        assert set(search.hyperparameters_["status"]) == {"pooled"}
        assert "nothing left the pool" in search.stopping_reason_
        assert not hasattr(search, "guard_")

    def test_an_interrupt_of_the_guard_keeps_one_value_for_all(self, monkeypatch):
        def interrupted(*args):
            raise KeyboardInterrupt

        X, y = sparse_signal()
        monkeypatch.setattr(guard, "_outside", interrupted)
        with pytest.warns(match="The search was stopped"):
            search = ridge_search(guard=True).fit(X, y)
        assert not hasattr(search, "guard_")
        assert len(search.cv_results_["params"]) == 1
        assert "the guard was interrupted" in search.stopping_reason_

    def test_a_class_too_small_to_be_judged(self):
        X, y = sparse_signal(40, 4)
        classes = (y > 0).astype(int)
        classes[:2] = 2
        model = LogisticRegression(tol=1e-8)
        options = {"cv": 2, "scoring": "neg_log_loss", "guard": True, "shrinkage": 0.01}
        search = HypergradSearchCV(model, {"C": PER_FEATURE}, **options)
        with pytest.warns(HypergradWarning, match="C: the guard could not judge: class 2 is miss"):
            search.fit(X, classes)
        assert "the guard could not judge: class 2 is missing" in search.stopping_reason_
        assert len(search.cv_results_["params"]) == 1

    @pytest.mark.parametrize(
        "cv", [PredefinedSplit([0] * 40 + [1] * 40), [(range(40), range(40, 80))]]
    )
    def test_fixed_splits_cannot_be_repeated(self, cv):
        X, y = sparse_signal()
        with pytest.raises(ValueError, match="guard=True repeats the search"):
            ridge_search(guard=True, cv=cv).fit(X, y)


def test_targets_are_shrunk_to_each_other():
    X, y = sparse_signal()
    Y = np.c_[y, y + 0.1 * X[:, 0]]
    search = HypergradSearchCV(plain.Ridge(), {"alpha": Continuous(per="target")}).fit(X, Y)
    assert len(set(search.cv_results_["params"][0]["alpha"])) == 1
