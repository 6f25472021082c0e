"""Ranges: continuous hyperparameters, and the lists of a grid that are one."""

import dataclasses
import math
import numbers
from collections.abc import Sequence

import numpy as np

from sklearn_hypergrad.spaces import Continuous

# A list of positive values is meant in orders of magnitude if they span one.
LOG_RATIO = 10
ANY = -math.inf, math.inf


@dataclasses.dataclass(frozen=True)
class Range:
    """A continuous hyperparameter of one candidate.

    Attributes
    ----------
    key : str
        Its name in ``param_grid``.
    continuous : Continuous
        Bounds, scale and shape.
    listed : tuple of numbers
        The values a list gave, as they are and in its order; empty for a ``Continuous``.
    """

    key: str
    continuous: Continuous
    listed: tuple = ()

    @property
    def leaf(self):
        return self.key.rpartition("__")[2]

    @property
    def scale(self):
        """The scale with "auto" resolved, for a positive hyperparameter."""
        low, high = self.continuous.low, self.continuous.high
        if self.continuous.scale != "auto":
            return self.continuous.scale
        bounded = low is not None and high is not None and self.continuous.per is None
        return "linear" if bounded and high / low < LOG_RATIO else "log"

    def scale_of(self, hyperparameter):
        """The scale on which it is searched, which may be that of the hyperparameter itself."""
        own = hyperparameter.scale
        return own if own != "log" and self.continuous.scale == "auto" else self.scale


def as_range(key, values, limits=(0, math.inf)):
    """``(Range, other values)``; the range is None if the values are to be enumerated.

    A list is a range if it has two or more distinct numbers between the limits.
    """
    low, high = limits
    if len(values) == 1 and isinstance(values[0], Continuous):
        return Range(key, values[0]), []
    if not isinstance(values, (Sequence, np.ndarray)) or not all(map(_is_number, values)):
        return None, list(values)
    valid = [value for value in values if low < value < high]
    if len(set(valid)) < 2:
        return None, list(values)
    invalid = [value for value in values if not low < value < high]
    return Range(key, Continuous(float(min(valid)), float(max(valid))), tuple(valid)), invalid


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
