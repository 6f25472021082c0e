"""Validation losses as log likelihoods."""

import numpy as np
import pytest

from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.problems.outer.validation_loss import LINEAR


def samples():
    rng = np.random.default_rng(0)
    return rng.chisquare(1, size=200_000), np.ones(200_000)


@pytest.mark.parametrize("loss", VALIDATION_LOSSES.values(), ids=lambda loss: loss.name)
def test_derivatives(loss):
    scale = loss.likelihood_scale(50, 2, samples)
    value, slope = scale(0.7)
    step = 1e-6
    difference = (scale(0.7 + step)[0] - scale(0.7 - step)[0]) / (2 * step)
    assert slope == pytest.approx(difference, rel=1e-8)
    assert np.isfinite(value)


def test_any_loss_is_scaled_as_squared_errors_are():
    squares = VALIDATION_LOSSES["squared_error"].likelihood_scale(50, 1, samples)
    general = VALIDATION_LOSSES["poisson_deviance"].likelihood_scale(50, 1, samples)
    assert general(0.3)[1] == pytest.approx(squares(0.3)[1], rel=0.02)


def test_units_do_not_matter():
    scale = VALIDATION_LOSSES["squared_error"].likelihood_scale(50, 1, samples)
    assert scale(2.0)[0] - scale(1.0)[0] == pytest.approx(scale(2e6)[0] - scale(1e6)[0])


def test_log_losses_are_log_likelihoods():
    linear = {loss.name for loss in VALIDATION_LOSSES.values() if loss.likelihood == LINEAR}
    assert linear == {name for name in VALIDATION_LOSSES if name.endswith("log_loss")}
    assert VALIDATION_LOSSES["log_loss"].likelihood_scale(50, 1, samples)(0.2) == (10.0, 50)


def test_a_root_has_the_likelihood_of_its_square():
    square, root = (
        VALIDATION_LOSSES[name].likelihood_scale(50, 2, samples)
        for name in ("squared_error", "root_squared_error")
    )
    assert root(0.7)[0] == pytest.approx(square(0.7**2)[0])
