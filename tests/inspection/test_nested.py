"""Searches judged on outer folds."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, make_scorer, mean_squared_error, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.inspection import NestedScore, nested_score
from sklearn_hypergrad.inspection.plain_grid import plain_grid
from sklearn_hypergrad.neural_network import MLPRegressor

VALUES = np.logspace(-3, 3, 4)


@pytest.fixture(scope="module")
def diabetes(data):
    X, y = data("diabetes")
    return X[:120], y[:120]


@pytest.fixture(scope="module")
def random_labels():
    """Nothing can be learned: what the inner folds promise is luck."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(80, 20)), rng.integers(2, size=80)


def by_hand(search, grid, X, y, cv):
    """Outer scores and best scores, written as a loop."""
    models = {
        "search": search,
        "grid": GridSearchCV(search.estimator, grid, cv=search.cv, scoring=search.scoring),
    }
    scores = {name: [] for name in ("search", "default", "grid")}
    best = {name: [] for name in scores}
    for train, test in cv.split(X, y):
        for name, model in models.items():
            fitted = clone(model).fit(X[train], y[train])
            scores[name].append(fitted.score(X[test], y[test]))
            best[name].append(fitted.best_score_)
        default = clone(search.estimator).fit(X[train], y[train])
        scorer = get_scorer(search.scoring) if search.scoring else type(default).score
        scores["default"].append(scorer(default, X[test], y[test]))
        inner = cross_val_score(
            search.estimator, X[train], y[train], cv=search.cv, scoring=search.scoring
        )
        best["default"].append(inner.mean())
    return scores, best


@pytest.mark.parametrize(
    ("scoring", "scaled"),
    [
        (None, True),
        ("neg_mean_absolute_error", False),
        pytest.param(None, False, marks=pytest.mark.thorough),
        pytest.param("neg_mean_absolute_error", True, marks=pytest.mark.thorough),
    ],
)
def test_the_same_as_a_loop_written_by_hand(diabetes, scoring, scaled):
    X, y = diabetes
    model = make_pipeline(StandardScaler(), Ridge()) if scaled else Ridge()
    grid = {"ridge__alpha" if scaled else "alpha": VALUES}
    search = HypergradSearchCV(model, grid, cv=3, scoring=scoring)
    cv = ShuffleSplit(3, test_size=0.3, random_state=1)
    result = nested_score(search, X, y, cv=cv)
    scores, best = by_hand(search, grid, X, y, cv)
    assert list(result.scores) == ["search", "default", "grid"]
    for name, values in scores.items():
        np.testing.assert_array_equal(result.scores[name], values)
        np.testing.assert_allclose(result.best_scores[name], best[name], rtol=1e-14)
        assert result.means[name] == np.mean(values)
        optimism = np.mean(best[name]) - np.mean(values)
        assert result.optimism[name] == pytest.approx(optimism, rel=1e-9)
    assert result.metric == (scoring or "score")
    assert not hasattr(search, "best_score_")


def test_what_a_fit_cost(diabetes):
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=3)
    result = nested_score(search, *diabetes, cv=2)
    fits = {name: values.tolist() for name, values in result.n_fits.items()}
    assert fits == {"search": [4, 4], "default": [4, 4], "grid": [13, 13]}
    assert all((times > 0).all() for times in result.fit_times.values())
    assert [sorted(params) for params in result.best_params["search"]] == [["alpha"]] * 2
    assert result.best_params["default"] == ({}, {})
    assert result.best_params["grid"][0]["alpha"] in VALUES


def test_standard_errors_are_those_of_nadeau_and_bengio():
    rng = np.random.default_rng(0)
    scores = {name: rng.normal(size=4) for name in ("search", "default")}
    result = NestedScore(
        metric="r2",
        n_train=np.array([60, 60, 75, 75]),
        n_test=np.array([30, 30, 15, 15]),
        scores=scores,
        best_scores=scores,
        best_params={},
        fit_times=scores,
        n_fits={},
    )
    values = scores["search"] - scores["default"]
    found = result.difference("search", "default")
    np.testing.assert_array_equal(found.values, values)
    # (1 / J + n_test / n_train) s^2, with a mean ratio of (1/2 + 1/5) / 2.
    variance = np.sum((values - values.mean()) ** 2) / 3
    error = np.sqrt((1 / 4 + 0.35) * variance)
    assert found.standard_error == pytest.approx(error, rel=1e-12)
    # What would hold for independent folds is much smaller.
    assert found.standard_error > 1.5 * stats.sem(values)
    uncorrected = stats.ttest_1samp(values, 0.0)
    t = uncorrected.statistic * stats.sem(values) / error
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), 3), rel=1e-9)
    assert found.p_value > uncorrected.pvalue
    reverse = result.difference("default", "search")
    assert reverse.mean == -found.mean
    assert result.differences["default"].mean == found.mean


