import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import Lasso, LogisticRegression, Ridge

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import ridge
from sklearn_hypergrad.hypergradients import WarmStart
from sklearn_hypergrad.hypergradients.base import Tangent
from sklearn_hypergrad.problems import ElasticNetProblem, InnerSolution, QuadraticLoss, Status
from sklearn_hypergrad.search.strategies import line_search
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives as objectives
from sklearn_hypergrad.tuning import objective
from sklearn_hypergrad.tuning.objective import Starts


def start(size=1):
    return [WarmStart(InnerSolution(np.zeros(size), None, Status.CONVERGED, 1), None)]


def test_the_nearest_start_is_the_last_of_equals():
    starts = Starts([None])
    assert starts.nearest(np.zeros(1)) == [None]
    for size, z in enumerate([0.0, 5.0, 5.5], start=1):
        starts.keep(np.array([z]), start(size))
    for z, size in [(-9, 1), (2.4, 1), (2.6, 2), (9, 3)]:
        assert starts.nearest(np.array([z]))[0].solution.w.size == size
    starts.keep(np.array([0.0]), start(4))
    assert starts.nearest(np.array([0.0]))[0].solution.w.size == 4


def test_starts_hold_no_factors():
    starts = Starts([None])
    solution = InnerSolution(
        np.zeros(1), lambda v, start: v, Status.CONVERGED, 1, memory={"any": 1}
    )
    starts.keep(np.zeros(1), [WarmStart(solution, None)])
    (kept,) = starts.nearest(np.zeros(1))
    assert kept.solution.inverse_hvp is None
    assert kept.solution.memory == {"any": 1}


def test_all_numbers_of_a_start_are_counted():
    (bare,) = start(3)
    tangent = Tangent(0.0, np.ones(3))
    assert bare.size == 3
    assert WarmStart(bare.solution, np.ones(3)).size == 6
    assert WarmStart(bare.solution, np.ones(3), tangent).size == 9


def test_a_start_is_a_solution_at_its_place_only():
    starts, zero = Starts([None]), np.zeros(1)
    starts.keep(zero, start(1), 1e-3)
    starts.keep(zero, [WarmStart(InnerSolution(zero, None, Status.DIVERGED, 1), None)], 1e-9)
    starts.keep(np.ones(1), start(2))
    assert starts.known(zero, 1e-3)[0].solution.w.size == 1
    assert starts.known(zero, 1e-4) is None
    assert starts.known(np.full(1, 1e-12), 1e-3) is None
    # Not said to be a solution.
    assert starts.known(np.ones(1), 1.0) is None


def test_known_solutions_are_not_solved_again(monkeypatch):
    X, y = load_breast_cancer(return_X_y=True)
    (found,) = objectives(HypergradSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}), X, y)
    h, (term,) = {"C": np.array(0.1)}, found.terms
    found.tol = 1e-6
    first = [fitted.z for _, fitted in found.solutions(h)]
    monkeypatch.setattr(type(term), "train", None)
    found.tol = 1e-3
    again = [fitted.z for _, fitted in found.solutions(h)]
    np.testing.assert_array_equal(first, again)
    with pytest.raises(TypeError):
        list(found.solutions({"C": np.array(0.11)}))


def ridge_objective(y=None):
    X, targets = load_diabetes(return_X_y=True)
    y = targets if y is None else y
    return objectives(HypergradSearchCV(Ridge(), {"alpha": Continuous()}), X, y)[0]


@pytest.mark.parametrize("several", [1, 2])
def test_points_that_are_expected_are_the_same(several):
    _, y = load_diabetes(return_X_y=True)
    y = y if several == 1 else np.column_stack([y, np.roll(y, 7)])
    thetas = list(np.linspace(-8, 3, 7)[:, None])
    alone, together = ridge_objective(y), ridge_objective(y)
    together.expect(thetas[:5])
    events = []
    together.events = dataclasses.replace(
        together.events, listeners=(lambda stage, record, settings: events.append(record),)
    )
    for theta in reversed(thetas):
        one, other = alone.record(theta), together.record(theta)
        assert_allclose(one.losses, other.losses, rtol=1e-12)
        assert_allclose(one.gradient, other.gradient, rtol=1e-8)
        assert (one.statuses, one.n_solves, one.tol) == (other.statuses, other.n_solves, other.tol)
    assert [record.theta[0] for record in events] == [theta[0] for theta in reversed(thetas)]
    assert together.records == events


def test_a_batch_of_points_may_be_divided(monkeypatch):
    X, y = load_diabetes(return_X_y=True)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous()})
    expected, sizes, at_minimisers = search.fit(X, y).best_params_, [], QuadraticLoss.at_minimisers

    def counted(self, strengths):
        sizes.append(len(strengths))
        return at_minimisers(self, strengths)

    monkeypatch.setattr(QuadraticLoss, "at_minimisers", counted)
    search.fit(X, y)
    assert sizes[0] == max(sizes) > 3
    assert set(sizes[1:]) == {1}
    monkeypatch.setattr(ridge, "MOST_AT_ONCE", 5 * X.shape[1] * 3)
    sizes.clear()
    assert search.fit(X, y).best_params_["alpha"] == pytest.approx(expected["alpha"], rel=1e-9)
    assert sizes[:2] == [3, 3]


