"""The search for several hyperparameters together: of networks, schedules, own models."""

import dataclasses

import numpy as np

from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.data.features import UnsupportedRange
from sklearn_hypergrad.search.results.candidate_result import CandidateResult
from sklearn_hypergrad.search.results.improvement import compared
from sklearn_hypergrad.search.results.rows import N_JUDGED, best, distinct, same_settings, score_of
from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus
from sklearn_hypergrad.search.strategies.joint_objective import joint_objective, params_of
from sklearn_hypergrad.search.strategies.line_search import INTERRUPTED, CannotSearch, Found
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected

KINKED = {"absolute_error"}


def search_jointly(candidate, inputs, options):
    """Search the ranges of a candidate together, from the estimator's own values."""
    setup = joint_objective(candidate, inputs, options)
    objective = setup.objective
    direction = _direction(candidate, setup.searched)
    check_selection(objective, direction, options)
    found, start = _descended(candidate, setup, options)
    points = [found.record.h, start]
    if options.selection != "best":
        found = selected(objective, found, direction, options)
        points = [found.record.h]
    elif not setup.choice.exact:
        points += _best_judged(objective, candidate, inputs)
    # Taken to theta and back, the start has other digits than the estimator.
    begin = objective.space.to_h(objective.space.to_theta(start))
    points = [start if same_settings(point, begin) else point for point in points]
    rows = distinct([params_of(setup.searched, point) for point in points], same_settings)
    solved = set(found.record.statuses) == {Status.CONVERGED}
    expected = setup.choice.exact and setup.replays and (candidate.family.trained or solved)
    # Of a search on the way the loss is that of weights that other values have led to, too.
    expected = expected and not (found.message == INTERRUPTED and objective.noisy)
    return CandidateResult(
        candidate,
        [{**candidate.settings, **row} for row in rows],
        records=objective.records,
        found=found,
        searched=[_started(each, start) for each in setup.searched],
        how=setup.why,
        choice=setup.choice,
        loss_name=setup.choice.loss.name,
        expected=found.record.value if expected else None,
        comparisons=_comparisons(objective, start, found),
        start_row=_row_of(params_of(setup.searched, start), rows),
    )


def _row_of(settings, rows):
    """The number of a row with these settings, or None."""
    same = (number for number, row in enumerate(rows) if same_settings(settings, row))
    return next(same, None)


def _comparisons(objective, start, found):
    """The Comparison with the start, in a list; empty where losses are those of other weights."""
    if objective.noisy or found.message == INTERRUPTED:
        return []
    return compared(objective, start, found, "the point found over the start")


def _direction(candidate, searched):
    """Which way entries of theta regularise more, as ``selected`` takes it."""
    hyperparameters = candidate.family.hyperparameters
    signs = [hyperparameters[each.dimension.name].regularizes for each in searched]
    return np.repeat(signs, [each.dimension.size for each in searched])


def _started(searched, start):
    """A hyperparameter with the start that it had, which a list may have moved."""
    dimension = dataclasses.replace(searched.dimension, start=start[searched.dimension.name])
    return dataclasses.replace(searched, dimension=dimension)


def _best_listed(candidate, objective, start):
    """The start with the listed values that do best, one hyperparameter after the other."""
    lowest = None

    def glance(point):
        return objective.glance(objective.space.to_theta(point))

    for span in candidate.ranges:
        for listed in span.listed:
            point = {**start, span.leaf: np.asarray(listed, dtype=float)}
            lowest = glance(start) if lowest is None else lowest
            value = glance(point)
            if value < lowest:
                start, lowest = point, value
    return start


def _descended(candidate, setup, options):
    """What was found, and the hyperparameters that the search started with."""
    objective, trained = setup.objective, candidate.family.trained
    optimizer = options.optimizer or _usual(trained, setup.choice.loss.name)
    if isinstance(optimizer, Adam):
        optimizer = optimizer.told(noisy=objective.noisy)
        n_listed = sum(len(span.listed) for span in candidate.ranges)
        # The start and the end are evaluated, too.
        at_most = options.max_iter + n_listed + 2
        objective.stage = dataclasses.replace(objective.stage, at_most=at_most)
    settings = {"tol": options.tol, "max_iter": options.max_iter}
    start = {d.name: d.starts.reshape(d.shape) for d in objective.space.dimensions}
    try:
        start = _best_listed(candidate, objective, start)
        theta = objective.space.to_theta(start)
        _begin(candidate, objective, theta)
        minimum = optimizer.minimize(objective, theta, objective.space.bounds, **settings)
        record, message, warning = objective.final(minimum.z), minimum.message, minimum.warning
        converged = minimum.converged
    except KeyboardInterrupt:
        if not objective.records:
            raise
        record, message, warning, converged = objective.best, INTERRUPTED, "", False
    end_statuses = _end_statuses(record.theta, setup.searched, converged, candidate.ranges)
    return Found(record, end_statuses, message, warning), start


def _usual(trained, loss):
    """The optimizer if none was asked for: line searches need a loss without kinks."""
    return Adam() if trained or loss in KINKED else LBFGS()


def _begin(candidate, objective, start):
    """Evaluate where the search starts.

    Raises
    ------
    CannotSearch
        If training cannot begin, or diverges.
    UnsupportedRange
        The same, if there are no other settings whose fits could do better.
    """
    others = candidate.settings or any(span.listed for span in candidate.ranges)
    refused = CannotSearch if others else UnsupportedRange
    try:
        record = objective.record(start)
    except ValueError as error:
        raise refused(str(error)) from error
    name = type(candidate.final).__name__
    if Status.DIVERGED in record.statuses:
        raise refused(
            f"training of {name} diverges where the search starts. Lower its learning_rate_init, "
            f"or standardise the data"
        )
    if not np.isfinite(record.value):
        raise refused(
            f"the validation loss of {name} is not finite where the search starts: the score may "
            f"not be defined for its predictions"
        )


def _end_statuses(theta, searched, converged, ranges):
    """An EndStatus for every entry."""
    end_statuses, entries = [], iter(theta)
    inside = EndStatus.INTERIOR if converged else EndStatus.NOT_CONVERGED
    for each, span in zip(searched, ranges, strict=True):
        asked = span.continuous.low, span.continuous.high
        bounds = [
            (bound, EndStatus.LIMIT if own is None else EndStatus.AT_BOUND)
            for bound, own in zip(each.dimension.bounds, asked, strict=True)
        ]
        for _ in range(each.dimension.size):
            entry = next(entries)
            held = (end_status for bound, end_status in bounds if abs(entry - bound) <= ON_BOUND)
            end_statuses.append(next(held, inside))
    return end_statuses


def _best_judged(objective, candidate, inputs):
    """The best of the visited points under the asked score, in a list."""
    visited = sorted(objective.records, key=lambda record: record.value)[:N_JUDGED]
    points = [record.h for record in visited if np.isfinite(record.value)]
    scores = [score_of(_models(objective, candidate, point), inputs) for point in points]
    return best(points, scores)


def _models(objective, candidate, h):
    """Fitted estimators of all splits, each with its block and held-out rows."""
    for term, w in objective.solutions(h):
        (test,) = term.block.tests
        fitted = candidate.family.install(candidate.final, w, term, h)
        yield fitted, term.block, test
