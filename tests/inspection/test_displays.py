"""Pictures show what the fitted attributes say, and refuse what there is not."""

import pickle
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression as PlainLogisticRegression
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, train_test_split
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler, scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import (
    ConvergenceDisplay,
    CurveDisplay,
    HeldOutDisplay,
    PathsDisplay,
    PenaltiesDisplay,
    SchedulesDisplay,
)
from sklearn_hypergrad.inspection.display import BLUE
from sklearn_hypergrad.inspection.fitted import SearchedCandidate, columns_of
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.neural_network import MLPClassifier

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

DRAWN = [ConvergenceDisplay, PathsDisplay, CurveDisplay]
EVERY = [*DRAWN, PenaltiesDisplay, SchedulesDisplay]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(len(X), 20))
    return scale(np.column_stack([X, noise])), y


@pytest.fixture(scope="module")
def scalar(diabetes):
    return HypergradSearchCV(PlainRidge(), {"alpha": [1e-3, 1e5]}, cv=5).fit(*diabetes)


@pytest.fixture(scope="module")
def vector(diabetes):
    X, y = diabetes
    grid = {"alpha": Continuous(per="feature")}
    return HypergradSearchCV(Ridge(), grid, cv=3, search_cv="halves").fit(X[:200], y[:200])


@pytest.fixture(scope="module")
def network():
    X, y = load_digits(return_X_y=True)
    ranges = {
        "learning_rate_init": Continuous(per=("step", "layer")),
        "alpha": Continuous(per="layer"),
        "momentum": Continuous(0.5, 0.99),
    }
    network = MLPClassifier((6,), n_steps=12, random_state=0)
    search = HypergradSearchCV(network, ranges, scoring="neg_log_loss", cv=2, max_iter=4)
    return search.fit(X[:150] / 16, y[:150])


@pytest.fixture(scope="module")
def several(diabetes):
    grid = {"alpha": [0, 1e-3, 1e5], "fit_intercept": [False, True]}
    return HypergradSearchCV(PlainRidge(), grid, cv=3).fit(*diabetes)


def replaced(search, name, values):
    """A copy of a search with another column in ``history_``."""
    copy = pickle.loads(pickle.dumps(search))
    copy.history_ = {**columns_of(search.history_), name: values}
    return copy


def text_of(ax):
    return [label.get_text() for label in ax.get_legend().get_texts()]


# What every display does


@pytest.mark.parametrize("display", EVERY)
def test_a_search_that_is_not_fitted_is_refused(display):
    with pytest.raises(NotFittedError):
        display.from_search(HypergradSearchCV(PlainRidge(), {"alpha": [1e-3, 1]}))


@pytest.mark.parametrize("display", EVERY)
@pytest.mark.parametrize("make", [HypergradSearchCV, GridSearchCV])
def test_a_search_without_a_range_has_nothing_to_draw(display, make, diabetes):
    search = make(PlainRidge(), {"fit_intercept": [True, False]}, cv=2).fit(*diabetes)
    with pytest.raises(ValueError, match=f"this {make.__name__} has searched no range"):
        display.from_search(search)


@pytest.mark.parametrize("display", DRAWN)
def test_an_unknown_candidate_is_refused(display, several):
    with pytest.raises(ValueError, match=r"candidate=0 was not searched. Candidates .* \[2, 3\]"):
        display.from_search(several, candidate=0)


@pytest.mark.parametrize("display", DRAWN)
def test_the_candidate_is_that_of_the_best_row(display, several):
    assert several.best_params_["fit_intercept"]
    drawn, same = display.from_search(several), display.from_search(several, candidate=3)
    other = display.from_search(several, candidate=2)
    for one, equal in ((same, True), (other, False)):
        pictures = [np.ravel(_numbers(d)) for d in (drawn, one)]
        assert np.array_equal(*pictures, equal_nan=True) == equal


def _numbers(display):
    axes = np.ravel(display.ax_)[0]
    return np.concatenate([np.ravel(line.get_ydata()) for line in axes.lines])


def test_the_settings_of_one_of_several_candidates_are_written(several, scalar):
    several = ConvergenceDisplay.from_search(several, candidate=2)
    settings, note = several.ax_[0].get_title(loc="left").split("\n")
    assert settings == "fit_intercept=False"
    assert note == "this result was not chosen: best_params_ is row 3 of cv_results_"
    assert ConvergenceDisplay.from_search(scalar).ax_[0].get_title(loc="left") == ""


