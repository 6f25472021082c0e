"""The search for a vector of penalties, from the best value for all."""

import dataclasses
import functools

from sklearn_hypergrad.search.build import descent, method_of, objective_on
from sklearn_hypergrad.search.descent import INTERRUPTED, Unsearchable
from sklearn_hypergrad.search.gather import gather, layout_of
from sklearn_hypergrad.search.guard import judged
from sklearn_hypergrad.search.model import model_of
from sklearn_hypergrad.search.outcome import Outcome, rows_of, searched_one, solved
from sklearn_hypergrad.search.rows import N_JUDGED, best_values
from sklearn_hypergrad.search.vector import VectorDescent


def search_vector(candidate, inputs, options):
    """The Outcome of a candidate with many values."""
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
    values, rows = rows_of(candidate, layout, values)
    return Outcome(
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