def test_points_that_are_expected_start_nearby(monkeypatch):
    X, y = load_diabetes(return_X_y=True)
    search, starts = HypergradSearchCV(Lasso(), {"alpha": [1e-3, 10]}), []
    (found,) = objectives(search, X, y)
    minimisers = ElasticNetProblem.minimisers

    def counted(self, several, start=None):
        starts.append(start)
        return minimisers(self, several, start)

    monkeypatch.setattr(ElasticNetProblem, "minimisers", counted)
    several = [np.log([alpha]) for alpha in (1.0, 0.1, 0.01)]
    for _ in range(2):
        found.expect(several)
        for theta in several:
            found.record(theta)
        several = [theta + 0.1 for theta in several]
    assert starts[0] is None
    w = [found.terms[0].problem.solve({"alpha": a}, None, 1e-9).w for a in (1.0, 0.1, 0.01)]
    assert_allclose(starts[1], np.concatenate(w, axis=2), rtol=1e-9)


def test_a_solution_that_is_known_up_to_rounding_is_not_solved_again(monkeypatch):
    X, y = load_diabetes(return_X_y=True)
    (found,) = objectives(HypergradSearchCV(Lasso(), {"alpha": [1e-3, 10]}), X, y)
    (theta,), h = found.space.to_theta({"alpha": 0.03}), {"alpha": np.array(0.03)}
    found.record(np.array([np.nextafter(theta, 0)]))
    (expected,) = (fitted.w for _, fitted in found.solutions(h))
    monkeypatch.setattr(ElasticNetProblem, "solve", None)
    ((_, fitted),) = found.solutions(h)
    assert fitted.w is expected
    with pytest.raises(TypeError):
        list(found.solutions({"alpha": np.array(0.03 * (1 + 1e-12))}))


def test_after_an_error_expected_points_are_tried_one_by_one(monkeypatch):
    thetas, found = list(np.linspace(-3, 3, 3)[:, None]), ridge_objective()
    found.expect(thetas)

    def fails(self, several, starts):
        raise np.linalg.LinAlgError("no convergence")

    with monkeypatch.context() as patched:
        patched.setattr(ridge.RidgeModel, "evaluate_many", fails)
        assert found.record(thetas[0]).error == "no convergence"
    assert found.record(thetas[1]).usable


def test_starts_are_few(monkeypatch):
    monkeypatch.setattr(objective, "MOST_STARTS", 3)
    starts = Starts([None])
    for z in range(5):
        starts.keep(np.array([float(z)]), start())
    assert [theta[0] for theta, *_ in starts._kept] == [2, 3, 4]


def test_large_starts_are_fewer_and_of_vectors_there_is_one(monkeypatch):
    monkeypatch.setattr(objective, "MOST_KEPT", 100)
    starts = Starts([None])
    for z in range(5):
        starts.keep(np.array([float(z)]), start(size=50))
    assert [theta[0] for theta, *_ in starts._kept] == [3, 4]
    starts.keep(np.zeros(1), start(size=1000))
    assert len(starts._kept) == 1
    vectors = Starts([None])
    for z in range(3):
        vectors.keep(np.full(2, float(z)), start())
    assert len(vectors._kept) == 1


def followed(place, w):
    solution = InnerSolution(np.full(1, w), None, Status.CONVERGED, 1)
    return [WarmStart(solution, None, Tangent(place, np.full(1, 1.0)))]


def test_starts_are_interpolated_between_neighbours():
    starts = Starts([None])
    # A straight line, so that what is between is on it.
    for place in (0.0, 4.0, 1.0):
        starts.keep(np.array([place]), followed(place, 10 + place))

    def weights(place):
        (start,) = starts.around(np.array([place]), {"h": np.exp(place)})
        return float(start.solution.w[0])

    assert weights(2.0) == pytest.approx(12)
    assert weights(4.0) == 14
    assert weights(5.0) == pytest.approx(15)
    # Weights that shrink are not followed, and vectors are not interpolated.
    assert weights(-1.0) == 10
    starts.keep(np.array([3.0]), start(7))
    assert starts.around(np.array([2.9]), {"h": np.exp(2.9)})[0].solution.w.size == 7
    assert starts.around(np.array([2.1]), {"h": np.exp(2.1)})[0].solution.w.size == 7


@pytest.fixture
def wide():
    """Classes that can be separated, so that the loss rises without end."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 100))
    return X, (X[:, 0] + rng.normal(size=60) > 0).astype(int)


def search_for():
    model = LogisticRegression(solver="newton-cholesky", tol=1e-8)
    return HypergradSearchCV(model, {"C": [1e-4, 1e8]}, scoring="neg_log_loss", cv=3)


def test_what_a_scan_leaves_out_changes_nothing(wide, monkeypatch):
    short = search_for().fit(*wide)
    monkeypatch.setattr(line_search, "hopeless", lambda *args: False)
    monkeypatch.setattr(objective.Objective, "iterative", False)
    whole = search_for().fit(*wide)
    assert short.n_iter_ < whole.n_iter_
    assert (short.history_["inner_tol"] == objective.ROUGH).any()
    assert short.best_params_["C"] == pytest.approx(whole.best_params_["C"], rel=1e-3)


def test_solutions_start_the_next_evaluation(wide):
    (found,) = objectives(search_for(), *wide)
    found.tol = 1e-10
    theta = np.zeros(1)
    for _ in found.solutions(found.space.to_h(theta)):
        pass
    again = found.record(theta)
    (cold,) = objectives(search_for(), *wide)
    cold.tol = 1e-10
    expected = cold.record(theta)
    assert again.n_solves < expected.n_solves
    assert_allclose(again.gradient, expected.gradient, rtol=1e-7)


def test_enumerated_searches_count_what_they_judge(data):
    X, y = data("diabetes")
    grid = {"fit_intercept": [True, False]}
    assert HypergradSearchCV(Ridge(), grid, cv=2).fit(X, y).n_iter_ == 2
    assert HypergradSearchCV(Ridge(), {}, cv=2).fit(X, y).n_iter_ == 1
