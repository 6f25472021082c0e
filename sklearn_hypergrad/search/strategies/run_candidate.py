"""Search one candidate: choose the strategy from its model, run it, and return its result."""

import numpy as np
from sklearn.model_selection import ParameterGrid

from sklearn_hypergrad.hypergradients import OnlineHypergradient
from sklearn_hypergrad.search.candidates.expand import as_array, plain
from sklearn_hypergrad.search.candidates.refusals import (
    CannotSearch,
    NowhereFinite,
    UnsupportedRange,
)
from sklearn_hypergrad.search.objective.methods import refuse_online
from sklearn_hypergrad.search.objective.prepared_candidate import PreparedCandidate
from sklearn_hypergrad.search.results.candidate_result import EnumeratedResult
from sklearn_hypergrad.search.strategies.joint import JointSearch
from sklearn_hypergrad.search.strategies.path import PathSearch
from sklearn_hypergrad.search.strategies.product import ProductSearch
from sklearn_hypergrad.search.strategies.scalar import ScalarSearch
from sklearn_hypergrad.search.strategies.vector import VectorSearch
from sklearn_hypergrad.tuning import INTERRUPTED, Stopped

NOT_TUNED = (
    "a model of {} needs the hyperparameter {}, which is not tuned here. Take its value from the "
    "estimator, in Family.model"
)


def run_candidate(candidate, inputs, options):
    """Search a candidate's ranges; a candidate without a range is one row.

    Parameters
    ----------
    candidate : Candidate
    inputs : FitInputs
    options : Options

    Returns
    -------
    SearchedResult or EnumeratedResult

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted before the first evaluation has ended.
    ValueError
        If a range or an argument does not apply to this model, or to these data.
    """
    if not candidate.ranges:
        return EnumeratedResult(candidate, [candidate.settings])
    prepared = PreparedCandidate(candidate, inputs, options)
    try:
        return _completed(strategy_of(prepared))
    except NowhereFinite as error:
        if callable(options.validation_loss):
            raise ValueError(
                f"validation_loss={prepared.choice.loss.name} is no use here: {error}. Check that "
                f"it and its derivative are finite for predictions of "
                f"{type(candidate.final).__name__}: roots and logarithms have none at zero."
            ) from error
        return _enumerated(candidate, str(error))
    except CannotSearch as error:
        return _enumerated(candidate, str(error))
    except KeyError as error:
        missing = [name for name in candidate.family.hyperparameters if name in error.args]
        if not missing:
            raise
        reason = NOT_TUNED.format(type(candidate.family).__name__, missing[0])
        raise _refusal(candidate, reason) from error
    except UnsupportedRange as error:
        # What GridSearchCV fits is not refused.
        if all(span.listed for span in candidate.ranges):
            return _enumerated(candidate, str(error))
        raise _refusal(candidate, str(error)) from error


def _refusal(candidate, reason):
    """The ValueError for ranges that do not apply to the model or the data."""
    asked = ", ".join(repr(span.continuous) for span in candidate.ranges)
    return ValueError(
        f"Cannot tune {candidate.key!r} with {asked}. This is because {reason.rstrip('.')}."
    )


def _completed(strategy):
    """The result of a strategy, run to its end or stopped: the only place that catches a stop."""
    reason = None
    try:
        try:
            strategy.run()
        except (Stopped, KeyboardInterrupt) as stop:
            if not strategy.has_evaluated:
                raise
            reason = getattr(stop, "reason", INTERRUPTED)
        return strategy.result(reason)
    except Stopped as stop:
        raise KeyboardInterrupt(stop.reason) from None


def _enumerated(candidate, reason):
    """The EnumeratedResult of a candidate that could not be searched: listed values as rows."""
    values = {span.key: span.listed or (_usual(span, candidate),) for span in candidate.ranges}
    rows = [{**candidate.settings, **row} for row in ParameterGrid(values)]
    message = f"{candidate.key} was enumerated, not searched: {reason.rstrip('.')}."
    return EnumeratedResult(candidate, rows, message)


def _usual(span, candidate):
    """The only value of a Continuous: its init, or the estimator's own value within its bounds."""
    low, high, init = span.continuous.low, span.continuous.high, span.continuous.init
    own = getattr(candidate.final, span.leaf)
    if init is not None or low is high is None:
        return own if init is None else init
    try:
        value = np.clip(as_array(own), low, high)
    except (TypeError, ValueError):
        value = np.nan
    # A word, a dict or None is in no range.
    bound = high if low is None else low
    return bound if np.isnan(value).any() else plain(value)


def strategy_of(prepared):
    """The Strategy of a PreparedCandidate.

    Raises
    ------
    CannotSearch
        If the data give no model.
    UnsupportedRange, ValueError
        If no strategy supports the ranges and arguments.
    """
    return strategy_class(prepared)(prepared)


def strategy_class(prepared):
    """Choose the class of the strategy from the model and the number and shape of the ranges."""
    model, ranges = prepared.first_model, prepared.ranges
    if isinstance(prepared.options.method, OnlineHypergradient):
        refuse_online(prepared, model)
    levels = model.levels()
    if any(span.leaf not in levels for span in ranges):
        return JointSearch
    vectors = [span for span in ranges if span.continuous.per is not None]
    if len(ranges) > 1:
        if vectors:
            raise UnsupportedRange(
                f"{vectors[0].key} is to have a value per {vectors[0].continuous.per}, which is "
                f"searched alone. Give the other hyperparameters one value, or lists in a grid of "
                f"their own"
            )
        return ProductSearch
    if vectors:
        return VectorSearch
    return ScalarSearch if model.path is None else PathSearch
