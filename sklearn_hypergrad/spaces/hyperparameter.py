"""What can be tuned of an estimator, as its author says it."""

import dataclasses
import math

# Scales, and between which limits values on them are.
RANGES = {
    "log": (0.0, float("inf")),
    "logit": (0.0, 1.0),
    "linear": (-float("inf"), float("inf")),
}


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """A parameter of an estimator that can be tuned by its hypergradient.

    Parameters
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
    limits : tuple of two float, default=None
        Values are between them. None is as far as the scale goes.
    closed : bool, default=False
        Whether the limits themselves are values, too.
    start : float, default=None
        Where a search from own values starts if the estimator's own is not between the limits.

    Attributes
    ----------
    open_limits : tuple of two float
        Limits that all values are strictly between.

    Raises
    ------
    TypeError, ValueError
        At construction, if ``per`` is no tuple, a scale is unknown, or its values are not between
        the limits.
    """

    regularizes: int = 0
    per: tuple = ()
    shrinkage: float = 0.0
    scale: str = "log"
    limits: tuple[float, float] | None = None
    closed: bool = False
    start: float | None = None
    open_limits: tuple[float, float] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self):
        if not isinstance(self.per, tuple):
            raise TypeError(f"Hyperparameter(per=...) must be a tuple, such as ({self.per!r},).")
        if self.scale not in RANGES:
            raise ValueError(
                f"Hyperparameter(scale=...) must be one of {tuple(RANGES)}, got {self.scale!r}."
            )
        lowest, highest = RANGES[self.scale]
        low, high = limits = (lowest, highest) if self.limits is None else tuple(self.limits)
        if not lowest <= low < high <= highest:
            raise ValueError(
                f"Hyperparameter(limits=...) with scale={self.scale!r} must be in increasing order "
                f"from {lowest} to {highest}, got {self.limits!r}."
            )
        if self.closed:
            low, high = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
        object.__setattr__(self, "limits", limits)
        object.__setattr__(self, "open_limits", (low, high))
