"""Implicit differentiation with inverse Hessians from products."""

import dataclasses
import functools
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import (
    Continuous,
    HypergradSearchCV,
    HypergradWarning,
    check_hypergradient,
)
from sklearn_hypergrad.hypergradients import Evaluation, Implicit, Truncated
from sklearn_hypergrad.linalg import CG, Direct, Identity, InverseHessian, Neumann, Solved
from sklearn_hypergrad.linear_model import Ridge as VectorRidge
from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    DualRidge,
    GramRidge,
    InnerProblem,
    InnerSolution,
    KernelRidge,
    L2Penalty,
    LinearProblem,
    PredictionLoss,
    Status,
)
from sklearn_hypergrad.training import GradientDescent
from sklearn_hypergrad.tuning.objective import Objective

H = {"h": np.array(2.0)}
TOL = 1e-13
RTOL = 1e-6
EXACT = {
    "cholesky": Implicit("cholesky"),
    "cg": Implicit("cg"),
    "neumann": Implicit(Neumann(100_000)),
    "gauss-newton": Implicit(gauss_newton=True),
    "gauss-newton, cholesky": Implicit(Direct(), gauss_newton=True),
}
CLOSED = {"gram ridge": GramRidge, "dual ridge": DualRidge, "kernel ridge": KernelRidge}
LOSSES = {
    "linear ridge": HalfSquaredError(),
    "logistic": LogisticLoss(),
    "multinomial": MultinomialLoss(),
}
FAMILIES = [*CLOSED, *LOSSES]


@pytest.fixture
def term(make_block):
    """``term(family, entries, ...)``: problem and outer objective of three splits."""

    def make(family, entries=None, *, intercept=True, **options):
        kind = {"logistic": "binary", "multinomial": "multinomial"}.get(family, "regression")
        block = make_block(kind, weighted=True, **options)
        penalty = L2Penalty("h", entries=entries)
        if family in CLOSED:
            problem = CLOSED[family](block, penalty, fit_intercept=intercept)
        else:
            problem = LinearProblem(block, penalty, LOSSES[family], fit_intercept=intercept)
        name = "squared_error" if kind == "regression" else "log_loss"
        return problem, PredictionLoss(problem, block, VALIDATION_LOSSES[name])

    return make


def check(method, problem, outer, five_point, factor=1.0, h=H["h"]):
    """Against finite differences of values that depend on no linear solver."""
    evaluation = method.evaluate(problem, outer, {"h": h}, None, TOL)
    assert evaluation.statuses[0] is Status.CONVERGED
    u = np.random.default_rng(3).uniform(0.5, 1, h.shape)

    def moved(s):
        changed = {"h": h * np.exp(s * u)}
        return outer(problem.solve(changed, None, TOL).w, changed)[0].sum()

    slope = factor * np.sum(evaluation.gradient["h"] * h * u)
    assert_allclose(slope, five_point(moved, 1e-2), rtol=RTOL)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", EXACT)
def test_exact_solvers_agree_with_finite_differences(term, five_point, name, family, intercept):
    check(EXACT[name], *term(family, intercept=intercept), five_point)


