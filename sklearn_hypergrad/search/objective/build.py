"""From a candidate and data to the objective that is minimised."""

import dataclasses
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.search.data.layout import Common
from sklearn_hypergrad.search.objective.events import UNWATCHED, Stage
from sklearn_hypergrad.search.objective.objective import Objective
from sklearn_hypergrad.search.objective.validation_loss import choose, defined
from sklearn_hypergrad.search.strategies.line_search import CannotSearch, Descent
from sklearn_hypergrad.spaces import MOST_DEVIATION, Dimension, Space

# A search without bounds gives up this far away from the level of the data.
MOST = 1e12
# Levels beyond say nothing.
EXTREME = 1e200


@dataclasses.dataclass(frozen=True)
class Options:
    """The search's own arguments, resolved."""

    method: object | None
    optimizer: object
    validation_loss: str
    search_cv: object
    shrinkage: float | None
    guard: bool
    tol: float
    max_iter: int
    seed: int
    resample: str = "fixed"
    refit: bool | str | Callable = True
    selection: str = "best"
    stage: Stage = UNWATCHED

    def watched(self, place, *listeners):
        """The same for a search at a place that listeners are told of."""
        stage = dataclasses.replace(self.stage, place=place, listeners=listeners)
        return dataclasses.replace(self, stage=stage)


def prepared(prepare, *args):
    """What ``prepare`` makes of the data.

    Raises
    ------
    CannotSearch
        Transformers are the users' code and data may be anything: what cannot be prepared here, the
        real fits will report in scikit-learn's words.
    """
    try:
        return prepare(*args)
    except Exception as error:
        raise CannotSearch(str(error)) from error


def choice_of(candidate, inputs, options, parts):
    """The Choice of the validation loss, given the blocks of the user's cv."""
    final, family = candidate.final, candidate.family
    choice = choose(options.validation_loss, inputs.scorer, final, family, inputs.y)
    return defined(choice, parts)


def objective_on(candidate, parts, loss, options, layout=None, splits="cv"):
    """The mean of a validation loss over the splits of some blocks, as an Objective.

    Parameters
    ----------
    candidate : Candidate
    parts : list of SplitData
    loss : ValidationLoss or None
        None: the closed-form leave-one-out loss.
    options : Options
    layout : Layout, default=None
        None is one value for all.
    splits : str
        Which argument of the search these splits are from.
    """
    family, leaf = candidate.family, candidate.range.leaf
    terms = []
    for part in parts:
        entries = None if layout is None else layout.entries(part.columns)
        spread = {} if entries is None else {"entries": entries}
        if loss is None:
            terms.append(family.left_out_term(candidate.final, leaf, part, **spread))
        else:
            terms.append(family.term(candidate.final, leaf, part, loss, **spread))
    level = _usable(float(np.mean([term.problem.level for term in terms])))
    shape = () if layout is None else layout.shape
    # Bounds are those of the common level; entries deviate from it.
    reach = MOST_DEVIATION if shape and shrinkage_of(candidate, options) else 0.0
    space = Space([_dimension(candidate, level, shape, np.exp(reach))])
    spread = layout or Common(candidate.range, family, None, None)
    stage = dataclasses.replace(
        options.stage,
        splits=splits,
        loss="squared_error" if loss is None else loss.name,
        settings=lambda h: {**candidate.settings, **spread.settings(h[leaf])},
    )
    return Objective(space, terms, method_of(options), stage)


def method_of(options):
    """The method for a model that is solved."""
    return options.method or Implicit()


def descent(candidate, objective, options):
    """The Descent of one value, with the bounds of the candidate's range."""
    continuous = candidate.range.continuous
    return Descent(
        objective,
        bounded=(continuous.low is not None, continuous.high is not None),
        regularizes=regularizes(candidate),
        optimizer=options.optimizer,
        tol=options.tol,
        max_iter=options.max_iter,
    )


def regularizes(candidate):
    """1 if larger values of the candidate's hyperparameter regularise more, else -1."""
    return candidate.family.hyperparameters[candidate.range.leaf].regularizes


def shrinkage_of(candidate, options):
    """Weight of the L1 penalty on deviations."""
    if options.shrinkage is not None:
        return options.shrinkage
    return candidate.family.hyperparameters[candidate.range.leaf].shrinkage


def _usable(level):
    """The level, or 1 where rounding or overflow have left nothing of it."""
    return level if 1 / EXTREME < level < EXTREME else 1.0


def _dimension(candidate, level, shape, reach):
    continuous = candidate.range.continuous
    center = level ** regularizes(candidate)
    low = center / MOST if continuous.low is None else continuous.low / reach
    high = center * MOST if continuous.high is None else continuous.high * reach
    start = center if continuous.init is None else continuous.init
    return Dimension(
        name=candidate.range.leaf,
        shape=shape,
        scale=candidate.range.scale,
        low=low,
        high=high,
        start=float(np.clip(start, low, high)),
    )
