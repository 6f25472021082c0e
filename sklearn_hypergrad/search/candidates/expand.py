"""From ``param_grid`` to candidates: what is enumerated, and what is searched."""

import itertools

from sklearn.model_selection import ParameterGrid

from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.search.candidates.candidate import (
    ANY,
    Candidate,
    Range,
    as_range,
    configured,
    final_step,
)
from sklearn_hypergrad.search.candidates.refusals import (
    check_range,
    refuse_continuous,
    refuse_mixed,
)
from sklearn_hypergrad.spaces import Continuous


def expand(param_grid, estimator, *, beside=True):
    """The candidates of all dicts of a grid.

    A dict in which nothing is differentiable gives exactly those of ParameterGrid, in its order.
    ``beside`` says whether listed values that a range cannot hold are enumerated beside it.

    Raises
    ------
    TypeError, ValueError
        Those of ParameterGrid, with its texts, and for a ``Continuous`` that cannot be searched.
    """
    grids = [param_grid] if isinstance(param_grid, dict) else param_grid
    grids = [_wrapped(grid) if isinstance(grid, dict) else grid for grid in grids]
    ParameterGrid(grids)
    return [candidate for grid in grids for candidate in _expand_dict(grid, estimator, beside)]


def _wrapped(grid):
    return {k: [v] if isinstance(v, Continuous) else v for k, v in grid.items()}


def _expand_dict(grid, estimator, beside):
    for key, values in grid.items():
        if len(values) > 1 and any(isinstance(value, Continuous) for value in values):
            refuse_mixed(key)
    # Between which limits values are to be depends on the estimator.
    numeric = {key for key, values in grid.items() if as_range(key, values, ANY)[0] is not None}
    if not numeric:
        return [Candidate(settings) for settings in ParameterGrid(grid)]
    candidates = []
    # Which estimator a name leads to may depend on the values that are enumerated.
    for fixed in ParameterGrid({key: grid[key] for key in grid.keys() - numeric}):
        own = configured(estimator, fixed)
        searched = {key for key in numeric if _why_not(own, key) is None}
        for key in numeric - searched:
            if isinstance(grid[key][0], Continuous):
                refuse_continuous(key, grid[key], _why_not(own, key), own)
        others = {key: grid[key] for key in numeric - searched}
        for more in ParameterGrid(others):
            candidates += _candidates(grid, searched, {**fixed, **more}, estimator, beside)
    if any(candidate.range for candidate in candidates):
        return candidates
    reason = next((c.reason for c in candidates if c.reason), None)
    return [Candidate(settings, reason=reason) for settings in ParameterGrid(grid)]


def _candidates(grid, searched, settings, estimator, beside):
    """The candidates of one combination of enumerated values."""
    own = configured(estimator, settings)
    if not searched:
        return [Candidate(settings, reason=_why_enumerated(grid, own))]
    # A candidate has one final step: all names lead to it. Their order is that of the grid.
    keys = [key for key in grid if key in searched]
    final, _ = final_step(own, keys[0])
    found = family(final)
    obstacle = found.obstacle(final)
    if obstacle is not None:
        for key in keys:
            if isinstance(grid[key][0], Continuous):
                refuse_continuous(key, grid[key], obstacle, own)
        reason = f"{', '.join(keys)} of {type(final).__name__}: {obstacle}"
        listed = ParameterGrid({key: grid[key] for key in keys})
        return [Candidate({**settings, **values}, reason=reason) for values in listed]
    choices = [_choices(key, grid[key], final, found, beside) for key in keys]
    reason = _why_enumerated(grid, own)
    return [
        _candidate(dict(zip(keys, chosen, strict=True)), settings, estimator, reason)
        for chosen in itertools.product(*choices)
    ]


def _choices(key, values, final, found, beside):
    """Values that are enumerated beside the range, and the range."""
    span, others = as_range(key, values, found.hyperparameters[key.rpartition("__")[2]].limits)
    if span is None:
        return others
    # A list has only values between the limits.
    if not span.listed:
        check_range(span, final, found)
    return [*others, span] if beside else [span]


def _candidate(chosen, settings, estimator, reason):
    """The candidate of one choice of a value or a range for each name."""
    values = {k: value for k, value in chosen.items() if not isinstance(value, Range)}
    spans = tuple(value for value in chosen.values() if isinstance(value, Range))
    settings = {**settings, **values}
    if not spans:
        return Candidate(settings, reason=reason)
    own = configured(estimator, settings)
    final, _ = final_step(own, spans[0].key)
    return Candidate(settings, spans, own, final, family(final), reason)


def _why_enumerated(grid, estimator):
    """Why lists of numbers are not ranges, or None."""
    numeric = sorted(key for key, values in grid.items() if as_range(key, values)[0] is not None)
    reasons = {key: _why_not(estimator, key) for key in numeric}
    return "; ".join(f"{key}: {reason}" for key, reason in reasons.items() if reason) or None


def _why_not(estimator, key):
    """Why a hyperparameter cannot be differentiated, or None."""
    final, _ = final_step(estimator, key)
    if final is None:
        return "it does not belong to the final step of a Pipeline"
    found = family(final)
    leaf = key.rpartition("__")[2]
    if found is None:
        return f"{type(final).__name__} has no registered inner problem"
    if leaf not in found.hyperparameters:
        return f"{leaf} of {type(final).__name__} is not differentiable"
    return found.unused(final, leaf)
