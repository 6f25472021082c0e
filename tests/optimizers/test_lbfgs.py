import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import rosen, rosen_der

from sklearn_hypergrad.optimizers import LBFGS

pytestmark = pytest.mark.portable
MATRIX = np.diag([1.0, 10.0, 100.0]) + 0.5
CENTRE = np.array([0.5, -0.2, 0.1])
WIDE = np.array([[-5.0, 5.0]] * 3)


def quadratic(z):
    step = z - CENTRE
    return 1 + step @ MATRIX @ step / 2, MATRIX @ step


def rosenbrock(z):
    return rosen(z), rosen_der(z)


@pytest.mark.parametrize(("fun", "expected"), [(quadratic, CENTRE), (rosenbrock, np.ones(3))])
def test_finds_the_minimum(fun, expected):
    z0 = np.array([-1.0, 2.0, 1.0])
    minimum = LBFGS().minimize(fun, z0, WIDE, tol=1e-5, max_iter=200)
    assert minimum.converged
    assert_allclose(minimum.z, expected, atol=1e-5)
    assert_array_equal(z0, [-1, 2, 1])


def test_bounds_are_never_passed_and_hold_the_minimum():
    bounds = np.array([[-1.0, 0.2], [-1.0, 1.0], [0.3, 1.0]])
    seen = []

    def fun(z):
        seen.append(z.copy())
        return quadratic(z)

    minimum = LBFGS().minimize(fun, np.array([0.0, 0.0, 0.5]), bounds, tol=1e-6, max_iter=200)
    assert np.all((bounds[:, 0] <= seen) & (seen <= bounds[:, 1]))
    # At the bounds of the others, the second entry alone is free.
    free = CENTRE[1] - 0.5 * (0.2 - CENTRE[0] + 0.3 - CENTRE[2]) / MATRIX[1, 1]
    assert_allclose(minimum.z, [0.2, free, 0.3], atol=1e-6)


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
def test_the_scale_of_the_values_changes_nothing(scale):
    def scaled(z):
        value, gradient = quadratic(z)
        return scale * value, scale * gradient

    runs = [
        LBFGS().minimize(f, np.ones(3), WIDE, tol=1e-3, max_iter=99) for f in (quadratic, scaled)
    ]
    assert_array_equal(runs[0].z, runs[1].z)


def test_a_start_where_the_value_is_zero():
    def fun(z):
        value, gradient = quadratic(z)
        return value - quadratic(np.zeros(3))[0], gradient

    minimum = LBFGS().minimize(fun, np.zeros(3), WIDE, tol=1e-5, max_iter=200)
    assert_allclose(minimum.z, CENTRE, atol=1e-5)


def test_too_few_iterations_are_reported():
    minimum = LBFGS().minimize(rosenbrock, -np.ones(3), WIDE, tol=1e-5, max_iter=2)
    assert not minimum.converged
    assert "ITERATIONS" in minimum.message.upper()


def test_repr():
    assert repr(LBFGS(memory=7)) == "LBFGS(memory=7)"
    assert repr(LBFGS()) == "LBFGS(memory=20)"


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_log_likelihoods_are_absolute(scale):
    seen = []

    def fun(z):
        value, gradient = quadratic(z)
        seen.append(scale * gradient)
        return scale * value, scale * gradient

    settings = {"tol": 1e-2, "max_iter": 99, "likelihood": True}
    minimum = LBFGS().minimize(fun, np.ones(3), WIDE, **settings)
    assert minimum.converged
    # A slope of 30 tol is small enough, and all there is to see of a small function.
    assert np.abs(scale * quadratic(minimum.z)[1]).max() <= 0.3
    assert (len(seen) == 1) == (scale < 1)


def cut(z):
    """A quadratic that is not finite beyond a line."""
    return (np.inf, np.zeros(3)) if z[2] > 0.5 else quadratic(z)


def test_values_that_are_not_finite_are_gone_around():
    seen = []

    def fun(z):
        seen.append(cut(z)[0])
        return cut(z)

    z0 = np.array([-1.0, 2.0, -0.2])
    minimum = LBFGS().minimize(fun, z0, WIDE, tol=1e-5, max_iter=200)
    assert minimum.converged
    assert_allclose(minimum.z, CENTRE, atol=1e-5)
    assert ("steps were taken back" in minimum.warning) == (np.inf in seen)
    assert np.inf in seen


def test_it_does_not_count_as_converged_where_it_is_held_back():
    def fun(z):
        return (-z.sum(), -np.ones(3)) if z[0] < 0.3 else (np.nan, np.ones(3))

    minimum = LBFGS().minimize(fun, np.zeros(3), WIDE, tol=1e-5, max_iter=200)
    assert not minimum.converged
    assert minimum.z[0] < 0.3
    assert "loss or its gradient is not finite there" in minimum.warning


def test_it_does_not_begin_where_the_value_is_not_finite():
    minimum = LBFGS().minimize(cut, np.ones(3), WIDE, tol=1e-5, max_iter=200)
    assert not minimum.converged
    assert minimum.message == "the validation loss is not finite at the start"
    assert_array_equal(minimum.z, np.ones(3))