@pytest.mark.parametrize("display", EVERY)
def test_without_matplotlib_the_error_says_what_to_install(display, monkeypatch, scalar):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=f"{display.__name__}.from_search requires matplotlib"):
        display.from_search(scalar)


@pytest.mark.parametrize("display", DRAWN)
def test_a_display_is_data_that_can_be_pickled_and_plotted_again(display, scalar):
    drawn = display.from_search(scalar)
    for name in [name for name in vars(drawn) if name.endswith("_")]:
        delattr(drawn, name)
    again = pickle.loads(pickle.dumps(drawn))
    assert again.plot() is again
    assert again.figure_ is np.ravel(again.ax_)[0].figure


@pytest.mark.parametrize("display", EVERY[:-1])
@pytest.mark.parametrize("backend", ["pandas", "polars", "dict"])
def test_tables_of_any_library(display, backend, vector):
    reference, copy = display.from_search(vector), pickle.loads(pickle.dumps(vector))
    for name in ("history_", "hyperparameters_"):
        setattr(copy, name, _table(columns_of(getattr(vector, name)), backend))
    assert np.array_equal(_numbers(display.from_search(copy)), _numbers(reference))


def _table(columns, backend):
    if backend == "dict":
        return columns
    library = pytest.importorskip(backend)
    if backend == "polars":
        # Values of one search may be numbers and lists.
        own = {"value": library.Object} if isinstance(columns["value"][-1], list) else None
        return library.DataFrame(columns, schema_overrides=own)
    return library.DataFrame(columns)


def test_the_struct_of_polars_is_a_dict_of_values(network):
    polars = pytest.importorskip("polars")
    copy = pickle.loads(pickle.dumps(network))
    columns = columns_of(network.history_)
    copy.history_ = polars.DataFrame({**columns, "value": [None, *columns["value"][1:]]})
    display = PathsDisplay.from_search(copy, name="momentum")
    assert list(display.steps) == list(range(2, len(columns["value"]) + 1))


def test_axes_are_taken_divided_or_refused(scalar):
    _, axes = plt.subplots(1, 2)
    assert ConvergenceDisplay.from_search(scalar, ax=axes).ax_.tolist() == axes.tolist()
    figure, ax = plt.subplots()
    divided = ConvergenceDisplay.from_search(scalar, ax=ax)
    assert divided.figure_ is figure
    assert not ax.axison
    _, axes = plt.subplots(3)
    with pytest.raises(ValueError, match="has 2 panels here, and .* is 3 axes"):
        ConvergenceDisplay.from_search(scalar, ax=axes)
    with pytest.raises(ValueError, match="has 2 panels here"):
        ConvergenceDisplay.from_search(scalar, ax=plt.figure().add_axes([0, 0, 1, 1]))


def test_a_range_that_is_gone_from_the_grid_is_said(scalar):
    copy = pickle.loads(pickle.dumps(scalar)).set_params(param_grid={"fit_intercept": [True]})
    with pytest.raises(ValueError, match="no range for alpha any more: it was changed after fit"):
        CurveDisplay.from_search(copy)


# Convergence


def test_convergence_shows_losses_and_gradients_of_the_search(scalar):
    display = ConvergenceDisplay.from_search(scalar)
    history = scalar.history_[: len(display.losses)]
    each, lowest, norms = display.lines_
    # Of one value, how far losses are above the lowest, which has no place on a logarithmic axis.
    least = history["loss"].min()
    for line, losses in ((each, history["loss"]), (lowest, np.minimum.accumulate(history["loss"]))):
        above = np.where(losses > least, losses - least, np.nan)
        assert np.array_equal(line.get_ydata(), above, equal_nan=True)
    assert np.array_equal(norms.get_ydata(), history["gradient_norm"])
    assert display.losses[display.found] == pytest.approx(1 - scalar.best_score_, rel=1e-9)
    above, below = display.ax_
    lines = above.get_ylabel().split("\n")
    assert lines == ["validation loss on cv:", "1 - R²", f"above the lowest, {least:.4g}"]
    assert (above.get_yscale(), below.get_yscale()) == ("log", "log")
    unit = "length of the gradient: change\nof the loss per factor e of the value"
    assert below.get_ylabel() == unit


