"""Derivatives and solutions of inner problems that autograd differentiates."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.scipy.special import logsumexp
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.losses import HalfSquaredError, MultinomialLoss
from sklearn_hypergrad.problems import (
    AutogradLoss,
    AutogradProblem,
    GaussNewton,
    L2Penalty,
    LinearProblem,
    SplitData,
    Status,
)
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.autograd.trace import Trace, gradients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)) + 0.2
Y = np.eye(3)[RNG.integers(3, size=30)]
LINEAR = {
    "multinomial": (MultinomialLoss(), lambda z: logsumexp(z, axis=1) - anp.sum(Y * z, axis=1)),
    "ridge": (HalfSquaredError(), lambda z: 0.5 * anp.sum((z - Y) ** 2, axis=1)),
}
METHODS = "gradient", "hvp", "cross_vjp", "cross_jvp"


def linear(family, entries=None, **closed):
    """A linear model by its closed forms and by autograd, in the same flat weights."""
    loss, formula = LINEAR[family]
    rows, ones = np.arange(len(X)), np.ones(len(X))
    block = SplitData(X, Y, [rows], [rows[:1]], [ones], ones)
    expected = LinearProblem(block, L2Penalty("alpha", entries=entries), loss, fit_intercept=True)

    def inner(w, h):
        z = X @ w["W"] + w["b"]
        return anp.sum(formula(z)) + 0.5 * anp.sum(h["alpha"] * w["W"] ** 2)

    return expected, AutogradProblem(inner, {"W": np.zeros((4, 3)), "b": np.zeros(3)}, **closed)


def outputs(w, h):
    """Of a network with one hidden layer whose inputs are scaled by hyperparameters."""
    hidden = anp.tanh((X * h["scales"]) @ w["in"][0] + w["in"][1])
    return hidden @ w["out"]["W"] + w["out"]["shift"]


def loss_of_outputs(z, h):
    return anp.mean(logsumexp(z, axis=1) - anp.sum(Y * z, axis=1))


def penalty(w, h):
    return (
        0.5 * anp.sum(h["each"] * w["in"][0] ** 2)
        + h["all"] * anp.sum(w["out"]["W"] ** 2)
        + 0.1 * (anp.sum(w["in"][1] ** 2) + w["out"]["shift"] ** 2)
    )


def network_loss(w, h):
    return loss_of_outputs(outputs(w, h), h) + penalty(w, h)


def network_start(seed=1):
    rng = np.random.default_rng(seed)
    # A float among arrays, a list in a dict, and a leaf of integers.
    hidden = [rng.normal(size=(4, 5)), np.arange(5)]
    return {"in": hidden, "out": {"W": rng.normal(size=(5, 3)), "shift": 0.5}}


HYPERPARAMETERS = {
    "scales": np.array([0.5, 1.0, 1.5, 2.0]),
    "each": np.linspace(0.1, 1, 20).reshape(4, 5),
    "all": 0.1,
}


def error_of(problem, h, five_point, method):
    """Largest relative error of a method against finite differences, along random directions."""
    rng = np.random.default_rng(3)
    w = problem.start() + 0.3 * rng.normal(size=problem.start().size)
    v = rng.normal(size=w.size)
    u = {name: rng.normal(size=np.shape(value)) for name, value in h.items()}

    def moved(s):
        return {name: h[name] + s * u[name] for name in h}

    along_w = five_point(lambda s: problem.gradient(w + s * v, h), 1e-3)
    along_h = five_point(lambda s: problem.gradient(w, moved(s)), 1e-3)
    if method == "gradient":
        expected = five_point(lambda s: problem.value(w + s * v, h), 1e-3)
        actual = problem.gradient(w, h) @ v
    elif method == "hvp":
        expected, actual = along_w, problem.hvp(w, h, v)
    elif method == "cross_jvp":
        expected, actual = along_h, problem.cross_jvp(w, h, u)
    else:
        cross = problem.cross_vjp(w, h, v)
        assert {k: np.shape(x) for k, x in cross.items()} == {k: np.shape(h[k]) for k in h}
        expected, actual = along_h @ v, sum(np.sum(cross[name] * u[name]) for name in h)
    return np.max(np.abs(actual - expected)) / np.max(np.abs(expected))


@pytest.mark.portable
@pytest.mark.parametrize("per_weight", [False, True])
@pytest.mark.parametrize("family", LINEAR)
def test_derivatives_are_the_closed_forms(family, per_weight):
    expected, actual = linear(family, np.arange(12).reshape(4, 3) if per_weight else None)
    w, v = np.random.default_rng(1).normal(size=(2, 15))
    shape = (4, 3) if per_weight else ()
    alpha, u = np.random.default_rng(2).uniform(1, 2, (2, *shape))
    stacked = w.reshape(5, 1, 3), {"alpha": np.asarray(alpha)}
    h = {"alpha": alpha}
    pairs = [
        (expected.gradient(*stacked), actual.gradient(w, h)),
        (expected.hvp(*stacked, v.reshape(5, 1, 3)), actual.hvp(w, h, v)),
        (expected.cross_jvp(*stacked, {"alpha": u}), actual.cross_jvp(w, h, {"alpha": u})),
        (
            expected.cross_vjp(*stacked, v.reshape(5, 1, 3))["alpha"],
            actual.cross_vjp(w, h, v)["alpha"],
        ),
    ]
    for closed, derived in pairs:
        assert_allclose(np.ravel(derived), np.ravel(closed), rtol=1e-10, atol=1e-10)
    solution = actual.solve(h, None, 1e-11)
    assert solution.status is Status.CONVERGED
    # The intercepts may be shifted together.
    reference = expected.solve(stacked[1], None, 1e-12).w.ravel()[:12]
    assert_allclose(solution.w[:12], reference, rtol=1e-8, atol=1e-10)


class Values(AutogradProblem):
    """A problem that also tells the loss, for finite differences."""

    def __init__(self, loss, start, **closed):
        super().__init__(loss, start, **closed)
        self._loss = loss

    def value(self, w, h):
        return self._loss(self.structure.unflatten(w), h)


@pytest.mark.parametrize("method", METHODS)
def test_finite_differences_agree(five_point, method):
    problem = Values(network_loss, network_start())
    assert error_of(problem, HYPERPARAMETERS, five_point, method) < 1e-7


def scaled(nested, factor):
    """A nested structure times a number."""
    if isinstance(nested, dict):
        return {key: scaled(part, factor) for key, part in nested.items()}
    if isinstance(nested, list):
        return [scaled(part, factor) for part in nested]
    return nested * factor


@pytest.mark.parametrize("method", METHODS)
def test_closed_forms_are_used_and_wrong_ones_found(five_point, method):
    calls, right = [], AutogradProblem(network_loss, network_start())

    def closed(factor):
        def function(w, h, *direction):
            calls.append(factor)
            assert isinstance(w["out"]["W"], np.ndarray)
            # Directions are nested as weights are, or named as hyperparameters.
            if direction and method in ("hvp", "cross_vjp"):
                direction = [right.structure.flatten(direction[0])]
            found = getattr(right, method)(right.structure.flatten(w), h, *direction)
            nested = found if method == "cross_vjp" else right.structure.unflatten(found)
            return scaled(nested, factor)

        return function

    errors = {
        factor: error_of(
            Values(network_loss, network_start(), **{method: closed(factor)}),
            HYPERPARAMETERS,
            five_point,
            method,
        )
        for factor in (1.0, 1.001)
    }
    assert errors[1.0] < 1e-7
    assert errors[1.001] > 9e-4
    assert set(calls) == {1.0, 1.001}


def test_a_closed_form_may_prepare_a_point():
    """Once for all products there."""
    derived, points = AutogradProblem(network_loss, network_start()), []

    class Prepared:
        def at(self, w, h):
            points.append(w)
            product = derived.products(derived.structure.flatten(w), h)
            return lambda v: derived.structure.unflatten(product(derived.structure.flatten(v)))

    closed = AutogradProblem(network_loss, network_start(), hvp=Prepared())
    w = closed.start()
    product, expected = (problem.products(w, HYPERPARAMETERS) for problem in (closed, derived))
    for v in np.random.default_rng(0).normal(size=(3, w.size)):
        assert_allclose(product(v), expected(v), rtol=1e-12)
    assert len(points) == 1


def test_a_cross_vjp_of_another_shape_is_refused():
    _, problem = linear("ridge", cross_vjp=lambda w, h, v: {"alpha": np.ones(3)})
    with pytest.raises(ValueError, match=re.escape("cross_vjp returns the shapes {'alpha': (3,)}")):
        problem.cross_vjp(problem.start(), {"alpha": 1.0}, problem.start())


def test_products_of_gauss_newton():
    product = GaussNewton(outputs, loss_of_outputs, penalty)
    problem = AutogradProblem(network_loss, network_start(), gauss_newton=product)
    w, h = problem.start(), HYPERPARAMETERS
    multiply = problem.products(w, h, gauss_newton=True)
    matrix = np.array([multiply(unit) for unit in np.eye(w.size)])
    assert_allclose(matrix, matrix.T, atol=1e-14)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-14
    v = np.random.default_rng(0).normal(size=w.size)
    assert_allclose(problem.gauss_newton(w, h, v), matrix @ v, rtol=1e-10)
    # By its definition, with derivatives by differences.
    columns = []
    for unit in np.eye(w.size):
        ends = (outputs(problem.structure.unflatten(w + s * unit), h) for s in (1e-6, -1e-6))
        columns.append(np.subtract(*ends).ravel() / 2e-6)
    J = np.array(columns).T
    probability = np.exp(z := outputs(problem.structure.unflatten(w), h))
    probability /= np.exp(z).sum(axis=1, keepdims=True)
    J = J.reshape(*z.shape, -1)
    curved = probability[:, :, None] * (J - np.einsum("ik,ikj->ij", probability, J)[:, None])
    rest = AutogradProblem(penalty, network_start()).products(w, h)
    diagonal = rest(np.ones(w.size))
    expected = np.einsum("ikj,ikl->jl", J, curved) / len(X) + np.diag(diagonal)
    assert_allclose(matrix, expected, atol=1e-8)


def test_gauss_newton_of_linear_outputs_is_the_hessian():
    product = GaussNewton(
        lambda w, h: X @ w["W"] + w["b"],
        lambda z, h: anp.sum(LINEAR["multinomial"][1](z)),
        lambda w, h: 0.5 * anp.sum(h["alpha"] * w["W"] ** 2),
    )
    _, problem = linear("multinomial", gauss_newton=product)
    w, v = np.random.default_rng(0).normal(size=(2, 15))
    h = {"alpha": 0.7}
    assert_allclose(problem.gauss_newton(w, h, v), problem.hvp(w, h, v), rtol=1e-10)
    without = GaussNewton(lambda w, h: X @ w["W"] + w["b"], lambda z, h: anp.sum(z**2))
    nested = problem.structure.unflatten(w)
    assert without(nested, h, nested)["W"].shape == (4, 3)


def test_gauss_newton_has_to_be_given():
    _, problem = linear("ridge")
    with pytest.raises(ValueError, match=r"gauss_newton=GaussNewton\(outputs, loss_of_outputs"):
        problem.gauss_newton(problem.start(), {"alpha": 1.0}, problem.start())


@pytest.mark.parametrize("seed", range(4))
def test_a_network_is_trained_to_a_minimum(seed):
    problem = AutogradProblem(network_loss, network_start(seed))
    h = {**HYPERPARAMETERS, "each": np.full((4, 5), 0.02), "all": 0.01}
    solution = problem.solve(h, None, 1e-10)
    assert solution.status is Status.CONVERGED
    first, last = (np.linalg.norm(problem.gradient(w, h)) for w in (problem.start(), solution.w))
    assert last <= 1e-10 * first
    products = problem.products(solution.w, h)
    hessian = np.array([products(unit) for unit in np.eye(solution.w.size)])
    assert np.linalg.eigvalsh(hessian)[0] > -1e-10
    v = hessian @ np.random.default_rng(0).normal(size=len(hessian))
    inverse, status = solution.inverse_hvp(v, None)
    assert status is Status.CONVERGED
    assert_allclose(hessian @ inverse, v, atol=1e-8 * np.abs(v).max())


def counted(loss):
    """A loss that counts its calls in its attribute ``n``."""

    def function(w, h):
        function.n += 1
        return loss(w, h)

    function.n = 0
    return function


def test_a_warm_start_saves_work():
    loss = counted(network_loss)
    problem = AutogradProblem(loss, network_start())
    cold = problem.solve(HYPERPARAMETERS, None, 1e-8)
    n_cold, loss.n = loss.n, 0
    near = {**HYPERPARAMETERS, "all": 0.101}
    warm = problem.solve(near, cold, 1e-8)
    assert warm.status is Status.CONVERGED
    assert loss.n < n_cold / 2
    assert warm.n_solves < cold.n_solves
    assert_allclose(warm.w, problem.solve(near, None, 1e-8).w, atol=1e-6)
    # The adjoint starts from the last one, too.
    v = np.ones(warm.w.size)
    inverse, _ = warm.inverse_hvp(v, None)
    again, status = warm.inverse_hvp(v, inverse)
    assert status is Status.CONVERGED
    assert_allclose(again, inverse, rtol=1e-12)


def test_a_warm_start_without_a_finite_loss_is_left():
    problem = AutogradProblem(
        lambda w, h: anp.sum(w - h["t"] * anp.log(w - h["low"])), np.array([9.0])
    )
    solution = problem.solve({"t": 1.0, "low": 0.0}, None, 1e-10)
    with np.errstate(invalid="ignore"):
        moved = problem.solve({"t": 1.0, "low": 2.0}, solution, 1e-10)
    assert_allclose(moved.w, [3.0], rtol=1e-8)


def test_negative_curvature_is_reported():
    # At a saddle the gradient vanishes; nothing else can be known of it before the linear system.
    problem = AutogradProblem(lambda w, h: w[0] ** 2 - h["a"] * w[1] ** 2, np.zeros(2))
    solution = problem.solve({"a": 1.0}, None, 1e-8)
    assert solution.inverse_hvp(np.array([0.5, 1.0]), None)[1] is Status.NEGATIVE_CURVATURE


def test_what_has_no_minimum_has_not_converged():
    problem = AutogradProblem(lambda w, h: -anp.sum(w**2) + h["a"] * w[0], np.ones(2))
    assert problem.solve({"a": 1.0}, None, 1e-8).status is Status.INNER_NOT_CONVERGED


@pytest.mark.parametrize("start", [np.nan, 800.0])
def test_a_loss_that_is_not_finite_at_the_start(start):
    problem = AutogradProblem(lambda w, h: anp.sum(anp.exp(w)), np.full(2, start))
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="Give a start where both are"):
        problem.solve({}, None, 1e-8)


def test_numpy_in_place_of_autograd_numpy():
    problem = AutogradProblem(lambda w, h: float(np.sum(w**2)), np.ones(2))
    with pytest.raises(TypeError, match=re.escape("'import autograd.numpy as np'")):
        problem.gradient(np.ones(2), {})

    def assigns(w, h):
        z = np.zeros(2)
        z[0] = h["a"] * w[0]
        return z.sum()

    problem = AutogradProblem(assigns, np.ones(2))
    for method, arguments in (("hvp", [np.ones(2)]), ("cross_vjp", [np.ones(2)]), ("gradient", [])):
        with pytest.raises(TypeError, match="assign to entries of arrays"):
            getattr(problem, method)(np.ones(2), {"a": 1.0}, *arguments)


def test_errors_of_the_loss_itself_are_left_as_they_are():
    def broken(w, h):
        raise ValueError("nothing to do with autograd")

    with pytest.raises(ValueError, match="^nothing to do with autograd$"):
        AutogradProblem(broken, np.ones(2)).gradient(np.ones(2), {})


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda w, h: w**2, r"array of shape \(2,\). Sum or average it"),
        (lambda w, h: None, "one real number, and this one returns None"),
    ],
)
@pytest.mark.parametrize("gradient", [None, lambda w, h: w])
def test_a_loss_is_one_number(loss, message, gradient):
    problem = AutogradProblem(loss, np.ones(2), gradient=gradient)
    with pytest.raises(ValueError, match=message):
        problem.solve({}, None, 1e-8)


def test_outer_losses():
    structure = Nested({"a": np.zeros(2), "b": 1.0})
    w, h = np.array([1.0, 2.0, 3.0]), {"c": 2.0, "d": 1}
    loss = AutogradLoss(lambda w, h: h["c"] * anp.stack([anp.sum(w["a"]), w["b"] ** 2]), structure)
    values, slope, direct = loss(w, h)
    assert_array_equal(values, [6, 18])
    assert_array_equal(slope, [2, 2, 12])
    assert direct == {"c": 12}
    values, slope, direct = AutogradLoss(lambda w, h: 4.0, structure)(w, h)
    assert (values.tolist(), slope.tolist(), direct) == ([4.0], [0.0] * 3, {})
    with pytest.raises(ValueError, match=r"returns an array of shape \(1, 2\)"):
        AutogradLoss(lambda w, h: w["a"][None], structure)(w, h)


def test_structures():
    structure = Nested({"b": [np.ones((2, 2), int), ()], "a": (1, np.arange(3.0))})
    assert structure.group_sizes == (4, 4)
    flat = np.arange(8.0)
    nested = structure.unflatten(flat)
    assert_array_equal(nested["b"][0], [[4, 5], [6, 7]])
    assert nested["a"][0] == 0.0
    assert isinstance(nested["a"], tuple)
    assert nested["b"][1] == ()
    assert_array_equal(structure.flatten(nested), flat)
    assert Nested(np.ones((2, 3))).group_sizes == (6,)
    slope = grad(lambda flat: anp.sum(structure.unflatten(flat)["b"][0] ** 2))(flat)
    assert_array_equal(slope, [0, 0, 0, 0, 8, 10, 12, 14])


@pytest.mark.parametrize(
    ("nested", "error", "message"),
    [
        ({"a": np.ones(2)}, ValueError, "A dict of 'a' takes the place of a dict of 'a', 'b'"),
        (np.ones(3), ValueError, r"An array of shape \(3,\) takes the place of a dict"),
        ({"a": np.ones(3), "b": 1.0}, ValueError, r"shapes \[\(3,\), \(\)\] take the place of"),
        ({"a": "text", "b": 1.0}, TypeError, "arrays of real numbers, got 'text'"),
        ({"a": type("D", (dict,), {})(), "b": 1.0}, TypeError, "tuples of arrays, got a D"),
    ],
)
def test_structures_that_do_not_fit(nested, error, message):
    with pytest.raises(error, match=message):
        Nested({"a": np.ones(2), "b": 1.0}).flatten(nested)


def test_threads_do_not_disturb_each_other():
    opened, second = threading.Event(), threading.Event()

    def first(x):
        opened.set()
        # Ends in the middle of the other trace, unless that has to wait for it.
        second.wait(0.2)
        return (x**2,)

    def outer(x):
        second.set()
        time.sleep(0.1)
        return gradients(lambda y: y**2 * x, [x])[1]

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(Trace, first, [1.0])
        opened.wait()
        assert Trace(outer, [2.0]).pull([1.0]) == [8.0]
        assert other.result().pull([1.0]) == [2.0]
