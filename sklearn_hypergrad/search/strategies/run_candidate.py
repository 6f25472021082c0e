"""Search candidates: choose the strategy from the model, run it, and return its result.

A search may be stopped at any evaluation: by Ctrl-C, ``max_time`` or a callback. What is done
counts, the candidate that is searched gives its best point so far, and the others are left out.
"""

import dataclasses

import numpy as np
from sklearn.model_selection import ParameterGrid

from sklearn_hypergrad.adapters.base import EXACT, FITS, SOLUTIONS, WARM_FITS
from sklearn_hypergrad.hypergradients import OnlineHypergradient
from sklearn_hypergrad.search.candidates.expand import as_array
from sklearn_hypergrad.search.candidates.refusals import (
    CannotSearch,
    NowhereFinite,
    UnsupportedRange,
)
from sklearn_hypergrad.search.objective.methods import refuse_online
from sklearn_hypergrad.search.objective.prepared_candidate import PreparedCandidate
from sklearn_hypergrad.search.results.candidate_result import EnumeratedResult
from sklearn_hypergrad.search.results.listed_rows import with_listed_rows
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.results.stop import Stop, evaluations
from sklearn_hypergrad.search.strategies.closed_form_rows import ClosedFormRows
from sklearn_hypergrad.search.strategies.joint import JointSearch
from sklearn_hypergrad.search.strategies.own_settings import own_results, with_own_row
from sklearn_hypergrad.search.strategies.path import PathSearch
from sklearn_hypergrad.search.strategies.product import ProductSearch
from sklearn_hypergrad.search.strategies.scalar import ScalarSearch
from sklearn_hypergrad.search.strategies.stable import STABLE, check_stable
from sklearn_hypergrad.search.strategies.vector import VectorSearch
from sklearn_hypergrad.search.strategies.warm_rows import ExactRows, WarmRows
from sklearn_hypergrad.spaces.continuous import level_of, plain
from sklearn_hypergrad.tuning import INTERRUPTED, Stopped

# How rows are made of solutions, by what a solution is to a fit.
ROWS = {SOLUTIONS: ClosedFormRows, WARM_FITS: WarmRows, EXACT: ExactRows}
FITTED = "{}: rows are fits from the beginning, not from solutions of the search, because {}."
APART = (
    "{}: the fits of rows start at solutions of the search, those of GridSearchCV do not: {}. The "
    "solver of the estimator stops early: raise its max_iter or lower its tol, and both agree."
)
NOT_TUNED = (
    "a model of {} needs the hyperparameter {}, which is not tuned here. Take its value from the "
    "estimator, in Family.model"
)


def run_candidates(candidates, inputs, options, memory_of):
    """Search candidates one after the other.

    Parameters
    ----------
    candidates : list of Candidate
    inputs : FitInputs
    options : Options
    memory_of : callable
        ``memory_of(number)`` returns the ``memory`` of the options of a candidate.

    Returns
    -------
    results : list of SearchedResult or EnumeratedResult
        One for each candidate. After a stop those of the first ones, and one for the estimator's
        own settings if they are among the candidates that were left out.
    stop : Stop or None
        The stop, if there was one.

    Raises
    ------
    KeyboardInterrupt
        If it is stopped before the first evaluation has ended, or interrupted once more.
    ValueError
        If a range or an argument does not apply to this model, or to these data.
    """
    results = []
    for number, candidate in enumerate(candidates):
        try:
            options.watch()
            memory = memory_of(number)
            here = dataclasses.replace(options, place=candidate.place, memory=memory)
            results.append(run_candidate(candidate, inputs, here))
            if results[-1].stopped is None:
                continue
            reason, message = results[-1].stopped, results[-1].found.message
        except Stopped as stop:
            if not any(result.is_searched for result in results):
                raise KeyboardInterrupt(stop.reason) from None
            reason = message = stop.reason
        left = candidates[len(results) :]
        results = with_own_results(results, left, inputs, options)
        return results, Stop(reason, message, len(left))
    return results, None


