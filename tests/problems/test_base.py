"""The contract of inner problems, for every problem of the package."""

import copy
import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad import losses
from sklearn_hypergrad.problems import (
    DualRidge,
    GramRidge,
    KernelRidge,
    L2Penalty,
    LinearProblem,
    Status,
)

# Kind of the targets, loss of the training, problem.
PROBLEMS = {
    "gram ridge": ("regression", losses.HalfSquaredError(), GramRidge),
    "dual ridge": ("regression", losses.HalfSquaredError(), DualRidge),
    "kernel ridge": ("regression", losses.HalfSquaredError(), KernelRidge),
    "least squares": ("regression", losses.HalfSquaredError(), LinearProblem),
    "logistic": ("binary", losses.LogisticLoss(), LinearProblem),
    "multinomial": ("multinomial", losses.MultinomialLoss(), LinearProblem),
}


# Shape of the hyperparameter and its entries, from the numbers of features and outputs.
VECTORS = {
    None: lambda p, k: ((), None),
    "output": lambda p, k: ((k,), None),
    "feature": lambda p, k: ((p,), np.arange(p)[:, None]),
    "coefficient": lambda p, k: ((k, p), np.arange(k * p).reshape(k, p).T),
    "group": lambda p, k: ((3,), (np.arange(p) % 2)[:, None]),
}


class Case:
    """A problem, where it is looked at, and its objective restated from its predictions."""

    def __init__(self, name, block, intercept, *, inverse=False, per=None):
        _, self.loss, make = PROBLEMS[name]
        self.block = block
        self.name = name
        shape, entries = VECTORS[per](block.X.shape[1], block.y.shape[1])
        self.penalty = L2Penalty("a", inverse=inverse, entries=entries)
        more = (self.loss,) if make is LinearProblem else ()
        self.problem = make(block, self.penalty, *more, fit_intercept=intercept)
        self.h = {"a": np.random.default_rng(5).uniform(0.7, 2, shape)}
        self.intercept = intercept
        # Whether intercepts are part of ``w``.
        self.bias = intercept and make is LinearProblem
        self.w, self.v = (self.random(seed) for seed in (1, 2))

    def random(self, seed):
        shape = self.problem.solve(self.h, None, 1e-3).w.shape
        v = np.random.default_rng(seed).normal(size=shape)
        # All gradients of the multinomial loss sum to zero over classes.
        return v - v.mean(axis=-1, keepdims=True) if self.name == "multinomial" else v

    def objective(self, w, h):
        """Sum over splits of the documented inner objective."""
        z = self.problem.predict(w)
        splits = zip(self.block.trains, self.block.weights, strict=True)
        data = sum(
            np.sum(weight[:, None] * self.loss.value(self.block.y[train], z[train, split]))
            for split, (train, weight) in enumerate(splits)
        )
        penalised = w[:-1] if self.bias else w
        return data + 0.5 * np.sum(self.penalty.strength(h) * penalised**2)

    def kernel_objective(self, w, h):
        """The same for kernels: ``Z Z' w`` are the predictions for the training part."""
        z, total = self.problem.predict(w), 0.5 * np.sum(self.penalty.strength(h) * w**2)
        for split, (train, weight) in enumerate(
            zip(self.block.trains, self.block.weights, strict=True)
        ):
            order = np.argsort(train)
            train, weight, own = train[order], weight[order], w[split, : len(train)]
            y, root = self.block.y[train], np.sqrt(weight)[:, None]
            mean = np.average(y, axis=0, weights=weight) if self.intercept else 0.0
            product, target = root * (z[train, split] - mean), root * (y - mean)
            total += np.sum(own * (0.5 * product - target))
        return total


@pytest.fixture(
    params=[
        (name, intercept, thin, wide)
        for name in PROBLEMS
        for intercept in (True, False)
        for thin in (True, False)
        for wide in (True, False)
        if wide or name != "kernel ridge"
    ],
    ids=lambda p: "-".join(
        [
            p[0],
            *(word for word, on in zip(("intercept", "sparse", "wide"), p[1:], strict=True) if on),
        ]
    ),
)
def case(request, make_block):
    name, intercept, thin, wide = request.param
    options = {"wide": wide, "thin": thin, "weighted": True, "splits": "overlapping"}
    return Case(name, make_block(PROBLEMS[name][0], n_outputs=2, **options), intercept)


@pytest.fixture(
    params=[
        (name, per, inverse, thin)
        for name in PROBLEMS
        for per in VECTORS
        if per
        for inverse in (True, False)
        for thin in (True, False)
        if per == "output" or name != "kernel ridge"
    ],
    ids=lambda p: "-".join(map(str, p)),
)
def vector_case(request, make_block):
    """Several penalties."""
    name, per, inverse, thin = request.param
    wide = name == "kernel ridge"
    block = make_block(PROBLEMS[name][0], n_outputs=2, thin=thin, wide=wide, weighted=True)
    return Case(name, block, True, inverse=inverse, per=per)


