"""One candidate from its data to its rows."""

from sklearn.model_selection import ParameterGrid

from sklearn_hypergrad.search.data.features import UnsupportedRange
from sklearn_hypergrad.search.objective.online_objective import refuse_online
from sklearn_hypergrad.search.objective.validation_loss import choose
from sklearn_hypergrad.search.results.candidate_result import CandidateResult
from sklearn_hypergrad.search.strategies.joint import search_jointly
from sklearn_hypergrad.search.strategies.line_search import CannotSearch
from sklearn_hypergrad.search.strategies.scalar import search_scalar
from sklearn_hypergrad.search.strategies.vector import search_vector


def run_candidate(candidate, inputs, options):
    """Search a candidate's range; one without a range is its only row.

    Parameters
    ----------
    candidate : Candidate
    inputs : FitInputs
    options : Options
    """
    if candidate.range is None:
        return CandidateResult(candidate, [candidate.settings])
    # Wrong arguments are errors, whatever the data.
    choose(options.validation_loss, inputs.scorer, candidate.final, candidate.family, inputs.y)
    refuse_online(candidate, options)
    try:
        return _search(candidate)(candidate, inputs, options)
    except CannotSearch as error:
        return _enumerated(candidate, str(error))
    except UnsupportedRange as error:
        asked = ", ".join(repr(span.continuous) for span in candidate.ranges)
        raise ValueError(
            f"Cannot tune {candidate.key!r} with {asked}. This is because {str(error).rstrip('.')}."
        ) from error


def _search(candidate):
    if candidate.family.joint:
        return search_jointly
    return search_scalar if candidate.range.continuous.per is None else search_vector


def _enumerated(candidate, reason):
    """The values of the ranges as rows, for a problem that could not be searched."""
    values = {span.key: _listed(span, candidate) for span in candidate.ranges}
    rows = [{**candidate.settings, **row} for row in ParameterGrid(values)]
    message = f"{candidate.key} was enumerated, not searched: {reason.rstrip('.')}."
    return CandidateResult(candidate, rows, fallback=message)


def _listed(span, candidate):
    return span.listed or (span.continuous.init or getattr(candidate.final, span.leaf),)
