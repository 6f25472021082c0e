"""A curve through values whose slopes are known but for their signs."""

import itertools

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator


def curve(x, values, slopes):
    """The piecewise cubic with these values and, where they are known, these slopes.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        In increasing order.
    values : ndarray of shape (n_points,)
    slopes : ndarray of shape (n_points,)
        Absolute values; nan where they are not known: there they are those of a monotone cubic
        interpolation of the values.

    Returns
    -------
    function : callable
    """
    if len(x) < 2:
        return lambda at: np.full(np.shape(at), values[0])
    own = PchipInterpolator(x, values).derivative()(x)
    return CubicHermiteSpline(x, values, signed(x, values, np.abs(slopes), own))


def signed(x, values, slopes, default):
    """Slopes with the signs that explain the values best.

    Between two points a smooth function changes by about the mean of its slopes there times their
    distance. Of all signs, those for which the sum of what this misses is least: a shortest path
    through the two signs of every point.

    Parameters
    ----------
    x, values, slopes : ndarray of shape (n_points,)
        Slopes are absolute values, nan where ``default`` is to be taken.
    default : ndarray of shape (n_points,)
    """
    known = np.isfinite(slopes)
    choices = np.where(known, [slopes, -slopes], default)
    missed, path = np.zeros(2), []
    for left, right in itertools.pairwise(range(len(x))):
        change, distance = values[right] - values[left], x[right] - x[left]
        mean = (choices[:, left, None] + choices[None, :, right]) / 2
        total = missed[:, None] + np.abs(mean * distance - change)
        path.append(np.argmin(total, axis=0))
        missed = np.min(total, axis=0)
    chosen = [int(np.argmin(missed))]
    for before in reversed(path):
        chosen.append(int(before[chosen[-1]]))
    return choices[chosen[::-1], np.arange(len(x))]
