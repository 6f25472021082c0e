"""Valleys across several hyperparameters."""

import types

import numpy as np
import pytest

from sklearn_hypergrad.search.strategies.valley import valley

ACROSS, ALONG = np.array([0.6, 0.8]), np.array([0.8, -0.6])


def point(*theta):
    """A point of a loss that curves a hundred times as much across its valley as along it."""
    theta = np.array(theta)
    gradient = 2.0 * (theta @ ACROSS) * ACROSS + 0.02 * (theta @ ALONG) * ALONG
    return types.SimpleNamespace(theta=theta, gradient=gradient)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_slopes_around_a_point_tell_its_valley(scale):
    others = [point(0.3, 0.0), point(-0.5, 0.2), point(0.1, 0.7)]
    steps = scale * np.ones(2)
    found = valley(point(0.0, 0.0), others, steps)
    assert np.linalg.norm(found / steps) == pytest.approx(1)
    assert abs(found @ ALONG) == pytest.approx(scale)


def test_points_that_are_close_tell_nothing():
    close, far = [point(1e-3, 0.0), point(0.0, 1e-3)], [point(1.0, 0.0), point(0.0, 1.0)]
    assert valley(point(0.0, 0.0), close, np.ones(2)) is None
    assert valley(point(0.0, 0.0), [*close, *far], np.ones(2)) is not None
