"""The declaration of a tunable hyperparameter, by the author of an estimator or a family."""

import dataclasses
import math

# Scales, and the limits of values on each.
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
        The values of ``per`` of a Continuous that are supported besides None, such as "feature".
    shrinkage : float, default=0
        Weight, in nats, of the L1 penalty on the log-ratios of a vector's entries; 0 is none. If it
        is positive, vectors of what regularises are searched on half splits; their best value must
        then not depend on the number of samples, as for a penalty that stands against a sum over
        samples. Other vectors are searched on splits into thirds.
    scale : {"log", "logit", "linear"}, default="log"
        Scale of the search, unless a Continuous chooses another: "log" for positive numbers,
        "logit" for numbers between 0 and 1, "linear" for any number.
    limits : tuple of two float, default=None
        Interval of allowed values. None is the interval of the scale: (0, inf), (0, 1) or
        (-inf, inf).
    closed : bool, default=False
        Whether the limits themselves are allowed, too.
    farthest : float, default=None
        Factor from the level of the data at which a search without bounds ends; None is a large
        one, for penalties whose solutions stay the same from there on.
    start : float, default=None
        Start of a search from own values if the estimator's own value is outside the limits.
    level : float, default=None
        For what is always a vector: the common level from which its entries deviate. The search
        leaves it there, unless a Continuous has bounds for it.

    Attributes
    ----------
    open_limits : tuple of two float
        Numbers between which all allowed values strictly lie.

    Raises
    ------
    TypeError, ValueError
        At construction, if ``per`` is not a tuple, the scale is unknown, or the limits exceed those
        of the scale.
    """

    regularizes: int = 0
    per: tuple = ()
    shrinkage: float = 0.0
    scale: str = "log"
    limits: tuple[float, float] | None = None
    closed: bool = False
    farthest: float | None = None
    start: float | None = None
    level: float | None = None
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
