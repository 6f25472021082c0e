"""Where a search ended."""

import dataclasses

from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.tuning import Record


@dataclasses.dataclass(frozen=True)
class Found:
    """Where a search ended.

    Attributes
    ----------
    record : Record
        The evaluation there, to the fine inner tolerance.
    end_statuses : list of EndStatus
        One per entry of theta.
    message : str
        Why the optimizer stopped.
    warning : str
        What the user should know about the way there, with a remedy.
    """

    record: Record
    end_statuses: list
    message: str
    warning: str = ""


def best_so_far(objective, reason):
    """The Found of a search that was stopped: its best evaluation."""
    record = objective.best
    return Found(record, [EndStatus.NOT_CONVERGED] * len(record.theta), reason)


def stopped_at(found, objective, reason):
    """What was found by a search that was stopped."""
    if found is None:
        return best_so_far(objective, reason)
    return dataclasses.replace(found, message=reason)
