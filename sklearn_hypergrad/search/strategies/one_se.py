"""The one-standard-error rule: propose the most regularised model that is about as good.

See Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees" (1984), section 3.4.3.
"""

import dataclasses

import numpy as np
from scipy.optimize import brentq

from sklearn_hypergrad.optimizers.line import DECADE
from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus
from sklearn_hypergrad.tuning import ONE_SE
from sklearn_hypergrad.tuning.objective import standard_error

SELECTIONS = "best", "one_se", "stable"
# Relative change of the loss below which points at the strong end count as equal: everything is
# regularised away there. Reason: the fine inner tolerance, 1e-6.
LEVEL = 1e-6
# First step on a linear scale, relative to the value at the optimum. Chosen by hand: steps double,
# and the last one is refined by a root search, so it only sets the number of evaluations.
FIRST = 0.1
# Statuses of an optimum that do not carry over to the point that is proposed instead.
MOVED = {
    EndStatus.INTERIOR,
    EndStatus.AT_BOUND,
    EndStatus.LIMIT,
    EndStatus.FLAT_ZERO,
    EndStatus.FLAT_INFINITY,
}
STRONGEST = "then the strongest level within one standard error"


def check_selection(objective, direction):
    """Raise ValueError if ``selection="one_se"`` does not apply.

    That is, if values are noisy, there is a single split, or no hyperparameter regularises.
    """
    if objective.noisy:
        raise ValueError(
            "selection='one_se' compares losses of different points, and these are noisy, or those "
            "of a training that goes on. Leave selection='best'."
        )
    if sum(term.n_splits for term in objective.terms) < 2:
        raise ValueError(
            "selection='one_se' needs at least two splits to know a standard error, got one. Leave "
            "selection='best', or give cv and search_cv more splits."
        )
    if not np.any(direction):
        raise ValueError(
            "selection='one_se' moves to stronger penalties, and none is searched. Leave "
            "selection='best'."
        )


def selected(objective, found, direction, tol, most=np.inf):
    """The point that ``selection="one_se"`` proposes in place of the optimum.

    Parameters
    ----------
    objective : Objective
        The objective that was minimised.
    found : Found
        The optimum.
    direction : ndarray of shape (size,)
        1 for entries of theta that regularise more the larger they are, -1 for the reverse, 0 for
        others.
    tol : float
        Accuracy of the shift in theta.
    most : float, default=inf
        Longest shift of theta, if something besides the bounds limits it.

    Returns
    -------
    Found
    """
    limit, message = _limit(found.record), f"{found.message}; {STRONGEST}"
    objective.stage = objective.stage.then(ONE_SE)
    reach = min(most, _reach(objective, found.record.theta, direction))
    records = [found.record]
    _walk(objective, records, direction, (limit, reach, tol))
    record = _strongest(records, direction, limit)
    moved = np.abs(record.theta - found.record.theta).max()
    end_status = EndStatus.AT_BOUND if moved >= reach - ON_BOUND else EndStatus.ONE_SE
    end_statuses = [
        end_status if moved and moves and old in MOVED else old
        for moves, old in zip(direction != 0, found.end_statuses, strict=True)
    ]
    return dataclasses.replace(found, record=record, end_statuses=end_statuses, message=message)


def _limit(record):
    """The largest loss within one standard error over splits (Breiman et al. 1984, 3.4.3)."""
    return record.value + standard_error(record.losses, record.stage.overlap)


def _walk(objective, records, direction, ends):
    """Append records of larger and larger shifts, up to where the loss meets the limit."""
    theta, (limit, reach, tol) = records[0].theta, ends
    dimensions = objective.space.dimensions
    scales = np.repeat([d.scale for d in dimensions], [d.size for d in dimensions])
    logarithmic = "linear" not in scales[direction != 0]
    stride, shift = DECADE, 0.0
    if not logarithmic:
        stride = FIRST * (np.abs(theta[direction != 0]).max() or 1.0)

    def excess(shift):
        records.append(objective.record(theta + shift * direction))
        # Where training diverges the loss is infinite, which a root search cannot interpolate.
        return min(records[-1].value - limit, abs(limit) + 1.0)

    while shift < reach:
        before, shift = shift, min(shift + stride, reach)
        if excess(shift) > 0:
            brentq(excess, before, shift, xtol=tol)
            break
        # On a linear scale the step doubles, as decades on a logarithmic one.
        stride *= 1 if logarithmic else 2


def _strongest(records, direction, limit):
    """The strongest point within the limit; if all are within, the first of the flat end."""
    within = [record for record in records if record.value <= limit]
    within.sort(key=lambda record: float(direction @ record.theta))
    if len(within) < len(records):
        return within[-1]
    least = LEVEL * abs(within[-1].value)
    while len(within) > 1 and abs(within[-2].value - within[-1].value) <= least:
        within.pop()
    return within[-1]


def _reach(objective, theta, direction):
    """The longest shift of theta within its bounds."""
    moves = direction != 0
    ends = objective.space.bounds[np.arange(len(theta)), (direction > 0).astype(int)]
    return max(0.0, float(np.min((ends - theta)[moves] / direction[moves])))
