"""What the search of one candidate contributes: rows for scikit-learn to judge, and how it went."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.candidates.expand import Candidate
from sklearn_hypergrad.search.objective.validation_loss import Choice
from sklearn_hypergrad.search.results.effective_model import EffectiveModel
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.spaces import Dimension
from sklearn_hypergrad.tuning import Record

# Relative difference of values that differ by the rounding of a logarithm and back.
SAME = 1e-12
# What is worth saying of a range that a list gave; ending on one of its bounds is GridSearchCV's
# way. Of a vector, not where entries leave the pool.
LIST_STATUSES = {EndStatus.FLAT, EndStatus.NOT_CONVERGED}
CONTINUOUS_STATUSES = LIST_STATUSES | {EndStatus.AT_BOUND, EndStatus.LIMIT}
VECTOR_STATUSES = {EndStatus.NOT_CONVERGED, EndStatus.AT_BOUND}
# An optimizer of training runs works within a budget.
TRAINED_STATUSES = {EndStatus.AT_BOUND}


@dataclasses.dataclass(frozen=True)
class Searched:
    """A hyperparameter as it was searched.

    Attributes
    ----------
    key : str
        Its name in ``param_grid``.
    dimension : Dimension
    labels : tuple
        A name for every entry; () for one value.
    meant : bool
        Whether ending on a bound is as it was meant: a list gave the range, or it is that of
        weights of samples.
    before : ndarray
        The value that the estimator had, for every entry.
    """

    key: str
    dimension: Dimension
    labels: tuple
    meant: bool
    before: np.ndarray


@dataclasses.dataclass(frozen=True)
class EnumeratedResult:
    """A candidate that was only enumerated.

    Attributes
    ----------
    candidate : Candidate
    rows : list of dict
        Settings for scikit-learn to judge.
    fallback : str or None
        Why a range was enumerated after all.
    """

    candidate: Candidate
    rows: list
    fallback: str | None = None

    # What a search would add.
    is_searched = False
    values, guard, describe = (), None, None


@dataclasses.dataclass(frozen=True)
class SearchedResult:
    """A candidate whose ranges were searched.

    Attributes
    ----------
    candidate : Candidate
    rows : list of dict
        Settings for scikit-learn to judge; the first are those that were found.
    records : list of Record
        All evaluations.
    found : Found
    searched : list of Searched
        In the order of the entries of what was found.
    how : str
        How it was differentiated, and why so.
    choice : Choice
    loss_name : str
        The validation loss that was descended.
    trained : bool
        Whether its model is trained by a budget of steps.
    from_own_values : bool
        Whether the search began at the estimator's own values, or the best of listed ones.
    expected : float or None
        The validation loss of the first row on the user's cv, if that is the asked score.
    values : list
        The hyperparameter in each of the rows, of a vector.
    describe : callable or None
        ``describe(value) -> EffectiveModel`` that a vector makes of all data.
    guard : Guard or None
    comparisons : list of Comparison
        What the result is worth, by evaluations of it and of others.
    start_row : int or None
        Which of the rows is where the search started, if that is not what was found.
    """

    candidate: Candidate
    rows: list
    records: list
    found: Found
    searched: list
    how: str
    choice: Choice
    loss_name: str
    trained: bool = False
    from_own_values: bool = False
    expected: float | None = None
    values: list = ()
    describe: Callable[[Any], EffectiveModel] | None = None
    guard: object = None
    comparisons: list = ()
    start_row: int | None = None

    is_searched = True

    @property
    def shown_loss(self):
        """The descended loss in a report."""
        return self.found.record.stage.shown or self.loss_name


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


def compared_with_own(prepared, objective, found, what="the point found"):
    """The Comparison with the estimator's own value, in a list; empty if it has no such value."""
    leaf = prepared.range.leaf
    own = prepared.own(prepared.range)
    low, high = prepared.hyperparameter(prepared.range).open_limits
    if not low < own < high:
        return []
    return [compared(objective, {leaf: own}, found, f"{what} over {leaf}={own:.4g}")]


def searched_one(prepared, span, dimension, labels=()):
    """A hyperparameter as it was searched, in a list."""
    before = prepared.own(span, dimension.shape)
    return [Searched(span.key, dimension, labels, bool(span.listed), before)]


def solved(final, model):
    """How a model that is solved was differentiated, and why so."""
    name, method = type(final).__name__, getattr(model, "method", None)
    if method is None:
        return f"closed form, because the predictions of {name} have one"
    if method.through_training:
        return f"{method!r}, because {name} is trained by gradient descent, as was asked for"
    return f"{method!r}, because the fit of {name} minimises a smooth objective"


def with_rows(results):
    """``(its rows of cv_results_, as a range, result)`` of every result."""
    first = 0
    for result in results:
        yield range(first, first := first + len(result.rows)), result


def problems_of(result):
    """What the user should know about a candidate, each with numbers and a remedy."""
    # A list that could not be searched was enumerated, as GridSearchCV does: nothing is amiss.
    if not result.is_searched:
        continuous = any(not span.listed for span in result.candidate.ranges)
        return [result.fallback] if result.fallback and continuous else []
    found, messages = result.found, []
    end_statuses = iter(found.end_statuses)
    for searched in result.searched:
        own = dict.fromkeys(next(end_statuses) for _ in range(searched.dimension.size))
        where = _where(result, searched)
        messages += [
            f"{where}: {end_status.label}. {end_status.remedy}"
            for end_status in own
            if end_status in _worth_saying(searched, result.trained)
        ]
    unsolved = [s for s in dict.fromkeys(found.record.statuses) if s is not Status.CONVERGED]
    remedies = [status.value for status in unsolved] + [found.warning] * bool(found.warning)
    return messages + [f"{_where(result)}: {remedy}" for remedy in remedies]


def _where(result, searched=None):
    """Names and values, and the loss that they lead to."""
    record = result.found.record
    shown = []
    for each in [searched] if searched else result.searched:
        value = record.h[each.dimension.name]
        shown.append(f"{each.key}={value}" if np.ndim(value) == 0 else each.key)
    loss = result.shown_loss
    return f"{', '.join(shown)} ({loss} {record.value:.6g})"


def _worth_saying(searched, trained):
    if trained:
        return set() if searched.meant else TRAINED_STATUSES
    if searched.dimension.shape:
        return VECTOR_STATUSES - (TRAINED_STATUSES if searched.meant else set())
    return LIST_STATUSES if searched.meant else CONTINUOUS_STATUSES


def close(one, other):
    """Whether two values are the same but for rounding, as of a logarithm and back."""
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=SAME, atol=0)


def distinct(values, same=close):
    """Values without those that are the same as an earlier one."""
    kept = []
    for value in values:
        if not any(same(value, other) for other in kept):
            kept.append(value)
    return kept


def same_settings(one, other):
    """Whether two dicts of the same names have equal values."""
    return all(np.array_equal(one[name], other[name]) for name in one)
