"""Weights of samples: the set they may come from, and the descent in it."""

import dataclasses

import numpy as np

from sklearn_hypergrad.optimizers.adam import RunningMoments

DECAYS = 0.9, 0.99


@dataclasses.dataclass(frozen=True)
class TunedWeights:
    """The best weights of a descent.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
    gradient : ndarray of shape (n_samples,)
        Of the objective there.
    values : list of float
        The objective at every step.
    """

    weights: np.ndarray
    gradient: np.ndarray
    values: list


def descend_weights(fun, start, budget, *, learning_rate, max_iter):
    """Lower ``fun`` by steps of Adam, each of them followed by a projection.

    Parameters
    ----------
    fun : callable
        ``fun(weights) -> (value, gradient)``.
    start : ndarray of shape (n_samples,)
    budget : float
        Most that weights may sum to.
    learning_rate : float
        Length of the steps of each weight, about.
    max_iter : int
        Evaluations of ``fun``.

    Returns
    -------
    Tuned
        The evaluated weights with the smallest value.
    """
    weights, moments, values, best = start, RunningMoments(DECAYS), [], None
    for _ in range(max_iter):
        value, gradient = fun(weights)
        if not values or value < min(values):
            best = weights, gradient
        values.append(value)
        weights = projection(weights - learning_rate * moments.direction(gradient), budget)
    return TunedWeights(*best, values)


# The nearest point of {0 <= x <= 1, sum x <= budget} is clip(z, 0, 1) if that is in it. Otherwise
# the sum is the budget, and its multiplier shifts all entries: x = clip(z - shift, 0, 1). The sum
# of these falls with the shift, linearly between breakpoints: an entry begins to fall where the
# shift is z - 1, and stops where it is z.
def projection(z, budget):
    """The nearest weights between 0 and 1 whose sum is at most the budget."""
    clipped = np.clip(z, 0.0, 1.0)
    if clipped.sum() <= budget:
        return clipped
    breaks = np.concatenate([z - 1, z])
    order = np.argsort(breaks)
    shifts = breaks[order]
    slopes = np.cumsum(np.repeat([-1.0, 1.0], len(z))[order])[:-1]
    sums = len(z) + np.concatenate([[0.0], np.cumsum(slopes * np.diff(shifts))])
    shift = np.interp(budget, sums[::-1], shifts[::-1])
    return np.clip(z - shift, 0.0, 1.0)
