"""The listed values of all ranges together, as points."""

import math

import numpy as np
from sklearn.model_selection import ParameterGrid

# Largest number of combinations of several lists that are judged one by one: about as many
# evaluations as a search of two values takes, and more than the usual grids of two lists have.
MOST_COMBINATIONS = 100
# Relative difference that is rounding of a value whose logarithm was taken.
ROUNDING = 1e-12


def listed_points(ranges):
    """All combinations of listed values, as GridSearchCV tries them.

    Parameters
    ----------
    ranges : sequence of Range

    Returns
    -------
    list of dict
        None if some range has no list, or if several lists have too many combinations.
    """
    if not all(span.listed for span in ranges):
        return []
    if len(ranges) > 1 and math.prod(len(span.listed) for span in ranges) > MOST_COMBINATIONS:
        return []
    return list(ParameterGrid({span.leaf: list(span.listed) for span in ranges}))


def nearest_listed(point, ranges, space):
    """The listed values next to a point, in theta; without a list the value of the point."""
    nearest = dict(point)
    for span, dimension in zip(ranges, space.dimensions, strict=True):
        if span.listed:
            theta = dimension.transform.to_theta(np.asarray(span.listed, dtype=float))
            own = dimension.transform.to_theta(np.asarray(point[span.leaf], dtype=float))
            nearest[span.leaf] = span.listed[int(np.argmin(np.abs(theta - own)))]
    return nearest


def as_listed(point, ranges):
    """A point with the listed values themselves where it has them but for rounding."""
    point = dict(point)
    for span in ranges:
        same = (v for v in span.listed if np.allclose(v, point[span.leaf], rtol=ROUNDING, atol=0))
        point[span.leaf] = next(same, point[span.leaf])
    return point


def best_listed(objective, start, ranges):
    """The best listed values by the descended loss, chosen for one hyperparameter after the other.

    Parameters
    ----------
    objective : Objective
    start : dict
        Hyperparameters to begin with, listed or not.
    ranges : sequence of Range

    Returns
    -------
    dict
        ``start`` itself if no listed value is better.
    """
    lowest = None
    for span in ranges:
        for listed in span.listed:
            point = {**start, span.leaf: np.asarray(listed, dtype=float)}
            lowest = _glance(objective, start) if lowest is None else lowest
            value = _glance(objective, point)
            if value < lowest:
                start, lowest = point, value
    return start


def _glance(objective, point):
    return objective.glance(objective.space.to_theta(point))
