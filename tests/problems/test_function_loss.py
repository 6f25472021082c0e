"""Validation losses that are functions of one's own."""

import dataclasses
import functools

import autograd.numpy as np
import numpy as onp
import pytest
from scipy.special import expit, softmax

from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.problems.autograd.function_loss import (
    FunctionLoss,
    function_name,
    takes_weights,
)
from sklearn_hypergrad.problems.outer.held_out import on_held_out

TAKES = {
    "regression": "numbers",
    "binary": "probabilities",
    "multinomial": "probabilities",
    "coded": "codes",
}


def focal(y, p):
    own = p[np.arange(len(y)), y]
    return -np.mean((1 - own) ** 2 * np.log(own))


def correlation(y, z):
    z = z - np.mean(z, axis=0)
    return -np.mean(z * (y - np.mean(y, axis=0))) / np.sqrt(np.mean(z**2))


def weighted(y, z, sample_weight):
    return np.sum(sample_weight * np.cosh(y - z)) / np.sum(sample_weight)


def loss_of(kind):
    return focal if TAKES[kind] == "probabilities" else correlation


def held_out(function, block, kind="regression"):
    return on_held_out(block, FunctionLoss.of(function, TAKES[kind]))


def random_predictions(block, seed=0):
    n_held_out = sum(map(len, block.tests))
    return onp.random.default_rng(seed).normal(size=(n_held_out, block.y.shape[1]))


@pytest.mark.parametrize("splits", ["kfold", "overlapping"])
@pytest.mark.parametrize("kind", TAKES)
def test_gradients_agree_with_differences(make_block, five_point, kind, splits):
    block = make_block(kind, splits=splits)
    outer, z = held_out(loss_of(kind), block, kind), random_predictions(block)
    values, gradient = outer(z)
    assert values.shape == (block.n_splits,)
    direction = random_predictions(block, 1)
    expected = five_point(lambda step: outer(z + step * direction)[0].sum(), 1e-3)
    assert onp.sum(gradient * direction) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", TAKES)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_functions_get_what_users_know(make_block, kind, n_outputs):
    block, seen = make_block(kind, n_outputs=n_outputs), []
    if kind == "regression":
        block = dataclasses.replace(block, labels=block.y[:, 0] if n_outputs == 1 else block.y)

    def recorded(y, z):
        seen.append((y, z))
        return 0.0

    z = random_predictions(block)
    outer = held_out(recorded, block, kind)
    outer.samples(z)
    first = z[: len(block.tests[0])]
    y, predicted = seen[0]
    expected = {
        "regression": first if n_outputs > 1 else first[:, 0],
        "binary": onp.hstack([expit(-first), expit(first)]),
        "multinomial": softmax(first, axis=1),
        "coded": first[:, 0],
    }
    onp.testing.assert_allclose(predicted, expected[kind], rtol=1e-12)
    targets = block.y[:, 0] if kind == "coded" else block.labels
    onp.testing.assert_array_equal(y, onp.reshape(targets[block.tests[0]], y.shape))
    assert (y.dtype.kind == "i") == (TAKES[kind] == "probabilities")


def test_a_column_of_targets_stays_one(make_block):
    block = make_block()
    assert block.labels.shape == (40, 1)
    assert held_out(lambda y, z: np.mean((y - z) ** 2) + y.shape[1] - z.shape[1], block)


def test_weights_go_to_functions_that_take_them(make_block):
    block = make_block(weighted=True)
    z = random_predictions(block) + block.y[onp.concatenate(block.tests)]
    function = lambda y, z, sample_weight: weighted(y[:, 0], z[:, 0], sample_weight)  # noqa: E731
    values, _ = held_out(function, block)(z)
    first = block.tests[0]
    own = onp.cosh(block.y[first] - z[: len(first)])[:, 0]
    assert values[0] == pytest.approx(onp.average(own, weights=block.score_weight[first]))


@pytest.mark.parametrize("weights", [False, True])
def test_losses_of_samples_are_those_of_a_mean(make_block, weights):
    """So the scale of a likelihood, and a guard, are the same as of a loss of the package."""
    block = make_block(weighted=weights)
    z = random_predictions(block) + block.y[onp.concatenate(block.tests)]

    def squared(y, z, sample_weight):
        return np.sum(sample_weight * np.mean((y - z) ** 2, axis=1)) / np.sum(sample_weight)

    expected, shares = on_held_out(block, VALIDATION_LOSSES["squared_error"]).samples(z)
    losses, own_shares = held_out(squared, block).samples(z)
    onp.testing.assert_allclose(losses, expected, rtol=1e-9, atol=1e-12)
    onp.testing.assert_allclose(own_shares, shares)


def test_groups_of_samples_have_the_spread_of_samples(make_block, monkeypatch):
    monkeypatch.setattr("sklearn_hypergrad.problems.autograd.function_loss.MOST_LEFT_OUT", 7)
    block = make_block()
    noise = onp.random.default_rng(0).normal(size=(sum(map(len, block.tests)), 1))
    z = noise + block.y[onp.concatenate(block.tests)]
    losses, _ = held_out(lambda y, z: np.mean((y - z) ** 2), block).samples(z)
    assert losses.mean() == pytest.approx(onp.mean(noise**2), rel=0.05)
    assert losses.std() == pytest.approx(onp.std(noise**2), rel=0.3)


@pytest.mark.parametrize("origin", [0.0, -3.0])
def test_a_likelihood_of_any_sign(origin):
    rng = onp.random.default_rng(0)
    losses, ones = rng.chisquare(1, size=100_000) + origin, onp.ones(100_000)
    loss = FunctionLoss.of(correlation, "numbers")
    scale = loss.likelihood_scale(50, 1, lambda: (losses, ones))
    # As for squared errors, whose origin is zero.
    slope = VALIDATION_LOSSES["squared_error"].likelihood_scale(50, 1, None)(1.0)[1]
    assert scale(losses.mean())[1] == pytest.approx(slope, rel=0.02)
    for value in (losses.mean(), 0.05, 0.0, -2.0):
        step = 1e-6
        difference = (scale(value + step)[0] - scale(value - step)[0]) / (2 * step)
        assert scale(value)[1] == pytest.approx(difference, rel=1e-6)


FAILURES = {
    "array": (lambda y, z: (y - z) ** 2, r"array of shape .*Sum or average it"),
    "nothing": (lambda y, z: None, "returns None"),
    "numpy": (lambda y, z: float(z.sum()), "autograd.numpy"),
    "constant": (lambda y, z: 1.0, "no derivative in the predictions"),
    "steps": (lambda y, z: np.mean(np.sign(y - z) > 0), "no derivative in the predictions"),
    "mistake": (lambda y, z: np.mean(y @ z), r"y of shape \(14, 1\) and predictions of shape"),
}


@pytest.mark.parametrize(("function", "message"), FAILURES.values(), ids=FAILURES)
def test_errors_say_what_was_given_and_what_to_do(make_block, function, message):
    block = make_block()
    with pytest.raises(TypeError, match=f"validation_loss=<lambda> .*{message}"):
        held_out(function, block)(random_predictions(block))


def test_names_and_arguments():
    class Loss:
        def __call__(self, y, z):
            return 0.0

    assert function_name(Loss()) == "Loss"
    assert function_name(functools.partial(weighted)) == function_name(weighted) == "weighted"
    assert [takes_weights(f) for f in (weighted, focal, Loss(), max)] == [True, *[False] * 3]
