"""The search for one value of a model that is solved."""

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.build import choice_of, descent, method_of, objective_on, prepared
from sklearn_hypergrad.search.data import blocks, whole
from sklearn_hypergrad.search.layout import Common
from sklearn_hypergrad.search.outcome import Outcome, rows_of, searched_one, solved
from sklearn_hypergrad.search.rows import best_values
from sklearn_hypergrad.search.splits import search_splits


def common_objective(candidate, inputs, options):
    """The objective of one value for all, the choice of its loss, and that of the user's cv.

    The last is the first unless other splits are descended.
    """
    parts = prepared(blocks, candidate, inputs)
    choice = choice_of(candidate, inputs, options, parts)
    asked = objective_on(candidate, parts, choice.loss, options)
    if options.search_cv == "loo":
        everything = [prepared(whole, candidate, inputs)]
        return objective_on(candidate, everything, None, options), choice, asked
    splits, _ = search_splits(candidate, inputs, options)
    if splits is inputs.splits:
        return asked, choice, asked
    searched = prepared(blocks, candidate, inputs, splits)
    return objective_on(candidate, searched, choice.loss, options), choice, asked


def search_scalar(candidate, inputs, options):
    """The Outcome of a candidate with one value for all coefficients."""
    objective, choice, asked = common_objective(candidate, inputs, options)
    found = descent(candidate, objective, options).run()
    (dimension,) = objective.space.dimensions
    name = dimension.name
    values = [found.record.hyperparams[name]]
    if not choice.exact:
        asked.tol = objective.tol
        visited = [record.hyperparams[name] for record in objective.records]
        for group in (candidate.range.listed, visited):
            values += best_values(group, asked, name, candidate, inputs)
    layout = Common(candidate.range, candidate.family, None, None)
    values, rows = rows_of(candidate, layout, values)
    # What is not converged is not what fits are to be compared with.
    exact = choice.exact and set(found.record.statuses) == {Status.CONVERGED}
    return Outcome(
        candidate,
        rows,
        values=values,
        records=objective.records,
        found=found,
        searched=searched_one(candidate, layout, dimension),
        how=solved(candidate, method_of(options)),
        choice=choice,
        loss_name="squared_error" if options.search_cv == "loo" else choice.loss.name,
        expected=found.record.value if exact and asked is objective else None,
    )
