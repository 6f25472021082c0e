import dataclasses
import gc
import warnings
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_hypergrad import losses
from sklearn_hypergrad.hypergradients import WarmStart
from sklearn_hypergrad.problems import (
    GramRidge,
    L2Penalty,
    LinearProblem,
    Status,
)
from sklearn_hypergrad.problems.linear import curvature, design, newton
from sklearn_hypergrad.problems.linear.linear_problem import Memory

LOSSES = {
    "regression": losses.HalfSquaredError(),
    "binary": losses.LogisticLoss(),
    "multinomial": losses.MultinomialLoss(),
}
SPLITS = ["kfold", "overlapping", "time", "bootstrap"]


def linear_problem(kind, block, intercept=True):
    penalty = L2Penalty("h", inverse=kind != "regression")
    return LinearProblem(block, penalty, LOSSES[kind], fit_intercept=intercept)


def sklearn_model(kind, value, intercept):
    if kind == "regression":
        return Ridge(alpha=value, solver="svd", fit_intercept=intercept)
    return LogisticRegression(
        C=value, solver="newton-cholesky", tol=1e-12, fit_intercept=intercept, max_iter=200
    )


def check_against_sklearn(kind, block, intercept, value=0.7, rtol=1e-8):
    """Coefficients and intercepts of every split against the estimator's own training."""
    problem = linear_problem(kind, block, intercept)
    solution = problem.solve({"h": np.array(value)}, None, 1e-12)
    assert solution.status is Status.CONVERGED
    X = (block.X.toarray() if sparse.issparse(block.X) else block.X).astype(float)
    target = block.y if kind == "regression" else block.labels
    parts = zip(*problem.coefficients(solution.w), block.trains, block.weights, strict=True)
    for coef, bias, train, weight in parts:
        model = sklearn_model(kind, value, intercept)
        with warnings.catch_warnings():
            # Its line search gives up where ours does: at the last digit.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X[train], target[train], weight)
        expected = np.reshape(model.coef_, coef.shape)
        expected_bias = np.broadcast_to(model.intercept_, bias.shape)
        if kind == "multinomial":
            # A shift of all classes changes no probability; ours sum to zero.
            expected_bias = expected_bias - expected_bias.mean()
        assert_allclose(coef, expected, rtol=rtol, atol=rtol * np.abs(expected).max())
        assert_allclose(bias, expected_bias, rtol=rtol, atol=rtol * np.abs(expected_bias).max())


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
def test_solutions_are_those_of_sklearn(make_block, kind, intercept, weighted, thin, wide):
    block = make_block(kind, wide=wide, thin=thin, weighted=weighted)
    check_against_sklearn(kind, block, intercept)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
def test_slopes_are_those_in_the_features_of_each_split(make_block, kind, intercept, scaled, far):
    block, rng = make_block(kind, weighted=True), np.random.default_rng(0)
    shape = block.X.shape[1], block.n_splits
    scales, offsets = rng.uniform(0.5, 2, shape), rng.normal(size=shape) * intercept
    block = dataclasses.replace(block, X=block.X + 100.0 * far, scales=scales if scaled else None)
    problem, h = linear_problem(kind, block, intercept), {"h": np.array(0.7)}
    w = rng.normal(size=problem.start().shape)
    coefs, biases = problem.coefficients(w)
    found = problem.steepest(w, h, offsets)
    for split, (train, t) in enumerate(zip(block.trains, block.weights, strict=True)):
        scale = scales[:, split] if scaled else 1.0
        X, coef = block.X[train] * scale + offsets[:, split], coefs[split] / scale
        z = X @ coef.T + biases[split] - coef @ offsets[:, split]
        _, slope, _ = problem.loss.evaluate(block.y[train][:, None], z[:, None])
        slope = t[:, None] * slope[:, 0]
        strength = problem.penalty.strength(h)[0, 0]
        slopes = [*np.abs(slope.T @ X + strength * coef).ravel()]
        slopes += [*np.abs(slope.sum(axis=0))] if intercept else []
        assert_allclose(found[split], max(slopes) / t.sum(), rtol=1e-9)


