"""What can be tuned of an estimator, as its author says it."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """A parameter of an estimator that can be tuned by its hypergradient.

    Attributes
    ----------
    regularizes : {1, -1, 0}, default=0
        1 if a larger value regularises more (``alpha``), -1 if less (``C``), 0 if neither.
    per : tuple, default=()
        What there may be one value per.
    shrinkage : float, default=0
        Weight, in nats, of the L1 penalty on the log-ratios of a vector's entries. With more than
        0, vectors are searched on half splits: for that their best value must not depend on the
        number of samples, as a penalty that stands against a sum over samples.
    scale : {"log", "logit", "linear"}, default="log"
        On which it is searched, unless it is asked otherwise: "log" for positive numbers, "logit"
        for those between 0 and 1, "linear" for any.
    limits : tuple of two float, default=(0, inf)
        Values are between them.
    start : float, default=None
        Where a search from own values starts if the estimator's own is not between the limits.
    """

    regularizes: int = 0
    per: tuple = ()
    shrinkage: float = 0.0
    scale: str = "log"
    limits: tuple[float, float] = (0.0, np.inf)
    start: float | None = None
