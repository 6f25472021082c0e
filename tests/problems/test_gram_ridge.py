import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import Ridge

from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    GramRidge,
    L2Penalty,
    PredictionLoss,
    QuadraticLoss,
)

pytestmark = pytest.mark.portable
SQUARED = [
    "squared_error",
    "root_squared_error",
    "r2",
    "coded_squared_error",
    "balanced_coded_squared_error",
]
SPLITS = ["kfold", "repeated", "overlapping", "time", "bootstrap"]


def solve(block, alpha, intercept):
    problem = GramRidge(block, L2Penalty("alpha"), fit_intercept=intercept)
    solution = problem.solve({"alpha": np.asarray(alpha)}, None, 1e-6)
    return problem, solution.w


def check_against_sklearn(block, alpha, intercept, rtol=1e-9):
    """Coefficients and intercepts of every split against Ridge on the same training part."""
    problem, w = solve(block, alpha, intercept)
    X = block.X.toarray() if sparse.issparse(block.X) else block.X
    parts = zip(*problem.coefficients(w), block.trains, block.weights, strict=True)
    for coef, bias, train, weight in parts:
        model = Ridge(alpha=alpha, fit_intercept=intercept, solver="svd")
        model.fit(X[train].astype(float), block.y[train], weight)
        atol = rtol * np.abs(model.coef_).max()
        assert_allclose(coef, np.reshape(model.coef_, coef.shape), rtol=rtol, atol=atol)
        assert_allclose(bias, np.broadcast_to(model.intercept_, bias.shape), rtol=rtol)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("splits", SPLITS)
def test_solutions_are_those_of_ridge(make_block, splits, intercept, weighted, thin, wide):
    options = {"wide": wide, "thin": thin, "weighted": weighted, "splits": splits}
    check_against_sklearn(make_block(n_outputs=2, **options), 0.7, intercept)


@pytest.mark.parametrize("intercept", [False, True])
def test_one_penalty_per_target(make_block, intercept):
    check_against_sklearn(make_block(n_outputs=3), np.array([0.1, 2.0, 50.0]), intercept)


@pytest.mark.parametrize("splits", ["kfold", "time"])
def test_weights_of_each_split_its_own(make_block, splits):
    block = make_block(splits=splits)
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.2, 3, len(train)) for train in block.trains]
    check_against_sklearn(dataclasses.replace(block, weights=weights), 0.7, True)


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_float32_is_computed_in_float64(make_block, intercept, thin):
    block = make_block(thin=thin)
    check_against_sklearn(dataclasses.replace(block, X=block.X.astype(np.float32)), 0.7, intercept)


@pytest.mark.parametrize("splits", SPLITS)
def test_offsets_cost_no_digits(make_block, splits):
    block = make_block(splits=splits)
    far = dataclasses.replace(block, X=block.X + 1e6, y=block.y + 1e6)
    check_against_sklearn(far, 0.7, True, rtol=1e-7)


@pytest.mark.parametrize("alpha", [1e-12, 1e12])
def test_extreme_penalties(make_block, alpha):
    check_against_sklearn(make_block(), alpha, True, rtol=1e-8)
    check_against_sklearn(make_block(wide=True), alpha, True, rtol=1e-8)


@pytest.mark.parametrize("score_weight", ["training", "other", "none"])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("splits", ["kfold", "repeated", "overlapping"])
@pytest.mark.parametrize("name", SQUARED)
def test_quadratic_loss_is_prediction_loss(make_block, name, splits, intercept, score_weight):
    kind = "coded" if "coded" in name else "regression"
    n_outputs = 1 if kind == "coded" else 2
    block = make_block(kind, weighted=True, splits=splits, n_outputs=n_outputs)
    other = np.random.default_rng(1).uniform(0.5, 2, len(block.y))
    weight = {"training": 3 * block.score_weight, "other": other, "none": np.ones(len(block.y))}
    block = dataclasses.replace(block, score_weight=weight[score_weight])
    check_losses_agree(block, name, intercept)


def check_losses_agree(block, name, intercept=True, rtol=1e-9):
    problem, w = solve(block, 0.7, intercept)
    w = w + 0.1 * np.random.default_rng(2).normal(size=w.shape)
    loss = VALIDATION_LOSSES[name]
    values, gradient, direct = QuadraticLoss(problem, block, loss)(w, {})
    expected, expected_gradient, _ = PredictionLoss(problem, block, loss)(w, {})
    assert direct == {}
    assert_allclose(values, expected, rtol=rtol)
    assert_allclose(gradient, expected_gradient, rtol=rtol, atol=rtol * np.abs(gradient).max())


