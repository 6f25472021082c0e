"""The common level of a vector, on its own."""

import numpy as np

from sklearn_hypergrad.optimizers import Cubic, Point, brackets, widen
from sklearn_hypergrad.optimizers.scan import DECADE

# How far the level may move, and the first look around, in nats.
MOST, REACH = 6 * DECADE, DECADE


def polished(objective, theta, options):
    """``theta`` plus the shift of all its entries that minimises the objective.

    Deviations are learned on halves of the data and a bit strong or weak for the whole: where the
    loss is that of probabilities, this trims its worst cases.
    """

    def point(shift):
        value, gradient = objective(theta + shift)
        return Point(shift, value, float(gradient.sum()))

    points = [point(shift) for shift in (-REACH, 0.0, REACH)]
    points = [p for p in widen(point, points, -MOST, MOST) if np.isfinite(p.value)]
    for left, right in brackets(points)[:1]:
        result = Cubic().minimize(
            lambda z: objective_along(point(float(z[0]))),
            np.array([left.z]),
            np.array([[left.z, right.z]]),
            tol=options.tol,
            max_iter=options.max_iter,
        )
        points.append(point(float(result.z[0])))
    if not points:
        return theta
    return theta + min(points, key=lambda p: p.value).z


def objective_along(point):
    """Value and gradient of a point on the line."""
    return point.value, np.array([point.slope])
