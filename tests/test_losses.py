"""Losses against a plain restatement that autograd differentiates."""

import functools

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics

from sklearn_hypergrad import losses


def softmax(z):
    odds = anp.exp(z)
    return odds / anp.sum(odds, axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + anp.exp(-z))


def tweedie(y, z, p):
    """Half the deviance."""
    least = y ** (2 - p) / ((1 - p) * (2 - p))
    return least - y * z ** (1 - p) / (1 - p) + z ** (2 - p) / (2 - p)


# Losses of a parameter, and those that power 1 and 2 are by another formula.
MADE = {
    "TweedieDeviance": lambda: losses.TweedieDeviance(1.5),
    "LogLinkTweedieLoss": lambda: losses.LogLinkTweedieLoss(1.5),
    "LogLinkPoissonLoss": lambda: losses.LogLinkTweedieLoss(1),
    "LogLinkGammaLoss": lambda: losses.LogLinkTweedieLoss(2),
}


def made(name):
    return MADE.get(name, getattr(losses, name, None))()


# Textbook formulas, one loss per output; coupled losses have one for all outputs.
RESTATED = {
    "HalfSquaredError": lambda y, z: (z - y) ** 2 / 2,
    "AbsoluteError": lambda y, z: anp.abs(z - y),
    "PoissonDeviance": lambda y, z: 2 * (y * anp.log(y / z) - y + z),
    "GammaDeviance": lambda y, z: 2 * (anp.log(z / y) + y / z - 1),
    "LogisticLoss": lambda y, z: -y * anp.log(sigmoid(z)) - (1 - y) * anp.log(1 - sigmoid(z)),
    "MultinomialLoss": lambda y, z: -anp.sum(y * anp.log(softmax(z)), axis=-1, keepdims=True),
    "BinaryBrierLoss": lambda y, z: (sigmoid(z) - y) ** 2,
    "TweedieDeviance": lambda y, z: 2 * tweedie(y, z, 1.5),
    "LogLinkTweedieLoss": lambda y, z: tweedie(y, anp.exp(z), 1.5),
    "LogLinkPoissonLoss": lambda y, z: y * anp.log(y / anp.exp(z)) - y + anp.exp(z),
    "LogLinkGammaLoss": lambda y, z: anp.log(anp.exp(z) / y) + y / anp.exp(z) - 1,
    "MultinomialBrierLoss": lambda y, z: anp.sum((softmax(z) - y) ** 2, axis=-1, keepdims=True),
    "MarginLogLoss": lambda y, z: -anp.log(sigmoid(2 * y * z)),
    "MultinomialMarginLogLoss": lambda y, z: (
        -anp.sum((y > 0) * anp.log(softmax(2 * z)), axis=-1, keepdims=True)
    ),
}
POSITIVE = {"PoissonDeviance", "GammaDeviance", "TweedieDeviance"}
LOG_LINK = {"LogLinkTweedieLoss", "LogLinkPoissonLoss", "LogLinkGammaLoss"}
ONE_HOT = {"MultinomialLoss", "MultinomialBrierLoss"}
BINARY = {"LogisticLoss", "BinaryBrierLoss"}
TRAINABLE = ["HalfSquaredError", "LogisticLoss", "MultinomialLoss", *sorted(LOG_LINK)]


