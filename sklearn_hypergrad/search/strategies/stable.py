"""The stable value of one penalty: where leave-one-out and evidence together are lowest.

One draw of folds is noisy for one value, too, and few rows of large leverage can move its optimum
by decades. ``selection="stable"`` proposes a value that depends on no draw.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus

STABLE = "stable"
FOUND = "then the minimum of leave-one-out and evidence"
NOT_ONE = "it is for one penalty of Ridge, and {} is searched"
HELD = "some penalties are held"
REFUSED = "selection='stable' does not apply here: {}. Leave selection='best'."


def check_stable(prepared):
    """Raise ValueError if ``selection="stable"`` does not apply to the ranges or the model."""
    candidate = prepared.candidate
    why = prepared.family.stable_obstacle(prepared.final)
    if len(prepared.ranges) > 1 or candidate.vector is not None:
        why = NOT_ONE.format("a vector" if candidate.vector is not None else candidate.key)
    elif why is None and prepared.held is not None:
        why = HELD
    if why is not None:
        raise ValueError(REFUSED.format(why))


def stable(prepared, objective, found):
    """The Found that ``selection="stable"`` proposes in place of the optimum on the splits.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective that was minimised.
    found : Found
        The optimum.
    """
    (dimension,) = objective.space.dimensions
    criterion = prepared.family.stable_criterion(prepared.final, prepared.everything)
    minimum = criterion.minimum(dimension.low, dimension.high)
    if minimum is None:
        return found
    record = objective.compared({dimension.name: minimum.strength})
    on_bound = np.abs(record.theta - np.array(dimension.bounds)).min() <= ON_BOUND
    end_status = EndStatus.AT_BOUND if on_bound else EndStatus.STABLE
    message = f"{found.message}; {FOUND}"
    return dataclasses.replace(found, record=record, end_statuses=[end_status], message=message)
