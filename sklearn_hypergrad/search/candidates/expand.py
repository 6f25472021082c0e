"""Turn ``param_grid`` into candidates: enumerated settings, and ranges that are searched.

A candidate is one combination of enumerated settings, with the ranges that are searched under it,
whose names lead to one final step.
A grid in which nothing can be differentiated gives the candidates of scikit-learn's ParameterGrid.
"""

import dataclasses
import itertools
import math
import numbers
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.adapters import Family, family
from sklearn_hypergrad.adapters.reasons import why_enumerated
from sklearn_hypergrad.adapters.wrapped import inside_of
from sklearn_hypergrad.search.candidates import written
from sklearn_hypergrad.search.candidates.chains import chain_from, ending, first_place
from sklearn_hypergrad.search.candidates.refusals import (
    described,
    refuse_continuous,
    refuse_mixed,
    refuse_values,
    remedy,
    why_not_final,
)
from sklearn_hypergrad.spaces import Continuous
from sklearn_hypergrad.spaces.continuous import Range, as_range, entries_of, is_number
from sklearn_hypergrad.transformers.composed import names_of
from sklearn_hypergrad.wording import shortened

# Why wrappers do not search what is searched without them.
NOT_INSIDE = "is searched with solved models of its kind inside of it alone"
NO_VECTORS = "is searched with single values inside of it"
# Limits that every number is between.
ANY = -math.inf, math.inf
# Types of values that are not looked at as ranges of other searches.
NUMBER = numbers.Number, type(None)
PLAIN = *NUMBER, Continuous, str, type


@dataclasses.dataclass(frozen=True)
class FinalStep:
    """The final step that a name belongs to.

    Attributes
    ----------
    pipeline : estimator
        The pipeline that it ends; itself if there is none.
    path : list of str
        Names of the steps that lead to it.
    final : estimator
    leaf : str
        What the hyperparameter is called there.
    moved : bool
        Whether steps were taken out of a wrapper to stand before it.
    """

    pipeline: Any
    path: list
    final: Any
    leaf: str
    moved: bool = False


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Fixed settings and the ranges that are searched under them.

    Attributes
    ----------
    settings : dict
        Enumerated values, as ``set_params`` takes them.
    ranges : tuple of Range
        Empty if the candidate is one setting of a grid.
    estimator : estimator or None
        The user's estimator with these settings. This and the next two attributes are None if
        nothing is searched.
    step : FinalStep or None
        Its final step, whose hyperparameters are searched.
    family : Family or None
        The family of the final step.
    reason : str or None
        Why a list of numbers was enumerated and not searched.
    grid : dict
        The dict of ``param_grid`` that it is from, where ranges and enumerated values are mixed.
    """

    settings: dict
    ranges: tuple = ()
    estimator: Any = None
    step: FinalStep | None = None
    family: Family | None = None
    reason: str | None = None
    grid: dict = dataclasses.field(default_factory=dict, repr=False)

    @property
    def range(self):
        """The first range, or None."""
        return self.ranges[0] if self.ranges else None

    @property
    def final(self):
        """The final step, or None."""
        return None if self.step is None else self.step.final

    @property
    def model(self):
        """The model that the final step ends with: itself, unless steps before it are tuned."""
        return model_in(self.final)

    @property
    def vector(self):
        """The first range of several values, or None."""
        return next((span for span in self.ranges if span.continuous.per is not None), None)

    @property
    def is_penalty(self):
        """Whether the values of the vector, or else of the first range, are penalties."""
        span = self.vector or self.range
        return self.family.hyperparameters[span.leaf].regularizes != 0

    def without_init(self):
        """The candidate with ranges that have no value to start from."""
        ranges = tuple(
            dataclasses.replace(span, continuous=dataclasses.replace(span.continuous, init=None))
            for span in self.ranges
        )
        return dataclasses.replace(self, ranges=ranges)

    @property
    def place(self):
        """The enumerated values, as text for messages."""
        return ", ".join(f"{key}={shortened(str(v))}" for key, v in self.settings.items())

    @property
    def key(self):
        """The names of all ranges, separated by commas."""
        return ", ".join(span.key for span in self.ranges)


def model_in(estimator):
    """The model at the end of (nested) pipelines; the estimator itself if it is none."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def final_step(estimator, key, *beside):
    """The FinalStep that ``key`` belongs to, or None.

    ``key`` leads through the last steps of (nested) pipelines. If it, or a name ``beside`` it, is
    that of a transformer that is tuned through the model, the final step is the end of the pipeline
    from there on. Subclasses of Pipeline may do more than transform, such as resample, and are not
    followed. What is left of ``key`` is the name of the hyperparameter, which may itself be nested,
    as ``kernel__length_scale`` is.

    Parameters
    ----------
    estimator : estimator
    key : str
    *beside : str
        Names that are tuned together with it.
    """
    if type(estimator) is Pipeline:
        place = first_place(estimator, (key, *beside))
        if place is not None:
            found = chain_from(estimator, place, key)
            return None if found is None else FinalStep(*found)
    pipeline, key, moved = _with_steps_before(estimator, key, beside)
    path, names, final = [], key.split("__"), pipeline
    while len(names) > 1 and type(final) is Pipeline and names[0] == final.steps[-1][0]:
        path.append(names.pop(0))
        final = final.steps[-1][1]
    leaf = "__".join(names)
    if isinstance(final, Pipeline) or not (len(names) == 1 or _is_inside(final, names[0], leaf)):
        return None
    return FinalStep(pipeline, path, final, leaf, moved)