@pytest.mark.product
def test_gradient_is_that_of_the_documented_objective(case, five_point):
    objective = case.kernel_objective if case.name == "kernel ridge" else case.objective
    slope = five_point(lambda s: objective(case.w + s * case.v, case.h), 1e-3)
    assert_allclose(np.sum(case.problem.gradient(case.w, case.h) * case.v), slope, rtol=1e-7)


@pytest.mark.product
def test_hvp_is_the_derivative_of_the_gradient_and_symmetric(case, five_point):
    problem, h = case.problem, case.h
    product = problem.hvp(case.w, h, case.v)
    expected = five_point(lambda s: problem.gradient(case.w + s * case.v, h), 1e-3)
    assert_allclose(product, expected, rtol=1e-6, atol=1e-7 * np.abs(product).max())
    u = case.random(3)
    assert_allclose(np.sum(u * product), np.sum(case.v * problem.hvp(case.w, h, u)), rtol=1e-9)


def check_cross(case, five_point):
    problem, h = case.problem, case.h
    u = {"a": np.random.default_rng(4).normal(size=h["a"].shape)}
    forward = problem.cross_jvp(case.w, h, u)
    expected = five_point(lambda s: problem.gradient(case.w, {"a": h["a"] + s * u["a"]}), 1e-3)
    assert_allclose(forward, expected, rtol=1e-6, atol=1e-7 * np.abs(forward).max())
    backward = problem.cross_vjp(case.w, h, case.v)
    assert backward["a"].shape == h["a"].shape
    assert_allclose(np.sum(backward["a"] * u["a"]), np.sum(case.v * forward), rtol=1e-12)


@pytest.mark.product
def test_cross_products_are_transposed_derivatives_of_the_gradient(case, five_point):
    check_cross(case, five_point)


@pytest.mark.product
def test_cross_products_for_several_penalties(vector_case, five_point):
    check_cross(vector_case, five_point)


def check_solution(case, rtol=1e-10):
    problem, h = case.problem, case.h
    solution = problem.solve(h, None, 1e-12)
    assert solution.status is Status.CONVERGED
    start = np.abs(problem.gradient(np.zeros_like(solution.w), h)).max()
    assert np.abs(problem.gradient(solution.w, h)).max() <= 1e-11 * start
    product, status = solution.inverse_hvp(case.v, None)
    assert status is Status.CONVERGED
    back = problem.hvp(solution.w, h, product)
    assert_allclose(back, case.v, rtol=10 * rtol, atol=10 * rtol * np.abs(case.v).max())
    # Iterative solvers promise a residual r that is small next to v in the norm of the inverse
    # Hessian, r' H^-1 r, not entry by entry.
    error, _ = solution.inverse_hvp(case.v - back, None)
    assert np.vdot(case.v - back, error) <= rtol**2 * np.vdot(case.v, product)


@pytest.mark.portable
@pytest.mark.product
def test_gradient_vanishes_at_the_solution_and_inverse_hvp_inverts_hvp(case):
    check_solution(case)


@pytest.mark.portable
@pytest.mark.product
def test_solution_for_several_penalties(vector_case):
    check_solution(vector_case)


@pytest.mark.product
def test_a_start_changes_no_digits(case):
    check_start(case)


@pytest.mark.product
def test_a_start_of_other_penalties_changes_no_digits(vector_case):
    check_start(vector_case)


def check_start(case):
    problem, h = case.problem, case.h
    cold = problem.solve(h, None, 1e-12)
    far = problem.solve({"a": 3 * h["a"] ** 2}, None, 1e-12)
    warm = problem.solve(h, far, 1e-12)
    assert_allclose(warm.w, cold.w, rtol=1e-9, atol=1e-10 * np.abs(cold.w).max())
    expected, _ = cold.inverse_hvp(case.v, None)
    product, _ = warm.inverse_hvp(case.v, 1.01 * expected)
    assert_allclose(product, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())


@pytest.mark.product
def test_predict_vjp_is_the_transposed_derivative_of_predict(case):
    z = case.problem.predict(case.w)
    v = np.random.default_rng(4).normal(size=z.shape)
    change = case.problem.predict(case.w + case.v) - z
    pulled = case.problem.predict_vjp(v)
    assert pulled.shape == case.w.shape
    assert_allclose(np.sum(pulled * case.v), np.sum(v * change), rtol=1e-10)


