"""One candidate from its data to its rows, and what there is to report of it."""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.data import blocks
from sklearn_hypergrad.search.descent import Descent, Ending, Found, Unsearchable
from sklearn_hypergrad.search.grid import Candidate
from sklearn_hypergrad.search.objective import Objective
from sklearn_hypergrad.search.rows import proposals
from sklearn_hypergrad.search.validation_loss import Choice, choose, defined
from sklearn_hypergrad.spaces import Dimension, Space

# A search without bounds gives up this far away from the level of the data.
MOST = 1e12
# What is worth saying of a range that a list gave; ending on one of its bounds is GridSearchCV's
# way.
LIST_ENDINGS = {Ending.FLAT, Ending.NOT_CONVERGED}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a candidate contributes to the search.

    Attributes
    ----------
    candidate : Candidate
    rows : list of dict
        Settings for scikit-learn to judge.
    objective, found, choice
        None for a candidate that is only enumerated.
    fallback : str or None
        Why a range was enumerated after all.
    """

    candidate: Candidate
    rows: list
    objective: Objective | None = None
    found: Found | None = None
    choice: Choice | None = None
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
    try:
        objective, choice = objective_of(candidate, inputs, options)
        found = descent(candidate, objective, options).run()
    except Unsearchable as error:
        return _enumerated(candidate, str(error))
    values = proposals(candidate, objective, found, choice, inputs)
    rows = [{**candidate.settings, candidate.range.key: value} for value in values]
    return Outcome(candidate, rows, objective, found, choice)


@dataclasses.dataclass(frozen=True)
class Options:
    """The search's own arguments, resolved."""

    method: object
    optimizer: object
    validation_loss: str
    tol: float
    max_iter: int


def objective_of(candidate, inputs, options):
    """The objective of a candidate with a range, and the choice of its validation loss.

    Raises
    ------
    Unsearchable
        If the data make no problem of the candidate's family.
    ValueError
        If the search's own arguments do not fit the candidate.
    """
    family, final = candidate.family, candidate.final
    shape = family.shape(candidate.range.continuous.per, inputs.y)
    choice = choose(options.validation_loss, inputs.scorer, final, family, inputs.y)
    # Transformers are the users' code and data may be anything: what cannot be prepared here, the
    # real fits will report in scikit-learn's words.
    try:
        parts = blocks(candidate, inputs)
    except Exception as error:
        raise Unsearchable(str(error)) from error
    choice = defined(choice, parts)
    terms = [family.term(final, candidate.range.leaf, part, choice.loss) for part in parts]
    level = float(np.mean([term.problem.level for term in terms])) or 1.0
    space = Space([_dimension(candidate, level, shape)])
    return Objective(space, terms, options.method), choice


def descent(candidate, objective, options):
    """The descent that the candidate's range asks for."""
    continuous = candidate.range.continuous
    return Descent(
        objective,
        bounded=(continuous.low is not None, continuous.high is not None),
        regularizes=_regularizes(candidate),
        optimizer=options.optimizer,
        tol=options.tol,
        max_iter=options.max_iter,
    )


def problems_of(outcome):
    """What the user should know of a searched candidate, each with numbers and a remedy."""
    span, found = outcome.candidate.range, outcome.found
    # A list that could not be searched was enumerated, as GridSearchCV does: nothing is amiss.
    if found is None:
        return [outcome.fallback] if outcome.fallback and not span.listed else []
    worth_saying = LIST_ENDINGS if span.listed else LIST_ENDINGS | {Ending.AT_BOUND, Ending.LIMIT}
    value = found.record.hyperparams[span.leaf]
    where = f"{span.key}={value} ({outcome.choice.loss.name} {found.record.value:.6g})"
    messages = [
        f"{where}: {ending.label}. {ending.remedy}"
        for ending in dict.fromkeys(found.endings)
        if ending in worth_saying
    ]
    unsolved = [s for s in dict.fromkeys(found.record.statuses) if s is not Status.CONVERGED]
    return messages + [f"{where}: {status.value}" for status in unsolved]


def _regularizes(candidate):
    return candidate.family.hyperparameters[candidate.range.leaf].regularizes


def _dimension(candidate, level, shape):
    continuous = candidate.range.continuous
    center = level ** _regularizes(candidate)
    low = center / MOST if continuous.low is None else continuous.low
    high = center * MOST if continuous.high is None else continuous.high
    start = center if continuous.init is None else continuous.init
    return Dimension(
        name=candidate.range.leaf,
        shape=shape,
        scale=candidate.range.scale,
        low=low,
        high=high,
        start=float(np.clip(start, low, high)),
    )


def _enumerated(candidate, reason):
    """The values of the range as rows, for a problem that could not be searched."""
    span = candidate.range
    values = span.listed or (span.continuous.init or getattr(candidate.final, span.leaf),)
    rows = [{**candidate.settings, span.key: value} for value in values]
    message = f"{span.key} was enumerated, not searched: {reason}."
    return Outcome(candidate, rows, fallback=message)