def test_slopes_without_offsets(make_block):
    block = make_block("binary")
    problem, h = linear_problem("binary", block), {"h": np.array(0.7)}
    w = np.random.default_rng(0).normal(size=problem.start().shape)
    none = np.zeros((block.X.shape[1], block.n_splits))
    assert_allclose(problem.steepest(w, h, None), problem.steepest(w, h, none), rtol=1e-14)
    solution = problem.solve(h, None, 1e-10)
    assert problem.steepest(solution.w, h, None).max() < 1e-8


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("splits", SPLITS)
def test_any_splits(make_block, splits, kind):
    check_against_sklearn(kind, make_block(kind, splits=splits, weighted=True), True)


@pytest.mark.parametrize("kind", LOSSES)
def test_weights_of_each_split_its_own(make_block, kind):
    block = make_block(kind)
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.2, 3, len(train)) for train in block.trains]
    check_against_sklearn(kind, dataclasses.replace(block, weights=weights), True)


@pytest.mark.portable
@pytest.mark.parametrize("kind", ["binary", "multinomial"])
@pytest.mark.parametrize("value", [1e-6, 1e4])
def test_extreme_penalties(make_block, kind, value):
    check_against_sklearn(kind, make_block(kind), True, value, rtol=1e-6)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_float32_is_computed_in_float64(make_block, intercept, thin, kind):
    block = make_block(kind, thin=thin)
    block = dataclasses.replace(block, X=block.X.astype(np.float32))
    check_against_sklearn(kind, block, intercept)


@pytest.mark.parametrize("kind", LOSSES)
def test_an_offset_of_the_features_changes_only_the_intercept(make_block, kind):
    # A power of two, so that the data themselves lose no digits beyond the first shift.
    block = make_block(kind)
    near = dataclasses.replace(block, X=(block.X + 2.0**20) - 2.0**20)
    far = dataclasses.replace(block, X=near.X + 2.0**20)
    problems = [linear_problem(kind, b) for b in (near, far)]
    solutions = [p.solve({"h": np.array(0.7)}, None, 1e-10) for p in problems]
    assert solutions[1].status is Status.CONVERGED
    coefs = [p.coefficients(s.w)[0] for p, s in zip(problems, solutions, strict=True)]
    assert_allclose(coefs[1], coefs[0], rtol=1e-8, atol=1e-9)
    z = [p.predict(s.w) for p, s in zip(problems, solutions, strict=True)]
    assert_allclose(z[1], z[0], rtol=1e-8, atol=1e-8)


@pytest.mark.portable
@pytest.mark.parametrize("offset", [0, 1e6])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("splits", SPLITS)
def test_least_squares_agree_with_the_closed_form(make_block, splits, thin, wide, offset):
    block = make_block(wide=wide, thin=thin, weighted=True, splits=splits, n_outputs=2)
    X = block.X if thin else block.X + offset
    block = dataclasses.replace(block, X=X, y=block.y + offset)
    h = {"h": np.array([0.7, 3.0])}
    predictions = []
    for problem in (
        linear_problem("regression", block),
        GramRidge(block, L2Penalty("h"), fit_intercept=True),
    ):
        solution = problem.solve(h, None, 1e-6)
        assert solution.status is Status.CONVERGED
        predictions.append(problem.predict(solution.w) - block.y[:, None])
    scale = np.abs(predictions[1]).max()
    assert_allclose(*predictions, rtol=1e-7, atol=scale * (1e-8 if offset else 1e-12))


@pytest.mark.parametrize(
    ("tol", "scale"),
    [
        (1e-4, 1e-7),
        (1e-6, 1e-8),
        (1e-6, 1.0),
        (1e-6, 1e4),
        (1e-6, 1e10),
    ],
)
def test_the_unit_of_the_target_does_not_matter(make_block, tol, scale):
    block = make_block()
    h, problem = {"h": np.array(0.7)}, linear_problem("regression", block)
    scaled = linear_problem("regression", dataclasses.replace(block, y=scale * block.y))
    solution = scaled.solve(h, None, tol)
    assert solution.status is Status.CONVERGED
    assert_allclose(solution.w / scale, problem.solve(h, None, 1e-12).w, rtol=10 * tol)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        (curvature, "MAX_OWN", 0),
        (curvature, "MAX_SIZE", 0),
        (design, "CHUNK", 30),
        (design, "SPARSE_CHUNK", 30),
    ],
    ids=["shared Hessian", "diagonal", "chunks", "sparse chunks"],
)
def test_what_large_data_need_changes_no_digits(make_block, monkeypatch, settings, thin, kind):
    block = make_block(kind, thin=thin, weighted=True, splits="overlapping")
    h, v = {"h": np.array(0.7)}, None
    results = []
    for patched in (False, True):
        if patched:
            monkeypatch.setattr(*settings)
        problem = linear_problem(kind, block)
        solution = problem.solve(h, None, 1e-11)
        if v is None:
            v = np.random.default_rng(1).normal(size=solution.w.shape)
            v -= v.mean(axis=-1, keepdims=True) if kind == "multinomial" else 0
        product, status = solution.inverse_hvp(v, None)
        assert (solution.status, status) == (Status.CONVERGED, Status.CONVERGED)
        near, status = solution.inverse_hvp(v, 0.9 * product)
        assert status is Status.CONVERGED
        results.append((solution.w, product, near))
    for one, other in zip(*results, strict=True):
        assert_allclose(one, other, rtol=1e-7, atol=1e-9 * np.abs(one).max())