def test_one_fold_has_no_standard_error(diabetes):
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=2)
    cv = ShuffleSplit(1, test_size=0.3, random_state=0)
    difference = nested_score(search, *diabetes, cv=cv).differences["default"]
    assert np.isnan([difference.standard_error, difference.p_value]).all()


def test_no_difference_at_all(diabetes):
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=np.int64(2))
    result = nested_score(search, *diabetes, cv=3)
    difference = result.differences["default"]
    assert (difference.mean, difference.standard_error) == (0, 0)


@pytest.mark.thorough
def test_random_labels_are_learned_only_inside(random_labels):
    """One penalty per feature promises much, and the default nothing."""
    X, y = random_labels
    model = linear_model.LogisticRegression(solver="newton-cholesky")
    search = HypergradSearchCV(
        model, {"C": Continuous(per="feature")}, cv=3, scoring="neg_log_loss", shrinkage=0.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = nested_score(search, X, y, cv=3)
    assert result.optimism["search"] > 0.1
    assert result.optimism["search"] > 5 * abs(result.optimism["grid"])
    assert result.means["search"] < result.means["grid"]


def test_weights_reach_training_and_both_scores(diabetes):
    X, y = diabetes
    weight = np.random.default_rng(0).uniform(0, 3, len(y))
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=3)
    cv = KFold(3)
    result = nested_score(search, X, y, cv=cv, sample_weight=weight)
    expected = []
    for train, test in cv.split(X):
        fitted = clone(search).fit(X[train], y[train], sample_weight=weight[train])
        predicted = fitted.predict(X[test])
        expected.append(r2_score(y[test], predicted, sample_weight=weight[test]))
    np.testing.assert_allclose(result.scores["search"], expected, rtol=1e-12)
    unweighted = nested_score(search, X, y, cv=cv)
    assert (result.scores["default"] != unweighted.scores["default"]).all()


def test_a_scorer_without_weights_scores_without_them(diabetes):
    X, y = diabetes

    def rough(y_true, y_pred):
        return float(np.mean(np.abs(y_true - y_pred)))

    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=2, scoring=make_scorer(rough))
    weight = np.ones(len(y))
    with pytest.warns(UserWarning, match="does not support sample_weight"):
        weighted = nested_score(search, X, y, cv=2, sample_weight=weight)
    unweighted = nested_score(search, X, y, cv=2)
    np.testing.assert_allclose(weighted.scores["search"], unweighted.scores["search"], rtol=1e-9)


def test_groups_stay_together_outside_and_inside(diabetes):
    X, y = diabetes
    groups = np.arange(len(y)) % 7
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=GroupKFold(3))
    result = nested_score(search, X, y, cv=GroupKFold(4), groups=groups)
    expected = []
    for train, test in GroupKFold(4).split(X, y, groups):
        fitted = clone(search).fit(X[train], y[train], groups=groups[train])
        expected.append(fitted.score(X[test], y[test]))
    np.testing.assert_array_equal(result.scores["search"], expected)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        nested_score(search, X, y, cv=3)


def test_routed_metadata(diabetes):
    X, y = diabetes
    weight = np.random.default_rng(0).uniform(0, 3, len(y))
    groups = np.arange(len(y)) % 7
    with config_context(enable_metadata_routing=True):
        model = Ridge().set_fit_request(sample_weight=True)
        scorer = get_scorer("neg_mean_squared_error").set_score_request(sample_weight=True)
        search = HypergradSearchCV(model, {"alpha": VALUES}, cv=3, scoring=scorer)
        # The outer splits need groups, the search does not.
        result = nested_score(search, X, y, cv=GroupKFold(4), groups=groups, sample_weight=weight)
        expected = []
        for train, test in GroupKFold(4).split(X, y, groups):
            fitted = clone(search).fit(X[train], y[train], sample_weight=weight[train])
            predicted = fitted.predict(X[test])
            expected.append(-mean_squared_error(y[test], predicted, sample_weight=weight[test]))
        unset = HypergradSearchCV(Ridge(), {"alpha": VALUES})
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            nested_score(unset, X, y, sample_weight=weight)
    np.testing.assert_allclose(result.scores["search"], expected, rtol=1e-12)


