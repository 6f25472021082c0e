"""Scans of rough values: which points they visit, and what leads them."""

import dataclasses
import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters.svm import SupportVectorModel
from sklearn_hypergrad.problems.kernel import machines
from sklearn_hypergrad.search.strategies.judging import Judge
from sklearn_hypergrad.search.strategies.listed import as_listed
from sklearn_hypergrad.search.strategies.rough_scan import RoughScan, lattice

SEVEN = np.arange(7.0)
GRID = {"C": [0.01, 0.1, 1, 10, 100, 1000], "gamma": [1e-4, 1e-3, 1e-2, 1e-1, 1.0]}


@dataclasses.dataclass
class Point:
    theta: np.ndarray
    value: float

    @property
    def h(self):
        return tuple(self.theta)


class Valley:
    """An objective whose rough value is a function of theta; it remembers what is asked."""

    def __init__(self, loss):
        self.loss, self.visited = loss, []

    def rough(self, theta):
        self.visited.append(tuple(theta))
        return Point(theta, self.loss(*theta))


@dataclasses.dataclass
class ByScore:
    """Scores points as a Judge does."""

    score_at: object
    highest: float = np.inf

    def score(self, h):
        return self.score_at(*h)


def scanned(loss, score=None, n_axes=2, **options):
    valley = Valley(loss)
    judge = None if score is None else ByScore(score, **options)
    records = RoughScan(valley, [SEVEN] * n_axes, 0, judge).run()
    assert len(records) == sum(np.isfinite(loss(*p)) for p in valley.visited)
    return valley.visited


def around(point, most=2):
    """Places next to a point, in at most so many directions."""
    near = [
        tuple(np.add(point, step))
        for step in itertools.product((-1, 0, 1), repeat=len(point))
        if np.count_nonzero(step) <= most
    ]
    return {place for place in near if min(place) >= 0 and max(place) <= 6}


def bowl(*centre):
    return lambda *theta: float(np.sum((np.subtract(theta, centre)) ** 2))


def test_every_other_point_is_first_and_none_comes_twice():
    visited = scanned(bowl(3, 3))
    assert visited[:9] == [(a, b) for b in (1, 3, 5) for a in (1, 3, 5)]
    assert len(visited) == len(set(visited))


def test_all_points_of_a_small_lattice_are_visited():
    four, three = SEVEN[:4], SEVEN[:3]
    for axes in ([four, four], [SEVEN[:5], three], [three, three, SEVEN[:1]]):
        valley = Valley(lambda *theta: float(sum(theta)))
        RoughScan(valley, axes, 0).run()
        assert sorted(valley.visited) == sorted(itertools.product(*axes))


@pytest.mark.parametrize("best", [(6, 0), (4, 3), (0, 6), (2, 2)])
def test_a_score_leads_to_its_maximum_though_the_loss_has_its_minimum_elsewhere(best):
    below = bowl(*best)
    visited = scanned(bowl(3, 3), lambda *theta: -below(*theta))
    assert around(best) <= set(visited)
    assert len(visited) < 30


def test_equal_scores_are_told_apart_by_the_loss():
    visited = scanned(bowl(5.4, 1.4), lambda a, b: 0.5)
    assert around((5, 1)) <= set(visited)


def test_the_highest_score_ends_a_scan():
    assert len(scanned(bowl(3, 3), lambda a, b: 1.0, highest=1.0)) == 9


def test_a_loss_is_followed_until_its_minimum_is_surrounded():
    visited = scanned(bowl(6, 0, 6), n_axes=3)
    assert around((6, 0, 6), most=1) <= set(visited)
    assert len(visited) < 27 + 25


@pytest.mark.parametrize(("steepness", "is_seen"), [(0.04, True), (0.4, False)])
def test_a_better_point_behind_two_slightly_worse_ones_is_seen(steepness, is_seen):
    visited = scanned(lambda a, b: 1 + steepness * abs(a + b - 6) - 0.005 * a)
    assert ((6, 0) in visited) == is_seen


def test_places_without_a_loss_or_a_score_are_avoided():
    visited = scanned(lambda a, b: np.inf if a > 3 else bowl(6, 3)(a, b))
    assert around((3, 3), most=1) <= set(visited)
    visited = scanned(bowl(3, 3), lambda a, b: np.nan if a > 3 else a)
    assert around((3, 3)) <= set(visited)


