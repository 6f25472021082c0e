"""Several hyperparameters of a model that is solved: a product scan, then descents."""

import dataclasses
import itertools
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import Fitted, Hyperparameter, Model, RegressorFamily, family
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.inspection import (
    ConvergenceDisplay,
    CurveDisplay,
    PathsDisplay,
    nested_score,
)
from sklearn_hypergrad.search.strategies import scan_settings, scanned_descent

ANY = {"alpha": Continuous(), "gamma": Continuous()}
LISTS = {"alpha": [1e-3, 1e-1, 10.0], "gamma": [1e-3, 1e-2, 1.0]}
CV = KFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def small(data):
    X, y = data("diabetes")
    return X[:120], (y[:120] - 150) / 77


def searched(data, grid=LISTS, **options):
    return HypergradSearchCV(KernelRidge(kernel="rbf"), grid, cv=CV, **options).fit(*data)


class Landscape(RegressorMixin, BaseEstimator):
    """Predicts the root of a function of its hyperparameters; targets are zero."""

    def __init__(self, a=1.0, b=1.0, level=None, cheap=False):
        self.a = a
        self.b = b
        self.level = level
        self.cheap = cheap

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), np.sqrt(self.level(np.log(self.a), np.log(self.b))[0]))


class LandscapeModel(Model):
    def __init__(self, estimator, data):
        super().__init__(data)
        self.level, self.cheap = estimator.level, estimator.cheap

    def levels(self):
        return {"a": 1.0, "b": 1.0}

    def fit(self, h, start, tol):
        value, slopes = self.level(np.log(h["a"]), np.log(h["b"]))
        root = np.sqrt(value)
        z = np.full((sum(map(len, self.data.tests)), 1), root)

        def pullback(g):
            names = zip(h, slopes, strict=True)
            return Pulled({n: np.sum(g) * slope / (2 * root * h[n]) for n, slope in names})

        return Fitted(z, pullback)


class LandscapeFamily(RegressorFamily):
    estimator_class = Landscape
    hyperparameters = {"a": Hyperparameter(regularizes=1), "b": Hyperparameter()}

    def model(self, estimator, data, entries, seed):
        return LandscapeModel(estimator, data)


@family.register
def _(estimator: Landscape):
    return LandscapeFamily()


def bowls(*centers):
    """The least of some paraboloids ``(a, b, depth, curvature)``, and its slopes."""

    def level(a, b):
        bowl = min(centers, key=lambda c: c[2] + c[3] * ((a - c[0]) ** 2 + (b - c[1]) ** 2))
        x, y, depth, curvature = bowl
        slopes = 2 * curvature * (a - x), 2 * curvature * (b - y)
        return depth + curvature * ((a - x) ** 2 + (b - y) ** 2), slopes

    return level


def landscape(level, grid=None, *, cheap=False, **options):
    grid = {"a": Continuous(), "b": Continuous()} if grid is None else grid
    options = {"scoring": "neg_mean_squared_error", "cv": 2, **options}
    return HypergradSearchCV(Landscape(level=level, cheap=cheap), grid, **options).fit(
        np.zeros((8, 1)), np.zeros(8)
    )


def test_two_hyperparameters_agree_with_a_fine_grid(small):
    search = searched(small, scoring="neg_mean_squared_error")
    fine = {
        "alpha": np.geomspace(1e-3, 10, 9).tolist(),
        "gamma": np.geomspace(1e-3, 1, 9).tolist(),
    }
    grid = GridSearchCV(search.estimator, fine, cv=CV, scoring="neg_mean_squared_error").fit(*small)
    assert grid.best_score_ <= search.best_score_ < 0.998 * grid.best_score_
    for name, values in fine.items():
        steps = np.log(search.best_params_[name] / grid.best_params_[name])
        assert abs(steps) < 2 * np.log(values[1] / values[0])
    assert search.n_iter_ < 40
    assert len(search.cv_results_["params"]) == 1