def test_several_metrics_are_judged_by_that_of_refit(random_labels):
    X, y = random_labels
    search = HypergradSearchCV(
        LogisticRegression(solver="newton-cholesky"),
        {"C": [0.01, 1.0]},
        cv=3,
        scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
    )
    result = nested_score(search, X, y, cv=3)
    alone = nested_score(clone(search).set_params(scoring="neg_log_loss"), X, y, cv=3)
    assert result.metric == "neg_log_loss"
    for name in result.scores:
        np.testing.assert_array_equal(result.scores[name], alone.scores[name])
        np.testing.assert_array_equal(result.best_scores[name], alone.best_scores[name])


def test_one_metric_has_its_own_name_whatever_refit_is_called(diabetes):
    options = {"scoring": "neg_mean_squared_error", "refit": "r2", "cv": 2}
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, **options)
    result = nested_score(search, *diabetes, cv=2, grid=False)
    assert result.metric == "neg_mean_squared_error"
    assert str(result).startswith("neg_mean_squared_error on 2 outer folds")

    def scores(estimator, X, y):
        return {"r2": estimator.score(X, y), "zero": 0.0}

    def score(estimator, X, y):
        return estimator.score(X, y)

    for scoring, name in ((scores, "r2"), (score, "score"), (["r2", "neg_max_error"], "r2")):
        search = clone(search).set_params(scoring=scoring)
        result = nested_score(search, *diabetes, cv=2, grid=False)
        assert result.metric == name
        assert (np.abs(result.scores["search"]) < 1).all()


def test_a_function_that_selects(diabetes):
    def worst(results):
        return int(np.argmin(results["mean_test_score"]))

    search = GridSearchCV(Ridge(), {"alpha": [100.0, 1e8]}, cv=2, refit=worst)
    result = nested_score(search, *diabetes, cv=2, grid={"alpha": [100.0, 1e8]})
    assert [params["alpha"] for params in result.best_params["grid"]] == [1e8, 1e8]
    assert (result.best_scores["search"] < result.best_scores["default"]).all()


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(Ridge(), {"alpha": VALUES}, cv=2),
        RandomizedSearchCV(Ridge(), {"alpha": VALUES}, n_iter=2, cv=2, random_state=0),
    ],
    ids=["grid", "randomized"],
)
def test_searches_of_scikit_learn(diabetes, search):
    X, y = diabetes
    result = nested_score(search, X, y, cv=3)
    assert list(result.scores) == ["search", "default"]
    np.testing.assert_array_equal(result.scores["search"], cross_val_score(search, X, y, cv=3))


def test_the_grid_may_be_given_or_left_out(diabetes):
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=2)
    own = nested_score(search, *diabetes, cv=2, grid={"alpha": [5.0], "fit_intercept": [True]})
    assert own.best_params["grid"] == ({"alpha": 5.0, "fit_intercept": True},) * 2
    assert list(nested_score(search, *diabetes, cv=2, grid=False).scores) == ["search", "default"]


@pytest.mark.parametrize(
    ("param_grid", "estimator", "expected"),
    [
        ({"alpha": VALUES}, Ridge(), None),
        ({"alpha": Continuous()}, Ridge(), [{"alpha": np.logspace(-4, 4, 10)}]),
        ({"alpha": Continuous()}, Ridge(alpha=0), [{"alpha": np.logspace(-4, 4, 10)}]),
        ({"alpha": Continuous(init=100)}, Ridge(), [{"alpha": np.logspace(-2, 6, 10)}]),
        ({"alpha": Continuous(low=10)}, Ridge(), [{"alpha": np.logspace(1, 5, 10)}]),
        ({"alpha": Continuous(1, 4)}, Ridge(), [{"alpha": np.linspace(1, 4, 10)}]),
        (
            {"alpha": [Continuous(1e-2, 1e3)], "solver": ["svd", "cholesky"]},
            Ridge(),
            [
                {"alpha": np.logspace(-2, 3, 10), "solver": ["svd"]},
                {"alpha": np.logspace(-2, 3, 10), "solver": ["cholesky"]},
            ],
        ),
        (
            {"alpha": Continuous(per="feature")},
            linear_model.Ridge(),
            [{"alpha": np.logspace(-4, 4, 10)}],
        ),
        (
            {"learning_rate_init": Continuous(per="layer"), "alpha": [0.1, 1.0]},
            MLPRegressor(learning_rate_init=0.1),
            [{"learning_rate_init": np.logspace(-3, 1, 10), "alpha": [0.1, 1.0]}],
        ),
        (
            {"learning_rate_init": Continuous(), "momentum": Continuous(0.5, 0.9)},
            MLPRegressor(learning_rate_init=0.1),
            [
                {
                    "learning_rate_init": np.logspace(-3, 1, 5),
                    "momentum": 1 / (1 + 9.0 ** -np.linspace(0, 1, 5)),
                }
            ],
        ),
    ],
)
def test_the_grid_that_a_search_stands_for(param_grid, estimator, expected):
    found = plain_grid(param_grid, estimator)
    if expected is None:
        assert found is param_grid
        return
    assert [sorted(grid) for grid in found] == [sorted(grid) for grid in expected]
    for one, other in zip(found, expected, strict=True):
        for key, values in other.items():
            same = values == one[key] if key == "solver" else np.allclose(one[key], values)
            assert same, (key, one[key])


