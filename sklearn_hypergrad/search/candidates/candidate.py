"""Candidates: settings that are fixed, and ranges that are searched."""

import dataclasses
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.adapters import Family
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

    def settings(self, value):
        """Parameters for ``set_params`` from one value for all."""
        return {self.key: plain(value)}

    def own(self, final, shape=()):
        """The value of an estimator in the shape that is searched; nan where it is none."""
        try:
            return spread(as_array(getattr(final, self.leaf)), shape)
        except (TypeError, ValueError):
            return np.full(shape, np.nan)


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Settings that are fixed and, if anything is differentiable, the ranges that are searched.

    Attributes
    ----------
    settings : dict
        Enumerated values, as ``set_params`` takes them.
    ranges : tuple of Range
        Empty if the candidate is one setting of a grid.
    estimator : estimator or None
        The user's with these settings; None, as the following, if nothing is searched.
    final : estimator or None
        Its final step, whose hyperparameters are searched.
    family : Family or None
        Of the final step.
    reason : str or None
        Why something was enumerated that could have been a range.
    """

    settings: dict
    ranges: tuple = ()
    estimator: Any = None
    final: Any = None
    family: Family | None = None
    reason: str | None = None

    @property
    def range(self):
        """The first range, or None."""
        return self.ranges[0] if self.ranges else None

    @property
    def place(self):
        """The enumerated values, as words."""
        return ", ".join(f"{key}={value}" for key, value in self.settings.items())

    @property
    def key(self):
        """Names of what is searched, as one."""
        return ", ".join(span.key for span in self.ranges)


def final_step(estimator, key):
    """The last step of (nested) pipelines that ``key`` leads to, and its path; else (None, None).

    Subclasses of Pipeline may do more than transform (samplers), so they are not looked into.
    """
    *path, leaf = key.split("__")
    for name in path:
        if type(estimator) is not Pipeline or name != estimator.steps[-1][0]:
            return None, None
        estimator = estimator.steps[-1][1]
    return (None, None) if isinstance(estimator, Pipeline) else (estimator, path)


def configured(estimator, settings):
    """The estimator, or a copy of it with some settings."""
    if not settings:
        return estimator
    return clone(estimator).set_params(**clone(settings, safe=False))


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


def plain(value):
    """A float, or an array of its own, as ``set_params`` takes it."""
    return float(value) if np.ndim(value) == 0 else np.array(value)


def as_array(own):
    """Numbers, a number, or a list of arrays of the coefficients of every layer."""
    if isinstance(own, list | tuple) and all(np.ndim(part) == 2 for part in own):
        own = np.concatenate([np.ravel(part) for part in own])
    return np.asarray(own, dtype=float)


def spread(own, shape):
    """Over the entries of a shape: a schedule may have one value for all layers of a step."""
    if own.size == np.prod(shape, dtype=int) and not own.ndim == len(shape) == 2:
        return own.reshape(shape)
    if len(shape) == 2 and own.shape == shape[:1]:
        own = own[:, None]
    return np.broadcast_to(own, shape)
