"""Build the objectives that a search minimises, without searching (for ``inspection``)."""

from sklearn.utils import indexable

from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.objective.prepared_candidate import PreparedCandidate
from sklearn_hypergrad.search.strategies.run_candidate import strategy_of


def build_objectives(search, X, y=None, **params):
    """One Objective for every candidate of ``search.param_grid`` that has a range.

    Parameters
    ----------
    search : HypergradSearchCV
    X, y : array-like
        The data, as for ``search.fit``.
    **params : dict
        Metadata, as for ``search.fit``.

    Returns
    -------
    list of Objective

    Raises
    ------
    CannotSearch, ValueError
        If a range cannot be searched.
    """
    X, y = indexable(X, y)
    scorers, _ = search._get_scorers()
    inputs = search._inputs(X, y, search._get_routed_params_for_fit(params), scorers)
    candidates = expand(search.param_grid, search.estimator)
    options = search._options(y, candidates)
    prepared = [PreparedCandidate(c, inputs, options) for c in candidates if c.ranges]
    return [strategy_of(each).objective for each in prepared]
