"""Endings that deserve a look, and who is told of them."""

import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import BaggingRegressor
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import (
    Lasso,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
    SGDRegressor,
)
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, linear_model
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor

LDA = LinearDiscriminantAnalysis(solver="lsqr")
ENUMERATED = "Enumerated, not searched. "


@pytest.fixture(scope="module")
def regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6))
    return X, X @ rng.normal(size=6) + 2 * rng.normal(size=60)


@pytest.fixture(scope="module")
def classes(regression):
    X, y = regression
    return X, (y > np.median(y)).astype(int)


def fitted(estimator, param_grid, X, y, **options):
    """A fitted search and the lines of its HypergradWarning."""
    search = HypergradSearchCV(estimator, param_grid, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    told = [str(w.message) for w in caught if issubclass(w.category, HypergradWarning)]
    lines = told[0].splitlines() if told else []
    assert search.remarks_[: len(lines)] == lines
    # What is a remark is a caveat, whether it warns or not.
    report = str(search.report())
    assert all(remark in report for remark in search.remarks_)
    assert not (search.remarks_ and "none found" in report)
    return search, lines


def quiet(*args, **options):
    """The remarks of a search that must not warn."""
    search, lines = fitted(*args, **options)
    assert lines == []
    return search.remarks_


# Lists.


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1e3, 1e4], "alpha=1000: the smallest number searched is the best."),
        ([1e-5, 1e-4], "alpha=0.0001: the largest number searched is the best."),
        ([1, 2, 5], "alpha=5: the largest number searched is the best."),
    ],
)
def test_a_list_that_ends_on_its_bound_says_on_which(regression, values, expected):
    (remark,) = quiet(Ridge(), {"alpha": values}, *regression)
    assert remark == f"{expected} Continuous() finds the range."


def test_zero_beside_a_range_is_no_end_of_it(regression):
    X, y = regression
    y = y + np.random.default_rng(7).normal(size=60)
    search = HypergradSearchCV(Ridge(), {"alpha": [0, 25, 1e4]}).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert search.remarks_ == [
        "alpha=25: the smallest number searched is the best. Continuous() finds the range."
    ]


def test_a_minimum_inside_a_list_deserves_no_remark(regression):
    assert quiet(Ridge(), {"alpha": [1e-3, 1e3]}, *regression) == []


def test_zero_may_be_the_end_of_a_list():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 3))
    y = X @ [1.0, 2.0, 3.0] + 1e-3 * rng.normal(size=40)
    (remark,) = quiet(Ridge(), {"alpha": [0, 10, 100]}, X, y)
    assert remark.startswith("alpha=0: the smallest value of its list is the best.")


class OwnLasso(Lasso):
    """A class whose fit is not known to be that of its parent: it is enumerated."""

    def fit(self, X, y):
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("values", "ends"), [([0.5, 1.0, 2.0], True), ([1e-3, 0.05, 2.0], False), ([0.5, 1.0], False)]
)
def test_enumerated_numbers_may_end_on_their_bound(regression, values, ends):
    remarks = quiet(OwnLasso(), {"alpha": values}, *regression)
    end = "alpha=0.5: the smallest value of its list is the best. A wider list may have a better"
    assert [remark.startswith(end) for remark in remarks] == [False, True][: 1 + ends]


def test_enumerated_numbers_without_effect_have_no_best_end(regression):
    (remark,) = quiet(Ridge(solver="cholesky"), {"max_iter": [10, 20, 30]}, *regression)
    assert remark.startswith(ENUMERATED)


