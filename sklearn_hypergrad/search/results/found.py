"""The point where a search ended: its evaluation, its statuses and the reason."""

import dataclasses

from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus
from sklearn_hypergrad.tuning import Record


@dataclasses.dataclass(frozen=True)
class Found:
    """The point where a search ended.

    Attributes
    ----------
    record : Record
        The evaluation at that point, to the fine inner tolerance.
    end_statuses : list of EndStatus
        One per entry of theta.
    message : str
        Why the optimizer stopped.
    warning : str
        A problem on the way there, with a remedy; or "".
    """

    record: Record
    end_statuses: list
    message: str
    warning: str = ""


def best_so_far(objective, reason):
    """The Found of a search that was stopped: its best evaluation so far."""
    record = objective.best
    return Found(record, [EndStatus.NOT_CONVERGED] * len(record.theta), reason)


def stopped_at(found, objective, reason):
    """``found`` with the reason of the stop; the best evaluation if nothing was found yet."""
    if found is None:
        return best_so_far(objective, reason)
    return dataclasses.replace(found, message=reason)


def end_statuses_of(theta, space, prepared, converged):
    """An EndStatus for every entry of theta, by the bounds of a space.

    Parameters
    ----------
    theta : ndarray of shape (size,)
    space : Space
    prepared : PreparedCandidate
        Its ranges say which bounds are the user's.
    converged : bool
        Whether entries inside their bounds have converged.
    """
    entries, spans = iter(theta), zip(space.dimensions, prepared.ranges, strict=True)
    inside = EndStatus.INTERIOR if converged else EndStatus.NOT_CONVERGED
    return [
        on_bound(next(entries), dimension, span.continuous) or inside
        for dimension, span in spans
        for _ in range(dimension.size)
    ]


def on_bound(entry, dimension, continuous, limit=EndStatus.LIMIT):
    """The EndStatus of an entry of theta on a bound: the user's, the data's or a limit; or None."""
    asked = continuous.low, continuous.high
    for bound, own, of_data in zip(dimension.bounds, asked, dimension.of_data, strict=True):
        if abs(entry - bound) <= ON_BOUND:
            if of_data:
                return EndStatus.END_OF_RANGE
            return limit if own is None else EndStatus.AT_BOUND
    return None