def _is_inside(final, name, leaf):
    """Whether the family of a final step knows a nested parameter that begins with a name."""
    found = family(final)
    return found is not None and (name in found.nested or leaf in found.hyperparameters)


# Derivation. A wrapper W of transformers t and a model m fits every copy of t on the same X. If t
# ignores targets, which is tried on the data, all copies are the same, and W(t, m) is the pipeline
# (t, W(m)). A transformer that is tuned stays where it is.
def _with_steps_before(estimator, key, beside=()):
    """The estimator, the steps in a wrapper before it, the name there, and if steps were moved."""
    name, _, rest = key.partition("__")
    if type(estimator) is Pipeline and name == estimator.steps[-1][0]:
        last, rest, moved = _with_steps_before(estimator.steps[-1][1], rest, names_of(name, beside))
        if not moved:
            return estimator, key, False
        return ending(estimator.steps[:-1], estimator, name, last), f"{name}__{rest}", True
    inner, rest = (inside_of(estimator, key) if rest else None) or (None, "")
    step, _, leaf = rest.partition("__")
    if type(inner) is not Pipeline or step != inner.steps[-1][0]:
        return estimator, key, False
    if first_place(inner, names_of(name, beside)) is not None:
        return estimator, key, False
    wrapper = clone(estimator).set_params(**{name: inner.steps[-1][1]})
    pipeline = ending(inner.steps[:-1], inner, step, wrapper)
    pipeline, key, _ = _with_steps_before(pipeline, f"{step}__{name}__{leaf}")
    return pipeline, key, True


def configured(estimator, settings):
    """The estimator itself, or a copy of it with these settings if there are any."""
    if not settings:
        return estimator
    return clone(estimator).set_params(**clone(settings, safe=False))


def as_array(own):
    """An array of floats from a number, numbers, or a list with a matrix for each layer."""
    if isinstance(own, list | tuple) and all(np.ndim(part) == 2 for part in own):
        own = np.concatenate([np.ravel(part) for part in own])
    return np.asarray(own, dtype=float)


def spread(own, shape):
    """Broadcast ``own`` to ``shape``; a schedule may have one value for all layers of a step."""
    if own.size == np.prod(shape, dtype=int) and not own.ndim == len(shape) == 2:
        return own.reshape(shape)
    if len(shape) == 2 and own.shape == shape[:1]:
        own = own[:, None]
    return np.broadcast_to(own, shape)


def expand(param_grid, estimator, *, beside=True):
    """The candidates of all dicts of a grid.

    A dict in which nothing is differentiable gives exactly the candidates of ParameterGrid, in its
    order.

    Parameters
    ----------
    param_grid : dict or list of dict
    estimator : estimator
    beside : bool, default=True
        Whether listed values outside the limits of a range, such as zero, are enumerated beside it.

    Returns
    -------
    list of Candidate

    Raises
    ------
    TypeError, ValueError
        The errors of ParameterGrid, with its texts; and if a ``Continuous`` cannot be searched.
    """
    grids = [param_grid] if isinstance(param_grid, dict) else param_grid
    grids = [_wrapped(grid, estimator) if isinstance(grid, dict) else grid for grid in grids]
    ParameterGrid(grids)
    return [candidate for grid in grids for candidate in _expand_dict(grid, estimator, beside)]


def _wrapped(grid, estimator):
    return {key: _values(key, values, estimator) for key, values in grid.items()}