def test_a_lattice_has_listed_values_at_distances_that_suit():
    assert_allclose(lattice(SEVEN, 9, 1.7), SEVEN, rtol=0)
    assert_allclose(lattice(np.arange(13.0), 7, 3.0), 2 * SEVEN, rtol=0)
    assert_allclose(lattice(np.array([0.0, 3.0, 4.0]), 9, 1.7), [0, 1.5, 3, 4])


@pytest.fixture(scope="module")
def classes():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X[::4]), y[::4]


def fits(monkeypatch):
    """A list that grows with every solution of a support vector model that is not rough."""
    exact = []

    def fit(self, h, start, tol, fit=SupportVectorModel.fit):
        exact.append(h)
        return fit(self, h, start, tol)

    monkeypatch.setattr(SupportVectorModel, "fit", fit)
    return exact


def is_rough(search):
    return np.isnan(search.history_["gradient_norm"].to_numpy())


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "f1"])
@pytest.mark.thorough
def test_a_score_is_about_that_of_a_grid_and_no_point_is_solved_twice(
    monkeypatch, classes, scoring
):
    exact = fits(monkeypatch)
    search = HypergradSearchCV(SVC(), GRID, scoring=scoring, cv=3).fit(*classes)
    grid = GridSearchCV(SVC(), GRID, scoring=scoring, cv=3).fit(*classes)
    assert search.best_score_ > grid.best_score_ - 0.005
    rough = is_rough(search)
    assert 9 < rough.sum() < 30
    assert len(exact) == (~rough).sum() < 15


def test_the_score_of_a_scorer_that_sees_estimators_does_not_lead(monkeypatch, classes):
    asked = []

    def score(self, h, score=Judge.score):
        asked.append(h)
        return score(self, h)

    monkeypatch.setattr(Judge, "score", score)
    part = make_scorer(roc_auc_score, max_fpr=0.5, response_method="decision_function")
    seen = []
    for scoring in ("roc_auc", part):
        HypergradSearchCV(SVC(), GRID, scoring=scoring, cv=2).fit(*classes)
        seen.append(len(asked))
        asked.clear()
    # Points are judged in the end, and before where the score leads.
    assert seen[0] > 1.5 * seen[1] > 0


@dataclasses.dataclass
class Listed:
    leaf: str
    listed: list


def test_listed_values_are_proposed_as_they_are_listed():
    values = [0.1, 1, 10, 1000]
    points = [{"C": np.exp(np.log(value))} for value in values]
    assert any(point["C"] != value for point, value in zip(points, values, strict=True))
    spans = [Listed("C", values)]
    assert [as_listed(point, spans)["C"] for point in points] == values
    assert as_listed({"C": 10.001}, spans) == {"C": 10.001}
    assert as_listed({"C": 10.0}, [Listed("C", [])]) == {"C": 10.0}


def test_where_all_rough_solutions_take_long_exact_ones_are_scanned(monkeypatch, classes):
    monkeypatch.setattr(machines, "ROUGH_STEPS_PER_ROW", {True: 0.0, False: 0.0})
    search = HypergradSearchCV(SVC(), GRID, scoring="roc_auc", cv=2).fit(*classes)
    assert np.isfinite(search.history_["loss"]).sum() > 9
    assert search.best_score_ > 0.98


def test_a_search_of_numbers_is_not_worse_than_its_grid():
    X, y = load_diabetes(return_X_y=True)
    X, y = StandardScaler().fit_transform(X)[::3], y[::3]
    lists = {"C": [1, 10, 100, 1000], "gamma": [1e-3, 1e-2, 1e-1], "epsilon": [0.1, 1.0, 10.0]}
    search = HypergradSearchCV(SVR(), lists, cv=3).fit(X, y)
    assert search.best_score_ >= GridSearchCV(SVR(), lists, cv=3).fit(X, y).best_score_
    rough = is_rough(search)
    assert rough.sum() > 2 * (~rough).sum()


def test_a_search_that_is_stopped_in_its_scan_has_a_result(monkeypatch, classes):
    calls = itertools.count()

    def rough(self, h, start, rough=SupportVectorModel.rough):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return rough(self, h, start)

    monkeypatch.setattr(SupportVectorModel, "rough", rough)
    ranges = {"C": Continuous(0.01, 100), "gamma": Continuous(1e-3, 1)}
    with pytest.warns(match="interrupted after 6"):
        search = HypergradSearchCV(SVC(), ranges, scoring="accuracy", cv=2).fit(*classes)
    assert len(search.history_) == 6
    assert search.best_score_ > 0.9
