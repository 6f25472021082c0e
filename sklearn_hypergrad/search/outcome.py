"""One candidate from its data to its rows, and what there is to report of it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.build import choice_of, descent, objective_on, prepared
from sklearn_hypergrad.search.columns import Unfit
from sklearn_hypergrad.search.data import blocks, whole
from sklearn_hypergrad.search.descent import INTERRUPTED, Found, Unsearchable
from sklearn_hypergrad.search.endings import Ending
from sklearn_hypergrad.search.gather import gather, layout_of
from sklearn_hypergrad.search.grid import Candidate
from sklearn_hypergrad.search.guard import Guard, judged
from sklearn_hypergrad.search.layout import Common
from sklearn_hypergrad.search.model import Model, model_of
from sklearn_hypergrad.search.rows import best_values, distinct
from sklearn_hypergrad.search.splits import search_splits
from sklearn_hypergrad.search.validation_loss import Choice, choose
from sklearn_hypergrad.search.vector import VectorDescent
from sklearn_hypergrad.spaces import Dimension

# What is worth saying of a range that a list gave; ending on one of its bounds is GridSearchCV's
# way. Of a vector, not where entries leave the pool.
LIST_ENDINGS = {Ending.FLAT, Ending.NOT_CONVERGED}
CONTINUOUS_ENDINGS = LIST_ENDINGS | {Ending.AT_BOUND, Ending.LIMIT}
VECTOR_ENDINGS = {Ending.NOT_CONVERGED, Ending.AT_BOUND}
# Iterates of a vector's search that are judged by a score without gradient.
N_JUDGED = 5


@dataclasses.dataclass(frozen=True)
class Outcome:
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
    dimension : Dimension
        The hyperparameter as it was searched.
    layout : Layout
    choice : Choice
    loss_name : str
        The validation loss that was descended.
    expected : float or None
        The validation loss of the first row on the user's cv, if that is the asked score.
    values : list
        The hyperparameter in each of the rows.
    describe : callable or None
        ``describe(value) -> Model`` that a vector makes of all data.
    guard : Guard or None
    fallback : str or None
        Why a range was enumerated after all.
    """

    candidate: Candidate
    rows: list
    records: list = ()
    found: Found | None = None
    dimension: Dimension | None = None
    layout: Common | None = None
    choice: Choice | None = None
    loss_name: str | None = None
    expected: float | None = None
    values: list = ()
    describe: Callable[[Any], Model] | None = None
    guard: Guard | None = None
    fallback: str | None = None


def pursue(candidate, inputs, options):
    """Search a candidate's range; one without a range is its only row.

    Parameters
    ----------
    candidate : Candidate
    inputs : FitInputs
    options : Options
    """
    if candidate.range is None:
        return Outcome(candidate, [candidate.settings])
    # Wrong arguments are errors, whatever the data.
    choose(options.validation_loss, inputs.scorer, candidate.final, candidate.family, inputs.y)
    search = _search_common if candidate.range.continuous.per is None else _search_vector
    try:
        return search(candidate, inputs, options)
    except Unsearchable as error:
        return _enumerated(candidate, str(error))
    except Unfit as error:
        span = candidate.range
        raise ValueError(
            f"Cannot tune {span.key!r} with {span.continuous!r}. This is because {error}."
        ) from error


def common_objective(candidate, inputs, options):
    """The objective of one value for all, the choice of its loss, and that of the user's cv.

    The last is the first unless other splits are descended.
    """
    parts = prepared(blocks, candidate, inputs)
    choice = choice_of(candidate, inputs, options, parts)
    asked = objective_on(candidate, parts, choice.loss, options)
    if options.search_cv == "loo":
        everything = [prepared(whole, candidate, inputs)]
        return objective_on(candidate, everything, None, options), choice, asked
    splits, _ = search_splits(candidate, inputs, options)
    if splits is inputs.splits:
        return asked, choice, asked
    searched = prepared(blocks, candidate, inputs, splits)
    return objective_on(candidate, searched, choice.loss, options), choice, asked


