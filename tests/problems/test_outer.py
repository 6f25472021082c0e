"""Validation losses of plain predictions: values are metrics, gradients their derivatives."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn import metrics

from sklearn_hypergrad.problems import VALIDATION_LOSSES, PredictionLoss
from sklearn_hypergrad.problems.outer.held_out import sample_weights
from sklearn_hypergrad.problems.outer.validation_loss import CODES, MARGINS

pytestmark = pytest.mark.portable


class Predictions:
    """A model whose weights are its predictions."""

    def predict(self, w):
        return w

    def predict_vjp(self, v):
        return v


def balanced(metric):
    """The mean over the classes of a part of the metric on each."""

    def of(y, z, labels, weight):
        parts = [labels == label for label in np.unique(labels)]
        return np.mean([metric(y[p], z[p], labels[p], weight[p]) for p in parts])

    return of


def regression(metric):
    return lambda y, z, labels, weight: metric(y, z, sample_weight=weight)


def log_loss(y, z, labels, weight):
    probability = softmax(z, axis=1) if z.shape[1] > 1 else expit(z[:, 0])
    names = range(max(z.shape[1], 2))
    return metrics.log_loss(labels, probability, sample_weight=weight, labels=names)


def brier_score(y, z, labels, weight):
    probability = softmax(z, axis=1) if z.shape[1] > 1 else expit(z[:, 0])
    return metrics.brier_score_loss(labels, probability, sample_weight=weight)


def margin_log_loss(y, z, labels, weight):
    return log_loss(y, 2 * z, labels, weight)


def platt_log_loss(y, z, labels, weight):
    """By a general minimiser."""
    positive, slopes = y[:, 0] > 0, z[:, 0]
    counts = {side: weight[positive == side].sum() for side in (True, False)}
    likely = {side: (count + 1) / (count + 2) for side, count in counts.items()}
    t = np.where(positive, likely[True], 1 - likely[False])

    def loss(theta):
        u = theta[0] ** 2 * slopes + theta[1]
        return np.average(np.logaddexp(0, u) - t * u, weights=weight)

    return minimize(loss, [1.0, 0.0], tol=1e-14, method="Nelder-Mead").fun


d2 = metrics.d2_tweedie_score
squared = regression(metrics.mean_squared_error)
METRICS = {
    "squared_error": squared,
    "root_squared_error": regression(metrics.root_mean_squared_error),
    "r2": regression(lambda *a, **k: -metrics.r2_score(*a, **k)),
    "absolute_error": regression(metrics.mean_absolute_error),
    "poisson_deviance": regression(metrics.mean_poisson_deviance),
    "gamma_deviance": regression(metrics.mean_gamma_deviance),
    "d2_poisson_deviance": regression(lambda *a, **k: -d2(*a, power=1, **k)),
    "d2_gamma_deviance": regression(lambda *a, **k: -d2(*a, power=2, **k)),
    "log_loss": log_loss,
    "balanced_log_loss": balanced(log_loss),
    "brier_score": brier_score,
    "coded_squared_error": squared,
    "balanced_coded_squared_error": balanced(squared),
    "margin_log_loss": margin_log_loss,
    "balanced_margin_log_loss": balanced(margin_log_loss),
    "platt_log_loss": platt_log_loss,
}
CLASSIFIED = ("log_loss", "balanced_log_loss", "brier_score")
CODED = tuple(name for name, loss in VALIDATION_LOSSES.items() if loss.takes in (CODES, MARGINS))
ONE_OUTPUT = tuple(name for name in METRICS if name.endswith("_deviance"))
CASES = [
    (name, kind, n_outputs)
    for name in METRICS
    for kind, n_outputs in (
        [("binary", 1), ("multinomial", 3)]
        if name in CLASSIFIED
        else [("coded", 1)]
        if name in CODED
        else [("regression", 1)]
        if name in ONE_OUTPUT
        else [("regression", 1), ("regression", 2)]
    )
]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def case(request, make_block):
    """``(name, block, predictions)``: held-out parts that overlap and differ in size."""
    name, kind, n_outputs = request.param
    block = make_block(kind, n_outputs=n_outputs, weighted=True, splits="overlapping")
    block = dataclasses.replace(block, tests=[*block.tests[:2], block.tests[2][3:]])
    noise = np.random.default_rng(1).normal(size=(40, 3, n_outputs))
    return name, block, noise + (block.y[:, None, :] if kind == "regression" else 0)


def test_every_validation_loss_has_its_metric():
    assert set(METRICS) == set(VALIDATION_LOSSES)
    assert all(name == loss.name for name, loss in VALIDATION_LOSSES.items())


def test_value_is_the_metric_on_every_held_out_part(case):
    name, block, w = case
    loss = VALIDATION_LOSSES[name]
    values, _, direct = PredictionLoss(Predictions(), block, loss)(w, {})
    expected = [
        METRICS[name](block.y[test], w[test, split], block.labels[test], block.score_weight[test])
        for split, test in enumerate(block.tests)
    ]
    assert direct == {}
    assert_allclose(values - loss.offset, expected, rtol=1e-12)


def test_gradient_is_the_derivative_of_the_sum_over_splits(case, five_point):
    name, block, w = case
    outer = PredictionLoss(Predictions(), block, VALIDATION_LOSSES[name])
    v = np.random.default_rng(2).normal(size=w.shape)
    slope = five_point(lambda s: outer(w + s * v, {})[0].sum(), 1e-5 if "abs" in name else 1e-3)
    before = w.copy()
    gradient = outer(w, {})[1]
    assert_allclose(np.sum(gradient * v), slope, rtol=1e-8)
    assert_array_equal(w, before)
    for split, test in enumerate(block.tests):
        assert_array_equal(np.delete(gradient[:, split], test, axis=0), 0)


def test_no_error_at_all_has_a_finite_root(make_block):
    block = make_block()
    outer = PredictionLoss(Predictions(), block, VALIDATION_LOSSES["root_squared_error"])
    values, gradient, _ = outer(np.repeat(block.y[:, None, :], 3, axis=1), {})
    assert_allclose(values, 0, atol=1e-100)
    assert_array_equal(gradient, 0)


@pytest.mark.parametrize("balance", [False, True])
def test_sample_weights_of_a_split_sum_to_one_and_classes_count_the_same(make_block, balance):
    block = make_block("multinomial", weighted=True)
    parts = np.split(sample_weights(block, balance), np.cumsum([len(t) for t in block.tests])[:-1])
    for test, part in zip(block.tests, parts, strict=True):
        assert_allclose(part.sum(), 1)
        labels = block.labels[test]
        shares = np.bincount(labels, part)
        assert np.allclose(shares, 1 / 3) == balance
        # Within a class, weights keep their proportions.
        ratio = part / block.score_weight[test]
        assert_allclose(ratio, ratio[[np.argmax(labels == label) for label in labels]])