@pytest.mark.thorough
def test_jobs_do_not_matter(diabetes):
    search = HypergradSearchCV(
        make_pipeline(StandardScaler(), linear_model.Ridge()),
        {"ridge__alpha": Continuous(per="feature")},
        cv=3,
        search_cv=3,
    )
    one, two = (nested_score(search, *diabetes, cv=2, n_jobs=n_jobs) for n_jobs in (1, 2))
    for name in one.scores:
        np.testing.assert_array_equal(one.scores[name], two.scores[name])
        np.testing.assert_array_equal(one.best_scores[name], two.best_scores[name])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(diabetes, library):
    frames = pytest.importorskip(library)
    X, y = diabetes
    names = [f"x{j}" for j in range(X.shape[1])]
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=2)
    X_frame = frames.DataFrame({name: X[:, j] for j, name in enumerate(names)})
    result = nested_score(search, X_frame, frames.Series(y), cv=2)
    plain = nested_score(search, X, y, cv=2)
    for name in plain.scores:
        np.testing.assert_allclose(result.scores[name], plain.scores[name], rtol=1e-9)


def test_tables(diabetes):
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=2, scoring="r2")
    result = nested_score(search, *diabetes, cv=3)
    table = result.to_frame()
    assert list(table["model"]) == ["search"] * 3 + ["default"] * 3 + ["grid"] * 3
    assert list(table["fold"]) == [0, 1, 2] * 3
    assert list(table["score"])[3:6] == result.scores["default"].tolist()
    assert list(table["n_test"]) == [40] * 9
    lines = repr(result).splitlines()
    assert lines[0] == "r2 on 3 outer folds (larger is better)"
    assert [line.split()[0] for line in lines[2:5]] == ["search", "default", "grid"]
    # Columns of numbers stand below their names.
    assert len({len(line) for line in lines[1:5]}) == 1
    assert lines[5].startswith("search - default: ")
    assert lines[6].startswith("search - grid: ")
    assert str(result) == repr(result)


def several(estimator, X, y):
    return {"one": 1.0, "two": 2.0}


def first(results):
    return 0


TWO = ["r2", "neg_mean_squared_error"]
FIXED = [(np.arange(9), np.arange(9, 12))]


@pytest.mark.parametrize(
    ("search", "error", "message"),
    [
        (Ridge(), TypeError, "nested_score judges a search"),
        (
            make_pipeline(StandardScaler(), HypergradSearchCV(Ridge(), {"alpha": VALUES})),
            TypeError,
            "into the pipeline that is searched",
        ),
        (HypergradSearchCV(Ridge(), {"alpha": VALUES}, refit=False), ValueError, "refit=False"),
        (
            HypergradSearchCV(Ridge(), {"alpha": VALUES}, scoring=TWO, refit=first),
            ValueError,
            "Name one: refit=",
        ),
        (
            GridSearchCV(Ridge(), {"alpha": VALUES}, scoring=several, refit=first),
            ValueError,
            "Name one: refit=",
        ),
        (HypergradSearchCV(Ridge(), {"alpha": VALUES}, cv=FIXED), ValueError, "for which cv="),
        (
            GridSearchCV(Ridge(), {"alpha": VALUES}, cv=PredefinedSplit([0, 1] * 6)),
            ValueError,
            "for which cv=PredefinedSplit",
        ),
        (
            HypergradSearchCV(Ridge(), {"alpha": VALUES}, search_cv=FIXED),
            ValueError,
            "for which search_cv=",
        ),
        (
            HypergradSearchCV(Ridge(), {"max_iter": Continuous()}),
            ValueError,
            "Cannot tune 'max_iter'",
        ),
    ],
)
def test_errors_teach(diabetes, search, error, message):
    with pytest.raises(error, match=message):
        nested_score(search, *diabetes)