def test_what_was_returned_is_marked_with_its_loss(scalar, vector):
    display = ConvergenceDisplay.from_search(scalar)
    star = next(line for line in display.ax_[0].lines if line.get_marker() == "*")
    found = display.losses[display.found]
    assert found == display.losses.min()
    assert star.get_label() == f"returned: {found:.4g}, the lowest"
    # It is at the bottom of the axes, in their coordinates.
    assert star.get_xydata().tolist() == [[display.found + 1, 0.0]]
    several = ConvergenceDisplay.from_search(vector)
    each, lowest, _ = several.lines_
    assert np.array_equal(each.get_ydata(), several.losses)
    assert np.array_equal(lowest.get_ydata(), np.minimum.accumulate(several.losses))
    assert several.ax_[0].get_yscale() == "linear"


@pytest.mark.parametrize("found", [2, 3])
def test_losses_above_the_lowest_may_be_infinite_or_returned(found):
    losses = np.array([3.0, np.inf, 2.5, 2.0])
    display = ConvergenceDisplay(
        losses=losses,
        gradient_norms=np.ones(4),
        seconds=np.ones(4),
        found=found,
        before=4.0,
        above_lowest=True,
    ).plot()
    each = display.lines_[0].get_ydata()
    assert np.array_equal(each, [1.0, np.nan, 0.5, np.nan], equal_nan=True)
    marks = {line.get_label(): line.get_ydata() for line in display.ax_[0].lines}
    assert list(marks["not finite"]) == [1.0]
    assert list(marks["before the search: 4"]) == [2.0, 2.0]
    shown = {2: "returned: 2.5", 3: "returned: 2, the lowest"}[found]
    assert list(marks[shown]) == ([0.5] if found == 2 else [0.0])


@pytest.mark.parametrize(
    ("scales", "unit"),
    [
        (["log"], "per factor e of the value"),
        (["logit"], "per factor e of the odds"),
        (["linear"], "per unit of the value"),
        (["log", "linear"], "on the scales of the search"),
    ],
)
def test_the_unit_of_the_gradient_is_that_of_its_scale(scales, unit):
    asked = SimpleNamespace(ranges=scales)
    look = SimpleNamespace(asked=asked, scale=str)
    assert SearchedCandidate.gradient_label.fget(look).endswith(unit)


def test_the_own_value_is_a_line(scalar):
    """The search has seen it on the way."""
    display = ConvergenceDisplay.from_search(scalar)
    history = columns_of(scalar.history_)
    (row,) = np.flatnonzero(np.isclose(history["value"], 1.0))
    assert len(display.losses) == len(history["loss"])
    assert display.before == history["loss"][row]
    assert f"before the search: {display.before:.4g}" in text_of(display.ax_[0])


def test_convergence_over_seconds(scalar):
    display = ConvergenceDisplay.from_search(scalar, x="seconds")
    seconds = scalar.history_["seconds"][: len(display.losses)]
    assert np.allclose(display.lines_[0].get_xdata(), np.cumsum(seconds))
    assert "seconds" in display.ax_[1].get_xlabel()
    with pytest.raises(ValueError, match="x must be one of"):
        ConvergenceDisplay.from_search(scalar, x="time")


def test_losses_of_different_splits_are_not_mixed(vector, scalar):
    halves = ConvergenceDisplay.from_search(vector)
    common = ConvergenceDisplay.from_search(vector, splits="cv")
    assert halves.losses.min() > 100 > common.losses.max()
    assert halves.label == "validation loss on search_cv:\nmean squared error"
    assert common.label == "validation loss on cv:\n1 - R²"
    with pytest.raises(ValueError, match="No loss was evaluated on splits='search_cv'"):
        ConvergenceDisplay.from_search(scalar, splits="search_cv")


