"""Where hyperparameters ended: what it is called, and what to do about it."""

import enum

import numpy as np

# Slope, in nats, of an entry that the validation loss does not notice.
UNNOTICED = 1e-10
# Distance in theta from a bound that is none.
ON_BOUND = 1e-9


class EndStatus(enum.Enum):
    """The label of an entry's end, and a remedy if one is called for."""

    INTERIOR = "interior", ""
    FLAT_ZERO = "flat towards zero", ""
    FLAT_INFINITY = "flat towards infinity", ""
    AT_BOUND = "at bound", "Widen the bound, or leave it out: Continuous() finds the range."
    LIMIT = "limit", "The model gets better without end: look for leaks and duplicates in the data."
    FLAT = "flat", "The validation loss does not depend on it: fix it to a value."
    NOT_CONVERGED = "not converged", "Raise max_iter or tol."
    POOLED = "pooled", ""
    BELOW_POOL = "below pool", ""
    ABOVE_POOL = "above pool", ""
    UNPENALISED = "unpenalised", ""
    DROPPED = "dropped", ""
    ONE_SE = "one standard error", ""

    def __init__(self, label, remedy):
        self.label = label
        self.remedy = remedy


def entry_statuses(deviations, gradient, converged, regularizes, *, most):
    """An EndStatus for every entry of a vector.

    Parameters
    ----------
    deviations : ndarray or None
        From the common level, in theta; zero for entries of the pool. None where there is none.
    gradient : ndarray
        Of the validation loss in nats.
    converged : bool
    regularizes : {1, -1}
        Whether larger values regularise more. Below the pool means less regularised.
    most : float
        Largest deviation: a penalty that far above the pool has dropped its feature, one that far
        below leaves it unpenalised.
    """
    if not converged:
        return [EndStatus.NOT_CONVERGED] * len(gradient)
    if deviations is None:
        return [EndStatus.INTERIOR] * len(gradient)
    strength = regularizes * deviations
    conditions = [
        (np.abs(gradient) <= UNNOTICED) & (strength == 0),
        strength == 0,
        strength >= most,
        strength <= -most,
        strength > 0,
    ]
    names = [
        EndStatus.FLAT,
        EndStatus.POOLED,
        EndStatus.DROPPED,
        EndStatus.UNPENALISED,
        EndStatus.ABOVE_POOL,
    ]
    chosen = np.select(conditions, range(len(names)), default=-1)
    return [names[index] if index >= 0 else EndStatus.BELOW_POOL for index in chosen]