def test_bounds_and_the_order_of_a_grid_do_not_matter(small):
    inside, free = searched(small), searched(small, ANY)
    assert free.best_score_ > inside.best_score_ - 1e-6
    mixed = searched(small, {"gamma": LISTS["gamma"], "alpha": Continuous(1e-3, 10)})
    assert mixed.best_params_ == pytest.approx(inside.best_params_, rel=0.02)
    assert mixed.n_iter_ == inside.n_iter_


def test_the_better_of_two_minima_is_found():
    """The best point of the scan is in the shallower one."""
    near = np.log(10) * np.array([-1 / 3, 0.0])
    level = bowls((*near, 1.0, 0.2), (3.4, -3.9, 0.8, 0.27))
    search = landscape(level)
    assert search.best_score_ == pytest.approx(-0.8, rel=1e-6)
    assert np.log(search.best_params_["a"]) == pytest.approx(3.4, abs=1e-2)


def test_a_hopeless_minimum_is_not_descended():
    level = bowls((0.0, 0.0, 1.0, 0.2), (3.4, -3.9, 1.2, 0.3))
    search = landscape(level)
    assert search.best_score_ == pytest.approx(-1.0, rel=1e-6)
    scan = 6 * 4 + 1
    assert scan - 8 < search.n_iter_ < scan + 8


def test_a_minimum_between_points_of_the_scan_is_found(monkeypatch):
    """Its neighbours are not among the best points, but their slopes tell of it."""
    level = bowls((-3.0, -3.45, 1.0, 0.1), (3.1, -1.2, 0.5, 1.6))
    assert landscape(level).best_score_ == pytest.approx(-0.5, rel=1e-6)
    without = dataclasses.replace(scan_settings.SMOOTH, n_looks=0)
    monkeypatch.setattr(scan_settings, "SMOOTH", without)
    assert landscape(level).best_score_ == pytest.approx(-1.0, rel=1e-6)


# As of LinearSVR on raw targets: from the best point the loss rises along b, and falls far away,
# between two places of the scan.
CORNER = bowls((0.0, -2.0, 1.0, 0.1), (0.0, 2.3, 0.5, 70.0))
INSIDE = {"a": Continuous(0.1, 10.0), "b": Continuous(0.1, 10.0)}


@pytest.mark.filterwarnings("ignore:.*at bound")
def test_a_minimum_in_a_corner_is_found_where_evaluations_are_cheap(monkeypatch):
    assert landscape(CORNER, INSIDE, cheap=True).best_score_ > -0.9
    without = dataclasses.replace(scan_settings.CHEAP, rounds=0)
    monkeypatch.setattr(scan_settings, "CHEAP", without)
    assert landscape(CORNER, INSIDE, cheap=True).best_score_ == pytest.approx(-1.0, rel=1e-5)


def valley(a, b):
    """It has a kink all along, where a is -b, and falls to where a is 1.25."""
    side, slope = np.sign(a + b), a - b - 2.5
    return 1 + abs(a + b) + 0.5 * slope**2, (side + slope, side - slope)


def test_a_valley_across_both_is_followed_where_evaluations_are_cheap(monkeypatch):
    """Along each of them alone the loss rises from the kink."""
    assert landscape(valley, INSIDE, cheap=True).best_score_ > -1.01
    monkeypatch.setattr(scanned_descent, "IN_VALLEY", (1e-9,))
    assert landscape(valley, INSIDE, cheap=True).best_score_ < -1.01


@pytest.mark.filterwarnings("ignore")
def test_what_is_lower_than_the_end_of_a_descent_survives_a_stop():
    seen, stopped = [], []

    def level(a, b):
        if seen and seen[-1] < 0.95 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        seen.append(CORNER(a, b)[0])
        return CORNER(a, b)

    search = landscape(level, INSIDE, cheap=True, refit=False)
    assert stopped
    assert search.best_score_ > -0.95