def test_a_vector_on_the_splits_of_one_value_is_not_mixed_with_it(diabetes):
    model, cv = Ridge(), TimeSeriesSplit(3)
    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(model, grid, cv=cv, scoring="r2", shrinkage=0.1).fit(*diabetes)
    history = columns_of(search.history_)
    n_vectors = sum(np.size(value) > 1 for value in history["value"])
    display = ConvergenceDisplay.from_search(search)
    assert len(display.losses) <= n_vectors < len(history["loss"])
    assert display.label == "validation loss on cv:\nmean squared error"
    assert ConvergenceDisplay.from_search(search, splits="cv").label.endswith("1 - R²")
    assert CurveDisplay.from_search(search).label.endswith("1 - R²")


def test_losses_that_are_too_large_or_not_finite_are_marked():
    display = ConvergenceDisplay(
        losses=[3.0, 90.0, np.inf, 2.0, 1.0],
        gradient_norms=[1, 1, np.nan, 0.1, 0],
        seconds=np.ones(5),
        found=4,
    ).plot()
    above = display.ax_[0]
    assert above.get_ylim()[1] < 4
    assert {"above this axis", "not finite"} < set(text_of(above))
    marks = {line.get_label(): line.get_xdata().tolist() for line in above.lines}
    assert (marks["above this axis"], marks["not finite"]) == ([2], [3])


# Paths


def test_paths_of_several_hyperparameters(network):
    display = PathsDisplay.from_search(network)
    assert [ax.get_ylabel() for ax in display.ax_] == ["learning_rate_init", "alpha", "momentum"]
    assert [ax.get_yscale() for ax in display.ax_] == ["log", "log", "logit"]
    assert [len(lines) for lines in display.lines_.values()] == [24, 2, 1]
    last = np.array(display.lines_["alpha"][1].get_ydata())[display.found - 1]
    assert last == network.hyperparameters_["value"][25]
    assert [text.split(":")[0] for text in text_of(display.ax_[1])] == ["layer 0", "layer 1"]
    assert "18 others" in text_of(display.ax_[0])


def test_one_path_by_name(network):
    assert PathsDisplay.from_search(network, name="momentum").ax_.get_ylabel() == "momentum"
    with pytest.raises(ValueError, match="'C' was not searched. Searched were: learning_rate_init"):
        PathsDisplay.from_search(network, name="C")


def test_paths_leave_out_steps_whose_values_were_not_kept(vector):
    values = list(columns_of(vector.history_)["value"])
    of_vectors = [row for row, value in enumerate(values) if np.size(value) > 1]
    start = next(row for row in of_vectors if vector.history_["splits"][row] == "search_cv")
    values[start + 1] = None
    display = PathsDisplay.from_search(replaced(vector, "value", values))
    assert 2 not in display.steps
    assert {1, 3} < set(display.steps)


def test_entries_are_in_their_order_and_the_others_last(network, vector):
    display = PathsDisplay.from_search(network, name="learning_rate_init")
    texts = text_of(display.ax_)
    steps = [int(text.split()[1].rstrip(",")) for text in texts[:-1]]
    assert steps == sorted(steps)
    assert texts[-1] == "18 others"
    pooled = text_of(PathsDisplay.from_search(vector).ax_)[-1]
    pool = vector.feature_regularization_.max()
    assert re.fullmatch(rf"\d+ others, all {pool:.4g}", pooled)


def test_entries_that_are_all_the_same_are_one_line():
    display = PathsDisplay(
        paths={"alpha": np.full((3, 9), 0.5)}, steps=np.arange(1, 4), found=3
    ).plot()
    assert text_of(display.ax_) == ["all 9: 0.5"]
    coloured = [line for line in display.lines_["alpha"] if line.get_color() == BLUE]
    assert len(coloured) == 1
    assert np.all(coloured[0].get_ydata() == 0.5)


# Schedules


def test_schedules_before_and_after(network):
    display = SchedulesDisplay.from_search(network)
    lines = display.lines_["learning_rate_init"]
    found = network.best_params_["learning_rate_init"]
    assert np.array_equal(np.transpose([line.get_ydata() for line in lines]), found)
    thin = next(line for line in display.ax_.lines if line.get_label() == "before: 0.1")
    assert np.all(thin.get_ydata() == 0.1)
    assert thin.get_linewidth() < lines[0].get_linewidth()
    assert display.ax_.get_xlabel() == "step of the training"


