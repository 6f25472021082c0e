"""Candidates: settings that are fixed, and ranges that are searched."""

import dataclasses
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.adapters import Family


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
