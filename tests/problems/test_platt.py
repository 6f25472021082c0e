"""Platt's log loss where there is little to calibrate, and what it does not depend on."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    make_scorer,
    roc_auc_score,
)

from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.problems.outer.held_out import on_held_out
from sklearn_hypergrad.search.objective.validation_loss import surrogate

PLATT = VALIDATION_LOSSES["platt_log_loss"]


def platt(block):
    return on_held_out(block, PLATT)


@pytest.fixture
def coded(make_block):
    """``(held-out loss, targets)`` of weighted data."""
    block = make_block("coded", weighted=True)
    held_out = platt(block)
    return held_out, block.y[held_out.rows]


def entropy(held_out):
    """The loss of constant decision values."""
    return held_out(np.zeros((len(held_out.rows), 1)))[0]


def decisions(y):
    return y + np.random.default_rng(0).normal(size=y.shape)


def test_origin_and_scale_do_not_matter(coded):
    held_out, y = coded
    f = decisions(y)
    values, gradient = held_out(f)
    for origin, scale in ((0, 1e-9), (-5, 1e6), (1e3, 1)):
        moved, slopes = held_out(scale * (f + origin))
        assert_allclose(moved, values, rtol=1e-10)
        assert_allclose(scale * slopes, gradient, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 1e-300, 1.0, 1 / 3])
def test_constant_decision_values_have_no_slope(coded, constant):
    held_out, y = coded
    values, gradient = held_out(np.full(y.shape, constant))
    assert_allclose(values, entropy(held_out), rtol=1e-12)
    assert_array_equal(gradient, 0)


def test_the_wrong_order_is_as_bad_as_none(coded):
    held_out, y = coded
    values, gradient = held_out(-y)
    assert_allclose(values, entropy(held_out), rtol=1e-12)
    assert_array_equal(gradient, 0)
    assert np.all(held_out(decisions(y))[0] < values)


@pytest.mark.parametrize("far", [1.0, 1e4, 1e12])
def test_separable_decision_values_have_a_finite_loss(coded, far):
    held_out, y = coded
    f = y.copy()
    f[0] *= far
    values, gradient = held_out(f)
    assert np.all(values < entropy(held_out))
    assert np.all(np.isfinite(gradient))
    if far == 1:
        # Of two different values the best probabilities are the targets themselves.
        targets = held_out._targets
        own = -targets * np.log(targets) - (1 - targets) * np.log(1 - targets)
        assert_allclose(values, held_out._average(own)[:, 0], rtol=1e-12)


def test_a_part_of_one_class_and_weights_of_zero(make_block):
    block = make_block("coded", weighted=True)
    y, weight = block.y.copy(), block.score_weight.copy()
    y[block.tests[0]] = 1.0
    weight[block.tests[1][block.y[block.tests[1], 0] > 0]] = 0.0
    held_out = platt(dataclasses.replace(block, y=y, score_weight=weight))
    values, gradient = held_out(decisions(block.y[held_out.rows]))
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(gradient))


def test_a_weight_of_two_is_a_sample_twice(make_block):
    block = make_block("coded")
    held_out, f = platt(block), decisions(block.y)
    doubled = dataclasses.replace(block, score_weight=np.full(len(block.y), 2.0))
    twice = dataclasses.replace(block, tests=[np.tile(test, 2) for test in block.tests])
    rows = np.concatenate(twice.tests)
    assert_allclose(platt(doubled).values(f[held_out.rows]), platt(twice).values(f[rows]))
    losses, weights = held_out.samples(f[held_out.rows])
    found = [
        np.average(losses[held_out.splits == n], weights=weights[held_out.splits == n])
        for n in range(block.n_splits)
    ]
    assert_allclose(found, held_out.values(f[held_out.rows]), rtol=1e-12)


@pytest.mark.parametrize(
    ("metric", "loss"),
    [
        (accuracy_score, "margin_log_loss"),
        (f1_score, "margin_log_loss"),
        (balanced_accuracy_score, "balanced_margin_log_loss"),
        (roc_auc_score, "platt_log_loss"),
        (average_precision_score, "platt_log_loss"),
        (log_loss, "platt_log_loss"),
    ],
)
def test_which_loss_stands_for_a_score(metric, loss):
    assert surrogate("margins", make_scorer(metric)).name == loss
    assert surrogate("margins", None).name == "margin_log_loss"