@pytest.mark.parametrize("name", [None, "alpha"])
def test_there_may_be_no_schedule(name, network, scalar):
    search = scalar if name is None else network
    with pytest.raises(ValueError, match="no schedule to draw: alpha has no value per step"):
        SchedulesDisplay.from_search(search, name=name)


def test_schedules_of_many_layers_that_began_apart():
    before = np.tile(np.linspace(0.1, 1, 8), (5, 1))
    display = SchedulesDisplay(schedules={"rate": 2 * before}, before={"rate": before}).plot()
    colours = {matplotlib.colors.to_hex(line.get_color()) for line in display.lines_["rate"]}
    assert len(colours) == 8
    assert len(display.ax_.lines) == 16


# Penalties


def test_penalties_that_left_the_pool_are_shown_from_weak_to_strong(vector):
    table = columns_of(vector.hyperparameters_)
    left = [row for row, status in enumerate(table["status"]) if status != "pooled"]
    display = PenaltiesDisplay.from_search(vector)
    assert sorted(display.shown_) == left
    shown = np.array(table["value"])[display.shown_]
    assert 1 < len(shown) < 20
    assert np.all(np.diff(shown) >= 0)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == [f"feature {entry}" for entry in display.shown_]
    assert display.pool == table["value"][table["status"].index("pooled")]
    assert f"shared by {30 - len(left)} of 30" in display.ax_.get_title(loc="left")
    kinds = {"below pool": "below", "above pool": "above", "pooled": "pooled"}
    assert display.kinds_ == [kinds[status] for status in table["status"]]


def test_only_the_farthest_are_shown_and_the_others_counted(vector):
    display = PenaltiesDisplay.from_search(vector, top=1)
    ratios = np.abs(np.log(display.strengths / display.pool))
    assert display.shown_.tolist() == [np.argmax(ratios)]
    assert "1 of the" in display.ax_.get_title(loc="left")
    everything = PenaltiesDisplay.from_search(vector, top=30)
    assert len(everything.shown_) == 30
    assert "in the pool" in text_of(everything.ax_)


def test_features_have_the_names_that_are_given(vector):
    names = [f"gene {number}" for number in range(30)]
    display = PenaltiesDisplay.from_search(vector, feature_names=names)
    assert display.names == names
    with pytest.raises(ValueError, match="feature_names has 3 names, and there are 30 penalties"):
        PenaltiesDisplay.from_search(vector, feature_names=names[:3])


def test_kinds_are_told_apart_by_mark_and_colour():
    far = np.exp(8.0)
    display = PenaltiesDisplay(
        strengths=[1.0, 1.0, 0.5, 2.0, far, 1 / far], names=list("abcdef"), pool=1.0
    ).plot()
    kinds = ["pooled", "pooled", "below", "above", "dropped", "unpenalised"]
    assert display.kinds_ == kinds
    marks = [
        (line.get_marker(), line.get_color(), line.get_markerfacecolor())
        for line in display.ax_.lines
        if line.get_linestyle() == "None"
    ]
    assert len(set(marks)) == len(marks) == 5


@pytest.mark.parametrize("level", [1e-3, 0.03, 40.0])
def test_a_vector_that_is_all_pool_has_an_axis(level):
    display = PenaltiesDisplay(strengths=[level] * 3, names=list("abc"), pool=level).plot()
    low, high = display.ax_.get_xlim()
    assert low == pytest.approx(level / 3)
    assert high == pytest.approx(level * 3)
    ticks = display.ax_.get_xticks().tolist()
    assert ticks == [level / 2, level, 2 * level]
    shown = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert shown == [f"{tick:.4g}" for tick in ticks]


def test_without_a_pool_there_is_no_line(network):
    display = PenaltiesDisplay.from_search(network)
    assert display.pool is None
    assert set(display.kinds_) == {"own"}
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert set(labels) == {"layer 0", "layer 1"}
    assert "shared" not in display.ax_.get_title(loc="left")


