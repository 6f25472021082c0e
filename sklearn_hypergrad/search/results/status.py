"""Where hyperparameters ended: what it is called, and what to do about it."""

import enum

# Distance in theta from a bound that is none.
ON_BOUND = 1e-9


class EndStatus(enum.Enum):
    """The label of an entry's end, and a remedy if one is called for."""

    INTERIOR = "interior", ""
    FLAT_ZERO = "flat towards zero", ""
    FLAT_INFINITY = "flat towards infinity", ""
    AT_BOUND = "at bound", "Widen the bound, or leave it out: Continuous() finds the range."
    LIMIT = "limit", "The model gets better without end: look for leaks and duplicates in the data."
    END_OF_RANGE = "at the end of what it may be", ""
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
