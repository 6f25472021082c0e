"""Summaries of the ranges of a finished search; they hold no data, and are kept after the fit."""

import collections
import dataclasses

import numpy as np

from sklearn_hypergrad.search.results.candidate_result import with_rows
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.tuning.objective import standard_error
from sklearn_hypergrad.wording import shortened

# Grid points per hyperparameter without a list: 10 for one, 5 for two, else 3. Chosen by hand, as
# coarse as people make such grids: the cost of the grid search must not be overstated.
COUNTS, FEWEST = {1: 10, 2: 5}, 3
# Power of ten above which a number of fits says no more than that it is too large.
READABLE = 6


@dataclasses.dataclass
class Costs:
    """A listener that counts the cost of a search, guard included.

    Attributes
    ----------
    n_evaluations, n_inner_fits : int
        Evaluations of the objective, and fits of splits in them.
    seconds : float
        Duration of the whole search with its preparation; set at its end.
    n_solved : int
        Number of rows of ``cv_results_`` that were made of solutions; set at its end.
    """

    n_evaluations: int = 0
    n_inner_fits: int = 0
    seconds: float = 0.0
    n_solved: int = 0

    def __call__(self, stage, record, settings):
        self.n_evaluations += 1
        self.n_inner_fits += len(record.losses)


@dataclasses.dataclass(frozen=True)
class TunedValue:
    """One hyperparameter: its values before and after, as text, and its statuses.

    Attributes
    ----------
    key : str
    before, after : str
    ends : str
        Statuses, with the number of entries that have each.
    bounds : tuple of float
    """

    key: str
    before: str
    after: str
    ends: str
    bounds: tuple

    def __str__(self):
        low, high = self.bounds
        return (
            f"{self.key}: {self.before} -> {self.after}, {self.ends}; searched from {low:.3g} to "
            f"{high:.3g}"
        )


@dataclasses.dataclass(frozen=True)
class CandidateSummary:
    """The summary of the search of one candidate.

    Attributes
    ----------
    place : str
        The enumerated values.
    rows : range
        Its rows of ``cv_results_``.
    tuned : list of TunedValue
    gains : list of Improvement
    stopped : str
        Why the optimizer stopped.
    n_values : int
        Number of different values: entries of a pool count once.
    n_unfinished : int
        Number of values that had not converged at the end.
    trained : bool
        Whether its model is trained step by step.
    grid_size : float
        Logarithm to base ten of the number of settings of a grid in its place.
    grid_count : int
        Values of this grid along each hyperparameter without a list; 0 if all have one.
    guard : Guard or None
    """

    place: str
    rows: range
    tuned: list
    gains: list
    stopped: str
    n_values: int
    n_unfinished: int
    trained: bool
    grid_size: float
    grid_count: int
    guard: object = None


@dataclasses.dataclass(frozen=True)
class Improvement:
    """The mean over splits of how much better one point is than another.

    Attributes
    ----------
    what : str
        The two points, such as "the point found over alpha=1".
    measure : str
        The loss or score, and its splits.
    before, after : float
    difference : float
        Positive if the second is better.
    standard_error : float
        Standard error of the difference, from the paired differences of splits; nan for a single
        split.
    corrected : bool
        Whether it is corrected for splits that hold rows out more than once. That of plain folds
        is not, and somewhat too small: their training parts overlap.
    """

    what: str
    measure: str
    before: float
    after: float
    difference: float
    standard_error: float
    corrected: bool = False

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
        kind = f"one standard error{', corrected for overlapping splits' * self.corrected}"
        return f"{told} +/- {self.standard_error:.2g} ({kind})"


def improvement_of_records(comparison):
    """The Improvement of a Comparison; None if its points are equal or have different splits."""
    before, after = comparison.before, comparison.after
    same = np.array_equal(before.theta, after.theta)
    if same or len(before.losses) != len(after.losses):
        return None
    losses, overlap = (before.losses, after.losses), after.stage.overlap
    return _improvement(comparison.what, after.measure, *losses, -1, overlap)


def improvement_of_rows(what, results, metric, before, after, overlap):
    """The Improvement in the score of scikit-learn's fits of one row over another, or None."""
    n_splits = sum(key.startswith("split") and key.endswith(f"_test_{metric}") for key in results)
    scores = np.array([results[f"split{split}_test_{metric}"] for split in range(n_splits)])
    measure = f"{metric} of real fits on {n_splits} splits of cv"
    return _improvement(what, measure, scores[:, before], scores[:, after], 1, overlap)


def _improvement(what, measure, before, after, sign, overlap):
    difference = sign * (after - before)
    if not np.isfinite(difference).all():
        return None
    return Improvement(
        what,
        measure,
        float(np.mean(before)),
        float(np.mean(after)),
        float(np.mean(difference)),
        standard_error(difference, overlap),
        corrected=overlap > 0,
    )


