"""Linear models with an L1 penalty: minima, and their derivatives on the support."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad import losses
from sklearn_hypergrad.hypergradients import Implicit, WarmStart
from sklearn_hypergrad.problems import ElasticNetPenalty, SparseLinearProblem, Status
from sklearn_hypergrad.problems.sparse import columns, proximal_newton

LOSSES = {
    "regression": losses.HalfSquaredError(),
    "binary": losses.LogisticLoss(),
    "multinomial": losses.MultinomialLoss(),
}
H = {"C": 0.8, "l1_ratio": 0.6}
KINDS = ["binary", "multinomial"]


def problem_of(kind, block, *, intercept=True, own=None):
    penalty = ElasticNetPenalty("C", own or {}, inverse=True)
    return SparseLinearProblem(block, penalty, LOSSES[kind], fit_intercept=intercept)


def objective(problem, block, w, h):
    """The documented objective of every split, restated from its predictions."""
    z, t = problem.predict(w), block.row_weights()[:, :, None]
    features = w[: block.X.shape[1]]
    loss = np.sum(t * problem.loss.value(block.y[:, None], z), axis=(0, 2))
    absolute, squares = (np.sum(part, axis=(0, 2)) for part in (np.abs(features), features**2))
    return loss + (h["l1_ratio"] * absolute + (1 - h["l1_ratio"]) / 2 * squares) / h["C"]


def check_minimum(problem, block, w, h):
    """The conditions of a minimum, by slopes of the loss from differences of nothing."""
    z, t = problem.predict(w), block.row_weights()[:, :, None]
    slope = problem.predict_vjp(t * problem.loss.gradient(block.y[:, None], z))
    l1, l2 = h["l1_ratio"] / h["C"], (1 - h["l1_ratio"]) / h["C"]
    n_features = block.X.shape[1]
    own, slope, last = w[:n_features], slope[:n_features], slope[n_features:]
    atol = 1e-9 * max(1.0, np.abs(slope).max())
    assert_allclose(last, 0.0, atol=atol)
    inside = own != 0
    assert_allclose((slope + l2 * own + l1 * np.sign(own))[inside], 0.0, atol=atol)
    assert np.all(np.abs(slope[~inside]) <= l1 + atol)
    return inside


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
def test_minima(make_block, kind, intercept, thin, wide):
    block = make_block(kind, wide=wide, thin=thin, weighted=True)
    problem = problem_of(kind, block, intercept=intercept)
    h = H | {"C": 5 / problem.largest}
    solution = problem.solve(h, None, 1e-12)
    assert solution.status is Status.CONVERGED
    inside = check_minimum(problem, block, solution.w, h)
    assert inside.any()
    assert not inside.all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [0.001, 1.0])
@pytest.mark.parametrize("C", [1e-4, 1e4])
def test_extreme_penalties(make_block, kind, C, ratio):
    block = make_block(kind, wide=True)
    problem, h = problem_of(kind, block), {"C": C, "l1_ratio": ratio}
    solution = problem.solve(h, None, 1e-10)
    assert solution.status is Status.CONVERGED
    inside = check_minimum(problem, block, solution.w, h)
    assert inside.any() == (C > 1)


@pytest.mark.parametrize("kind", KINDS)
def test_scales_are_those_of_the_columns(make_block, kind):
    block = make_block(kind)
    scales = np.random.default_rng(1).uniform(0.3, 3.0, (5, len(block.trains)))
    found = problem_of(kind, dataclasses.replace(block, scales=scales)).solve(H, None, 1e-12)
    for split in range(len(block.trains)):
        one = dataclasses.replace(
            block,
            X=block.X * scales[:, split],
            trains=block.trains[split : split + 1],
            tests=block.tests[split : split + 1],
            weights=block.weights[split : split + 1],
        )
        expected = problem_of(kind, one).solve(H, None, 1e-12)
        assert_allclose(found.w[:, split], expected.w[:, 0], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_repeat_each_other(make_block, kind):
    block = make_block(kind)
    twice = dataclasses.replace(block, X=np.hstack([block.X, block.X, -block.X]))
    h = {"C": 2.0, "l1_ratio": 1.0}
    once, several = (problem_of(kind, each) for each in (block, twice))
    expected, found = (each.solve(h, None, 1e-10) for each in (once, several))
    assert found.status is Status.CONVERGED
    assert_allclose(several.predict(found.w), once.predict(expected.w), rtol=1e-6, atol=1e-8)


def test_an_offset_of_the_features_changes_only_the_intercept(make_block):
    block = make_block("binary")
    far = dataclasses.replace(block, X=block.X + 2.0**10)
    problems = [problem_of("binary", each) for each in (block, far)]
    near, shifted = (each.coefficients(each.solve(H, None, 1e-11).w)[0] for each in problems)
    assert_allclose(shifted, near, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_few_weights_at_a_time_arrive_at_the_same(make_block, kind, monkeypatch):
    block = make_block(kind, wide=True)
    expected = problem_of(kind, block).solve(H, None, 1e-11)
    monkeypatch.setattr(proximal_newton, "FEWEST", 1)
    found = problem_of(kind, block).solve(H, None, 1e-11)
    assert found.n_solves > expected.n_solves
    assert_allclose(found.w, expected.w, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("thin", [False, True])
def test_large_data_are_multiplied_split_by_split(make_block, thin, monkeypatch):
    block = make_block("multinomial", thin=thin)
    expected = problem_of("multinomial", block).solve(H, None, 1e-11)
    monkeypatch.setattr(columns, "MOST_NUMBERS", 1)
    found = problem_of("multinomial", block).solve(H, None, 1e-11)
    assert_allclose(found.w, expected.w, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_a_solution_is_the_same_from_any_start(make_block, kind):
    block = make_block(kind)
    problem = problem_of(kind, block)
    strong = problem.solve({"C": 0.05, "l1_ratio": 0.9}, None, 1e-11)
    expected = problem.solve(H, None, 1e-11)
    again = problem.solve(H, strong, 1e-11)
    bare = problem.solve(H, WarmStart.at(strong.w).solution, 1e-11)
    for found in (again, bare):
        assert_allclose(found.w, expected.w, rtol=1e-7, atol=1e-9)
        assert_array_equal(found.w == 0, expected.w == 0)
    assert again.n_solves <= expected.n_solves
    assert problem.solve(H, expected, 1e-11).n_solves == 2 * len(block.trains)


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_weights_are_lower(make_block, kind):
    block = make_block(kind, weighted=True)
    problem, rng = problem_of(kind, block), np.random.default_rng(0)
    w = problem.solve(H, None, 1e-11).w
    least = objective(problem, block, w, H)
    for size in (1e-4, 1e-2, 1.0):
        for _ in range(5):
            other = w + size * rng.normal(size=w.shape) * (rng.uniform(size=w.shape) < 0.3)
            assert np.all(objective(problem, block, other, H) >= least - 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_of_the_solution(make_block, kind, five_point):
    block = make_block(kind)
    problem = problem_of(kind, block)
    solution = problem.solve(H, None, 1e-13)
    for name in H:
        along = {each: float(each == name) for each in H}
        right = problem.cross_jvp(solution.w, H, along)
        slope, status = solution.inverse_hvp(-right, None)
        assert status is Status.CONVERGED

        def w(step, along=along):
            at = {each: value + step * along[each] for each, value in H.items()}
            return problem.solve(at, None, 1e-13).w

        expected = five_point(w, 1e-3)
        assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)
        assert_allclose(problem.hvp(solution.w, H, slope), -right, rtol=1e-9, atol=1e-11)
        v = np.random.default_rng(2).normal(size=right.shape)
        product = problem.cross_vjp(solution.w, H, v)[name]
        assert product == pytest.approx(np.vdot(v, right), rel=1e-10)
    assert np.abs(problem.gradient(solution.w, H)).max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_products_with_the_hessian_give_the_same_hypergradient(make_block, kind):
    block = make_block(kind)
    problem, rng = problem_of(kind, block), np.random.default_rng(3)

    def pulled(method, g):
        fitted = method.fit(problem, H, None, 1e-11)
        return fitted.pull(problem.predict_vjp(g)).gradient

    g = rng.normal(size=(*block.row_weights().shape, block.y.shape[1]))
    # Losses of classes do not change if all logits are shifted.
    g -= g.mean(axis=2, keepdims=True) * (kind == "multinomial")
    found, expected = pulled(Implicit("cg"), g), pulled(Implicit(), g)
    for name in H:
        assert found[name] == pytest.approx(expected[name], rel=1e-6)


def test_the_first_weight_leaves_zero_where_it_is_said_to(make_block):
    block = make_block("multinomial", splits="kfold")
    one = block.in_batches(1)[0]
    problem = problem_of("multinomial", one, own={"l1_ratio": 1.0})
    for share, some in ((0.999, False), (1.001, True)):
        w = problem.solve({"C": share / problem.largest}, None, 1e-10).w
        assert np.any(w[: block.X.shape[1]] != 0) == some


def test_too_many_weights_are_an_error(make_block, monkeypatch):
    monkeypatch.setattr(proximal_newton, "MOST", 3)
    problem = problem_of("binary", make_block("binary", wide=True))
    with pytest.raises(np.linalg.LinAlgError, match="more than 3 weights of a split may not be"):
        problem.solve(H, None, 1e-8)
