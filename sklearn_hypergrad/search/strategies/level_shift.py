"""A line search along the level of a vector, after its deviations were learned."""

import numpy as np

from sklearn_hypergrad.optimizers import Cubic, Point, explore, polished, widen
from sklearn_hypergrad.optimizers.line import DECADE, lowest_of

# Shifts of a vector, to either side, that its polish tries first. Chosen by hand: a decade, after
# which it widens by decades.
REACH = DECADE


def shifted(objective, theta, own, bounds, run):
    """``theta`` with the common shift of the entries of its vector that minimises the objective.

    Deviations are learned on halves of the data, so the level may be somewhat off for the whole.
    Measured for log losses: the shift reduces the worst ratio to one tuned value from 1.68 to 1.17
    (with shrinkage 1.4); for squared errors it raises it from 1.12 to 1.33, so it is not used
    there.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (size,)
    own : ndarray of bool of shape (size,)
        The entries that belong to the vector.
    bounds : tuple of float
        Smallest and largest shift.
    run : dict
        ``tol`` and ``max_iter`` of the optimizer.

    Returns
    -------
    ndarray of shape (size,)
    """
    low, high = bounds

    def point(shift):
        record = objective.record(theta + shift * own)
        value = record.value if record.usable else np.inf
        return Point(shift, value, float(record.gradient[own].sum()))

    def exact(shift):
        at = point(shift)
        return at if np.isfinite(at.value) else None

    def polish(left, right):
        return polished(point, left, right, Cubic(), run)

    points = [point(shift) for shift in sorted({max(low, -REACH), 0.0, min(high, REACH)})]
    if len(points) > 1:
        points = widen(point, points, low, high)
    points = [p for p in points if np.isfinite(p.value)]
    if not points:
        return theta
    return theta + lowest_of(explore(exact, polish, points, run["tol"])).z * own