def _values(key, values, estimator):
    """The values of a name as a sequence; ranges of other searches become a Continuous."""
    if isinstance(values, Continuous):
        return [values]
    if not isinstance(values, list | np.ndarray | range):
        span = None if isinstance(values, str | type) else written.read(key, values)
        return values if span is None else [span]
    # Most lists are of numbers. What GridSearchCV enumerates stays so where there is no gradient.
    odd = [value for value in values if not isinstance(value, NUMBER)]
    if not odd or _why_not(estimator, key) is not None:
        return values
    refuse_values(key, values)
    spans = [None if isinstance(v, PLAIN) else written.read(key, v) for v in values]
    if len(spans) > 1 and any(spans):
        refuse_mixed(key)
    return [values[0] if spans[0] is None else spans[0]] if len(spans) == 1 else values


def _expand_dict(grid, estimator, beside):
    for key, values in grid.items():
        if len(values) > 1 and any(isinstance(value, Continuous) for value in values):
            refuse_mixed(key)
    # The limits of values depend on the estimator, which is known only below.
    numeric = {key for key, values in grid.items() if as_range(key, values, ANY)[0] is not None}
    if not numeric:
        reason = _why_enumerated(grid, estimator)
        return [Candidate(settings, reason=reason) for settings in ParameterGrid(grid)]
    candidates = []
    # The enumerated values may change the estimator that a name leads to.
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
        return [dataclasses.replace(candidate, grid=grid) for candidate in candidates]
    reason = next((c.reason for c in candidates if c.reason), None)
    return [Candidate(settings, reason=reason) for settings in ParameterGrid(grid)]


def _candidates(grid, searched, settings, estimator, beside):
    """The candidates of one combination of enumerated values."""
    own = configured(estimator, settings)
    if not searched:
        return [Candidate(settings, reason=_why_enumerated(grid, own))]
    # All names lead to the same final step. Their order is that of the grid.
    keys = [key for key in grid if key in searched]
    steps = [final_step(own, key, *keys) for key in keys]
    final = steps[0].final
    found = family(final)
    obstacle = found.obstacle(final, [step.leaf for step in steps])
    if obstacle is not None:
        for key in keys:
            if isinstance(grid[key][0], Continuous):
                refuse_continuous(key, grid[key], obstacle, own)
        reason = f"{', '.join(keys)} of {type(model_in(final)).__name__}: {obstacle}"
        listed = ParameterGrid({key: grid[key] for key in keys})
        return [Candidate({**settings, **values}, reason=reason) for values in listed]
    choices = [
        _choices(key, step.leaf, grid[key], final, found, beside)
        for key, step in zip(keys, steps, strict=True)
    ]
    reason = _why_enumerated(grid, own)
    return [
        _candidate(dict(zip(keys, chosen, strict=True)), settings, estimator, reason)
        for chosen in itertools.product(*choices)
    ]


def _choices(key, leaf, values, final, found, beside):
    """The values that are enumerated, and the range if there is one."""
    span, others = as_range(key, values, found.hyperparameters[leaf].open_limits, leaf)
    if span is None:
        return others
    if span.listed and found.hyperparameters[leaf].level is not None:
        return list(values)
    if isinstance(span.continuous, written.Written):
        hyperparameter = found.hyperparameters[leaf]
        low, high = hyperparameter.limits
        limits = (low, np.inf) if hyperparameter.closed else (low, high)
        span = dataclasses.replace(span, continuous=span.continuous.within(limits))
    # Listed values have been sorted by the limits already.
    if not span.listed:
        _check_range(span, final, found)
    return [*others, span] if beside else [span]


def _candidate(chosen, settings, estimator, reason):
    """The candidate of one choice of a value or a range for each name."""
    values = {k: value for k, value in chosen.items() if not isinstance(value, Range)}
    spans = tuple(value for value in chosen.values() if isinstance(value, Range))
    settings = {**settings, **values}
    if not spans:
        return Candidate(settings, reason=reason)
    own = configured(estimator, settings)
    step = final_step(own, *(span.key for span in spans))
    return Candidate(settings, spans, own, step, family(step.final), reason)