def points(name):
    """Targets (7, 1, 3) and predictions (7, 2, 3): two splits see the same targets."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(7, 2, 3))
    if name in POSITIVE:
        return rng.uniform(0.5, 3, (7, 1, 3)), np.exp(z)
    if name in LOG_LINK:
        return rng.uniform(0.5, 3, (7, 1, 3)), z
    if name in ONE_HOT:
        return np.eye(3)[rng.integers(3, size=(7, 1))], z
    if name == "MultinomialMarginLogLoss":
        return 2 * np.eye(3)[rng.integers(3, size=(7, 1))] - 1, z
    if name == "MarginLogLoss":
        return rng.choice([-1.0, 1.0], size=(7, 1, 3)), z
    if name in BINARY:
        return rng.integers(2, size=(7, 1, 3)).astype(float), z
    return rng.normal(size=(7, 1, 3)), z


def test_every_loss_is_restated():
    classes = [value for value in vars(losses).values() if isinstance(value, type)]
    public = set(classes) - {losses.TrainedFromZero}
    assert {type(made(name)) for name in RESTATED} == public
    trainable = {cls for cls in public if hasattr(cls, "hvp")}
    assert {type(made(name)) for name in TRAINABLE} == trainable


@pytest.mark.parametrize("name", RESTATED)
def test_value_and_gradient(name):
    y, z = points(name)
    loss, restated = made(name), RESTATED[name]
    assert_allclose(loss.value(y, z), restated(y, z), rtol=1e-12)
    expected = elementwise_grad(lambda z: restated(y, z))(z)
    assert_allclose(loss.gradient(y, z), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", TRAINABLE)
def test_hvp_and_diagonal(name):
    y, z = points(name)
    loss, restated = made(name), RESTATED[name]

    def along(v):
        gradient = elementwise_grad(lambda z: restated(y, z))
        return grad(lambda z: anp.sum(v * gradient(z)))(z)

    factor = loss.factor(y, z)
    v = np.random.default_rng(1).normal(size=z.shape)
    assert_allclose(loss.hvp(factor, v), along(v), rtol=1e-12, atol=1e-15)
    for output, unit in enumerate(np.eye(3)):
        expected = along(np.broadcast_to(unit, z.shape))[..., output]
        assert_allclose(loss.diagonal(factor)[..., output], expected, rtol=1e-12)


@pytest.mark.parametrize("name", TRAINABLE)
@pytest.mark.parametrize("scale", [1, 30])
def test_all_at_once(name, scale):
    y, z = points(name)
    loss, z = made(name), scale * z
    value, gradient, factor = loss.evaluate(y, z)
    assert_allclose(value, loss.value(y, z), rtol=1e-12, atol=1e-15)
    assert_allclose(gradient, loss.gradient(y, z), rtol=1e-12, atol=1e-15)
    assert_allclose(factor, loss.factor(y, z), rtol=1e-12, atol=1e-15)


def test_small_logistic_losses_keep_their_digits():
    y, z = np.array([0.0, 1.0]), np.array([-40.0, 40.0])
    value, gradient, factor = losses.LogisticLoss().evaluate(y, z)
    assert_allclose([value, gradient * [1, -1], factor], np.full((3, 2), np.exp(-40)), rtol=1e-14)


@pytest.mark.parametrize("n_samples", [1, 2, 255, 256, 1000])
@pytest.mark.parametrize("scale", [0.1, 3.0, 100.0])
def test_sums_of_logistic_losses(n_samples, scale):
    rng, loss = np.random.default_rng(0), losses.LogisticLoss()
    y = rng.integers(0, 2, (n_samples, 1, 1)).astype(float)
    # Predictions are right, so that losses are small at large scales.
    z = scale * (2 * y - 1) * rng.uniform(0.01, 1, (n_samples, 3, 1))
    counts = rng.integers(0, 2, z.shape).astype(float)
    value, *others = loss.evaluate(y, z)
    sums, *same = loss.evaluate_sums(y, z, counts)
    assert_allclose(sums, (counts * value).sum(axis=(0, 2)), rtol=1e-12, atol=0)
    assert all(map(np.array_equal, others, same))


@pytest.mark.parametrize("name", TRAINABLE)
def test_shift_invariance_is_declared_truthfully(name):
    y, z = points(name)
    loss = made(name)
    unchanged = np.allclose(loss.value(y, z + 0.7), loss.value(y, z), rtol=1e-12)
    assert unchanged == loss.shift_invariant


@pytest.mark.parametrize("name", RESTATED)
def test_inputs_are_not_changed(name):
    y, z = points(name)
    loss, before = made(name), (y.copy(), z.copy())
    loss.value(y, z)
    loss.gradient(y, z)
    if name in TRAINABLE:
        loss.hvp(loss.factor(y, z), z)
    assert_array_equal(y, before[0])
    assert_array_equal(z, before[1])


@pytest.mark.parametrize(
    ("name", "y", "z", "value", "gradient"),
    [
        ("LogisticLoss", [[0.0]], [[1000.0]], 1000.0, [[1.0]]),
        ("LogisticLoss", [[1.0]], [[1000.0]], 0.0, [[0.0]]),
        ("LogisticLoss", [[1.0]], [[-1000.0]], 1000.0, [[-1.0]]),
        ("MultinomialLoss", [[0.0, 1.0]], [[1000.0, -1000.0]], 2000.0, [[1.0, -1.0]]),
        ("BinaryBrierLoss", [[0.0]], [[1000.0]], 1.0, [[0.0]]),
        ("MultinomialBrierLoss", [[0.0, 1.0]], [[1000.0, -1000.0]], 2.0, [[0.0, 0.0]]),
        ("AbsoluteError", [[2.0]], [[2.0]], 0.0, [[0.0]]),
        ("PoissonDeviance", [[0.0]], [[3.0]], 6.0, [[2.0]]),
    ],
)
def test_extremes_neither_overflow_nor_lose_the_limit(name, y, z, value, gradient):
    loss, y, z = made(name), np.array(y), np.array(z)
    assert_allclose(loss.value(y, z), [[value]])
    assert_allclose(loss.gradient(y, z), gradient)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_logistic_loss_keeps_its_digits_for_confident_predictions(y):
    # log(1 + exp(-40)) is exp(-40), not log(1).
    value = losses.LogisticLoss().value(np.array([y]), np.array([40.0 if y else -40.0]))
    assert_allclose(value, np.exp(-40), rtol=1e-14)


@pytest.mark.parametrize("name", sorted(POSITIVE))
def test_deviances_are_infinite_for_predictions_that_are_not_positive(name):
    values = made(name).value(np.ones(3), np.array([-1.0, 0.0, 1.0]))
    assert_array_equal(values, [np.inf, np.inf, 0])


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("TweedieDeviance", functools.partial(metrics.mean_tweedie_deviance, power=1.5)),
        ("PoissonDeviance", metrics.mean_poisson_deviance),
        ("GammaDeviance", metrics.mean_gamma_deviance),
        ("AbsoluteError", metrics.mean_absolute_error),
    ],
)
def test_mean_is_the_metric(name, metric):
    y, z = (a[:, 0, 0] for a in points(name))
    assert_allclose(made(name).value(y, z).mean(), metric(y, z), rtol=1e-13)


@pytest.mark.parametrize("name", sorted(LOG_LINK))
def test_predictors_of_a_log_link_may_be_anything(name):
    y, z = np.ones((2, 1)), np.array([[-1e6], [1e6]])
    for part in made(name).evaluate(y, z):
        assert np.isfinite(part).all()


@pytest.mark.parametrize("power", [1, 1.5])
def test_counts_of_zero_have_a_loss(power):
    value, gradient, _ = losses.LogLinkTweedieLoss(power).evaluate(np.zeros(1), np.zeros(1))
    assert_allclose([value[0], gradient[0]], [1 / (2 - power), 1])


@pytest.mark.parametrize("name", TRAINABLE)
def test_training_starts_where_no_feature_has_weight(name):
    """For a log link that is the best constant; a unit of targets is one of the loss there."""
    loss, mean = made(name), np.full((1, 1, 3), 1.7)
    base = loss.base(mean)
    slope = np.exp(base) if name in LOG_LINK else 1.0
    curvature = loss.diagonal(loss.factor(mean, base))
    assert_allclose(loss.precision(mean) * slope**2, curvature, rtol=1e-12)
    if name in LOG_LINK:
        assert_allclose(loss.gradient(mean, base), 0, atol=1e-14)
    else:
        assert_array_equal(base, 0)
