"""The estimator's own settings as a row: a search that was stopped must not be worse than they are.

A whole search compares its result with them. One that was stopped may not have come to that, so
scikit-learn judges them, if they are within the bounds that the user gave.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.search.candidates.expand import as_array, configured
from sklearn_hypergrad.search.results.candidate_result import EnumeratedResult, same_settings


def with_own_row(result, prepared):
    """A SearchedResult with a row for the own settings, unless they are known to be no better."""
    row = own_settings(result.candidate, result.candidate.estimator)
    if row is None or any(same_settings(row, other) for other in result.rows):
        return result
    points = result.points
    if points:
        spans, first = prepared.ranges, points[0]
        own = {span.leaf: prepared.own(span, np.shape(first[span.leaf])) for span in spans}
        if any(np.isnan(value).any() for value in own.values()):
            return result
        points = [*points, own]
    extended = dataclasses.replace(result, rows=[*result.rows, row], points=points)
    return result if _last_is_beaten(extended) else extended


def own_results(candidates, estimator):
    """EnumeratedResults of those candidates that are the estimator as it is."""
    unchanged = [c for c in candidates if _is_unchanged(c.settings, estimator.get_params())]
    rows = [(candidate, own_settings(candidate, estimator)) for candidate in unchanged]
    return [EnumeratedResult(c, [row], is_own=True) for c, row in rows if row is not None]


def own_settings(candidate, estimator):
    """A candidate's settings with the own values of its ranges; None if these are out of bounds."""
    params = configured(estimator, candidate.settings).get_params()
    own = {span.key: params[span.key] for span in candidate.ranges}
    inside = all(_is_inside(span.continuous, own[span.key]) for span in candidate.ranges)
    return {**candidate.settings, **own} if inside else None


def _is_inside(continuous, value):
    low, high = continuous.low, continuous.high
    if low is None and high is None:
        return True
    try:
        values = as_array(value)
    # Names such as "auto" are not between two numbers.
    except (TypeError, ValueError):
        return False
    return bool((low is None or np.all(values >= low)) and (high is None or np.all(values <= high)))


def _is_unchanged(settings, params):
    return settings.keys() <= params.keys() and same_settings(settings, params)


def _last_is_beaten(result):
    """Whether the search knows the score of the last row, and another one that is as good."""
    *others, own = (result.scores_of(position) for position in range(len(result.rows)))
    if own is None:
        return False
    return any(other is not None and other.mean() >= own.mean() for other in others)