def test_strength_is_the_reciprocal_of_C_and_pixels_are_an_image(data):
    X, y = data("digits")
    chosen = np.isin(y, [3, 8])
    grid = {"C": Continuous(per="feature")}
    options = {"scoring": "neg_log_loss", "cv": 2, "search_cv": 2, "tol": 0.1}
    search = HypergradSearchCV(LogisticRegression(tol=1e-8), grid, **options)
    search.fit(X[chosen], y[chosen])
    display = PenaltiesDisplay.from_search(search, image_shape=(8, 8))
    (image,) = display.images_
    strengths = 1 / np.array(columns_of(search.hyperparameters_)["value"])
    assert np.allclose(image.get_array(), strengths.reshape(8, 8))
    assert np.allclose(strengths, np.ravel(search.feature_regularization_))
    # White, the middle of the colours, is the pool.
    assert image.norm(display.pool) == pytest.approx(0.5)
    assert display.label.startswith("1 / C")
    with pytest.raises(ValueError, match=r"image_shape=\(4, 8\) does not have 64 pixels"):
        PenaltiesDisplay.from_search(search, image_shape=(4, 8))


def test_coefficients_of_several_classes_are_an_image_each(data):
    X, y = data("digits")
    chosen = np.flatnonzero(y < 3)[:90]
    grid = {"C": Continuous(per="coefficient")}
    model = LogisticRegression(tol=1e-8)
    search = HypergradSearchCV(model, grid, scoring="neg_log_loss", cv=2, search_cv=2, tol=0.1)
    search.fit(X[chosen], y[chosen])
    display = PenaltiesDisplay.from_search(search, image_shape=(8, 8))
    assert [ax.get_title() for ax in display.ax_] == ["class 0", "class 1", "class 2"]
    assert len({(image.norm.vmin, image.norm.vmax) for image in display.images_}) == 1
    assert display.names[64] == "feature 0, class 1"


def test_groups_and_transformers_have_their_names(diabetes):
    X, y = load_diabetes(return_X_y=True)
    groups = Continuous(per="group", groups=["age"] * 2 + ["body"] * 2 + ["serum"] * 6)
    search = HypergradSearchCV(Ridge(), {"alpha": groups}, cv=3, search_cv="halves").fit(X, y)
    assert PenaltiesDisplay.from_search(search).names == ["age", "body", "serum"]
    assert HeldOutDisplay.from_search(search, X, y, X, y, n_points=2).held_out_losses.size == 2


def test_a_vector_that_was_not_chosen_is_said(vector):
    copy = pickle.loads(pickle.dumps(vector))
    copy.best_index_ = 1
    display = PenaltiesDisplay.from_search(copy)
    assert "was not chosen: best_params_ is row 1 of cv_results_" in display.ax_.get_title(
        loc="left"
    )
    assert "was not chosen" not in PenaltiesDisplay.from_search(vector).ax_.get_title(loc="left")


@pytest.mark.parametrize("name", [None, "momentum"])
def test_there_may_be_no_vector_of_penalties(name, scalar, network):
    with pytest.raises(ValueError, match="no vector of penalties to draw"):
        PenaltiesDisplay.from_search(scalar if name is None else network, name=name)


# Validation against held-out losses


def test_held_out_losses_are_those_of_real_fits(vector, diabetes):
    X, y = diabetes
    parts = X[:200], y[:200], X[200:], y[200:]
    display = HeldOutDisplay.from_search(vector, *parts, n_points=4)
    assert len(display.held_out_steps) == 4
    assert {0, display.found} <= set(display.held_out_steps.tolist())
    fitted = vector.best_estimator_
    loss = np.mean((y[200:] - fitted.predict(X[200:])) ** 2)
    at_end = list(display.held_out_steps).index(display.found)
    assert display.held_out_losses[at_end] == pytest.approx(loss, rel=1e-9)
    # The squared error says the same as R², in the unit of what was followed.
    assert display.held_out_label == display.validation_label == "mean squared error"
    assert display.held_out_ax_ is display.ax_


def test_losses_of_different_units_have_axes_of_their_own(diabetes):
    X, y = diabetes
    high = y > np.median(y)
    parts = train_test_split(X, high, random_state=0)
    X, X_test, y, y_test = parts
    search = HypergradSearchCV(PlainLogisticRegression(), {"C": [1e-4, 1e2]}, cv=3).fit(X, y)
    display = HeldOutDisplay.from_search(search, X, y, X_test, y_test, n_points=3)
    assert display.held_out_ax_ is not display.ax_
    assert display.held_out_ax_.get_ylabel() == "held out: 1 - accuracy"
    at_end = list(display.held_out_steps).index(display.found)
    fitted = PlainLogisticRegression(C=search.hyperparameters_["value"][0]).fit(X, y)
    assert display.held_out_losses[at_end] == pytest.approx(1 - fitted.score(X_test, y_test))
    same = HeldOutDisplay.from_search(
        search, X, y, X_test, y_test, n_points=3, scoring="neg_log_loss"
    )
    assert same.held_out_ax_ is same.ax_


