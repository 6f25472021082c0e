"""The common level of a vector, on its own."""

import numpy as np

from sklearn_hypergrad.optimizers import Cubic, Point, brackets, turn, widen
from sklearn_hypergrad.optimizers.scan import DECADE

# The first look around, in nats.
REACH = DECADE


def polished(objective, theta, bounds, run):
    """``theta`` plus the shift of all its entries, within bounds, that minimises the objective.

    Deviations are learned on halves of the data and a bit strong or weak for the whole: where the
    loss is that of probabilities, this trims its worst cases. ``run`` has ``tol`` and ``max_iter``.
    """
    low, high = bounds

    def point(shift):
        value, gradient = objective(theta + shift)
        return Point(shift, value, float(gradient.sum()))

    def along(z):
        at = point(float(z[0]))
        return at.value, np.array([at.slope])

    points = [point(shift) for shift in sorted({max(low, -REACH), 0.0, min(high, REACH)})]
    if len(points) > 1:
        points = widen(point, points, low, high)
    points = [p for p in points if np.isfinite(p.value)]
    for bracket in brackets(points)[:1]:
        left, right = turn(point, *bracket)
        ends = np.array([[left.z, right.z]])
        points.append(point(float(Cubic().minimize(along, ends[:, 0], ends, **run).z[0])))
    return theta + min(points, key=lambda p: p.value).z if points else theta