@pytest.mark.parametrize(
    ("model", "grid", "reason"),
    [
        (
            QuantileRegressor(),
            {"alpha": [0.1, 1]},
            "alpha: QuantileRegressor solves a linear program",
        ),
        (
            BaggingRegressor(Ridge()),
            {"estimator__alpha": [0.1, 1]},
            "estimator__alpha: it belongs to the estimator in BaggingRegressor",
        ),
        (
            Ridge(),
            {"alpha": [0, 1]},
            "alpha: a range needs two different values, each a positive value",
        ),
        (Ridge(positive=True), {"alpha": [0.1, 1]}, "alpha of Ridge: positive=True adds"),
    ],
)
def test_numbers_that_were_enumerated_say_why(regression, model, grid, reason):
    (remark,) = (one for one in quiet(model, grid, *regression) if one.startswith(ENUMERATED))
    assert remark.startswith(ENUMERATED + reason)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0.1, 0.5, "auto"], "shrinkage: 'auto' is no number"),
        ([None, 0.5], "shrinkage: None is no number"),
        ([None, "auto"], None),
        ([0.5], None),
    ],
)
def test_words_among_numbers(classes, values, reason):
    remarks = quiet(LDA, {"shrinkage": values}, *classes)
    if reason is None:
        assert remarks == []
    else:
        assert remarks[0].startswith(ENUMERATED + reason)


def test_a_tuple_in_a_list_may_have_been_meant_as_a_range(regression):
    X, y = regression
    grid = {"alpha": ((1e-3, 1e3),)}
    # Two targets, so that two penalties are valid.
    remarks = quiet(linear_model.Ridge(), grid, X, np.column_stack([y, X[:, 0]]))
    assert remarks == [
        f"{ENUMERATED}alpha: (0.001, 1000.0) is one value; Continuous(0.001, 1000.0) is a range."
    ]


def test_data_that_a_list_cannot_be_searched_on_are_a_remark(classes):
    X, y = classes
    y = np.where(np.arange(len(y)) < 3, 2, y)
    search, lines = fitted(LogisticRegression(), {"C": [0.1, 1.0]}, X, y, cv=KFold(2))
    assert lines == []
    assert search.remarks_[0].startswith("C was enumerated, not searched: class 2 is missing")


# Scores.


@pytest.mark.parametrize("grid", [{"alpha": Continuous()}, {"alpha": [1e3, 1e4]}])
@pytest.mark.parametrize("model", [Ridge(), Lasso(positive=True)])
def test_a_score_that_is_nan_is_a_remark(regression, model, grid):
    if isinstance(model, Lasso) and isinstance(grid["alpha"], Continuous):
        grid = {"fit_intercept": [True, False]}
    # scikit-learn warns of it. Without a list nothing could be chosen by the score: a warning, too.
    X, y = regression
    search, lines = fitted(model, grid, X, y - 1e3, scoring="neg_mean_squared_log_error")
    assert bool(lines) == isinstance(grid.get("alpha"), Continuous)
    remarks = search.remarks_
    assert any(remark.startswith("The mean score of the best row is nan") for remark in remarks)
    # Nothing is best.
    assert "is the best" not in " ".join(remarks)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (MLPRegressor((3,), n_steps=4, learning_rate_init=2.0, random_state=0), {}),
        (
            MLPRegressor((3,), n_steps=4, learning_rate_init=2.0, random_state=0),
            {"scoring": "neg_mean_squared_error"},
        ),
        (SGDRegressor(learning_rate="constant", eta0=10.0, random_state=0), {}),
    ],
)
def test_fits_that_diverge_warn(regression, model, options):
    X, y = regression
    grid = {"alpha": Continuous() if isinstance(model, MLPRegressor) else [1e-4, 1e-3]}
    _, lines = fitted(model, grid, X, 100 * y, cv=2, max_iter=2, **options)
    below = "far below zero" if not options else "far above that of a constant prediction"
    assert sum(below in line for line in lines) == 1


@pytest.mark.parametrize("factor", [1.0, 1e4])
def test_classifiers_that_diverge_warn(classes, factor):
    X, y = classes
    network = MLPClassifier((3,), n_steps=10, learning_rate_init=1e-2 * factor, random_state=0)
    search, lines = fitted(network, {"alpha": Continuous()}, X, y, cv=2, max_iter=2)
    above = "far above that of a constant prediction" in " ".join(lines)
    assert above == (factor > 1)
    assert (search.history_["loss"].min() > 30 * np.log(2)) == above


def test_a_score_below_zero_is_a_remark(regression):
    X, _ = regression
    noise = np.random.default_rng(5).normal(size=len(X))
    remarks = quiet(Ridge(), {"alpha": [1e-3, 1e-2]}, X, noise)
    assert any("is below zero: the mean of the target" in remark for remark in remarks)


