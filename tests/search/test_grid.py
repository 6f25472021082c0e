"""What is searched and what is enumerated."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.candidates.refusals import WRAP


class Subclass(Pipeline):
    """A pipeline that may do anything."""


def ranges(candidates):
    return [candidate.range for candidate in candidates if candidate.range]


@pytest.mark.parametrize(
    ("values", "low", "high", "scale"),
    [
        ([1, 10, 100], 1, 100, "log"),
        ((0.5, 0.1), 0.1, 0.5, "linear"),
        (range(1, 12), 1, 11, "log"),
        (np.logspace(-2, 2, 5), 1e-2, 1e2, "log"),
        (np.array([3, 3, 4]), 3, 4, "linear"),
    ],
)
def test_numbers_are_the_range_they_span(values, low, high, scale):
    (found,) = ranges(expand({"alpha": values}, Ridge()))
    assert (found.continuous.low, found.continuous.high, found.scale) == (low, high, scale)
    assert found.listed == tuple(values)


@pytest.mark.parametrize(
    "values",
    [[1.0], [1, 1], [0, 1], [True, False], ["auto", 1, 2], [None, 1], ["a", "b"], [[1, 2], [3, 4]]],
)
def test_anything_else_is_enumerated(values):
    candidates = expand({"alpha": values}, Ridge())
    assert not ranges(candidates)
    assert [c.settings for c in candidates] == list(ParameterGrid({"alpha": values}))


def test_numbers_of_other_types_are_taken_as_floats():
    (found,) = ranges(expand({"alpha": [Fraction(1, 8), 4]}, Ridge()))
    assert (found.continuous.low, found.continuous.high) == (0.125, 4.0)
    assert list(map(type, found.listed)) == [float, int]


def test_zero_and_invalid_values_get_rows_of_their_own():
    candidates = expand({"alpha": [0, 10, -1, 0.1, np.inf, None]}, Ridge())
    assert [c.settings.get("alpha", "?") for c in candidates] == [0, -1, np.inf, None, "?"]
    assert ranges(candidates)[0].listed == (10, 0.1)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Ridge(positive=True), "positive=True"),
        (LogisticRegression(solver="liblinear"), "liblinear"),
        (LogisticRegression(l1_ratio=0.5), "solver='lbfgs' has no L1 penalty"),
        (LogisticRegression(dual=True, solver="liblinear", fit_intercept=False), "dual=True"),
        (LogisticRegression(warm_start=True), "warm_start=True"),
        (SVC(kernel="precomputed"), "kernel='precomputed' has no rows"),
        (QuantileRegressor(), "solves a linear program"),
    ],
)
def test_other_problems_are_enumerated_with_the_reason(model, reason):
    key = "alpha" if hasattr(model, "alpha") else "C"
    candidates = expand({key: [0.1, 1, 10]}, model)
    assert [c.settings for c in candidates] == [{key: 0.1}, {key: 1}, {key: 10}]
    assert all(reason in c.reason for c in candidates)
    with pytest.raises(ValueError, match="Cannot tune '.*' with Continuous.*Give a list"):
        expand({key: Continuous()}, model)


def test_integers_that_are_not_a_differentiable_hyperparameter_stay_integers():
    candidates = expand({"max_iter": [10, 100], "C": [0.1, 10]}, LogisticRegression())
    assert [c.settings for c in candidates] == [{"max_iter": 10}, {"max_iter": 100}]
    assert len(ranges(candidates)) == 2


def test_configuration_is_decided_for_every_combination():
    grid = {"solver": ["saga", "liblinear"], "C": [0.1, 10]}
    candidates = expand(grid, LogisticRegression())
    assert len(ranges(candidates)) == 1
    assert [c.settings["C"] for c in candidates if not c.range] == [0.1, 10]


def test_order_without_ranges_is_that_of_parameter_grid():
    grid = [{"tol": [0.1, 0.01], "kernel": ["rbf", "linear"]}, {"degree": [2, 3]}]
    assert [c.settings for c in expand(grid, SVC())] == list(ParameterGrid(grid))


def test_a_step_that_is_not_the_last_is_enumerated():
    pipeline = Pipeline([("first", Ridge()), ("last", Ridge())])
    (candidate, *_) = expand({"first__alpha": [0.1, 10]}, pipeline)
    assert "does not belong to the final step" in candidate.reason


@pytest.mark.parametrize("value", [Continuous(), [Continuous()]])
def test_continuous_alone_or_in_a_list(value):
    (found,) = ranges(expand({"alpha": value}, Ridge()))
    assert found.continuous == Continuous()
    assert found.listed == ()


@pytest.mark.parametrize(
    ("model", "grid", "message"),
    [
        (Ridge(), {"alpha": [Continuous(), 1.0]}, "mixes Continuous with other values"),
        (Ridge(), {"alpha": Continuous(0, 1)}, "positive values, got low=0"),
        (Ridge(), {"alpha": Continuous(init=-1)}, "positive values, got init=-1"),
        (Ridge(), {"alhpa": Continuous()}, "Invalid parameter 'alhpa'.*Did you mean 'alpha'"),
        (make_pipeline(Ridge()), {"alpha": Continuous()}, "Did you mean 'ridge__alpha'"),
        (make_pipeline(Ridge()), {"ridge_alpha": Continuous()}, "Did you mean 'ridge__alpha'"),
        (Ridge(), {"alfa": Continuous()}, "Did you mean 'alpha'"),
        (make_pipeline(Ridge()), {"ridge__C": Continuous()}, r"'ridge__alpha'\? .* 1 / \(2 C\)"),
        (make_pipeline(Ridge()), {"C": Continuous()}, r"Did you mean 'ridge__alpha'\? alpha is"),
        (LogisticRegression(), {"alpha": Continuous()}, r"Did you mean 'C'\? .* C = 1 / alpha"),
        (Subclass([("r", Ridge())]), {"r__alpha": Continuous()}, "Subclass is a subclass of Pipe"),
        (
            BaggingRegressor(Ridge()),
            {"estimator__alpha": Continuous()},
            r"search inside it, BaggingRegressor\(estimator=HypergradSearchCV",
        ),
        (
            linear_model.Ridge(),
            {"alpha": Continuous(per="group", groups=range(5000), scale="logit")},
            r"^.{,350}4998, 4999\)\).{,200}$",
        ),
        (Ridge(), {"unlike": Continuous()}, r"Valid parameters are: \[.*\]\.$"),
        (Ridge(), {"max_iter": Continuous()}, "max_iter of Ridge is not differentiable"),
        (RidgeClassifier(), {"alpha": Continuous(per="target")}, "no value per target"),
        (
            Ridge(),
            {"alpha": Continuous(per="feature")},
            r"no value per feature.*Use .*sklearn_hypergrad\.linear_model\.Ridge",
        ),
        (
            LogisticRegression(),
            {"C": Continuous(per="coefficient")},
            r"sklearn_hypergrad\.linear_model\.LogisticRegression",
        ),
        (
            linear_model.Ridge(),
            {"alpha": Continuous(1, 2, scale="linear", per="feature")},
            "compared by their ratios",
        ),
        (
            LinearRegression(),
            {"positive": Continuous()},
            "LinearRegression is no model that is searched, as Ridge",
        ),
    ],
)
def test_a_continuous_that_cannot_be_searched_says_why(model, grid, message):
    with pytest.raises(ValueError, match=message):
        expand(grid, model)


@pytest.mark.parametrize(
    "grid",
    [
        {"alpha": 1},
        {"alpha": "abc"},
        {"alpha": None},
        {"alpha": {1, 2}},
        {"alpha": []},
        {"alpha": np.ones((2, 2))},
        [0],
        {"alhpa": [1, 10, 100]},
        [],
    ],
)
def test_bad_grids_give_the_errors_of_grid_search(grid):
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    errors = []
    for search in (GridSearchCV, HypergradSearchCV):
        with pytest.raises((ValueError, TypeError)) as error:
            search(Ridge(), grid).fit(X, y)
        errors.append(error.value)
    assert type(errors[0]) is type(errors[1])
    # Hints are appended, in place of one that does not fit.
    assert str(errors[1]).startswith(str(errors[0]).replace(WRAP, ""))


@pytest.mark.parametrize(
    ("grid", "hint"),
    [
        ({"alhpa": [1, 10]}, "Did you mean 'alpha'?"),
        ({"solvr": ["svd"], "alpha": Continuous()}, "Did you mean 'solver'?"),
        ({"C": ["one", "two"]}, "1 / (2 C) where it multiplies the squared errors."),
        (
            {"alpha": ((1e-3, 1e3),)},
            "write alpha=[0.001, 1000.0] or alpha=Continuous(0.001, 1000.0).",
        ),
        ({"alpha": Continuous}, "alpha got the class Continuous: write alpha=Continuous()."),
        ({"alpha": [Continuous]}, "alpha got the class Continuous: write alpha=Continuous()."),
        ({"alpha": [[Continuous(1, 9)]]}, "write alpha=Continuous(low=1, high=9)."),
        ({"unlike": [1, 2]}, "'solver', 'tol']."),
        ({"alpha": [-1.0, -2.0]}, ""),
    ],
)
def test_errors_of_grid_search_end_with_what_may_be_meant(grid, hint):
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    with pytest.raises((ValueError, TypeError)) as error:
        HypergradSearchCV(Ridge(), grid, cv=2).fit(X, y)
    assert str(error.value).endswith(hint)


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({"scoring": "neg_mean_square_error"}, "neg_mean_squared_error"),
        ({"scoring": ["r2", "neg_mean_square_error"], "refit": "r2"}, "neg_mean_squared_error"),
        ({"hypergradient": "implicit_"}, "implicit"),
        ({"validation_loss": "logloss"}, "log_loss"),
    ],
)
def test_misspelt_options_are_answered_with_similar_ones(options, meant):
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    with pytest.raises(ValueError, match=f"Did you mean '{meant}'\\?$"):
        HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, **options).fit(X, y)


def test_names_of_scores_are_sorted():
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    with pytest.raises(ValueError, match="'accuracy', 'adjusted_mutual_info_score', .*'zero'"):
        HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, scoring="zero").fit(X, y)


@pytest.mark.parametrize(
    ("values", "expected"), [([-2, 1], (-2, 1)), ([-20, -2, 0], (-2, 0)), ([-2, -20], None)]
)
def test_values_of_any_sign_are_a_range_where_they_are_allowed(values, expected):
    class Shifted(DifferentiableRegressor):
        hyperparameters = {"shift": Hyperparameter(scale="linear", limits=(-9, 9))}

        def __init__(self, shift=0.0):
            self.shift = shift

        def initial(self, X, y, rng):
            return np.zeros(X.shape[1])

        def forward(self, w, X, h):
            return X @ w + h["shift"]

    found = ranges(expand({"shift": values}, Shifted()))
    bounds = [(span.continuous.low, span.continuous.high) for span in found]
    assert bounds == ([] if expected is None else [expected])
