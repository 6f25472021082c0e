"""The objectives that a search would minimise, without searching."""

from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.data.inputs import FrozenSplits, fit_inputs
from sklearn_hypergrad.search.objective.vector_data import gather, layout_of
from sklearn_hypergrad.search.strategies.joint_objective import joint_objective
from sklearn_hypergrad.search.strategies.scalar import common_objective
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent


def objectives(search, X, y=None, **params):
    """One Objective for every candidate of ``search.param_grid`` that has a range.

    Raises
    ------
    CannotSearch, ValueError
        What keeps a range from being searched.
    """
    X, y = indexable(X, y)
    cv = FrozenSplits(check_cv(search.cv, y, classifier=is_classifier(search.estimator)))
    inputs = fit_inputs(search, X, y, cv, search._get_routed_params_for_fit(params))
    options = search._options(y)
    candidates = expand(search.param_grid, search.estimator)
    return [_objective(candidate, inputs, options) for candidate in candidates if candidate.range]


def _objective(candidate, inputs, options):
    if candidate.family.joint:
        return joint_objective(candidate, inputs, options).objective
    if candidate.range.continuous.per is None:
        return common_objective(candidate, inputs, options)[0]
    data = gather(candidate, inputs, options)
    return VectorDescent(candidate, data, layout_of(candidate, data, inputs), options).objective
