"""Pictures of all kinds of searches: shapes, estimators as settings, scorers, best rows."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.inspection import (
    ConvergenceDisplay,
    CurveDisplay,
    HeldOutDisplay,
    PathsDisplay,
    PenaltiesDisplay,
)
from sklearn_hypergrad.inspection.fitted import columns_of
from sklearn_hypergrad.linear_model import Ridge

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

DRAWN = [ConvergenceDisplay, PathsDisplay, CurveDisplay]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def frame():
    return load_diabetes(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def arrays(frame):
    return scale(frame[0].to_numpy()), frame[1].to_numpy()


def title_of(display):
    return np.ravel(display.ax_)[0].get_title(loc="left")


def texts_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def with_history(search, **columns):
    """A copy of a search with other columns in ``history_``."""
    copy = pickle.loads(pickle.dumps(search))
    copy.history_ = {**columns_of(search.history_), **columns}
    return copy


def with_row(search, value, loss):
    """A copy of a search that has compared its result with another value."""
    history = columns_of(search.history_)
    last = {name: column[-1] for name, column in history.items()}
    last |= {name: loss for name in history if name.startswith("split") and name != "splits"}
    last |= {"value": value, "loss": loss, "purpose": "comparison"}
    return with_history(search, **{name: [*column, last[name]] for name, column in history.items()})


# Shapes

GROUPS = ["a"] * 4 + ["b"] * 6
SHAPES = {
    "feature": Continuous(per="feature"),
    "coefficient": Continuous(per="coefficient"),
    "labels": Continuous(per="group", groups=GROUPS),
    "names": Continuous(per="group", groups={"bmi": "a", "bp": "a"}),
    "target": Continuous(per="target"),
    "transformer": Continuous(per="transformer"),
}


@pytest.fixture(scope="module", params=SHAPES)
def shaped(request, frame):
    """``(search, X, y)`` of a vector."""
    X, y = frame
    X, y = X[:200], y[:200]
    model, key = Ridge(), "alpha"
    if request.param in ("target", "coefficient"):
        y = np.column_stack([y, X["bmi"] + X["bp"] / 2])
    if request.param == "transformer":
        parts = (StandardScaler(), ["age", "bmi", "bp"]), (StandardScaler(), ["s1", "s5"])
        model, key = make_pipeline(make_column_transformer(*parts), PlainRidge()), "ridge__alpha"
    search = HypergradSearchCV(
        model, {key: SHAPES[request.param]}, cv=3, shrinkage=0.01, search_cv=3
    )
    return search.fit(X, y), X, y


@pytest.mark.parametrize("best", [0, 1])
def test_a_vector_has_a_curve_of_one_value_for_all(shaped, best):
    copy = pickle.loads(pickle.dumps(shaped[0]))
    copy.best_index_ = best
    display = CurveDisplay.from_search(copy)
    start = columns_of(copy.hyperparameters_)["start"][0]
    # The search ends where 3e-7 of the loss is left to gain: far away on a flat curve.
    assert display.optimum_ == pytest.approx(start, rel=0.2)
    # A vector is no point of this curve, the best value for all is one.
    assert display.chosen == (None if best == 0 else pytest.approx(start, rel=1e-9))
    assert title_of(display) == "one value for all; the search went on to a vector"


@pytest.mark.thorough
def test_a_vector_has_a_curve_with_fits(shaped):
    search, X, y = shaped
    display = CurveDisplay.from_search(search, X, y, n_points=6)
    row = np.flatnonzero(display.fitted)[-1]
    key = search.history_["hyperparameter"][0]
    fitted = clone(search.estimator).set_params(**{key: float(display.values[row])})
    assert np.allclose(display.split_losses[row], 1 - cross_val_score(fitted, X, y, cv=3))


@pytest.mark.parametrize("splits", ["cv", "search_cv"])
def test_a_vector_has_paths_and_has_converged(shaped, splits):
    search = shaped[0]
    size = len(search.hyperparameters_["name"])
    paths = PathsDisplay.from_search(search, splits=splits)
    (lines,) = paths.lines_.values()
    assert len(lines) == size
    column = "start" if splits == "cv" else "value"
    at_end = [line.get_ydata()[paths.found - 1] for line in lines]
    assert np.allclose(at_end, search.hyperparameters_[column], rtol=1e-9)
    assert ConvergenceDisplay.from_search(search, splits=splits).found == paths.found - 1


def test_a_vector_has_penalties_and_held_out_losses(shaped):
    search, X, y = shaped
    penalties = PenaltiesDisplay.from_search(search)
    assert len(penalties.names) == len(search.hyperparameters_["name"])
    display = HeldOutDisplay.from_search(search, X, y, X, y, n_points=2, scoring="r2")
    fitted = clone(search.estimator).set_params(
        **clone(search.cv_results_["params"][0], safe=False)
    )
    at_end = list(display.held_out_steps).index(display.found)
    assert display.held_out_losses[at_end] == pytest.approx(1 - fitted.fit(X, y).score(X, y))


# What a search was compared with


def test_the_own_value_of_a_vector_is_a_line_on_cv(shaped):
    search = shaped[0]
    display = ConvergenceDisplay.from_search(search, splits="cv")
    history = columns_of(search.history_)
    rows = [
        row
        for row, purpose in enumerate(history["purpose"])
        if purpose in ("comparison", "search") and history["splits"][row] == "cv"
        # A vector with one entry for each target may have been evaluated there, too.
        if np.ndim(history["value"][row]) == 0 and np.isclose(history["value"][row], 1.0)
    ]
    assert display.before == history["loss"][rows[-1]]
    assert f"before the search: {display.before:.4g}" in texts_of(display.ax_[0])
    other = with_history(search, value=[np.multiply(v, 1.001).tolist() for v in history["value"]])
    assert ConvergenceDisplay.from_search(other, splits="cv").before is None


def test_the_star_of_one_standard_error_is_where_the_vector_starts(arrays):
    X, y = arrays
    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(Ridge(), grid, cv=5, selection="one_se").fit(X[:150], y[:150])
    display = ConvergenceDisplay.from_search(search, splits="cv")
    history = columns_of(search.history_)
    kinds = zip(history["splits"], history["purpose"], strict=True)
    rows = [row for row, kind in enumerate(kinds) if kind[0] == "cv" and kind[1] != "comparison"]
    start = columns_of(search.hyperparameters_)["start"][0]
    assert history["value"][rows[display.found]] == pytest.approx(start, rel=1e-9)
    assert display.found != np.argmin(display.losses)
    assert history["purpose"][rows[display.found]] == "one standard error"


def test_a_comparison_outside_of_the_range_is_no_point_of_the_curve(arrays):
    search = HypergradSearchCV(PlainRidge(), {"alpha": [1e-1, 1e3]}, cv=3).fit(*arrays)
    usual = CurveDisplay.from_search(search)
    assert 1.0 in usual.values
    for outside in (1e6, 1e-6):
        display = CurveDisplay.from_search(with_row(search, outside, 3.0))
        assert np.array_equal(display.values, usual.values)
        assert display.interval_ == usual.interval_
    # Within the range it is one.
    assert 5.0 in CurveDisplay.from_search(with_row(search, 5.0, 3.0)).values
    for display in (ConvergenceDisplay, PathsDisplay):
        one = display.from_search(with_row(search, 1e6, 3.0)).figure_.axes[0]
        other = display.from_search(search).figure_.axes[0]
        pair = one.lines[0].get_xydata(), other.lines[0].get_xydata()
        assert np.array_equal(*pair, equal_nan=True)


@pytest.mark.parametrize("before", [900.0, np.inf])
def test_a_far_loss_before_the_search_leaves_the_others_their_room(before):
    given = {"gradient_norms": np.ones(3), "seconds": np.ones(3), "found": 2}
    losses = [1.2, 1.1, 1.0]
    near = ConvergenceDisplay(losses=losses, before=1.3, **given).plot().ax_[0]
    assert near.get_ylim()[1] > 1.3
    far = ConvergenceDisplay(losses=losses, before=before, **given).plot().ax_[0]
    assert far.get_ylim()[1] < 1.3
    assert far.get_yscale() == "linear"
    assert f"before the search: {before:.4g}, above this axis" in texts_of(far)


# Estimators among the settings


@pytest.mark.parametrize("draw", [CurveDisplay, HeldOutDisplay])
def test_estimators_of_the_grid_are_left_alone(draw, arrays):
    X, y = arrays
    mine = PlainRidge(alpha=7.0)
    grid = {"model": [mine], "model__alpha": [1e-3, 1e3]}
    search = HypergradSearchCV(Pipeline([("model", PlainRidge())]), grid, cv=3).fit(X, y)
    parts = (X, y) if draw is CurveDisplay else (X[:300], y[:300], X[300:], y[300:])
    draw.from_search(search, *parts, n_points=20)
    assert mine.alpha == 7.0
    assert not hasattr(mine, "coef_")
    assert search.cv_results_["params"][0]["model"] is mine


# Scorers


def several(estimator, X, y):
    predicted = estimator.predict(X)
    return {"r2": r2_score(y, predicted), "error": -mean_absolute_error(y, predicted)}


def test_a_function_may_return_several_scores(arrays):
    X, y = arrays
    search = HypergradSearchCV(PlainRidge(), {"alpha": [1e-3, 1e3]}, scoring=several, refit="r2")
    search.fit(X[:300], y[:300])
    display = HeldOutDisplay.from_search(search, X[:300], y[:300], X[300:], y[300:], n_points=2)
    at_end = list(display.held_out_steps).index(display.found)
    fitted = PlainRidge(alpha=search.hyperparameters_["value"][0]).fit(X[:300], y[:300])
    assert display.held_out_losses[at_end] == pytest.approx(-fitted.score(X[300:], y[300:]))
    curve = CurveDisplay.from_search(search, X[:300], y[:300], n_points=3)
    fitted = PlainRidge(alpha=curve.values[0])
    assert np.allclose(curve.split_losses[0], -cross_val_score(fitted, X[:300], y[:300]))
    assert curve.label == "cross-validated minus r2"
    search.refit = "accuracy"
    with pytest.raises(ValueError, match="the scorers r2, error, and refit='accuracy' is none"):
        CurveDisplay.from_search(search, X[:300], y[:300])


# Fits that are not those of the search


@pytest.mark.parametrize("scoring", ["r2", "explained_variance"])
def test_a_curve_is_not_mixed_with_fits_without_the_weights(scoring, arrays):
    weight = np.random.default_rng(0).exponential(size=len(arrays[1]))
    search = HypergradSearchCV(PlainRidge(), {"alpha": [1e-1, 1e3]}, scoring=scoring)
    search.fit(*arrays, sample_weight=weight)
    with pytest.raises(ValueError, match="cannot be repeated with these X and y.*sample_weight"):
        CurveDisplay.from_search(search, *arrays)
    search.fit(*arrays, sample_weight=np.ones(len(weight)))
    assert np.any(CurveDisplay.from_search(search, *arrays, n_points=3).fitted)


def test_a_curve_is_not_mixed_with_fits_on_other_splits(arrays):
    search = HypergradSearchCV(PlainRidge(), {"alpha": [1e-1, 1e3]}, cv=ShuffleSplit(3)).fit(
        *arrays
    )
    with pytest.raises(ValueError, match="cv that shuffles, and .* a random_state"):
        CurveDisplay.from_search(search, *arrays)
    search.set_params(cv=ShuffleSplit(3, random_state=0)).fit(*arrays)
    assert np.any(CurveDisplay.from_search(search, *arrays, n_points=3).fitted)
    with pytest.raises(ValueError, match="Pass the X and y of the fit"):
        CurveDisplay.from_search(search, arrays[0], arrays[1][::-1])


def test_fits_that_are_not_converged_are_not_mixed_with_the_search(arrays):
    X, y = arrays[0][:200], arrays[1][:200] > 120
    for tol, mixed in ((1e-8, True), (0.3, False)):
        model = LogisticRegression(tol=tol)
        options = {"scoring": "neg_log_loss", "cv": 3}
        search = HypergradSearchCV(model, {"C": [1e-3, 1e3]}, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypergradWarning)
            search.fit(X, y)
        display = CurveDisplay.from_search(search, X, y, n_points=3)
        assert np.all(display.fitted) != mixed
        assert display.label.startswith("validation" if mixed else "cross-validated")
        row = np.flatnonzero(display.fitted)[0]
        fitted = clone(model).set_params(C=float(display.values[row]))
        expected = -cross_val_score(fitted, X, y, cv=3, scoring="neg_log_loss")
        assert np.allclose(display.split_losses[row], expected)


# Rows that were not chosen


@pytest.fixture(scope="module")
def lasso_wins(arrays):
    X, y = arrays
    noise = np.random.default_rng(0).normal(size=(len(X), 60))
    grid = [
        {"model": [PlainRidge()], "model__alpha": [1.0, 3.0]},
        {"model": [Lasso()], "model__alpha": [3.0]},
    ]
    search = HypergradSearchCV(Pipeline([("model", PlainRidge())]), grid, cv=3)
    return search.fit(np.column_stack([X, noise]), y), np.column_stack([X, noise]), y


@pytest.mark.parametrize("draw", DRAWN)
def test_another_candidate_than_the_best_is_said_to_be_that(draw, lasso_wins):
    search, *_ = lasso_wins
    assert isinstance(search.best_params_["model"], Lasso)
    note = "this result was not chosen: best_params_ is row 1 of cv_results_"
    assert note in title_of(draw.from_search(search))
    chosen = pickle.loads(pickle.dumps(search))
    chosen.best_index_ = 0
    assert "was not chosen" not in title_of(draw.from_search(chosen))


def test_held_out_losses_of_another_candidate_are_said_to_be_that(lasso_wins):
    search, X, y = lasso_wins
    display = HeldOutDisplay.from_search(search, X, y, X, y, n_points=2)
    assert title_of(display).startswith("this result was not chosen: best_params_ is row 1")


def test_a_listed_value_beside_the_range_is_no_point_of_it(arrays):
    search = HypergradSearchCV(PlainRidge(), {"alpha": [0, 1e-3, 1e3]}, cv=3).fit(*arrays)
    assert "was not chosen" not in title_of(CurveDisplay.from_search(search))
    search.best_index_ = 0
    display = CurveDisplay.from_search(search)
    assert display.chosen is None
    assert title_of(display) == "this result was not chosen: best_params_ is row 0 of cv_results_"


def test_another_row_of_the_range_is_marked_on_the_curve(arrays):
    X, y = arrays[0][:200], arrays[1][:200] > 120
    search = HypergradSearchCV(LogisticRegression(tol=1e-8), {"C": [1e-2, 1, 1e2]}, cv=3).fit(X, y)
    search.best_index_ = 1
    display = CurveDisplay.from_search(search)
    assert title_of(display) == ""
    assert display.chosen == search.cv_results_["params"][1]["C"]
    assert "was not chosen: best_params_ is row 1" in title_of(PathsDisplay.from_search(search))


def test_of_two_ranges_of_one_name_one_has_the_best_row(arrays):
    grids = [{"alpha": [1e-2, 1.0]}, {"alpha": [1e2, 1e4]}]
    search = HypergradSearchCV(PlainRidge(), grids, cv=3).fit(*arrays)
    for candidate in (0, 1):
        said = "was not chosen" in title_of(CurveDisplay.from_search(search, candidate=candidate))
        assert said == (candidate != search.best_index_)
