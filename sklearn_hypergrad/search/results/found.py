"""The point where a search ended: its evaluation, its statuses and the reason."""

import dataclasses

from sklearn_hypergrad.search.results.status import EndStatus
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