def with_own_results(results, left, inputs, options):
    """Results, and one for the estimator's own settings if they are among candidates left out."""
    # Any other selection is meant to give up some of the score.
    judges = options.selection == "best"
    return [*results, *(own_results(left, inputs.estimator) if judges else ())]


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
    Stopped
        If it is stopped before the first evaluation has ended.
    ValueError
        If a range or an argument does not apply to this model, or to these data.
    """
    if not candidate.ranges:
        return EnumeratedResult(candidate, [candidate.settings])
    try:
        strategy = _begun(candidate, inputs, options)
        return _completed(strategy)
    except NowhereFinite as error:
        if callable(options.validation_loss):
            raise ValueError(
                f"validation_loss={strategy.prepared.choice.loss.name} is no use here: {error}. "
                f"Check that it and its derivative are finite for predictions of "
                f"{type(candidate.model).__name__}: roots and logarithms have none at zero."
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


def _begun(candidate, inputs, options):
    """The Strategy of a candidate, before its first evaluation."""
    try:
        prepare = options.prepare or PreparedCandidate
        return strategy_of(prepare(candidate, inputs, options))
    except KeyboardInterrupt:
        raise Stopped(INTERRUPTED) from None


def _completed(strategy):
    """The result of a strategy, run to its end or stopped."""
    try:
        strategy.run()
    except (Stopped, KeyboardInterrupt) as stop:
        reason = getattr(stop, "reason", INTERRUPTED)
        if not strategy.n_evaluations:
            raise Stopped(reason) from None
    else:
        try:
            result = strategy.result()
            listed = strategy.options.rows == "listed"
            return _with_solved_rows(strategy, with_listed_rows(result) if listed else result)
        except (Stopped, KeyboardInterrupt) as stop:
            reason = getattr(stop, "reason", INTERRUPTED)
    return _cut_short(strategy, reason)


def _cut_short(strategy, reason):
    """The result of a strategy that was stopped, with the estimator's own settings as a row."""
    objective = strategy.objective
    objective.events = objective.events.unstoppable()
    at_most = objective.stage.at_most or strategy.options.max_iter
    try:
        result = strategy.result(f"{reason} after {evaluations(strategy.n_evaluations, at_most)}")
    except Stopped as stop:
        raise KeyboardInterrupt(stop.reason) from None
    result = dataclasses.replace(result, stopped=reason)
    # Any other selection is meant to give up some of the score.
    judges = strategy.options.selection == "best"
    result = with_own_row(result, strategy.prepared) if judges else result
    return _with_solved_rows(strategy, result)


def _with_solved_rows(strategy, result):
    """The result with its rows scored, as far as they can be made of solutions."""
    prepared, asked = strategy.prepared, strategy.asked
    if prepared.options.scoring is None or asked is None:
        return result
    begun = ()
    try:
        source = prepared.family.rows_from(prepared.final)
        # Steps that were taken out of a wrapper may have seen other targets there.
        if source == FITS or prepared.candidate.step.moved:
            return result
        rows = ROWS[source](prepared, asked)
        solved, doubt = rows.of(result)
        begun = rows.begun
    # Estimators and scorers are user code, whose fits report errors in scikit-learn's words.
    except Exception as error:
        solved, doubt = [], f"of {type(error).__name__}: {error}"
    if not doubt:
        apart = [APART.format(prepared.candidate.key, rows.apart)] if rows.apart else []
        told = [*result.remarks, *(Remark(text, warns=False) for text in apart)]
        return dataclasses.replace(result, solved=solved, remarks=told)
    remark = Remark(FITTED.format(prepared.candidate.key, doubt.rstrip(".")), warns=False)
    return dataclasses.replace(result, remarks=[*result.remarks, remark], begun=begun)


def _enumerated(candidate, reason):
    """The EnumeratedResult of a candidate that could not be searched: listed values as rows."""
    values = {span.key: span.listed or (_usual(span, candidate),) for span in candidate.ranges}
    rows = [{**candidate.settings, **row} for row in ParameterGrid(values)]
    message = f"{candidate.key} was enumerated, not searched: {reason.rstrip('.')}."
    return EnumeratedResult(candidate, rows, message)


def _usual(span, candidate):
    """The only value of a Continuous: its init, or the estimator's own value within its bounds."""
    low, high, init = span.continuous.low, span.continuous.high, span.continuous.init
    init = level_of(init) if isinstance(init, dict | tuple) else init
    own = candidate.final.get_params()[span.leaf]
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
    make = strategy_class(prepared)
    if prepared.options.selection == STABLE:
        check_stable(prepared)
    return make(prepared)


def strategy_class(prepared):
    """Choose the class of the strategy from the model and the number and shape of the ranges."""
    model, ranges = prepared.first_model, prepared.ranges
    if isinstance(prepared.options.method, OnlineHypergradient):
        refuse_online(prepared, model)
    levels = model.levels()
    if any(span.leaf not in levels for span in ranges):
        return JointSearch
    vectors = [span for span in ranges if span.continuous.per is not None]
    if len(vectors) > 1:
        raise UnsupportedRange(
            f"{' and '.join(span.key for span in vectors)} are to have several values each. Give "
            f"one of them several, and the others one value"
        )
    if vectors:
        return VectorSearch
    if len(ranges) > 1:
        return ProductSearch
    return ScalarSearch if model.path is None else PathSearch
