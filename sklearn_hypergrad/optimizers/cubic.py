"""Minimisation in one dimension by cubic interpolation of values and derivatives in a bracket."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer

# Distance of the two newest points, as a share of the bracket, below which the next point follows
# from their slopes. Chosen by hand: cubics through points so unequally far away are dominated by
# the far one, which may also be a less accurate point of a scan.
NEARER = 0.25
# Error of the minimum of a polynomial, as a share of the bracket. Chosen by hand: the polynomial
# misses by far more.
PRECISE = 1e-6


class Cubic(Optimizer):
    """Minimum inside a bracket, from the cubic through the values and slopes of its ends.

    The cubic is that of Nocedal, Wright, "Numerical Optimization" (2006), equation 3.59. The bounds
    must bracket a minimum: negative slope at the lower, positive at the upper. One end moves to the
    minimum of the cubic at every step; a bracket that does not halve in two steps is bisected, so
    that kinks, such as those of the absolute error, are found, too. The run ends when the minimum
    moves by less than ``tol``. It needs about half the evaluations of a root search on the slope.

    Parameters
    ----------
    gain : float, default=0.0
        The run also ends, at a point that was evaluated, where less than this is left to gain,
        relative to the value and in units of ``tol**2``: a change by ``tol`` changes a loss by
        about its square. For functions without kinks, of which slopes say how far the minimum is.
    known : sequence of (float, float, float), default=()
        More points of a function without kinks, as ``(z, value, slope)``: the one nearest to the
        bracket sharpens the first step, and an end that was replaced the others.
    """

    needs_smooth = False

    def __init__(self, gain: float = 0.0, known: Sequence[tuple[float, float, float]] = ()):
        self.gain = gain
        self.known = known

    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False):
        if len(z0) != 1:
            raise ValueError(f"Cubic moves one value, got {len(z0)}; use optimizer='lbfgs'.")
        low, high = (self._point(fun, z) for z in bounds[0])
        if not low[2] < 0 < high[2]:
            z, _, _ = min(low, high, key=lambda end: end[1])
            return Minimum(np.array([z]), True, "the better end of a bracket without a minimum")
        # At a kink the cubic's minimum may stand still at a wrong place; a small slope excludes
        # that. The factor 0.1 is chosen by hand: near a smooth minimum slopes are far smaller.
        small = 0.1 * min(-low[2], high[2])
        last, widths = math.inf, [math.inf, math.inf]
        # The newest point, and the end of the bracket that it has replaced.
        new = old = (math.nan, math.inf, math.inf)
        known = list(self.known)
        for _ in range(max_iter):
            width = high[0] - low[0]
            usable = math.isfinite(low[1] + high[1])
            slow = width > 0.5 * widths[-2] and not abs(new[2]) <= 0.5 * abs(old[2])
            z = 0.5 * (low[0] + high[0])
            if usable and not slow:
                z = _interpolated(low, high, known)
                # Two points close to each other say more than one of them and one far away.
                if abs(new[0] - old[0]) < NEARER * width:
                    z = _secant(old, new, low[0], high[0], z)
            for point in (new, low, high) if usable and not slow else ():
                if _gain(point, z) < self.gain * tol**2 * abs(point[1]):
                    message = "converged: hardly anything is left to gain"
                    return Minimum(np.array([point[0]]), True, message)
            if width <= tol or (abs(z - last) <= tol and abs(new[2]) <= small):
                z = z if usable else min(low, high, key=lambda end: end[1])[0]
                return Minimum(np.array([z]), True, "converged: the minimum moves less than tol")
            last, widths = z, [*widths, width]
            new = self._point(fun, z)
            # If the new value is not finite, the bracket keeps its better end.
            falls = new[2] < 0 if math.isfinite(new[1]) else high[1] < low[1]
            old = low if falls else high
            known += [old] * bool(self.known)
            low, high = (new, high) if falls else (low, new)
        z, _, _ = min(low, high, key=lambda end: end[1])
        return Minimum(np.array([z]), False, f"stopped after max_iter={max_iter} iterations")

    @staticmethod
    def _point(fun, z):
        value, slope = fun(np.array([z]))
        return float(z), value, float(slope[0])


def _secant(old, new, low, high, otherwise):
    """The place inside the bracket where the slope is zero if it changes in proportion."""
    step, change = new[0] - old[0], new[2] - old[2]
    if not step * change > 0:
        return otherwise
    z = new[0] - new[2] * step / change
    return z if low < z < high else otherwise


# Where the slope goes to zero at z, in proportion, the value falls by half of slope times distance.
def _gain(point, z):
    """How much lower the value is expected to be at ``z``."""
    return 0.5 * abs(point[2] * (z - point[0]))


def _interpolated(low, high, known):
    """The minimum of the polynomial through two ends and the known point that is nearest."""
    away = {max(low[0] - point[0], point[0] - high[0]): point for point in known}
    nearest = min((distance for distance in away if distance > 0), default=None)
    if nearest is None:
        return _cubic_minimum(low, high)
    return minimum_between(low, high, [away[nearest]])


def _cubic_minimum(low, high):
    """Minimum of the cubic with these values and slopes; it is inside, as slopes differ in sign."""
    (a, value_a, slope_a), (b, value_b, slope_b) = low, high
    mean = slope_a + slope_b - 3 * (value_b - value_a) / (b - a)
    root = math.sqrt(mean**2 - slope_a * slope_b)
    return b - (b - a) * (slope_b + root - mean) / (slope_b - slope_a + 2 * root)


def minimum_between(low, high, others):
    """The place between two points where the polynomial through all points is flat.

    The more points it goes through, the less it misses a smooth function by: with one point besides
    the ends of the bracket by a product of six distances instead of four.

    Parameters
    ----------
    low, high : tuple
        ``(z, value, slope)``; the slope at the lower one is negative, at the upper one positive.
    others : list of tuple
        More points, outside of the bracket or inside.

    Returns
    -------
    float
        A minimum of the polynomial, as its slope changes from falling to rising there.
    """
    slope = _slope_of([low, high, *others])
    left, right = low[0], high[0]
    # Rounding may turn the signs of slopes next to zero.
    if not slope(left) < 0 < slope(right):
        return 0.5 * (left + right)
    return float(brentq(slope, left, right, xtol=PRECISE * (right - left)))


# Newton's form: p(z) = c_0 + (z - z_0) (c_1 + (z - z_1) (c_2 + ...)), in which every point is a
# node twice. The divided difference of a point with itself is the slope there.
def _slope_of(points):
    """The derivative of the polynomial, as a function of z."""
    nodes = [point[0] for point in points for _ in range(2)]
    column = [point[1] for point in points for _ in range(2)]
    coefficients = [column[0]]
    for order in range(1, len(nodes)):
        column = [
            points[i // 2][2]
            if nodes[i] == nodes[i + order]
            else (column[i + 1] - column[i]) / (nodes[i + order] - nodes[i])
            for i in range(len(nodes) - order)
        ]
        coefficients.append(column[0])

    def slope(z):
        value = derivative = 0.0
        for node, coefficient in zip(reversed(nodes), reversed(coefficients), strict=True):
            derivative = derivative * (z - node) + value
            value = value * (z - node) + coefficient
        return derivative

    return slope