def test_places_without_a_loss_are_avoided():
    def level(a, b):
        value, slopes = bowls((1.0, -1.0, 1.0, 0.2))(a, b)
        return (value if a > -1 else np.nan), slopes

    assert landscape(level).best_score_ == pytest.approx(-1.0, rel=1e-6)
    lists = {"a": [0.1, 10.0], "b": [0.1, 10.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nowhere = landscape(lambda a, b: (np.nan, (0.0, 0.0)), lists, error_score=-9.0, refit=False)
    assert "not finite for any values" in nowhere.hypergradient_
    assert len(nowhere.cv_results_["params"]) == 4


def test_ends_on_bounds_are_told():
    level = bowls((5.0, 0.0, 1.0, 0.2))
    with pytest.warns(match="at bound. Widen"):
        search = landscape(level, {"a": Continuous(0.1, 10.0), "b": Continuous(0.1, 10.0)})
    assert search.best_params_["a"] == 10.0
    # The end of a list is where its author wanted it.
    assert landscape(level, {"a": [0.1, 10.0], "b": [0.1, 10.0]}).best_params_["a"] == 10.0


def test_a_score_without_gradient_judges_what_was_visited(small):
    search = searched(small, ANY, scoring="neg_median_absolute_error")
    assert search.validation_loss_ == "squared_error"
    # The point found, the best one under the score, and the values of the estimator.
    assert len(search.cv_results_["params"]) == 3
    assert search.cv_results_["params"][2] == {"alpha": 1.0, "gamma": 0.1}
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


def test_one_standard_error_moves_the_penalty_only(small):
    best, simple = searched(small), searched(small, selection="one_se")
    assert simple.best_params_["alpha"] > 1.1 * best.best_params_["alpha"]
    assert simple.best_params_["gamma"] == pytest.approx(best.best_params_["gamma"])
    assert best.best_score_ > simple.best_score_


def test_a_loss_with_kinks_is_not_worse_than_its_grid(small):
    search = searched(small, scoring="neg_mean_absolute_error")
    grid = GridSearchCV(search.estimator, LISTS, cv=CV, scoring="neg_mean_absolute_error")
    assert search.best_score_ >= grid.fit(*small).best_score_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"guard": True}, "for one vector of penalties"),
        ({"shrinkage": 2.0}, "for one vector of penalties"),
        ({"hypergradient": "reverse"}, "differentiated in closed form"),
    ],
)
def test_what_there_is_not_is_refused(small, options, message):
    with pytest.raises(ValueError, match=message):
        searched(small, ANY, **options)


def test_splits_of_its_own(small):
    other = searched(small, search_cv=KFold(4))
    assert other.best_params_ != searched(small).best_params_
    assert "search_cv" in str(other.report())


@pytest.mark.thorough
def test_what_looks_at_a_search_knows_it(small):
    X, y = small[0][:60], small[1][:60]
    pipeline = make_pipeline(StandardScaler(), KernelRidge(kernel="rbf"))
    ranges = {f"kernelridge__{name}": span for name, span in ANY.items()}
    search = HypergradSearchCV(pipeline, ranges, cv=2).fit(X, y)
    with pytest.raises(ValueError, match="no curve over one of them. Draw PathsDisplay"):
        CurveDisplay.from_search(search, X, y)
    for display in (ConvergenceDisplay, PathsDisplay):
        assert display.from_search(search).figure_ is not None
    plt.close("all")
    nested = nested_score(search, X, y, cv=2)
    assert {"search", "default", "grid"} <= set(str(nested).split())


def test_the_scan_takes_all_products():
    """Unless the loss has risen twice from strong to weak penalties."""
    places = []

    def level(a, b):
        places.append((round(float(a), 6), round(float(b), 6)))
        return bowls((-3.0, 0.0, 1.0, 0.2))(a, b)

    landscape(level)
    scan = list(dict.fromkeys(places))[1:25]
    a, b = (sorted(set(axis)) for axis in zip(*scan, strict=True))
    assert (len(a), len(b)) == (6, 4)
    assert set(scan) == set(itertools.product(a, b))
    assert [place[0] for place in scan[:6]] == a[::-1]