def _why_enumerated(grid, estimator):
    """Why lists with numbers are not ranges, or None."""
    reasons = {}
    for key in sorted(grid):
        is_range, why_not = as_range(key, grid[key])[0] is not None, _why_not(estimator, key)
        if is_range:
            reasons[key] = why_not
        elif why_not is None:
            step = final_step(estimator, key)
            limits = family(step.final).hyperparameters[step.leaf].open_limits
            reasons[key] = _why_no_range(grid[key], limits)
    return "; ".join(f"{key}: {reason}" for key, reason in reasons.items() if reason) or None


def _why_no_range(values, limits):
    """Why the values of a hyperparameter that can be searched are not a range, or None."""
    first = values[0]
    if len(values) == 1 and isinstance(first, list | tuple):
        pair = len(first) == 2 and all(map(is_number, first))
        return f"{first!r} is one value; Continuous{tuple(first)!r} is a range" if pair else None
    others = [value for value in values if not is_number(value)]
    if others:
        mixed = len(others) < len(values)
        return f"{others[0]!r} is no number; a range is of numbers alone" if mixed else None
    if len(set(values)) < 2 or as_range("", values, limits)[0] is not None:
        return None
    return f"a range needs two different values, each {described(*limits)}"


def _why_not(estimator, key):
    """Why a hyperparameter cannot be differentiated, or None."""
    step = final_step(estimator, key)
    if step is None:
        return _why_not_inside(estimator, key) or why_not_final(estimator, key)
    found = family(step.final)
    if found is not None and step.leaf in found.hyperparameters:
        return found.unused(step.final, step.leaf)
    if isinstance(step.final, Pipeline):
        name = type(model_in(step.final)).__name__
        return f"it belongs to a step before {name}, which is not differentiated"
    return " ".join(why_enumerated(type(step.final), step.leaf, found))


def _why_not_inside(estimator, key):
    """The same of a hyperparameter inside of a wrapper that ends pipelines; "" if it is of none."""
    while type(estimator) is Pipeline:
        estimator, (_, _, key) = estimator.steps[-1][1], key.partition("__")
    found = inside_of(estimator, key)
    if found is None:
        return ""
    name, reason = type(estimator).__name__, _why_not(*found)
    if reason:
        return f"in {name}, {reason}"
    step = final_step(*found)
    inside = family(step.final).hyperparameters[step.leaf]
    if inside.level is not None:
        return f"{step.leaf} has a value for each {inside.per[0]}, and {name} {NO_VECTORS}"
    return f"{name} {NOT_INSIDE}"


def _check_range(span, final, found):
    """Raise ValueError if a Continuous does not fit its hyperparameter: per, scale or limits."""
    continuous = span.continuous
    hyperparameter = found.hyperparameters[span.leaf]
    allowed = hyperparameter.per
    if continuous.per is None and hyperparameter.level is not None:
        raise ValueError(
            f"Cannot tune {span.key!r} with {continuous!r}. This is because it has a value "
            f"for each {' or '.join(allowed)}. Use Continuous(per={allowed[0]!r})."
        )
    if continuous.per is not None and continuous.per not in allowed:
        raise ValueError(
            f"Cannot tune {span.key!r} with {continuous!r}. This is because "
            f"{span.leaf} of {type(final).__name__} has no value per {continuous.per}; per may be "
            f"{' or '.join(map(repr, (None, *allowed)))}.{remedy(span, found)}"
        )
    if continuous.scale == "logit" and hyperparameter.scale != "logit":
        raise ValueError(
            f"Cannot tune {span.key!r} with {continuous!r}. This is because scale='logit' is for "
            f"values between 0 and 1, and {span.leaf} of {type(final).__name__} is searched by "
            f"ratios or differences: leave scale='auto'."
        )
    if continuous.per is not None and continuous.scale == "linear" != hyperparameter.scale:
        raise ValueError(
            f"Cannot tune {span.key!r} with {continuous!r}. This is because the entries of a "
            f"vector are compared by their ratios: leave scale='auto'."
        )
    inits = [] if continuous.init is None else entries_of(continuous.init)
    asked = [
        ("low", continuous.low),
        ("high", continuous.high),
        *(("init", each) for each in inits),
    ]
    for name, value in asked:
        low, high = hyperparameter.limits
        least, most = hyperparameter.open_limits
        if value is not None and not least < value < most:
            above = f"values above {low:g}" if low else "positive values"
            among = above if high == math.inf else f"values between {low} and {high}"
            raise ValueError(
                f"Cannot tune {span.key!r} with {continuous!r}. This is because "
                f"{type(final).__name__}.{span.leaf} is searched among {among}, got "
                f"{name}={value!r}. Leave {name} out, or give {described(low, high)}."
            )