def _search_common(candidate, inputs, options):
    objective, choice, asked = common_objective(candidate, inputs, options)
    found = descent(candidate, objective, options).run()
    (dimension,) = objective.space.dimensions
    name = dimension.name
    values = [found.record.hyperparams[name]]
    if not choice.exact:
        asked.tol = objective.tol
        visited = [record.hyperparams[name] for record in objective.records]
        for group in (candidate.range.listed, visited):
            values += best_values(group, asked, name, candidate, inputs)
    layout = Common(candidate.range, candidate.family, None, None)
    values, rows = _rows(candidate, layout, values)
    return Outcome(
        candidate,
        rows,
        values=values,
        records=objective.records,
        found=found,
        dimension=dimension,
        layout=layout,
        choice=choice,
        loss_name="squared_error" if options.search_cv == "loo" else choice.loss.name,
        expected=found.record.value if choice.exact and asked is objective else None,
    )


def _search_vector(candidate, inputs, options):
    data = gather(candidate, inputs, options)
    layout = layout_of(candidate, data, inputs)
    asked = objective_on(candidate, data.parts, data.choice.loss, options)
    common = descent(candidate, asked, options).run()
    vector = VectorDescent(candidate, data, layout, options)
    (dimension,) = vector.objective.space.dimensions
    name = dimension.name
    scalar = vector.common(common.record.theta[0])
    if common.message == INTERRUPTED:
        found = vector.pooled(scalar, INTERRUPTED)
    else:
        found = vector.run(common.record.theta[0])
    values = [found.record.hyperparams[name], scalar]
    guard, verdict = _guarded(candidate, inputs, options)
    if verdict is not None:
        values = [scalar]
        found = vector.pooled(scalar, f"{found.message}; {verdict}")
    elif not data.choice.exact:
        visited = sorted(vector.objective.records, key=lambda record: record.value)[:N_JUDGED]
        visited = [record.hyperparams[name] for record in visited]
        values += best_values(visited, vector.cv_objective(), name, candidate, inputs)
    expected = None
    if data.choice.exact:
        theta = vector.objective.space.to_theta({name: values[0]})
        expected = vector.cv_objective().record(theta).value
    values, rows = _rows(candidate, layout, values)
    return Outcome(
        candidate,
        rows,
        values=values,
        records=[*asked.records, *vector.cv_records(), *vector.objective.records],
        found=found,
        dimension=dataclasses.replace(dimension, start=float(scalar.flat[0])),
        layout=layout,
        choice=data.choice,
        loss_name="squared_error" if data.loss is None else data.loss.name,
        expected=expected,
        describe=functools.partial(model_of, candidate, data, layout, options),
        guard=guard,
    )


def _guarded(candidate, inputs, options):
    """``(guard, why the vector is not kept or None)``."""
    if not options.guard:
        return None, None
    try:
        guard = judged(candidate, inputs, options)
    except Unsearchable as error:
        return None, f"the guard could not judge: {error}"
    except KeyboardInterrupt:
        return None, f"the guard was {INTERRUPTED}"
    return guard, None if guard.kept else "the guard kept one value for all"


def _rows(candidate, layout, values):
    """Distinct values, and the settings that make them."""
    values = distinct(values)
    return values, [{**candidate.settings, **layout.settings(value)} for value in values]


def problems_of(outcome):
    """What the user should know of a searched candidate, each with numbers and a remedy."""
    span, found = outcome.candidate.range, outcome.found
    # A list that could not be searched was enumerated, as GridSearchCV does: nothing is amiss.
    if found is None:
        return [outcome.fallback] if outcome.fallback and not span.listed else []
    value = found.record.hyperparams[span.leaf]
    shown = f"={value}" if np.ndim(value) == 0 else ""
    where = f"{span.key}{shown} ({outcome.loss_name} {found.record.value:.6g})"
    messages = [
        f"{where}: {ending.label}. {ending.remedy}"
        for ending in dict.fromkeys(found.endings)
        if ending in _worth_saying(span, value)
    ]
    unsolved = [s for s in dict.fromkeys(found.record.statuses) if s is not Status.CONVERGED]
    return messages + [f"{where}: {status.value}" for status in unsolved]


def _worth_saying(span, value):
    if np.ndim(value):
        return VECTOR_ENDINGS
    return LIST_ENDINGS if span.listed else CONTINUOUS_ENDINGS


def _enumerated(candidate, reason):
    """The values of the range as rows, for a problem that could not be searched."""
    span = candidate.range
    values = span.listed or (span.continuous.init or getattr(candidate.final, span.leaf),)
    rows = [{**candidate.settings, span.key: value} for value in values]
    message = f"{span.key} was enumerated, not searched: {reason}."
    return Outcome(candidate, rows, fallback=message)