def summaries(results, cv_results, metric, overlap):
    """The CandidateSummary of every candidate that was searched.

    Parameters
    ----------
    results : list of SearchedResult or EnumeratedResult
    cv_results : dict
    metric : str
        The name of the score that decides.
    overlap : float
        The overlap of the user's splits, see ``overlap_of``.
    """
    return [
        _summary(result, rows, cv_results, metric, overlap)
        for rows, result in with_rows(results)
        if result.is_searched
    ]


def _summary(result, rows, cv_results, metric, overlap):
    return CandidateSummary(
        place=result.candidate.place,
        rows=rows,
        tuned=_tuned(result),
        gains=_gains(result, rows, cv_results, metric, overlap),
        stopped=result.found.message,
        n_values=len(np.unique(result.found.record.theta)),
        n_unfinished=result.found.end_statuses.count(EndStatus.NOT_CONVERGED),
        trained=result.trained,
        grid_size=_grid_size(result),
        grid_count=_grid_count(result),
        guard=result.guard,
    )


def _gains(result, rows, cv_results, metric, overlap):
    gains = [improvement_of_records(each) for each in result.comparisons]
    # Without comparisons (training went on during the search), fits of scikit-learn are compared.
    if not result.comparisons and result.start_row and f"split0_test_{metric}" in cv_results:
        what, pair = "the point found over the start", (rows[result.start_row], rows[0])
        gains.append(improvement_of_rows(what, cv_results, metric, *pair, overlap))
    return [gain for gain in gains if gain is not None]


def _grid_size(result):
    """Logarithm to base ten of the number of settings of a grid over the same values."""
    spans = zip(result.searched, result.candidate.ranges, strict=True)
    sizes = [(each.dimension.size, len(span.listed)) for each, span in spans]
    count = usual_count(sum(size for size, listed in sizes if not listed))
    return sum(size * np.log10(listed or count) for size, listed in sizes)


def _grid_count(result):
    """Values along each hyperparameter that has no list; 0 if all have one."""
    spans = zip(result.searched, result.candidate.ranges, strict=True)
    n_values = sum(each.dimension.size for each, span in spans if not span.listed)
    return usual_count(n_values) if n_values else 0


def usual_count(n_values):
    """Grid points along each of ``n_values`` hyperparameters without a list."""
    return COUNTS.get(n_values, FEWEST)


def _tuned(result):
    end_statuses, told, joint = iter(result.found.end_statuses), [], result.from_own_values
    for each in result.searched:
        size = each.dimension.size
        value = result.found.record.h[each.dimension.name]
        value = value if each.held is None else np.ravel(value)[~each.is_held]
        ends = collections.Counter(next(end_statuses).label for _ in range(size))
        told.append(
            TunedValue(
                key=each.key if size == 1 else f"{each.key} ({size} values)",
                # Several are searched from the best of listed values, if there are any.
                before=in_words(each.dimension.starts if joint else each.before),
                after=in_words(value),
                ends=_ends(ends, size),
                bounds=(each.dimension.low, each.dimension.high),
            )
        )
    return told


def in_words(value):
    """Text for a value that is searched, or for the range of several; ``str`` of any other."""
    values = list(value.values()) if isinstance(value, dict) else value
    # Not of whole numbers, whose digits count, nor of tuples, such as the sizes of layers.
    if not isinstance(values, float | np.ndarray | list):
        return shortened(str(value))
    try:
        values = np.ravel(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        return shortened(str(value))
    unknown = bool(np.isnan(values).any())
    if not values.size or (unknown and not isinstance(value, float | np.ndarray)):
        return shortened(str(value))
    if unknown:
        return "no number"
    # Not their difference: that of infinite values is no number.
    if values.min() == values.max():
        return f"{values[0]:.4g}"
    return f"{values.min():.4g} to {values.max():.4g}"


def _ends(ends, size):
    if size == 1:
        return next(iter(ends))
    return ", ".join(f"{count} {label}" for label, count in ends.most_common())


def n_grid_fits(told, n_splits):
    """Text: the fits of a grid search in place of these searches, without its refit."""
    largest = max(summary.grid_size for summary in told)
    counts = "/".join(map(str, sorted({summary.grid_count for summary in told} - {0})))
    each = "" if counts in ("", str(COUNTS[1])) else " each"
    values = f" of {counts} values{each}" if counts else ""
    if largest + np.log10(n_splits) > READABLE:
        return f"a grid search{values} takes more than a million fits"
    n_fits = sum(round(10**summary.grid_size) for summary in told) * n_splits
    return f"a grid search{values} takes {n_fits} fits"
