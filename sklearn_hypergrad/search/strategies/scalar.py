"""The search for one value of a model that is solved."""

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.data.blocks import blocks, whole
from sklearn_hypergrad.search.data.layout import Common
from sklearn_hypergrad.search.data.splits import search_splits
from sklearn_hypergrad.search.objective.build import (
    choice_of,
    descent,
    method_of,
    objective_on,
    prepared,
    regularizes,
)
from sklearn_hypergrad.search.objective.events import SEARCH
from sklearn_hypergrad.search.objective.initial_values import own_values
from sklearn_hypergrad.search.results.candidate_result import (
    CandidateResult,
    rows_of,
    searched_one,
    solved,
)
from sklearn_hypergrad.search.results.improvement import compared
from sklearn_hypergrad.search.results.rows import best_values
from sklearn_hypergrad.search.strategies.line_search import INTERRUPTED
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected


def common_objective(candidate, inputs, options):
    """The objective of one value for all, the choice of its loss, and that of the user's cv.

    The last is the first unless other splits are descended.
    """
    parts = prepared(blocks, candidate, inputs)
    choice = choice_of(candidate, inputs, options, parts)
    asked = objective_on(candidate, parts, choice.loss, options)
    if options.search_cv == "loo":
        everything = [prepared(whole, candidate, inputs)]
        objective = objective_on(candidate, everything, None, options, splits="search_cv")
        return objective, choice, asked
    splits, _ = search_splits(candidate, inputs, options)
    if splits is inputs.splits:
        return asked, choice, asked
    searched = prepared(blocks, candidate, inputs, splits)
    objective = objective_on(candidate, searched, choice.loss, options, splits="search_cv")
    return objective, choice, asked


def gain_over_own(candidate, objective, found, what="the point found"):
    """The Comparison with the estimator's own value, in a list; empty if it has no such."""
    leaf = candidate.range.leaf
    own = own_values(getattr(candidate.final, leaf), ())
    if found.message == INTERRUPTED or not 0 < own < np.inf:
        return []
    return compared(objective, {leaf: own}, found, f"{what} over {leaf}={own:.4g}")


def search_scalar(candidate, inputs, options):
    """The CandidateResult of a candidate with one value for all coefficients."""
    objective, choice, asked = common_objective(candidate, inputs, options)
    direction = np.array([regularizes(candidate)])
    check_selection(objective, direction, options)
    found = descent(candidate, objective, options).run()
    found = selected(objective, found, direction, options)
    comparisons = gain_over_own(candidate, objective, found)
    (dimension,) = objective.space.dimensions
    name = dimension.name
    values = [found.record.h[name]]
    # The best of other points would do away with what was selected.
    if not choice.exact and options.selection == "best":
        asked.tol = objective.tol
        visited = [r.h[name] for r in objective.records if r.stage.purpose == SEARCH]
        for group in (candidate.range.listed, visited):
            values += best_values(group, asked, name, candidate, inputs)
    layout = Common(candidate.range, candidate.family, None, None)
    values, rows = rows_of(candidate, layout, values)
    # What is not converged is not what fits are to be compared with.
    exact = choice.exact and set(found.record.statuses) == {Status.CONVERGED}
    return CandidateResult(
        candidate,
        rows,
        values=values,
        records=objective.records,
        found=found,
        searched=searched_one(candidate, layout, dimension),
        how=solved(candidate, method_of(options)),
        choice=choice,
        loss_name=objective.stage.loss,
        expected=found.record.value if exact and asked is objective else None,
        comparisons=comparisons,
    )
