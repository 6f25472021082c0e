"""Weights of samples: the set they may come from, and the descent in it."""

import numpy as np

from sklearn_hypergrad.optimizers import Minimum, Optimizer
from sklearn_hypergrad.optimizers.adam import RunningMoments

# Decay rates of the running means of Adam (Kingma, Ba 2015), with the shorter memory for squares of
# the package's Adam.
DECAYS = 0.9, 0.99


class ProjectedAdam(Optimizer):
    """Steps of Adam, each followed by a projection: entries keep their bounds and their budget.

    Parameters
    ----------
    budget : float
        Most that entries may sum to.
    learning_rate : float
        Length of the steps of each entry, about.
    """

    needs_smooth = False

    def __init__(self, budget, learning_rate):
        self.budget = budget
        self.learning_rate = learning_rate

    def __repr__(self):
        return f"ProjectedAdam(budget={self.budget}, learning_rate={self.learning_rate})"

    def n_evaluations(self, max_iter):
        return max_iter

    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False, noisy=False):
        """Lower ``fun``; the result is the evaluated point with the smallest value."""
        z, moments, lowest, best = z0, RunningMoments(DECAYS), None, z0
        highest = float(bounds[0, 1])
        for _ in range(max_iter):
            value, gradient = fun(z)
            if lowest is None or value < lowest:
                lowest, best = value, z
            moved = z - self.learning_rate * moments.direction(gradient)
            z = highest * projection(moved / highest, self.budget / highest)
        return Minimum(best, True, f"max_iter={max_iter} steps of Adam")


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
