"""The search for a vector of penalties, from the best value for all."""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.search.objective.build import descent, method_of, objective_on, regularizes
from sklearn_hypergrad.search.objective.vector_data import gather, layout_of
from sklearn_hypergrad.search.results.candidate_result import (
    CandidateResult,
    rows_of,
    searched_one,
    solved,
)
from sklearn_hypergrad.search.results.effective_model import model_of
from sklearn_hypergrad.search.results.rows import N_JUDGED, best_values
from sklearn_hypergrad.search.strategies.guard import judged
from sklearn_hypergrad.search.strategies.line_search import INTERRUPTED, CannotSearch
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected
from sklearn_hypergrad.search.strategies.scalar import gain_over_own
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent


def search_vector(candidate, inputs, options):
    """The CandidateResult of a candidate with many values."""
    data = gather(candidate, inputs, options)
    layout = layout_of(candidate, data, inputs)
    asked = objective_on(candidate, data.parts, data.choice.loss, options)
    vector = VectorDescent(candidate, data, layout, options)
    (dimension,) = vector.objective.space.dimensions
    direction = np.array([regularizes(candidate)])
    for objective in (asked, vector.objective):
        check_selection(objective, direction, options)
    common = descent(candidate, asked, options).run()
    simple = selected(asked, common, direction, options)
    comparisons = gain_over_own(candidate, asked, simple, "one value for all")
    scalar = vector.common(simple.record.theta[0])
    found = _found(vector, common, simple, scalar)
    guard, verdict = _guarded(candidate, inputs, options, found)
    if verdict is None:
        values = [found.record.h[dimension.name], scalar]
        values += _best_judged(candidate, data, vector, inputs, options)
        comparisons += vector.gain_over(scalar, found)
    else:
        values = [scalar]
        found = vector.pooled(scalar, f"{found.message}; {verdict}")
    expected = vector.cv_loss(values[0]) if data.choice.exact else None
    values, rows = rows_of(candidate, layout, values)
    return CandidateResult(
        candidate,
        rows,
        values=values,
        records=[*asked.records, *vector.cv_records(), *vector.objective.records],
        found=found,
        searched=searched_one(
            candidate, layout, dataclasses.replace(dimension, start=float(scalar.flat[0]))
        ),
        how=solved(candidate, method_of(options)),
        choice=data.choice,
        loss_name=vector.objective.stage.loss,
        expected=expected,
        describe=functools.partial(model_of, candidate, data, layout, options),
        guard=guard,
        comparisons=comparisons,
    )


def _best_judged(candidate, data, vector, inputs, options):
    """The best of the visited vectors under the asked score, if that is not what is descended."""
    if data.choice.exact or options.selection != "best":
        return []
    (dimension,) = vector.objective.space.dimensions
    visited = sorted(vector.objective.records, key=lambda record: record.value)[:N_JUDGED]
    visited = [record.h[dimension.name] for record in visited]
    return best_values(visited, vector.cv_objective(), dimension.name, candidate, inputs)


def _found(vector, common, simple, scalar):
    """What the vector has come to; one value for all if that is as far as it came."""
    if INTERRUPTED in (common.message, simple.message):
        return vector.pooled(scalar, INTERRUPTED)
    try:
        return vector.selected(vector.run(common.record.theta[0]))
    except KeyboardInterrupt:
        return vector.pooled(scalar, INTERRUPTED)


def _guarded(candidate, inputs, options, found):
    """``(guard, why the vector is not kept or None)``."""
    if not options.guard:
        return None, None
    try:
        if found.message == INTERRUPTED:
            raise KeyboardInterrupt
        guard = judged(candidate, inputs, options)
    except CannotSearch as error:
        return None, f"the guard could not judge: {error}"
    except KeyboardInterrupt:
        return None, f"the guard was {INTERRUPTED}"
    return guard, None if guard.kept else "the guard kept one value for all"
