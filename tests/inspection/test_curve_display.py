"""The cross-validation curve: what it interpolates, its optimum and its interval."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.inspection import CurveDisplay
from sklearn_hypergrad.inspection.cubics import curve, signed
from sklearn_hypergrad.linear_model import Ridge as VectorRidge
from sklearn_hypergrad.neural_network import MLPRegressor

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(len(X), 20))
    return scale(np.column_stack([X, noise]))[:150], y[:150]


@pytest.fixture(scope="module")
def search(diabetes):
    return HypergradSearchCV(Ridge(), {"alpha": Continuous()}, cv=5).fit(*diabetes)


def losses_of(search, alpha, X, y):
    fitted = clone(search.estimator).set_params(alpha=alpha)
    return 1 - cross_val_score(fitted, X, y, cv=search.cv)


@pytest.mark.parametrize("function", [np.sin, np.tanh, lambda x: (x - 0.3) ** 2, np.cos])
def test_signs_are_those_of_the_derivative(function):
    x = np.linspace(-3, 3, 12)
    slopes = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
    found = signed(x, function(x), np.abs(slopes), np.zeros(12))
    assert np.allclose(found, slopes, atol=1e-9)


def test_a_cubic_is_reproduced_and_a_wrong_slope_is_not():
    def cubic(x):
        return x**3 - 2 * x + 1

    x, at = np.array([-2.0, -0.5, 0.7, 2.0]), np.linspace(-2, 2, 101)
    slopes = 3 * x**2 - 2
    assert np.allclose(curve(x, cubic(x), slopes)(at), cubic(at), atol=1e-12)
    assert not np.allclose(curve(x, cubic(x), 1.001 * slopes)(at), cubic(at), atol=1e-5)


def test_unknown_slopes_are_those_of_a_monotone_curve():
    x = np.array([0.0, 1.0, 2.0])
    drawn = curve(x, np.array([0.0, 1.0, 1.0]), np.full(3, np.nan))(np.linspace(0, 2, 50))
    assert drawn.max() <= 1
    assert curve(x[:1], x[:1], x[:1])(np.ones(3)).tolist() == [0, 0, 0]


def test_the_curve_is_that_of_real_fits(search, diabetes):
    display = CurveDisplay.from_search(search)
    values, mean = display.line_.get_data()
    for alpha in np.geomspace(1, 1e4, 6):
        expected = losses_of(search, alpha, *diabetes).mean()
        drawn = np.interp(np.log(alpha), np.log(values), mean)
        assert drawn == pytest.approx(expected, abs=3e-3)
    assert display.optimum_ == pytest.approx(search.best_params_["alpha"], rel=0.02)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlabel() == "alpha"
    assert display.ax_.get_ylabel() == "validation loss: 1 - R²"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"optimum: {display.optimum_:.4g}" in texts


def test_the_interval_ends_where_paired_differences_are_one_standard_error(search, diabetes):
    display = CurveDisplay.from_search(search, *diabetes, n_points=40)
    best = losses_of(search, display.optimum_, *diabetes)

    def standard_errors(alpha):
        d = losses_of(search, alpha, *diabetes) - best
        return d.mean() / (d.std(ddof=1) / np.sqrt(len(d)))

    low, high = display.interval_
    assert low < display.optimum_ < high
    for end in (low, high):
        assert standard_errors(end) == pytest.approx(1, abs=0.1)
    # The standard error of the mean itself is another one.
    error = best.std(ddof=1) / np.sqrt(len(best))
    assert losses_of(search, high, *diabetes).mean() - best.mean() < 0.5 * error


def end_by_fits(display, losses, side):
    """Where the interval ends by fits from the optimum: at long steps, then of one per cent."""
    best, alpha = losses(display.optimum_), display.optimum_
    for step in (1.01**64, 1.01**8, 1.01):
        while min(display.values) <= alpha <= max(display.values):
            d = losses(alpha * step**side) - best
            if d.mean() > d.std(ddof=1) / np.sqrt(len(d)):
                break
            alpha *= step**side
    return alpha


@pytest.mark.thorough
def test_the_interval_with_fits_is_that_of_a_fine_grid(search, diabetes):
    display = CurveDisplay.from_search(search, *diabetes)
    low, high = display.interval_
    for side, end in ((-1, low), (1, high)):
        expected = end_by_fits(display, lambda alpha: losses_of(search, alpha, *diabetes), side)
        assert end == pytest.approx(expected, rel=0.02)
    assert min(display.values) < low
    assert high < max(display.values)
    assert "about" not in legend_of(display)


@pytest.mark.thorough
def test_the_interval_of_the_evaluations_alone_is_rough():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(60, 3)) * [5, 0.2, 1]
    y = X @ [0.1, 2.0, 0.3] + rng.normal(size=60)
    scaled = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough")
    pipeline = make_pipeline(scaled, Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous()}, cv=5).fit(X, y)

    def losses(alpha):
        return 1 - cross_val_score(clone(pipeline).set_params(ridge__alpha=alpha), X, y, cv=5)

    display, rough = CurveDisplay.from_search(search, X, y), CurveDisplay.from_search(search)
    expected = end_by_fits(display, losses, 1)
    assert display.interval_[1] == pytest.approx(expected, rel=0.02)
    assert rough.interval_[1] != pytest.approx(expected, rel=0.1)
    assert "about" in legend_of(rough)
    assert "about" not in legend_of(display)


def legend_of(display):
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    return next(text for text in texts if text.startswith("within one standard error"))


def test_the_band_is_one_standard_error_of_the_mean(search):
    display = CurveDisplay.from_search(search)
    losses = np.asarray(display.split_losses)
    error = losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    vertices = display.band_.get_paths()[0].vertices
    for value, mean, half in zip(display.values, losses.mean(axis=1), error, strict=True):
        heights = vertices[np.isclose(vertices[:, 0], value, rtol=1e-9), 1]
        assert heights.min() == pytest.approx(mean - half, rel=1e-6)
        assert heights.max() == pytest.approx(mean + half, rel=1e-6)


def test_gaps_are_filled_with_real_fits(search, diabetes):
    plain = CurveDisplay.from_search(search)
    display = CurveDisplay.from_search(search, *diabetes, n_points=12)
    fitted = np.asarray(display.fitted)
    assert np.array_equal(np.asarray(display.values)[~fitted], plain.values)
    assert np.all(np.diff(display.values) > 0)
    assert np.diff(np.log(display.values)).max() < np.ptp(np.log(display.values)) / 6
    row = np.flatnonzero(fitted)[2]
    expected = losses_of(search, display.values[row], *diabetes)
    assert np.allclose(display.split_losses[row], expected)


def test_a_score_without_gradient_has_a_curve_of_fits():
    X, y = load_breast_cancer(return_X_y=True)
    X, y = scale(X)[:200], y[:200]
    listed = [0.01, 0.1, 1, 10]
    search = HypergradSearchCV(LogisticRegression(tol=1e-8), {"C": listed}, cv=3).fit(X, y)
    followed = CurveDisplay.from_search(search)
    assert followed.label == "validation loss: log loss (nats)"
    assert followed.chosen_by == "accuracy"
    texts = [text.get_text() for text in followed.ax_.get_legend().get_texts()]
    assert f"optimum of this loss: {followed.optimum_:.4g}" in texts
    display = CurveDisplay.from_search(search, X, y, n_points=4)
    assert display.label == "cross-validated 1 - accuracy"
    assert display.chosen_by == ""
    assert np.all(display.fitted)
    first = clone(search.estimator).set_params(C=0.01)
    assert np.allclose(display.split_losses[0], 1 - cross_val_score(first, X, y, cv=3))


def test_what_was_chosen_is_marked_where_it_is_not_the_optimum(diabetes):
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous()}, cv=5, selection="one_se")
    display = CurveDisplay.from_search(search.fit(*diabetes))
    alpha = search.best_params_["alpha"]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"chosen by selection='one_se': {alpha:.4g}" in texts
    assert f"optimum of this loss: {display.optimum_:.4g}" in texts
    assert display.optimum_ < 0.9 * alpha
    best = CurveDisplay.from_search(search.set_params(selection="best").fit(*diabetes))
    assert not [t for t in best.ax_.get_legend().get_texts() if "chosen" in t.get_text()]


def test_a_linear_range_and_one_split(diabetes):
    X, y = diabetes
    cv = [(np.arange(100), np.arange(100, 150))]
    search = HypergradSearchCV(Ridge(), {"alpha": [50.0, 200.0]}, cv=cv).fit(X, y)
    display = CurveDisplay.from_search(search)
    assert display.ax_.get_xscale() == "linear"
    assert display.interval_ is None
    assert display.band_ is None


def test_leave_one_out_is_not_filled_with_fits_on_cv(diabetes):
    search = HypergradSearchCV(Ridge(), {"alpha": [1, 1e4]}, cv=3, search_cv="loo").fit(*diabetes)
    assert CurveDisplay.from_search(search).label == "validation loss: mean squared error"
    assert np.all(CurveDisplay.from_search(search, *diabetes, n_points=3).fitted)


def test_the_curve_of_a_vector_is_that_of_one_value_for_all(search, diabetes):
    grid = {"alpha": Continuous(per="feature")}
    vector = HypergradSearchCV(VectorRidge(), grid, cv=5).fit(*diabetes)
    display = CurveDisplay.from_search(vector)
    assert "went on to a vector" in display.ax_.get_title(loc="left")
    assert display.optimum_ == pytest.approx(search.best_params_["alpha"], rel=0.02)
    assert display.label == "validation loss: 1 - R²"


def test_several_hyperparameters_have_no_curve(diabetes):
    X, y = diabetes
    y = (y - y.mean()) / y.std()
    network = MLPRegressor((3,), n_steps=5, learning_rate_init=0.01, random_state=0)
    ranges = {"alpha": Continuous(), "learning_rate_init": Continuous()}
    options = {"cv": 2, "max_iter": 2}
    search = HypergradSearchCV(network, ranges, **options).fit(X, y)
    with pytest.raises(ValueError, match="alpha, learning_rate_init were searched together"):
        CurveDisplay.from_search(search)
    alone = {"alpha": Continuous()}
    for method in ("real_time", Online(gauss_newton=True)):
        search = HypergradSearchCV(network, alone, hypergradient=method, **options).fit(X, y)
        with pytest.raises(ValueError, match="moves hyperparameters while training runs"):
            CurveDisplay.from_search(search)
    search = HypergradSearchCV(network, alone, resample="fresh", **options).fit(X, y)
    with pytest.raises(ValueError, match="resample='fresh' makes every loss one of other"):
        CurveDisplay.from_search(search)
    layers = {"alpha": Continuous(per="layer")}
    search = HypergradSearchCV(network, layers, **options).fit(X, y)
    with pytest.raises(ValueError, match="alpha was searched as a vector"):
        CurveDisplay.from_search(search)


def test_two_decades_about_the_interval_are_drawn_and_the_rest_in_an_inset(search):
    display = CurveDisplay.from_search(search)
    (low, high), values = display.interval_, np.array(display.values)
    expected = max(values.min(), low / 100), min(values.max(), high * 100)
    assert display.ax_.get_xlim() == pytest.approx(expected, rel=1e-6)
    bottom, top = display.ax_.get_ylim()
    at, mean = display.line_.get_data()
    shown = mean[(at >= expected[0]) & (at <= expected[1])]
    assert bottom < shown.min() < shown.max() < top
    (whole,) = display.inset_.lines
    assert np.array_equal(whole.get_ydata(), mean)
    # It stands where the curve is not.
    left, width = display.inset_.get_position().x0, display.inset_.get_position().width
    assert 0 < left < left + width < 1


def test_a_short_range_has_no_inset():
    losses = np.array([[3.0, 3.1], [1.0, 1.2], [2.0, 2.1]])
    display = CurveDisplay(values=[0.1, 1.0, 10.0], split_losses=losses).plot()
    assert display.inset_ is None
    assert display.ax_.get_xlim()[0] <= 0.1
    linear = CurveDisplay(values=[0.1, 1.0, 10.0], split_losses=losses, scale="linear").plot()
    assert linear.inset_ is None


def test_an_interval_of_one_value_is_that_value_alone():
    """The loss rises from the bound on in all splits by the same amount."""
    rise = np.array([[0.0], [1.0], [2.0]])
    losses = rise + np.array([1.0, 2.0, 3.0])
    losses[1:] += 1e-6 * np.arange(3)
    display = CurveDisplay(values=[0.1, 1.0, 10.0], split_losses=losses).plot()
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    low, high = display.interval_
    assert low == high == display.optimum_ == pytest.approx(0.1, rel=1e-12)
    assert "within one standard error of the optimum:\n0.1 alone, the end of the range" in texts