@pytest.mark.product
def test_coefficients_predict_the_same(case):
    coef, intercept = case.problem.coefficients(case.w)
    expected = np.stack([case.block.X @ c.T + b for c, b in zip(coef, intercept, strict=True)], 1)
    assert_allclose(case.problem.predict(case.w), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.product
def test_level_is_the_mean_diagonal_of_the_hessian_at_zero(case):
    curvature = {"logistic": 1 / 4, "multinomial": 2 / 9}.get(case.name, 1.0)
    X = case.block.X if isinstance(case.block.X, np.ndarray) else case.block.X.toarray()
    diagonals = []
    for train, weight in zip(case.block.trains, case.block.weights, strict=True):
        centre = np.average(X[train], axis=0, weights=weight) if case.intercept else 0.0
        diagonals.append(curvature * weight @ (X[train] - centre) ** 2)
    assert_allclose(case.problem.level, np.mean(diagonals), rtol=1e-12)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", sorted(PROBLEMS.keys() - {"kernel ridge"}))
def test_scales_are_those_of_scaled_features(make_block, name, intercept, thin, wide):
    block = make_block(PROBLEMS[name][0], wide=wide, thin=thin, weighted=True)
    scales = np.random.default_rng(0).uniform(0.5, 2, (block.X.shape[1], block.n_splits))
    shared = Case(name, dataclasses.replace(block, scales=scales), intercept, per="feature")
    whole = shared.problem.solve(shared.h, None, 1e-13)
    v = np.random.default_rng(1).normal(size=shared.problem.predict(whole.w).shape)
    v -= v.mean(axis=-1, keepdims=True) if name == "multinomial" else 0
    adjoint, _ = whole.inverse_hvp(shared.problem.predict_vjp(v), None)
    cross = 0.0
    for split in range(block.n_splits):
        (own,) = dataclasses.replace(block, scales=None).in_batches(1)[split : split + 1]
        X = own.X.multiply(scales[:, split]).tocsr() if thin else own.X * scales[:, split]
        alone = Case(name, dataclasses.replace(own, X=X), intercept, per="feature")
        solution = alone.problem.solve(alone.h, None, 1e-13)
        z = alone.problem.predict(solution.w)
        found = shared.problem.predict(whole.w)[:, split]
        assert_allclose(found, z[:, 0], rtol=1e-8, atol=1e-9 * np.abs(z).max())
        pulled = alone.problem.predict_vjp(v[:, split : split + 1])
        own_adjoint, _ = solution.inverse_hvp(pulled, None)
        cross = cross + alone.problem.cross_vjp(solution.w, alone.h, own_adjoint)["a"]
    found = shared.problem.cross_vjp(whole.w, shared.h, adjoint)["a"]
    assert_allclose(found, cross, rtol=1e-7, atol=1e-8 * np.abs(cross).max())
    coef, intercepts = shared.problem.coefficients(whole.w)
    expected = np.stack([block.X @ c.T + b for c, b in zip(coef, intercepts, strict=True)], 1)
    assert_allclose(shared.problem.predict(whole.w), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("name", sorted(PROBLEMS.keys() - {"kernel ridge"}))
def test_level_of_scaled_features(make_block, name, thin, wide):
    block = make_block(PROBLEMS[name][0], wide=wide, thin=thin)
    scales = np.random.default_rng(0).uniform(0.5, 2, (block.X.shape[1], block.n_splits))
    shared = Case(name, dataclasses.replace(block, scales=scales), True, per="feature")
    levels = []
    for split, own in enumerate(block.in_batches(1)):
        X = own.X.multiply(scales[:, split]).tocsr() if thin else own.X * scales[:, split]
        levels.append(Case(name, dataclasses.replace(own, X=X), True, per="feature").problem.level)
    assert_allclose(shared.problem.level, np.mean(levels), rtol=1e-10)


@pytest.mark.product
def test_inputs_are_not_changed(case):
    block, h = copy.deepcopy(case.block), copy.deepcopy(case.h)
    w, v = case.w.copy(), case.v.copy()
    case.problem.gradient(w, h)
    case.problem.hvp(w, h, v)
    case.problem.cross_vjp(w, h, v)
    case.problem.cross_jvp(w, h, h)
    solution = case.problem.solve(h, None, 1e-6)
    before = solution.w.copy()
    solution.inverse_hvp(v, w)
    case.problem.solve({"a": 2 * h["a"]}, solution, 1e-6)
    assert_array_equal(solution.w, before)
    assert_array_equal(w, case.w)
    assert_array_equal(v, case.v)
    assert_array_equal(h["a"], case.h["a"])
    assert (block.X != case.block.X).sum() == 0
    assert_array_equal(block.y, case.block.y)
    for name in ("trains", "tests", "weights"):
        for one, other in zip(getattr(block, name), getattr(case.block, name), strict=True):
            assert_array_equal(one, other)
