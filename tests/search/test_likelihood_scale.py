import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.search.objective.likelihood_scale import (
    LOG_LOSSES,
    SQUARED_ERRORS,
    likelihood_scale,
)


def samples():
    errors = np.random.default_rng(0).normal(size=200_000) ** 2
    return errors, np.ones(len(errors))


@pytest.mark.parametrize("name", ["brier_score", *sorted(LOG_LOSSES), *sorted(SQUARED_ERRORS)])
def test_derivative(name, five_point):
    scale = likelihood_scale(name, 50, 2, samples)
    value, slope = scale(0.8)
    assert np.isfinite(value)
    assert_allclose(slope, five_point(lambda s: scale(0.8 + s)[0], 1e-3), rtol=1e-9)


def test_the_general_rule_is_that_of_squares_for_gaussian_errors():
    squares = likelihood_scale("squared_error", 50, 1, samples)
    general = likelihood_scale("poisson_deviance", 50, 1, samples)
    assert_allclose(general(0.7)[1], squares(0.7)[1], rtol=0.02)


def test_units_do_not_matter():
    scale = likelihood_scale("squared_error", 50, 1, samples)
    assert_allclose(scale(2.0)[0] - scale(1.0)[0], scale(2e6)[0] - scale(1e6)[0])
