"""Search candidates with the help of workers.

What ``run_candidates`` does one after the other is done several at a time, with the same result.
"""

import dataclasses
import functools

import joblib

from sklearn_hypergrad.search.objective.prepared_candidate import PreparedCandidate
from sklearn_hypergrad.search.results.candidate_result import EnumeratedResult
from sklearn_hypergrad.search.results.stop import Stop
from sklearn_hypergrad.search.strategies.run_candidate import run_candidate, with_own_results
from sklearn_hypergrad.search.strategies.shared import Shared


def can_be_shared(candidates, inputs):
    """Whether there are several candidates to search, and workers."""
    several = sum(bool(candidate.ranges) for candidate in candidates) > 1
    return several and joblib.effective_n_jobs(inputs.n_jobs) > 1


def run_shared(candidates, inputs, options, memory_of):
    """Search candidates; parameters, results and errors are those of ``run_candidates``.

    After a stop, all candidates that were begun give what they have, and candidates without a range
    are those before the first one that did not end.
    """
    numbers = [number for number, candidate in enumerate(candidates) if candidate.ranges]
    ranged = [candidates[number] for number in numbers]
    each = [
        dataclasses.replace(options, place=candidate.place, memory=memory_of(number))
        for number, candidate in zip(numbers, ranged, strict=True)
    ]
    # All workers search candidates: none is left for what one of them could share.
    own = dataclasses.replace(inputs, n_jobs=1)
    here, away = (functools.partial(search, own) for search in (_here, _away))
    shared = Shared(here, away, ranged, each, inputs.n_jobs)
    shared.run()
    results = {
        numbers[n]: _received(result, ranged[n], own, each[n])
        for n, result in shared.results.items()
    }
    ended = {number for number, result in results.items() if result.stopped is None}
    first_left = min({*numbers} - ended, default=len(candidates))
    results |= {
        number: EnumeratedResult(candidate, [candidate.settings])
        for number, candidate in enumerate(candidates[:first_left])
        if not candidate.ranges
    }
    known = [results[number] for number in sorted(results)]
    if shared.reason is None:
        return known, None
    if not any(result.is_searched for result in known):
        raise KeyboardInterrupt(shared.reason)
    messages = [result.found.message for result in known if result.stopped is not None]
    left = [candidate for number, candidate in enumerate(candidates) if number not in results]
    stop = Stop(shared.reason, [*messages, shared.reason][0], len(left))
    return with_own_results(known, left, inputs, options), stop


def _here(inputs, candidate, options):
    return run_candidate(candidate, inputs, options)


def _away(inputs, candidate, options):
    """The result without what the caller has himself."""
    result = run_candidate(candidate, inputs.as_arrays(), options)
    kept = {"candidate": None}
    kept |= {name: dataclasses.replace(each, prepared=None) for name, each in _of_data(result)}
    return dataclasses.replace(result, **kept)


def _received(result, candidate, inputs, options):
    """A result with what a worker did not send back."""
    if result.candidate is not None:
        return result
    # Objects among the settings are told apart by what they are, not by their values.
    rows = [{**row, **candidate.settings} for row in result.rows]
    known = {"candidate": candidate, "rows": rows}
    for name, each in _of_data(result):
        prepared = PreparedCandidate(candidate, inputs, options)
        known[name] = dataclasses.replace(each, prepared=prepared)
    return dataclasses.replace(result, **known)


def _of_data(result):
    """What describes a result from the data of the fit, by the names of its attributes."""
    names = "describe", "one_value"
    return [(n, getattr(result, n)) for n in names if getattr(result, n) is not None]
