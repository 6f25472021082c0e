"""What the search of one candidate has come to."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.candidates.expand import Candidate
from sklearn_hypergrad.search.objective.events import SHOWN
from sklearn_hypergrad.search.objective.initial_values import own_values
from sklearn_hypergrad.search.objective.validation_loss import Choice
from sklearn_hypergrad.search.results.effective_model import Model
from sklearn_hypergrad.search.results.rows import distinct
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.search.strategies.guard import Guard
from sklearn_hypergrad.search.strategies.line_search import Found
from sklearn_hypergrad.spaces import Dimension

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
class CandidateResult:
    """What a candidate contributes to the search.

    Attributes
    ----------
    candidate : Candidate
    rows : list of dict
        Settings for scikit-learn to judge.
    records : list of Record
        All evaluations.
    found : Found or None
        None, as the following, for a candidate that is only enumerated.
    searched : list of Searched
        In the order of the entries of what was found.
    how : str
        How it was differentiated, and why so.
    choice : Choice
    loss_name : str
        The validation loss that was descended.
    expected : float or None
        The validation loss of the first row on the user's cv, if that is the asked score.
    values : list
        The hyperparameter in each of the rows, of a vector.
    describe : callable or None
        ``describe(value) -> Model`` that a vector makes of all data.
    guard : Guard or None
    comparisons : list of Comparison
        What the result is worth, by evaluations of it and of others.
    start_row : int or None
        Which of the rows is where the search started, if that is not what was found.
    fallback : str or None
        Why a range was enumerated after all.
    """

    candidate: Candidate
    rows: list
    records: list = ()
    found: Found | None = None
    searched: list = ()
    how: str | None = None
    choice: Choice | None = None
    loss_name: str | None = None
    expected: float | None = None
    values: list = ()
    describe: Callable[[Any], Model] | None = None
    guard: Guard | None = None
    comparisons: list = ()
    start_row: int | None = None
    fallback: str | None = None


def searched_one(candidate, layout, dimension):
    """The only hyperparameter of a candidate as it was searched."""
    span = candidate.range
    before = own_values(getattr(candidate.final, span.leaf), dimension.shape)
    return [Searched(span.key, dimension, layout.labels, bool(span.listed), before)]


def solved(candidate, method):
    """How a model that is solved was differentiated, and why so."""
    final = type(candidate.final).__name__
    reason = (
        f"{final} is trained by gradient descent, as was asked for"
        if method.through_training
        else f"the fit of {final} minimises a smooth objective"
    )
    return f"{method!r}, because {reason}"


def rows_of(candidate, layout, values):
    """Distinct values, and the settings that make them."""
    values = distinct(values)
    return values, [{**candidate.settings, **layout.settings(value)} for value in values]


def with_rows(results):
    """``(its rows of cv_results_, as a range, result)`` of every result."""
    first = 0
    for result in results:
        yield range(first, first := first + len(result.rows)), result


def problems_of(result):
    """What the user should know of a searched candidate, each with numbers and a remedy."""
    found = result.found
    # A list that could not be searched was enumerated, as GridSearchCV does: nothing is amiss.
    if found is None:
        continuous = any(not span.listed for span in result.candidate.ranges)
        return [result.fallback] if result.fallback and continuous else []
    messages = []
    end_statuses = iter(found.end_statuses)
    for searched in result.searched:
        own = dict.fromkeys(next(end_statuses) for _ in range(searched.dimension.size))
        where = _where(result, searched)
        messages += [
            f"{where}: {end_status.label}. {end_status.remedy}"
            for end_status in own
            if end_status in _worth_saying(searched, result.candidate.family)
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
    loss = SHOWN.get(result.loss_name, result.loss_name)
    return f"{', '.join(shown)} ({loss} {record.value:.6g})"


def _worth_saying(searched, family):
    if family.trained:
        return set() if searched.meant else TRAINED_STATUSES
    if searched.dimension.shape:
        return VECTOR_STATUSES - (TRAINED_STATUSES if searched.meant else set())
    return LIST_STATUSES if searched.meant else CONTINUOUS_STATUSES