# Arguments that do nothing.


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"guard": True}, ["guard=True does nothing here: it needs a vector"]),
        (
            {"guard": True, "shrinkage": 2.0},
            ["guard=True does nothing here", "shrinkage=2.0 does nothing here: it needs a vector"],
        ),
        ({"resample": "fresh"}, ["resample='fresh' does nothing here: it needs a model that is"]),
        ({"max_iter": 30, "tol": 1e-4, "search_cv": 3, "hypergradient": "implicit"}, []),
    ],
)
def test_arguments_that_one_value_has_no_use_for(regression, options, expected):
    remarks = quiet(Ridge(), {"alpha": Continuous()}, *regression, **options)
    assert len(remarks) == len(expected)
    assert all(map(str.startswith, remarks, expected))


def test_arguments_that_an_enumeration_has_no_use_for(regression):
    options = {"max_iter": 5, "tol": 1e-2, "optimizer": "adam", "search_cv": KFold(3)}
    (remark,) = quiet(Ridge(), {"fit_intercept": [True, False]}, *regression, **options)
    assert remark == (
        "optimizer='adam', search_cv, max_iter=5 and tol=0.01 do nothing here: they need a range "
        "that is searched, see hypergradient_."
    )


def test_a_closed_form_has_no_use_for_a_hypergradient(classes):
    options = {"hypergradient": "implicit", "scoring": "neg_log_loss"}
    remarks = quiet(LDA, {"shrinkage": Continuous()}, *classes, **options)
    assert remarks[0].startswith("hypergradient='implicit' does nothing here")


@pytest.mark.parametrize(("shrinkage", "acts"), [(0.01, True), (1e6, False)])
def test_a_guard_acts_on_entries_that_differ(regression, shrinkage, acts):
    options = {"guard": True, "shrinkage": shrinkage, "max_iter": 20, "cv": 2}
    grid = {"alpha": Continuous(per="feature")}
    search, lines = fitted(linear_model.Ridge(), grid, *regression, **options)
    assert lines == []
    assert [remark.partition(" does")[0] for remark in search.remarks_] == (
        [] if hasattr(search, "guard_") else ["guard=True"]
    )
    assert hasattr(search, "guard_") >= acts


# Several candidates.


def test_a_remark_of_all_settings_is_said_once(regression):
    grid = {"alpha": Continuous(1e3, 1e4), "fit_intercept": [True, False]}
    _, lines = fitted(Ridge(), grid, *regression)
    (line,) = (line for line in lines if "at bound" in line)
    assert line.startswith("all 2 settings: alpha: at bound. Widen the bound")


def test_a_remark_of_the_best_setting_names_it(regression):
    grid = [
        {"alpha": [1e-3, 1e-2], "fit_intercept": [False]},
        {"alpha": Continuous(20.0, 1e4), "fit_intercept": [True]},
        {"alpha": Continuous(1e3, 1e4), "fit_intercept": [True]},
    ]
    X, y = regression
    search, lines = fitted(Ridge(), grid, X, y + 5)
    assert search.best_index_ == 1
    assert len(search.remarks_) == len(lines) == 1
    assert lines[0].startswith("fit_intercept=True, alpha=20.0 (1 - r2 0.")
    assert "at bound. Widen the bound" in lines[0]


def test_remarks_of_settings_that_lost_are_not_said(regression):
    grid = [{"alpha": [1e-3, 1e3]}, {"alpha": Continuous(1e4, 1e5), "fit_intercept": [False]}]
    assert quiet(Ridge(), grid, *regression) == []


def test_a_range_that_was_not_searched_is_always_told(regression):
    X, y = regression
    network = MLPRegressor((3,), n_steps=5, learning_rate_init=0.05, random_state=0)
    grid = [{"alpha": Continuous(), "learning_rate_init": [1e9]}, {"alpha": [1e-3, 1e-2]}]
    search, lines = fitted(network, grid, X, y, cv=2, max_iter=2)
    assert search.best_index_ > 0
    start = "learning_rate_init=1000000000.0, alpha was enumerated, not searched: training of"
    assert lines[0].startswith(start)