@pytest.mark.parametrize("labels", [("loss", "loss"), ("loss", "other")], ids=["one", "two"])
def test_losses_above_the_axis_are_marked(labels):
    display = HeldOutDisplay(
        validation_losses=np.array([1.5, 80.0, 1.0, np.inf, 0.9]),
        held_out_steps=[0, 4],
        held_out_losses=[2.0, 1.0],
        found=4,
        validation_label=labels[0],
        held_out_label=labels[1],
    ).plot()
    line, held_out = display.lines_
    assert np.array_equal(line.get_ydata(), [1.5, 80, 1.0, np.nan, 0.9], equal_nan=True)
    assert held_out.get_xydata().tolist() == [[1, 2.0], [5, 1.0]]
    marks = {one.get_label(): list(one.get_xdata()) for one in display.ax_.lines}
    assert (marks["above this axis"], marks["not finite"]) == ([2], [4])
    told = text_of(display.held_out_ax_)
    assert {"validation", "held out", "above this axis", "not finite"} == set(told)


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [
        ([3.0, 2.0, 1.0], "the lowest on the way"),
        ([3.0, 1.0, 1.005], "within 1% of the lowest on the way"),
        ([3.0, 1.0, 1.5], "50% worse than at evaluation 2, where it was 1"),
    ],
)
def test_the_title_says_whether_the_end_is_worse(losses, verdict):
    display = HeldOutDisplay(
        validation_losses=[3.0, 2.0, 1.0],
        held_out_steps=[0, 1, 2],
        held_out_losses=losses,
        found=2,
        validation_label="loss",
        held_out_label="loss",
    ).plot()
    assert display.ax_.get_title(loc="left").endswith(verdict)


def test_held_out_settings_of_transformers_and_networks(network):
    X, y = load_diabetes(return_X_y=True)
    products = make_pipeline(PolynomialFeatures(2, interaction_only=True), StandardScaler())
    union = FeatureUnion([("features", "passthrough"), ("products", products)])
    pipeline = make_pipeline(StandardScaler(), union, PlainRidge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous(per="transformer")}, cv=3)
    search.fit(X[:300], y[:300])
    parts = X[:300], y[:300], X[300:], y[300:]
    display = HeldOutDisplay.from_search(search, *parts, n_points=2, scoring="r2")
    at_end = list(display.held_out_steps).index(display.found)
    fitted = clone(search.estimator).set_params(**search.cv_results_["params"][0])
    fitted.fit(*parts[:2])
    assert display.held_out_losses[at_end] == pytest.approx(1 - fitted.score(*parts[2:]))
    X, y = load_digits(return_X_y=True)
    parts = X[:150] / 16, y[:150], X[150:300] / 16, y[150:300]
    display = HeldOutDisplay.from_search(network, *parts, n_points=2)
    at_end = list(display.held_out_steps).index(display.found)
    loss = -network.score(*parts[2:])
    assert display.held_out_losses[at_end] == pytest.approx(loss)


def test_held_out_needs_two_points(scalar, diabetes):
    with pytest.raises(ValueError, match="n_points must be at least 2, got 1"):
        HeldOutDisplay.from_search(scalar, *diabetes, *diabetes, n_points=1)


def test_which_of_several_scorers_is_asked(diabetes):
    scoring = {"one": "r2", "two": "neg_mean_absolute_error"}
    search = HypergradSearchCV(PlainRidge(), {"alpha": [1, 100]}, scoring=scoring, refit="two")
    search.fit(*diabetes)
    display = HeldOutDisplay.from_search(search, *diabetes, *diabetes, n_points=2)
    assert display.held_out_label == "mean absolute error"
    search.refit = False
    with pytest.raises(ValueError, match="the scorers one, two, and refit=False is none of them"):
        HeldOutDisplay.from_search(search, *diabetes, *diabetes, n_points=2)
