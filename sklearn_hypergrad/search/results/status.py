"""Statuses of hyperparameters at the end of a search: label and remedy."""

import enum

# Entries closer than this to a bound, in theta, count as on it. Reason: far above the rounding of a
# logarithm (1e-14) and far below any ``tol`` (1e-3).
ON_BOUND = 1e-9


class EndStatus(enum.Enum):
    """How an entry of the hyperparameters ended: ``label``, and ``remedy`` or ""."""

    INTERIOR = "interior", ""
    FLAT_ZERO = "flat towards zero", ""
    FLAT_INFINITY = "flat towards infinity", ""
    AT_BOUND = "at bound", "Widen the bound, or leave it out: Continuous() finds the range."
    LIMIT = "limit", "The model gets better without end: look for leaks and duplicates in the data."
    END_OF_RANGE = "end of range", ""
    FLAT = "flat", "The validation loss does not depend on it: fix it to a value."
    NOT_CONVERGED = "not converged", "Raise max_iter or tol."
    POOLED = "pooled", ""
    BELOW_POOL = "below pool", ""
    ABOVE_POOL = "above pool", ""
    UNPENALISED = "unpenalised", ""
    DROPPED = "dropped", ""
    ONE_SE = "one standard error", ""
    STABLE = "stable", ""
    FIXED = "fixed", ""

    def __init__(self, label, remedy):
        self.label = label
        self.remedy = remedy
