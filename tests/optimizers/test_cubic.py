import numpy as np
import pytest
from scipy.interpolate import KroghInterpolator

from sklearn_hypergrad.optimizers import Cubic
from sklearn_hypergrad.optimizers.cubic import PRECISE, minimum_between

pytestmark = pytest.mark.portable
BOUNDS = np.array([[-1.0, 2.0]])


class Counted:
    """A function of one number with its derivative, and where it was evaluated."""

    def __init__(self, value, slope):
        self.value, self.slope, self.seen = value, slope, []

    def __call__(self, z):
        assert z.shape == (1,)
        self.seen.append(float(z[0]))
        return self.value(z[0]), np.array([self.slope(z[0])])


CONVEX = {
    "quadratic": (lambda z: (z - 0.3) ** 2, lambda z: 2 * (z - 0.3), 0.3),
    "exponential": (lambda z: np.exp(z) - 2 * z, lambda z: np.exp(z) - 2, np.log(2)),
    "nearly flat": (lambda z: 1 + 1e-9 * (z - 0.3) ** 4, lambda z: 4e-9 * (z - 0.3) ** 3, 0.3),
    "kink": (lambda z: abs(z - 0.3), lambda z: np.sign(z - 0.3), 0.3),
}


def minimize(fun, tol=1e-9, max_iter=200, gain=0.0):
    return Cubic(gain).minimize(fun, np.array([0.0]), BOUNDS, tol=tol, max_iter=max_iter)


@pytest.mark.parametrize("name", CONVEX)
def test_finds_the_minimum_inside_the_bracket(name):
    value, slope, expected = CONVEX[name]
    fun = Counted(value, slope)
    minimum = minimize(fun)
    assert minimum.converged
    assert minimum.z.shape == (1,)
    assert abs(minimum.z[0] - expected) < 1e-7
    assert all(-1 <= z <= 2 for z in fun.seen)


def test_is_superlinear():
    fun = Counted(*CONVEX["exponential"][:2])
    minimum = minimize(fun, tol=1e-12)
    # Bisection would take 41 steps from a bracket of length 3.
    assert len(fun.seen) < 15
    assert abs(minimum.z[0] - np.log(2)) < 1e-12


def test_the_end_is_a_point_that_was_evaluated_if_hardly_anything_is_left_to_gain():
    fun = Counted(lambda z: 5 + (z - 0.3) ** 2 + 0.1 * z**3, lambda z: 2 * (z - 0.3) + 0.3 * z**2)
    minimum = minimize(fun, tol=1e-2, gain=0.1)
    assert minimum.message.startswith("converged: hardly anything")
    assert minimum.z[0] == fun.seen[-1]
    best = minimize(Counted(fun.value, fun.slope), tol=1e-12).z[0]
    assert fun.value(minimum.z[0]) - fun.value(best) <= 0.1 * 1e-2**2 * 5


def test_tol_is_the_accuracy_in_z():
    exact, rough = (Counted(*CONVEX["exponential"][:2]) for _ in range(2))
    minimize(exact, tol=1e-12)
    minimum = minimize(rough, tol=1e-2)
    assert len(rough.seen) < len(exact.seen)
    assert 1e-12 < abs(minimum.z[0] - np.log(2)) < 1e-2


@pytest.mark.parametrize(
    ("value", "slope", "expected"),
    [
        (lambda z: z, lambda z: 1.0, -1.0),
        (lambda z: -z, lambda z: -1.0, 2.0),
        (lambda z: -((z - 0.3) ** 2), lambda z: -2 * (z - 0.3), 2.0),
        (lambda z: (z + 1) ** 2, lambda z: 2 * (z + 1), -1.0),
    ],
    ids=["rising", "falling", "maximum inside", "minimum at the bound"],
)
def test_without_a_bracketed_minimum_the_better_end_is_returned(value, slope, expected):
    minimum = minimize(Counted(value, slope))
    assert minimum.z == [expected]
    assert "better end" in minimum.message


def test_too_few_iterations_are_reported():
    minimum = minimize(Counted(*CONVEX["exponential"][:2]), max_iter=1)
    assert not minimum.converged
    assert -1 <= minimum.z[0] <= 2


@pytest.mark.parametrize("high", [0.9, 1.5])
def test_points_that_cannot_be_used_are_not_minima(high):
    def fun(z):
        if 0.2 < z[0] < 0.6:
            return np.inf, np.zeros(1)
        return np.exp(3 * z[0]) / 3 - 8 * z[0], np.exp(3 * z) - 8

    bounds = np.array([[-1.0, high]])
    minimum = Cubic().minimize(fun, np.array([0.0]), bounds, tol=1e-8, max_iter=100)
    assert np.isfinite(fun(minimum.z)[0])


def test_several_values_are_refused():
    with pytest.raises(ValueError, match="moves one value, got 2; use optimizer='lbfgs'"):
        Cubic().minimize(None, np.zeros(2), np.array([[0, 1], [0, 1]]), tol=1e-3, max_iter=5)


def test_a_known_point_spares_evaluations():
    # As losses are along the logarithm of a penalty: sums of sigmoids.
    def value(z):
        return 1 + 0.3 / (1 + np.exp(2 * z)) + 0.1 / (1 + np.exp(-2 * z + 2))

    def slope(z):
        return (value(z + 1e-6) - value(z - 1e-6)) / 2e-6

    minima, seen = [], []
    for known in ((), [(z, value(z), slope(z)) for z in (2.6, -1.0, 2.0)]):
        fun, optimizer = Counted(value, slope), Cubic(0.1, known)
        minimum = optimizer.minimize(fun, np.zeros(1), BOUNDS, tol=1e-3, max_iter=99)
        assert all(-1 <= z <= 2 for z in fun.seen)
        minima.append(value(minimum.z[0]))
        seen.append(len(fun.seen))
    assert abs(minima[0] - minima[1]) < 1e-7
    assert seen[1] < seen[0]


def at(z):
    """A point of a smooth function with a minimum at zero."""
    return z, np.cosh(z) + 0.1 * z**3, np.sinh(z) + 0.3 * z**2


@pytest.mark.parametrize("others", [[], [2.5], [-1.5], [0.4], [-1.5, 2.5]])
def test_the_place_is_that_of_the_polynomial_through_all_points(others):
    points = [at(z) for z in (-1.0, 1.2, *others)]
    z, values, slopes = np.repeat(np.array(sorted(points)).T, 2, axis=1)
    values[1::2] = slopes[1::2]
    polynomial = KroghInterpolator(z, values)
    found = minimum_between(*points[:2], points[2:])
    assert -1.0 < found < 1.2
    assert abs(polynomial.derivative(found)) < 10 * PRECISE
    assert polynomial(found) < polynomial([found - 1e-2, found + 1e-2]).min()


def test_another_point_leads_closer_to_the_minimum():
    cubic, better = (minimum_between(at(-1.0), at(1.2), others) for others in ([], [at(1.8)]))
    assert abs(better) < 0.5 * abs(cubic)


def test_signs_that_rounding_turns_lead_to_the_middle():
    assert minimum_between((0.0, 1.0, 1e-30), (2.0, 1.0, 1.0), []) == 1.0