@pytest.mark.parametrize("splits", ["repeated", "time", "bootstrap"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["cholesky", "cg"])
def test_any_splits(term, five_point, name, family, splits):
    check(EXACT[name], *term(family, splits=splits), five_point)


@pytest.mark.parametrize("family", ["gram ridge", "dual ridge", "logistic", "multinomial"])
@pytest.mark.parametrize("name", EXACT)
def test_a_penalty_per_feature(term, five_point, name, family):
    problem, outer = term(family, np.arange(5)[:, None])
    check(EXACT[name], problem, outer, five_point, h=np.linspace(0.5, 3, 5))


@pytest.mark.parametrize("factor", [1.001, 0.999])
@pytest.mark.parametrize("family", ["gram ridge", "multinomial"])
@pytest.mark.parametrize("name", EXACT)
def test_a_wrong_hypergradient_is_rejected(term, five_point, name, family, factor):
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(EXACT[name], *term(family), five_point, factor)


@pytest.mark.portable
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("splits", ["kfold", "overlapping"])
@pytest.mark.parametrize("family", FAMILIES)
def test_cg_agrees_with_cholesky_to_its_tolerance(term, family, splits, tol):
    problem, outer = term(family, splits=splits)
    exact = Implicit("cholesky").evaluate(problem, outer, H, None, TOL)
    solved = Implicit(CG(tol)).evaluate(problem, outer, H, None, TOL)
    assert solved.statuses == exact.statuses == (Status.CONVERGED, Status.CONVERGED)
    assert 0 < solved.linear_residual <= tol
    # Residuals weigh directions by their curvature, of which the smallest is at least 2.
    largest = np.max([np.abs(problem.hvp(exact.w, H, v)).sum() for v in _units(exact.w)])
    assert_allclose(solved.gradient["h"], exact.gradient["h"], rtol=tol * largest)


def _units(w):
    return np.eye(w.size).reshape(-1, *w.shape)


@pytest.mark.parametrize("family", ["gram ridge", "logistic", "multinomial"])
@pytest.mark.parametrize("n_terms", [1, 3, 100])
@pytest.mark.thorough
def test_terms_are_steps_of_truncated_differentiation(term, family, n_terms):
    problem, outer = term(family)
    descent = GradientDescent(1500, 1.0, 0.0)
    rate = descent.training(problem, H).settings["learning_rate_init"]
    # Training ends at the solution, so that all the last steps are taken there.
    truncated = Truncated(n_terms, descent=descent).evaluate(problem, outer, H, None, TOL)
    solution = problem.solve(H, None, TOL)
    assert_allclose(truncated.w, solution.w, rtol=1e-10, atol=1e-11)
    series = Implicit(Neumann(n_terms, rate)).evaluate(problem, outer, H, None, TOL)
    assert_allclose(series.gradient["h"], truncated.gradient["h"], rtol=1e-9)
    assert series.linear_iterations == n_terms
    if n_terms < 100:
        more = Implicit(Neumann(n_terms + 1, rate)).evaluate(problem, outer, H, None, TOL)
        assert abs(more.gradient["h"] / truncated.gradient["h"] - 1) > 1e-4


@pytest.mark.parametrize("family", ["linear ridge", "logistic", "multinomial"])
@pytest.mark.parametrize("n_terms", [1, 2, 7, 50])
def test_terms_are_steps_from_the_solution_on(term, family, n_terms):
    problem, outer = term(family)
    w = problem.solve(H, None, TOL).w
    descent = GradientDescent(n_terms, 1.0, 0.0)
    problem.start = functools.partial(np.copy, w)
    training = descent.training(problem, H)
    assert_array_equal(training.problem.initial(H), w.ravel())
    truncated = Truncated(n_terms).evaluate(training, outer, H, None, TOL)
    rate = training.settings["learning_rate_init"]
    del problem.start
    series = Implicit(Neumann(n_terms, rate)).evaluate(problem, outer, H, None, TOL)
    assert_allclose(series.gradient["h"], truncated.gradient["h"], rtol=1e-10)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_identity_takes_the_adjoint_for_the_gradient(term, family):
    problem, outer = term(family)
    evaluation = Implicit("identity").evaluate(problem, outer, H, None, TOL)
    _, grad_w, _ = outer(evaluation.w, H)
    assert_array_equal(evaluation.warm_start.adjoint, grad_w)
    expected = -problem.cross_vjp(evaluation.w, H, grad_w)["h"]
    assert_array_equal(evaluation.gradient["h"], expected)
    assert evaluation.statuses == (Status.CONVERGED, Status.CONVERGED)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("solver", ["cg", "cholesky", Neumann(20)])
def test_splits_are_systems_of_their_own(make_block, term, family, solver):
    problem, outer = term(family)
    together = Implicit(solver).evaluate(problem, outer, H, None, 1e-6).warm_start.adjoint
    block = make_block(
        {"logistic": "binary", "multinomial": "multinomial"}.get(family, "regression"),
        weighted=True,
    )
    penalty, axis = L2Penalty("h"), problem.split_axis
    for number, part in enumerate(block.in_batches(1)):
        alone = (
            CLOSED[family](part, penalty, fit_intercept=True)
            if family in CLOSED
            else LinearProblem(part, penalty, LOSSES[family], fit_intercept=True)
        )
        name = "squared_error" if family.endswith("ridge") else "log_loss"
        one = PredictionLoss(alone, part, VALIDATION_LOSSES[name])
        own = Implicit(solver).evaluate(alone, one, H, None, 1e-6).warm_start.adjoint
        found = np.take(together, number, axis=axis)
        own = np.take(own, 0, axis=axis)
        # Shorter training parts are filled with zeros; a shift of all intercepts is free.
        size = len(own) - (family == "multinomial")
        found, own = found[:size], own[:size]
        # Steps are those of the system alone; the scale of a series is estimated.
        rtol = 1e-2 if solver == Neumann(20) else 1e-4
        assert_allclose(found, own, rtol=rtol, atol=rtol * np.abs(own).max())


def test_a_warm_start_saves_iterations(term):
    problem, outer = term("logistic")
    cold = Implicit("cg").evaluate(problem, outer, H, None, 1e-4)
    near = {"h": np.array(2.001)}
    warm = Implicit("cg").evaluate(problem, outer, near, cold.warm_start, 1e-4)
    assert warm.linear_iterations < cold.linear_iterations
    exact = Implicit().evaluate(problem, outer, near, None, TOL)
    assert_allclose(warm.gradient["h"], exact.gradient["h"], rtol=1e-3)


def test_what_the_solver_did_is_passed_on(term):
    problem, outer = term("logistic")
    evaluate = functools.partial(Implicit.evaluate, h=H, warm_start=None, tol=1e-6)
    known = {
        solver: (e.linear_iterations, e.linear_residual)
        for solver in ("auto", "cholesky", "cg", Neumann(20), "identity")
        for e in [evaluate(Implicit(solver), problem, outer)]
    }
    assert np.isnan(known["auto"]).all()
    assert np.isnan(known["identity"]).all()
    assert np.isnan(known["cholesky"][0])
    assert known["cholesky"][1] < 1e-12
    assert known["cg"][0] > 1
    assert known["cg"][1] <= 1e-6
    assert known[Neumann(20)][0] == 20
    assert 1e-6 < known[Neumann(20)][1] < 1


class Saddle(InnerProblem):
    """``-w_0^2 / 2 + (w_1 - h)^2``, whose "solution" is no minimum."""

    def start(self):
        return np.zeros(2)

    def gradient(self, w, h):
        return np.array([-w[0], 2 * (w[1] - h["h"])])

    def hvp(self, w, h, v):
        return np.array([-1.0, 2.0]) * v

    def cross_vjp(self, w, h, v):
        return {"h": -2 * v[1]}

    def cross_jvp(self, w, h, u):
        return np.array([0.0, -2 * u["h"]])

    def solve(self, h, warm_start, tol):
        return InnerSolution(np.array([0.0, h["h"]]), None, Status.CONVERGED, n_solves=1)


class WithGaussNewton(Saddle):
    def gauss_newton(self, w, h, v):
        return np.array([0.5, 2.0]) * v


def of_both(w, h):
    return np.array([w.sum()]), np.ones(2), {}


@pytest.mark.parametrize(
    ("solver", "status"),
    [
        ("cg", Status.NEGATIVE_CURVATURE),
        ("cholesky", Status.NEGATIVE_CURVATURE),
        ("neumann", Status.SERIES_DIVERGED),
        (CG(max_iter=1), Status.LINEAR_SOLVE_INEXACT),
        ("identity", Status.CONVERGED),
    ],
)
def test_outcomes_are_statuses_with_remedies(solver, status):
    problem = Saddle()
    if status is Status.LINEAR_SOLVE_INEXACT:
        problem.hvp = lambda w, h, v: np.array([1.0, 2.0]) * v
    evaluation = Implicit(solver).evaluate(problem, of_both, H, None, 1e-6)
    assert evaluation.statuses == (Status.CONVERGED, status)
    assert status is Status.CONVERGED or status.value.endswith(".")


@pytest.mark.parametrize("solver", ["cg", "cholesky"])
@pytest.mark.parametrize("gauss_newton", [False, True])
def test_what_cannot_be_negative_but_by_rounding_is_not_called_so(solver, gauss_newton):
    problem = WithGaussNewton()
    problem.hvp = problem.gauss_newton = lambda w, h, v: np.array([-1.0, 2.0]) * v
    problem.linear_in_weights = not gauss_newton
    method = Implicit(solver, gauss_newton=gauss_newton)
    evaluation = method.evaluate(problem, of_both, H, None, 1e-6)
    assert evaluation.statuses[1] is Status.LINEAR_SOLVE_INEXACT


@dataclasses.dataclass
class Halves(InverseHessian):
    """A solver of somebody else's, which is not hashable."""

    share: float = 0.5

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        return Solved(self.share * right)


def test_solvers_of_ones_own():
    evaluation = Implicit(Halves(0.25)).evaluate(Saddle(), of_both, H, None, 1e-6)
    assert_array_equal(evaluation.warm_start.adjoint, [0.25, 0.25])


@pytest.mark.parametrize("solver", ["auto", "cg", "cholesky", Neumann(200)])
def test_gauss_newton_takes_the_place_of_the_hessian(solver):
    method = Implicit(solver, gauss_newton=True)
    evaluation = method.evaluate(WithGaussNewton(), of_both, H, None, 1e-12)
    assert evaluation.statuses == (Status.CONVERGED, Status.CONVERGED)
    assert_allclose(evaluation.warm_start.adjoint, [2, 0.5], rtol=1e-9)


def test_problems_without_gauss_newton_products_are_refused():
    message = r"Saddle has no Gauss-Newton products\. .* define gauss_newton\(w, h, v\)"
    with pytest.raises(ValueError, match=message):
        Implicit(gauss_newton=True).evaluate(Saddle(), of_both, H, None, 1e-6)


@pytest.mark.parametrize("solver", ["lu", None, 3, CG])
def test_unknown_solvers_are_refused_with_the_known_ones(solver):
    names = "'auto', 'cholesky', 'cg', 'neumann', 'identity' or an InverseHessian"
    with pytest.raises(ValueError, match=names):
        Implicit(solver)


def test_reprs_are_settings():
    assert repr(Implicit("auto")) == "Implicit()"
    assert repr(Implicit("cg")) == "Implicit(solver='cg')"
    assert repr(Implicit(gauss_newton=True)) == "Implicit(gauss_newton=True)"
    method = Implicit(Neumann(5), gauss_newton=True)
    assert repr(method) == "Implicit(solver=Neumann(n_terms=5, scale=None), gauss_newton=True)"
    assert repr(Implicit(solver=Identity())) == "Implicit(solver=Identity())"


def test_blocks_of_splits_are_told_together():
    told = iter([(3, 1e-7), (5, 1e-3), (2, 1e-5)])

    class Term:
        def evaluate(self, *args):
            n_iter, left = next(told)
            return Evaluation(np.ones(1), {"h": 1.0}, None, (), 1, None, n_iter, left)

    space = SimpleNamespace(
        to_h=lambda theta: {"h": theta[0]}, pullback=lambda theta, g: np.array([g["h"]])
    )
    record = Objective(space, [Term()] * 3).record([0.0])
    assert (record.linear_iterations, record.linear_residual) == (10, 1e-3)


SEARCHES = {
    "ridge": ("diabetes", Ridge(), {"alpha": [1e-3, 1e3]}),
    "logistic": ("wine", LogisticRegression(), {"C": [1e-3, 1e2]}),
    "pipeline": (
        "breast_cancer",
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [1e-3, 1e2]},
    ),
    "vector": ("diabetes", VectorRidge(), {"alpha": Continuous(per="feature")}),
}