def test_without_a_best_row_all_settings_are_told(regression):
    grid = {"alpha": Continuous(1e3, 1e4), "fit_intercept": [True, False]}
    options = {"scoring": ["r2", "neg_mean_squared_error"], "refit": False}
    search, lines = fitted(Ridge(), grid, *regression, **options)
    assert not hasattr(search, "best_index_")
    assert lines[0].startswith("all 2 settings: alpha: at bound")


def test_the_last_line_of_a_verbose_search_counts_caveats(regression, capsys):
    options = {"verbose": 1, "guard": True, "cv": 3}
    search, _ = fitted(Ridge(), {"alpha": [1e-5, 1e-4]}, *regression, **options)
    last = capsys.readouterr().out.splitlines()[-1]
    caveats = str(search.report()).partition("Caveats")[2].strip().splitlines()
    assert len(caveats) > 1
    assert last == f"Look at: {caveats[0]} (and {len(caveats) - 1} more, see report())"


def test_a_search_that_did_not_converge_says_so_once(regression):
    options = {"max_iter": 1, "tol": 1e-9}
    search, lines = fitted(Ridge(), {"alpha": [1e-3, 1e3]}, *regression, **options)
    assert "not converged. Raise max_iter" in lines[0]
    assert str(search.report()).count("max_iter or") == 1
    assert "still changing" not in str(search.report())


# Steps without a seed.


def nystroem(seed):
    return Nystroem(n_components=5, random_state=seed)


@pytest.mark.parametrize(
    ("before", "name"),
    [
        (nystroem(None), "nystroem"),
        (make_column_transformer((nystroem(None), [0, 1, 2])), "columntransformer__nystroem"),
        (make_pipeline(PCA(3), RBFSampler(n_components=5)), "pipeline__rbfsampler"),
    ],
)
def test_steps_that_draw_anew_are_named(regression, before, name, monkeypatch):
    # A step without a seed draws from the global generator.
    monkeypatch.setattr(np.random.mtrand, "_rand", np.random.RandomState(0))
    model = make_pipeline(StandardScaler(), before, Ridge())
    _, lines = fitted(model, {"ridge__alpha": [1e-3, 1e3]}, *regression, judge="cold")
    (line,) = (line for line in lines if "the fits score" in line)
    assert f"{name} without a seed" in line
    assert "random_state" in line
    assert "max_iter" not in line


def test_steps_with_a_seed_are_not_named(regression):
    model = make_pipeline(StandardScaler(), nystroem(0), Ridge())
    assert quiet(model, {"ridge__alpha": [1e-3, 1e3]}, *regression) == []


def test_steps_that_could_draw_and_do_not_are_not_named(regression):
    X, _ = regression
    last = LogisticRegression(solver="newton-cholesky", max_iter=1)
    model = make_pipeline(StandardScaler(), PCA(3), last)
    grid = {"logisticregression__C": [1e-3, 1e3]}
    _, lines = fitted(model, grid, X, X[:, 0] > X[:, 1], scoring="neg_log_loss")
    (line,) = (line for line in lines if "the fits score" in line)
    assert "Raise max_iter" in line
    assert "random_state" not in line


@pytest.mark.parametrize("seed", [None, 0])
def test_a_refit_that_draws_anew_is_told_of(regression, seed):
    model = make_pipeline(StandardScaler(), Nystroem(n_components=4, random_state=seed), Ridge())
    search = quiet(model, {"ridge__alpha": [1e-3, 1e3]}, *regression, cv=3)
    told = [remark for remark in search if remark.startswith("nystroem without a seed: rows of")]
    assert len(told) == (seed is None)
    assert all("Set random_state" in remark for remark in told)


def test_steps_that_have_a_seed_and_do_not_draw_are_not_told_of(regression):
    for solver in ("auto", "full"):
        model = make_pipeline(PCA(3, svd_solver=solver), Ridge())
        assert not quiet(model, {"ridge__alpha": [1e-3, 1e3]}, *regression, cv=3)
