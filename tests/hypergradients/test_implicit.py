"""Hypergradients against finite differences, against dense matrices, and against a formula."""

import dataclasses
import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit

from sklearn_hypergrad import losses
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    DualRidge,
    GramRidge,
    InnerProblem,
    InnerSolution,
    KernelRidge,
    L2Penalty,
    LeaveOneOutLoss,
    LinearProblem,
    PredictionLoss,
    QuadraticLoss,
    SplitData,
    Status,
)

TOL = 1e-13
RTOL = 1e-6
REGRESSION = ["squared_error", "root_squared_error", "r2", "absolute_error"]
DEVIANCES = ["poisson_deviance", "gamma_deviance", "d2_poisson_deviance", "d2_gamma_deviance"]
CODED = ["coded_squared_error", "balanced_coded_squared_error"]
MARGINS = ["margin_log_loss", "balanced_margin_log_loss", "platt_log_loss"]
CLASSIFICATION = ["log_loss", "balanced_log_loss", "brier_score"]
FAMILIES = {
    "gram ridge": REGRESSION + DEVIANCES + CODED,
    "dual ridge": REGRESSION + DEVIANCES + CODED,
    "kernel ridge": REGRESSION + DEVIANCES + CODED,
    "linear ridge": REGRESSION + DEVIANCES + CODED + MARGINS,
    "logistic": CLASSIFICATION,
    "multinomial": CLASSIFICATION,
}
# Of rows: for data with more features.
KERNELS = {"dual ridge": DualRidge, "kernel ridge": KernelRidge}
MATRIX = [
    (family, name, *switches)
    for family, names in FAMILIES.items()
    for name in names
    for switches in itertools.product((True, False), repeat=4)
    # Without an intercept predictions are around zero, where deviances are infinite.
    if name not in DEVIANCES or switches[0]
]


def kind_of(family, name):
    if family == "multinomial":
        return "multinomial"
    return (
        "binary" if family == "logistic" else "coded" if name in CODED + MARGINS else "regression"
    )


def term(family, block, name, intercept, entries=None):
    """``(problem, outer)`` with the hyperparameter ``h``."""
    loss = VALIDATION_LOSSES[name]
    if family in KERNELS:
        problem = KERNELS[family](block, L2Penalty("h", entries=entries), fit_intercept=intercept)
        return problem, PredictionLoss(problem, block, loss)
    if family == "gram ridge":
        problem = GramRidge(block, L2Penalty("h", entries=entries), fit_intercept=intercept)
        squared = isinstance(loss.pointwise, losses.HalfSquaredError)
        return problem, (QuadraticLoss if squared else PredictionLoss)(problem, block, loss)
    trained = {"logistic": losses.LogisticLoss(), "multinomial": losses.MultinomialLoss()}
    penalty = L2Penalty("h", inverse=family in trained, entries=entries)
    inner = trained.get(family, losses.HalfSquaredError())
    problem = LinearProblem(block, penalty, inner, fit_intercept=intercept)
    return problem, PredictionLoss(problem, block, loss)