@pytest.mark.portable
@pytest.mark.parametrize("kind", ["binary", "multinomial"])
@pytest.mark.parametrize("tol", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("size", [0, 2000])
def test_tol_bounds_the_error_of_the_predictions(make_block, monkeypatch, kind, tol, size):
    # With and without a factorised Hessian.
    monkeypatch.setattr(curvature, "MAX_SIZE", size)
    problem = linear_problem(kind, make_block(kind))
    z = [problem.predict(problem.solve({"h": np.array(5.0)}, None, t).w) for t in (1e-13, tol)]
    # The decrement is the mean square of what is left, weighted by the curvature: less than 1/4.
    assert np.abs(z[1] - z[0]).max() < 100 * tol


def test_a_start_at_the_solution_is_confirmed_by_one_look_at_the_data(make_block, monkeypatch):
    problem, h = linear_problem("binary", make_block("binary")), {"h": np.array(0.7)}
    cold = problem.solve(h, None, 1e-6)
    looks, state = [], problem.state
    monkeypatch.setattr(problem, "state", lambda w: looks.append(w) or state(w))
    warm = problem.solve(h, cold, 1e-6)
    assert len(looks) == 1
    assert cold.n_solves > warm.n_solves
    assert_allclose(warm.w, cold.w, rtol=1e-6)


@pytest.mark.parametrize("tol", [1e-2, 1e-12])
def test_states_on_the_way_are_free_at_the_end(make_block, monkeypatch, tol):
    problem, made = linear_problem("binary", make_block("binary")), []
    state = problem.state

    def made_by(w):
        made.append(weakref.ref(found := state(w)))
        return found

    monkeypatch.setattr(problem, "state", made_by)
    known = problem.solve({"h": np.array(0.7)}, None, tol)
    assert known.status is Status.CONVERGED
    gc.collect()
    assert len(made) > 1
    assert not any(each() for each in made)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_first_step_to_a_new_penalty_needs_no_data(make_block, monkeypatch, kind):
    problem = linear_problem(kind, make_block(kind, splits="kfold"))
    known = problem.solve({"h": np.array(0.7)}, None, 1e-12)
    looks, state = [], problem.state
    monkeypatch.setattr(problem, "state", lambda w: looks.append(w) or state(w))
    problem.solve({"h": np.array(0.72)}, known, 1e-6)
    expected = problem.solve({"h": np.array(0.72)}, None, 1e-12).w
    near, before = np.abs(looks[0] - expected).max(), np.abs(known.w - expected).max()
    assert near < 0.5 * before


def test_the_first_step_of_coupled_outputs_is_that_of_the_hessian(make_block, monkeypatch):
    problem = linear_problem("multinomial", make_block("multinomial", splits="kfold"))
    known = problem.solve({"h": np.array(0.7)}, None, 1e-12)
    looks, state = [], problem.state
    monkeypatch.setattr(problem, "state", lambda w: looks.append(w) or state(w))
    problem.solve({"h": np.array(0.72)}, known, 1e-6)
    ridge = problem._ridge({"h": np.array(0.72)})
    gradient = problem.state(known.w).slope + ridge * known.w
    step = known.w - looks[0]
    left = problem.hessian(problem.state(known.w), ridge, step) - gradient
    # Blocks per output leave half of it.
    assert np.linalg.norm(left) < 0.2 * np.linalg.norm(gradient)


@pytest.mark.parametrize("kind", LOSSES)
def test_a_loose_solution_is_not_taken_for_a_tight_one(make_block, kind):
    problem, h = linear_problem(kind, make_block(kind)), {"h": np.array(0.7)}
    expected = problem.solve(h, None, 1e-13).w
    loose = problem.solve(h, None, 1e-2)
    assert_allclose(problem.solve(h, loose, 1e-12).w, expected, rtol=1e-8, atol=1e-10)


def test_an_unfinished_training_is_reported(make_block, monkeypatch):
    monkeypatch.setattr(newton, "MAX_NEWTON", 1)
    problem = linear_problem("binary", make_block("binary"))
    assert problem.solve({"h": np.array(10.0)}, None, 1e-6).status is Status.INNER_NOT_CONVERGED


def test_an_unfinished_linear_solve_is_reported(make_block, monkeypatch):
    monkeypatch.setattr(curvature, "MAX_SIZE", 0)
    problem = linear_problem("binary", make_block("binary"))
    solution = problem.solve({"h": np.array(10.0)}, None, 1e-8)
    monkeypatch.setattr(newton, "MAX_CG", 1)
    _, status = solution.inverse_hvp(np.ones_like(solution.w), None)
    assert status is Status.LINEAR_SOLVE_INEXACT


@pytest.mark.portable
@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_separable_classes_with_hardly_any_penalty(make_block, kind):
    block = make_block(kind, wide=True)
    problem = linear_problem(kind, block)
    solution = problem.solve({"h": np.array(1e6)}, None, 1e-6)
    assert solution.status is Status.CONVERGED
    z, labels = problem.predict(solution.w), block.labels
    guesses = z.argmax(axis=-1) if kind == "multinomial" else (z[..., 0] > 0)
    for split, train in enumerate(block.trains):
        assert np.array_equal(guesses[train, split], labels[train])


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
@pytest.mark.parametrize("factor", [-10, 10])
def test_a_start_where_full_steps_overshoot(make_block, kind, factor):
    # Predictions so far out that the loss has next to no curvature.
    problem, h = linear_problem(kind, make_block(kind)), {"h": np.array(0.7)}
    solution = problem.solve(h, None, 1e-10)
    far = dataclasses.replace(
        solution,
        memory=Memory(problem.state(factor * solution.w), None, np.zeros(3)),
    )
    again = problem.solve(h, far, 1e-10)
    assert again.status is Status.CONVERGED
    assert_allclose(again.w, solution.w, rtol=1e-8, atol=1e-9)


def passes(make_block, monkeypatch):
    """Passes over X of a path of penalties with adjoints, and their last solution and adjoint."""
    problem, counts = linear_problem("binary", make_block("binary")), []
    for name in ("state", "hessian"):
        method = getattr(problem, name)
        monkeypatch.setattr(problem, name, lambda *a, m=method: (counts.append(1), m(*a))[1])
    v, start = np.random.default_rng(0).normal(size=problem.start().shape), None
    for value in np.geomspace(1, 3, 8):
        solution = problem.solve({"h": np.array(value)}, start, 1e-6)
        adjoint, status = solution.inverse_hvp(v, None)
        assert solution.status is status is Status.CONVERGED
        start = WarmStart(solution, None).stored().solution
    return len(counts), solution.w, adjoint


def test_products_along_a_path_save_passes_and_change_no_digits(make_block, monkeypatch):
    found, w, adjoint = passes(make_block, monkeypatch)
    monkeypatch.setattr(curvature.Secants, "learn", lambda self, s, y: None)
    without, expected_w, expected = passes(make_block, monkeypatch)
    assert found < 0.8 * without
    assert_allclose(w, expected_w, rtol=1e-6, atol=1e-7)
    assert_allclose(adjoint, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_an_inverse_that_contracts_slowly_is_not_trusted(make_block, monkeypatch):
    problem, h = linear_problem("binary", make_block("binary")), {"h": np.array(2.0)}
    solution = problem.solve(h, None, 1e-8)
    v = np.random.default_rng(0).normal(size=solution.w.shape)
    expected = problem.solve(h, None, 1e-12).inverse_hvp(v, None)[0]
    monkeypatch.setattr(newton, "CONTRACTION", 0.0)
    found, status = solution.inverse_hvp(v, None)
    assert status is Status.CONVERGED
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