@pytest.mark.parametrize("offset", [0, 1e6])
@pytest.mark.parametrize("name", ["squared_error", "root_squared_error", "r2"])
def test_quadratic_loss_keeps_its_digits_without_noise(make_block, name, offset):
    # Errors of 1e-12 of the variance are lost in the difference of sums that are 1e12 times larger.
    block = make_block()
    y = block.X @ np.arange(1.0, 6)[:, None]
    block = dataclasses.replace(block, X=block.X + offset, y=y + offset)
    problem, w = solve(block, 1e-5, True)
    loss = VALIDATION_LOSSES[name]
    values, gradient, _ = QuadraticLoss(problem, block, loss)(w, {})
    expected, expected_gradient, _ = PredictionLoss(problem, block, loss)(w, {})
    assert np.all(expected < 1e-4)
    assert_allclose(values, expected, rtol=1e-12)
    assert_allclose(gradient, expected_gradient, rtol=1e-12)


def test_quadratic_loss_just_above_the_switch_is_still_accurate(make_block):
    block = make_block()
    noise = 1.5e-2 * np.random.default_rng(1).normal(size=(40, 1))
    block = dataclasses.replace(block, y=block.X @ np.arange(1.0, 6)[:, None] + noise)
    problem, w = solve(block, 1e-3, True)
    quadratic = QuadraticLoss(problem, block, VALIDATION_LOSSES["squared_error"])
    expected = quadratic._residual(w, {})
    quadratic._residual = None
    values, gradient, _ = quadratic(w, {})
    assert_allclose(values, expected[0], rtol=1e-9)
    assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-9 * np.abs(gradient).max())


@pytest.mark.parametrize("alphas", [[0.7], [1e-3, 0.7, 50.0], [[0.1, 2.0], [3.0, 0.5]]], ids=str)
@pytest.mark.parametrize("options", [{}, {"wide": True}, {"splits": "overlapping"}], ids=str)
@pytest.mark.parametrize("name", ["squared_error", "root_squared_error", "r2"])
def test_many_minimisers_at_once_are_those_one_by_one(make_block, name, options, alphas):
    block = make_block(n_outputs=2, weighted=True, **options)
    problem = GramRidge(block, L2Penalty("alpha"), fit_intercept=True)
    loss = QuadraticLoss(problem, block, VALIDATION_LOSSES[name])
    strengths = np.array([np.broadcast_to(alpha, 2) for alpha in alphas])
    values, slopes = loss.at_minimisers(strengths)
    for alpha, own, slope in zip(strengths, values, slopes, strict=True):
        found = Implicit().evaluate(problem, loss, {"alpha": alpha}, None, 1e-6)
        assert_allclose(own, found.values, rtol=1e-12)
        scale = np.abs(found.gradient["alpha"]).max()
        assert_allclose(slope, found.gradient["alpha"], rtol=1e-10, atol=1e-12 * scale)


def test_minimisers_that_need_care_are_computed_one_by_one(make_block):
    block, ones = make_block(), np.ones((2, 1))
    graded = dataclasses.replace(block, X=block.X * np.geomspace(1, 1e5, block.X.shape[1]))
    noiseless = dataclasses.replace(block, y=block.X @ np.arange(1.0, 6)[:, None])
    cases = [(block, ones, True), (block, 0 * ones, False), (graded, ones, False)]
    cases += [(block, np.array([[0.0], [1.0]]), False), (noiseless, 1e-5 * ones, False)]
    for data, strengths, at_once in cases:
        problem = GramRidge(data, L2Penalty("alpha"), fit_intercept=True)
        loss = QuadraticLoss(problem, data, VALIDATION_LOSSES["r2"])
        values, slopes = loss.at_minimisers(strengths)
        assert (values is not None) == (slopes is not None) == at_once


def test_held_out_sums_are_used_again_and_not_formed_again(make_block, monkeypatch):
    block = make_block(weighted=True)
    problem, _ = solve(block, 0.7, True)
    formed = []
    monkeypatch.setattr(
        "sklearn_hypergrad.problems.linear.centred_splits.Moments.of",
        lambda *args: formed.append(args),
    )
    QuadraticLoss(problem, block, VALIDATION_LOSSES["squared_error"])
    assert not formed


def test_offsets_cost_the_quadratic_loss_no_digits(make_block):
    block = make_block(weighted=True)
    far = dataclasses.replace(block, X=block.X + 1e6, y=block.y + 1e6)
    check_losses_agree(far, "squared_error", rtol=1e-7)