def search_of(name, data, solver, **options):
    source, estimator, grid = SEARCHES[name]
    X, y = data(source)
    method = Implicit(solver, **options)
    return HypergradSearchCV(estimator, grid, hypergradient=method, cv=2), X[:100], y[:100]


@pytest.fixture(scope="module")
def expected(data):
    """``expected(name)``: the search as it is by default."""

    @functools.cache
    def fitted(name):
        search, X, y = search_of(name, data, "auto")
        return search.fit(X, y)

    return fitted


@pytest.mark.parametrize(
    ("name", "solver", "gauss_newton"),
    [(name, solver, False) for name in SEARCHES for solver in ("cholesky", "cg")]
    + [("ridge", CG(1e-10), False), ("ridge", "auto", True)],
)
def test_searches_with_exact_solvers_find_the_same(data, expected, name, solver, gauss_newton):
    search, X, y = search_of(name, data, solver, gauss_newton=gauss_newton)
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6
    search.fit(X, y)
    expected = expected(name)
    assert search.best_score_ == pytest.approx(expected.best_score_, rel=1e-4)
    assert repr(search.hypergradient) in search.hypergradient_
    history = search.history_
    assert np.all(np.asarray(history["linear_residual"]) <= np.asarray(history["inner_tol"]))
    iterates = solver != "cholesky"
    assert np.all(np.isnan(history["linear_iterations"]) != iterates)
    assert np.isnan(expected.history_["linear_iterations"]).all()
    assert np.isnan(expected.history_["linear_residual"]).all()


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("solver", ["neumann", "identity"])
def test_approximate_solvers_are_not_warned_of(data, expected, name, solver):
    # Residuals are above the tolerance, as they are meant to be. An optimizer may find that values
    # and gradients do not fit together.
    search, X, y = search_of(name, data, solver)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    messages = "".join(str(w.message) for w in caught)
    assert not any(status.value in messages for status in Status if status.value)
    if solver == "neumann":
        assert np.max(search.history_["linear_residual"]) > 1e-3
        assert search.best_score_ == pytest.approx(expected(name).best_score_, rel=0.05)
    else:
        assert np.isnan(search.history_["linear_residual"]).all()


@pytest.mark.parametrize("name", ["ridge", "vector"])
def test_a_diverging_series_is_warned_of_with_a_remedy(data, name):
    search, X, y = search_of(name, data, Neumann(50, scale=10.0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    (message,) = (str(w.message) for w in caught if w.category is HypergradWarning)
    assert "The Neumann series of the hypergradient diverges: the Hessian" in message


def test_cg_that_does_not_arrive_is_warned_of(data):
    search, X, y = search_of("pipeline", data, CG(1e-12, max_iter=2))
    with pytest.warns(HypergradWarning, match="was not solved to tolerance"):
        search.fit(X, y)


def test_a_wrong_hypergradient_of_a_series_is_found_by_the_check(data):
    search, X, y = search_of("ridge", data, Neumann(3))
    assert check_hypergradient(search, X, y).max() > 1e-2


def test_too_many_weights_to_form_the_hessian_raise_in_the_search(data):
    search, X, y = search_of("ridge", data, Direct(max_size=5))
    with pytest.raises(ValueError, match=r"Use CG\(\)"):
        search.fit(X, y)
