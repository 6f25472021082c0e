"""Improvements by a search, and their standard errors."""

import dataclasses

import numpy as np

from sklearn_hypergrad.tuning import Record


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two evaluations of one loss on the same splits.

    Attributes
    ----------
    what : str
        Such as "the point found over alpha=1".
    before, after : Record
    """

    what: str
    before: Record
    after: Record


def compared(objective, h, found, what):
    """The Comparison of what was found with other hyperparameters."""
    return Comparison(what, objective.compared(h), found.record)


@dataclasses.dataclass(frozen=True)
class Improvement:
    """The mean over splits of how much better one point is than another.

    Attributes
    ----------
    what : as of a Comparison
    measure : str
        The loss or score, and its splits.
    before, after : float
    difference : float
        Positive if the second is better.
    standard_error : float
        Of the difference, from the paired differences of splits; nan for a single one. Training
        parts of splits overlap, so it is somewhat too small.
    """

    what: str
    measure: str
    before: float
    after: float
    difference: float
    standard_error: float

    @property
    def doubtful(self):
        """Whether the difference is within its standard error, if that is known."""
        return abs(self.difference) <= self.standard_error

    @property
    def is_loss(self):
        """Whether the second point is worse by more than a standard error."""
        return self.difference < 0 and not self.doubtful

    def __str__(self):
        change = f"{self.before:.6g} -> {self.after:.6g}"
        better = "worse" if self.difference < 0 else "better"
        told = f"{self.what}: {self.measure} {change}, {better} by {abs(self.difference):.3g}"
        if np.isnan(self.standard_error):
            return told
        return f"{told} +/- {self.standard_error:.2g} (one standard error)"


def improvement_of_records(comparison):
    """The Improvement of a comparison, or None where the two cannot be compared."""
    before, after = comparison.before, comparison.after
    same = np.array_equal(before.theta, after.theta)
    if same or len(before.losses) != len(after.losses):
        return None
    return _improvement(comparison.what, after.measure, before.losses, after.losses, -1)


def improvement_of_rows(what, results, metric, before, after):
    """The Improvement in the score of real fits of one row over another, or None."""
    n_splits = sum(key.startswith("split") and key.endswith(f"_test_{metric}") for key in results)
    scores = np.array([results[f"split{split}_test_{metric}"] for split in range(n_splits)])
    measure = f"{metric} of real fits on {n_splits} splits of cv"
    return _improvement(what, measure, scores[:, before], scores[:, after], 1)


def _improvement(what, measure, before, after, sign):
    difference = sign * (after - before)
    if not np.isfinite(difference).all():
        return None
    n = len(difference)
    error = np.std(difference, ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return Improvement(
        what,
        measure,
        float(np.mean(before)),
        float(np.mean(after)),
        float(np.mean(difference)),
        float(error),
    )