class Scaled(Implicit):
    """A hypergradient that is wrong by a factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def evaluate(self, *args):
        evaluation = super().evaluate(*args)
        evaluation.gradient["h"] = self.factor * evaluation.gradient["h"]
        return evaluation


def check(method, problem, outer, h, five_point, step=1e-2):
    """The hypergradient along a direction in log(h), relative to its own size only."""
    evaluation = method.evaluate(problem, outer, {"h": h}, None, TOL)
    assert evaluation.statuses == (Status.CONVERGED, Status.CONVERGED)
    assert evaluation.gradient["h"].shape == h.shape
    u = np.random.default_rng(3).uniform(0.5, 1, h.shape)

    def moved(s):
        # Cold: errors of a warm start near the solution differ from one side to the other.
        return method.evaluate(problem, outer, {"h": h * np.exp(s * u)}, None, TOL).values.sum()

    slope = np.sum(evaluation.gradient["h"] * h * u)
    assert_allclose(slope, five_point(moved, step), rtol=RTOL)


def step_for(name):
    # Small enough for no residual to change its sign.
    return 1e-5 if name == "absolute_error" else 1e-2


def test_every_validation_loss_is_in_the_matrix():
    assert {name for names in FAMILIES.values() for name in names} == set(VALIDATION_LOSSES)


@pytest.mark.product
@pytest.mark.parametrize(("family", "name", "intercept", "weighted", "thin", "wide"), MATRIX)
def test_agrees_with_finite_differences(
    make_block, five_point, family, name, intercept, weighted, thin, wide
):
    block = make_block(
        kind_of(family, name),
        n_outputs=2 if name in REGRESSION else 1,
        weighted=weighted,
        thin=thin,
        wide=wide,
    )
    problem, outer = term(family, block, name, intercept)
    check(Implicit(), problem, outer, np.array(2.0), five_point, step_for(name))


@pytest.mark.parametrize("splits", ["repeated", "overlapping", "time", "bootstrap"])
@pytest.mark.parametrize("family", FAMILIES)
def test_any_splits(make_block, five_point, family, splits):
    name = FAMILIES[family][0]
    block = make_block(kind_of(family, name), weighted=True, splits=splits)
    check(Implicit(), *term(family, block, name, True), np.array(2.0), five_point)


@pytest.mark.parametrize("h", [1e-4, 1e-2, 1e2, 1e4])
@pytest.mark.parametrize("family", FAMILIES)
def test_weak_and_strong_penalties(make_block, five_point, family, h):
    name = FAMILIES[family][0]
    block = make_block(kind_of(family, name), weighted=True, wide=family in KERNELS)
    check(Implicit(), *term(family, block, name, True), np.array(h), five_point)


# Shape of the hyperparameter and its entries, from the numbers of features and outputs.
VECTORS = {
    "output": lambda p, k: ((k,), None),
    "feature": lambda p, k: ((p,), np.arange(p)[:, None]),
    "coefficient": lambda p, k: ((k, p), np.arange(k * p).reshape(k, p).T),
    "group": lambda p, k: ((2,), (np.arange(p) % 2)[:, None]),
}


def penalties(per, block):
    """``(h, entries)``."""
    shape, entries = VECTORS[per](block.X.shape[1], block.y.shape[1])
    return np.random.default_rng(6).uniform(0.5, 3, shape), entries


@pytest.mark.product
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("per", VECTORS)
@pytest.mark.parametrize(
    ("family", "name"),
    [
        (family, name)
        for family, names in FAMILIES.items()
        for name in names
        # One penalty for all.
        if family != "kernel ridge"
    ],
)
def test_several_penalties(make_block, five_point, family, name, per, thin, wide):
    n_outputs = 3 if name in REGRESSION else 1
    block = make_block(
        kind_of(family, name), n_outputs=n_outputs, weighted=True, thin=thin, wide=wide
    )
    h, entries = penalties(per, block)
    check(Implicit(), *term(family, block, name, True, entries), h, five_point, step_for(name))


def leave_one_out(block):
    """The block with all rows in training and held-out part."""
    rows = np.arange(block.X.shape[0])
    weights = [block.score_weight + 1.0]
    return dataclasses.replace(block, trains=[rows], tests=[rows], weights=weights)


def press(problem_class, block, per, intercept):
    h, entries = penalties(per, block)
    penalty = L2Penalty("h", entries=entries)
    problem = problem_class(block, penalty, fit_intercept=intercept)
    return problem, LeaveOneOutLoss(problem, block, penalty, fit_intercept=intercept), h


@pytest.fixture(
    params=itertools.product((GramRidge, DualRidge), VECTORS, *[(True, False)] * 3),
    ids=lambda p: "-".join(map(str, p)),
)
def press_case(request, make_block):
    problem_class, per, intercept, thin, wide = request.param
    block = leave_one_out(make_block(n_outputs=2, weighted=True, thin=thin, wide=wide))
    return block, intercept, press(problem_class, block, per, intercept)


@pytest.mark.product
def test_press_hypergradient_agrees_with_finite_differences(press_case, five_point):
    _, _, (problem, outer, h) = press_case
    check(Implicit(), problem, outer, h, five_point)


@pytest.mark.product
def test_press_is_the_loss_of_models_trained_without_each_row(press_case):
    block, intercept, (problem, outer, h) = press_case
    left_out = []
    for row in range(block.X.shape[0]):
        train = np.delete(block.trains[0], row)
        one = dataclasses.replace(
            block, trains=[train], tests=[np.array([row])], weights=[block.weights[0][train]]
        )
        without = type(problem)(one, problem.penalty, fit_intercept=intercept)
        w = without.solve({"h": h}, None, TOL).w
        left_out.append(np.mean((block.y[row] - without.predict(w)[row, 0]) ** 2))
    values, _, _ = outer(problem.solve({"h": h}, None, TOL).w, {"h": h})
    expected = np.average(left_out, weights=block.score_weight)
    assert_allclose(values, [expected], rtol=1e-9)


@pytest.mark.parametrize("problem_class", [GramRidge, DualRidge])
@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_wrong_press_hypergradient_is_rejected(make_block, five_point, problem_class, factor):
    problem, outer, h = press(problem_class, leave_one_out(make_block()), "feature", True)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(Scaled(factor), problem, outer, h, five_point)


@pytest.mark.parametrize("family", ["gram ridge", "dual ridge", "linear ridge", "logistic"])
def test_hundreds_of_penalties(five_point, family):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 300)) * (rng.uniform(size=300) + 0.1)
    signal = X[:, :20].sum(axis=1)
    y = (signal > 0).astype(float) if family == "logistic" else signal + rng.normal(size=80)
    parts = np.array_split(rng.permutation(80), 2)
    block = SplitData(
        X=X,
        y=y[:, None],
        trains=parts,
        tests=parts[::-1],
        weights=[np.ones(40), np.ones(40)],
        score_weight=np.ones(80),
    )
    name = "log_loss" if family == "logistic" else "squared_error"
    problem, outer = term(family, block, name, True, np.arange(300)[:, None])
    h = np.exp(np.random.default_rng(0).normal(size=300))
    check(Implicit(), problem, outer, h, five_point)


@pytest.mark.product
@pytest.mark.parametrize("factor", [1.001, 0.999, 1 + 2e-6])
@pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family, names in FAMILIES.items() for name in names]
)
def test_a_wrong_hypergradient_is_rejected(make_block, five_point, family, name, factor):
    block = make_block(kind_of(family, name))
    problem, outer = term(family, block, name, True)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(Scaled(factor), problem, outer, np.array(2.0), five_point, step_for(name))


def explicit(block, split, intercept, strength, mean, curvature):
    """Derivative of a split's summed held-out loss in the strength, with all matrices formed.

    The loss of the training and of the held-out part is the one whose derivative is ``mean - y``.
    """
    A = block.X.toarray() if sparse.issparse(block.X) else block.X
    A = np.c_[A, np.ones(len(A))] if intercept else A
    penalised = np.ones(A.shape[1])
    penalised[block.X.shape[1] :] = 0
    train, test, t = block.trains[split], block.tests[split], block.weights[split]
    w = np.zeros(A.shape[1])
    for _ in range(30):
        z = A[train] @ w
        gradient = A[train].T @ (t * (mean(z) - block.y[train, 0])) + strength * penalised * w
        H = (A[train].T * (t * curvature(z))) @ A[train] + strength * np.diag(penalised)
        w = w - np.linalg.solve(H, gradient)
    s = block.score_weight[test] / block.score_weight[test].sum()
    grad_w = A[test].T @ (s * (mean(A[test] @ w) - block.y[test, 0]))
    cross = penalised * w
    return -cross @ np.linalg.solve(H, grad_w)


EXPLICIT = {
    # Mean, its derivative, validation loss and its factor, derivative of the strength in h.
    "gram ridge": (lambda z: z, np.ones_like, "squared_error", 2, lambda h: 1.0),
    "linear ridge": (lambda z: z, np.ones_like, "squared_error", 2, lambda h: 1.0),
    "logistic": (
        expit,
        lambda z: expit(z) * expit(-z),
        "log_loss",
        1,
        lambda h: -1 / h**2,
    ),
}


@pytest.mark.portable
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("splits", ["kfold", "overlapping"])
@pytest.mark.parametrize("family", EXPLICIT)
def test_agrees_with_dense_matrices(make_block, family, splits, intercept, thin, wide):
    mean, curvature, name, factor, slope = EXPLICIT[family]
    block = make_block(kind_of(family, name), weighted=True, splits=splits, thin=thin, wide=wide)
    problem, outer = term(family, block, name, intercept)
    h = np.array(2.0)
    evaluation = Implicit().evaluate(problem, outer, {"h": h}, None, TOL)
    strength = problem.penalty.strength({"h": h}).item()
    parts = [
        explicit(block, split, intercept, strength, mean, curvature)
        for split in range(block.n_splits)
    ]
    assert_allclose(evaluation.gradient["h"], factor * slope(h) * sum(parts), rtol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_warm_start_changes_no_digits_and_saves_work(make_block, family):
    name = FAMILIES[family][0]
    problem, outer = term(family, make_block(kind_of(family, name)), name, True)
    h = {"h": np.array(2.0)}
    near = Implicit().evaluate(problem, outer, {"h": np.array(2.1)}, None, TOL).warm_start
    cold, warm = (Implicit().evaluate(problem, outer, h, start, TOL) for start in (None, near))
    assert_allclose(warm.values, cold.values, rtol=1e-10)
    assert_allclose(warm.gradient["h"], cold.gradient["h"], rtol=1e-9)
    # To the tolerance of a scan: an old matrix does not lead to the last digits so fast.
    cold, warm = (Implicit().evaluate(problem, outer, h, start, 1e-3) for start in (None, near))
    assert warm.n_solves < cold.n_solves or family.endswith("ridge")


@pytest.mark.portable
@pytest.mark.parametrize("family", FAMILIES)
def test_repeated_evaluations_are_bit_equal(make_block, family):
    name = FAMILIES[family][0]
    problem, outer = term(family, make_block(kind_of(family, name)), name, True)
    h = {"h": np.array(2.0)}
    one, other = (Implicit().evaluate(problem, outer, h, None, 1e-6) for _ in range(2))
    assert_array_equal(one.values, other.values)
    assert_array_equal(one.gradient["h"], other.gradient["h"])
    assert_array_equal(h["h"], 2.0)


class Cubic(InnerProblem):
    """A problem of a third party: ``w^4 / 4 + w^2 / 2 - a b w`` for each of two splits."""

    def __init__(self, status=Status.CONVERGED):
        self.status = status
        self.starts = []

    def start(self):
        return np.zeros(2)

    def gradient(self, w, h):
        return w**3 + w - h["a"] * h["b"]

    def hvp(self, w, h, v):
        return (3 * w**2 + 1) * v

    def cross_vjp(self, w, h, v):
        return {"a": -np.sum(v * h["b"]), "b": -v * h["a"]}

    def cross_jvp(self, w, h, u):
        return -u["a"] * h["b"] - h["a"] * u["b"]

    def solve(self, h, warm_start, tol):
        target = h["a"] * h["b"]
        w = np.array([np.roots([1, 0, 1, -t])[-1].real for t in target])

        def inverse_hvp(v, start):
            self.starts.append(start)
            return v / (3 * w**2 + 1), Status.LINEAR_SOLVE_INEXACT

        return InnerSolution(w, inverse_hvp, self.status, n_solves=7)


def direct_outer(w, h):
    """Depends on a hyperparameter also directly."""
    return h["a"] * w**2, 2 * h["a"] * w, {"a": np.sum(w**2)}


def test_direct_and_indirect_terms_for_any_problem(five_point):
    h = {"a": np.array(0.8), "b": np.array([1.0, 3.0])}
    evaluation = Implicit().evaluate(Cubic(), direct_outer, h, None, TOL)
    assert set(evaluation.gradient) == {"a", "b"}
    for name, value in h.items():
        for unit in np.eye(value.size).reshape(-1, *value.shape):

            def moved(s, name=name, unit=unit):
                changed = {**h, name: h[name] + s * unit}
                return Implicit().evaluate(Cubic(), direct_outer, changed, None, TOL).values.sum()

            slope = np.sum(evaluation.gradient[name] * unit)
            assert_allclose(slope, five_point(moved, 1e-3), rtol=1e-9)


def test_outcomes_of_both_solvers_and_costs_are_passed_on():
    h = {"a": np.array(0.8), "b": np.array([1.0, 3.0])}
    problem = Cubic(Status.INNER_NOT_CONVERGED)
    evaluation = Implicit().evaluate(problem, direct_outer, h, None, TOL)
    assert evaluation.statuses == (Status.INNER_NOT_CONVERGED, Status.LINEAR_SOLVE_INEXACT)
    assert evaluation.n_solves == 7
    again = Implicit().evaluate(problem, direct_outer, h, evaluation.warm_start, TOL)
    assert problem.starts == [None, evaluation.warm_start.adjoint]
    assert_array_equal(again.warm_start.adjoint, evaluation.warm_start.adjoint)


def test_repr():
    assert repr(Implicit()) == "Implicit()"


@pytest.mark.parametrize("family", ["gram ridge", "logistic"])
def test_subclasses_solve_with_the_factors_of_the_model(make_block, family):
    block = make_block(kind_of(family, "squared_error"))
    problem, outer = term(family, block, "log_loss" if family == "logistic" else "r2", True)
    same = Scaled(1.0).evaluate(problem, outer, {"h": np.array(2.0)}, None, TOL)
    own = Implicit().evaluate(problem, outer, {"h": np.array(2.0)}, None, TOL)
    # Iterations are counted where products with the Hessian take the place of factors.
    assert np.isnan(same.linear_iterations)
    assert_array_equal(same.gradient["h"], own.gradient["h"])
