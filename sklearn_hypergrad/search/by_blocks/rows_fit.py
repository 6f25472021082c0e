"""``fit`` of a search on rows in parts."""

import dataclasses
import time

import numpy as np
from sklearn.base import clone

from sklearn_hypergrad._sklearn import has_callbacks, single_scorer
from sklearn_hypergrad.rows import DaskRows, Rows
from sklearn_hypergrad.search.by_blocks.buckets import plan
from sklearn_hypergrad.search.by_blocks.effective import RowsDescribe
from sklearn_hypergrad.search.by_blocks.prepared_rows import PreparedRows, kind_of
from sklearn_hypergrad.search.by_blocks.preprocessing import Preprocessing
from sklearn_hypergrad.search.by_blocks.refusals import (
    check_arguments,
    check_params,
    refused,
)
from sklearn_hypergrad.search.by_blocks.rows_inputs import RowsInputs
from sklearn_hypergrad.search.by_blocks.scores import Scores
from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.reporting.progress import Progress, duration
from sklearn_hypergrad.search.reporting.summary import Costs
from sklearn_hypergrad.search.results.candidate_result import distinct, place_of, same_point
from sklearn_hypergrad.search.results.order import in_grid_order
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.rows import Judged
from sklearn_hypergrad.search.strategies.run_candidate import run_candidates
from sklearn_hypergrad.threads import one_blas_thread

SOLUTIONS = (
    "Rows of cv_results_ and the refit are solutions of the search itself: no fit of scikit-learn "
    "was made on rows in parts."
)
PASSES = "{} over the rows in {}{}, {} each (median){}."


def as_rows(X, y, params):
    """The Rows of what ``fit`` was given.

    Parameters
    ----------
    X : Rows or dask collection
    y : None or dask collection
    params : dict
        Metadata of ``fit``.

    Returns
    -------
    Rows
    """
    if isinstance(X, Rows):
        check_params(params, rows_are_given=True)
        if y is not None:
            raise refused("y beside rows", "rows have their targets", "Pass y to the rows")
        return X
    check_params(params, rows_are_given=False)
    named = {name.rpartition("__")[2]: value for name, value in params.items()}
    return DaskRows(X, y, **named)


class RowsFit:
    """One fit of a search on rows in parts.

    Parameters
    ----------
    search : HypergradSearchCV
    rows : Rows
    scorers : callable
        The scorer of the search, or that of several metrics.
    deadline : Deadline or None
    """

    def __init__(self, search, rows, scorers, deadline):
        check_arguments(search)
        if has_callbacks(search):
            raise refused("callbacks", "they are told of fits, and none are made", "Leave them out")
        self._search, self._scorers = search, scorers
        self._deadline, scorer = deadline, single_scorer(scorers, search.refit)
        watch = bool if deadline is None else deadline.check
        self.inputs = RowsInputs(rows, scorer, search.estimator, watch)
        self._prepared, self._scores = {}, {}

    def run(self):
        """``(Judged, Stop or None)`` of all candidates."""
        search = self._search
        candidates = expand(search.param_grid, search.estimator)
        n_features = self._checked(candidates)
        with np.errstate(all="ignore"), one_blas_thread():
            self._split(candidates, n_features)
            began = time.perf_counter()
            results, stop = self._searched(candidates)
            search._costs.seconds = time.perf_counter() - began
            self._unwatched()
            judged = self._judged(results)
        search._costs.n_solved = len(judged.settings)
        return judged, stop

    def refit(self, judged):
        """``best_estimator_``: what scikit-learn's fit on all rows would be."""
        search = self._search
        result, position = place_of(judged.results, search.best_index_)
        with np.errstate(all="ignore"), one_blas_thread():
            return self._installed(result, position)

    def remarks(self):
        """Remarks about how rows came about, and what the passes took."""
        seconds, rows = self.inputs.seconds, self.inputs.rows
        n, size = len(seconds), rows.bytes_per_pass
        many = "1 pass" if n == 1 else f"{n} passes"
        read = "" if size is None else f", of {size / 1e6:.3g} MB"
        moved = f"; through the cluster went {rows.traffic}" if rows.traffic else ""
        text = PASSES.format(
            many, duration(sum(seconds)), read, duration(np.median(seconds)), moved
        )
        return [Remark(SOLUTIONS, warns=False), Remark(text, warns=False)]

    def _checked(self, candidates):
        """The largest number of features that enter a step before the model; or ValueError."""
        n_features = 0
        for candidate in candidates:
            if not candidate.ranges:
                why = candidate.reason or "no parameter has a range"
                raise refused(
                    f"{candidate.settings or 'an empty grid'}",
                    f"each setting needs a penalty that is searched ({why})",
                    "Give a list of two or more positive numbers, or Continuous()",
                )
            kind_of(candidate)
            before = Preprocessing(candidate.step, self.inputs.rows)
            n_features = max(n_features, before.n_features)
        return n_features

    def _split(self, candidates, n_features):
        inputs = self.inputs
        divided = any(each.vector is not None for each in candidates)
        inputs.buckets, inputs.splits, inputs.splitter = plan(
            self._search.cv, inputs.rows, inputs.groups, divided=divided, n_features=n_features
        )

    def _searched(self, candidates):
        search, deadline = self._search, self._deadline
        search._costs = Costs()
        listeners = [search._costs] if deadline is None else [deadline, search._costs]
        listeners += [Progress(search.max_iter)] * (search.verbose > 0)
        options = dataclasses.replace(
            search._options(self.inputs.y, candidates),
            guard=False,
            listeners=tuple(listeners),
            prepare=self._prepare,
        )
        if deadline is not None:
            options = dataclasses.replace(options, watch=self.inputs.check, deadline=deadline)
        with search._memories(self.inputs, options) as memory_of:
            results, stop = run_candidates(candidates, self.inputs, options, memory_of)
        results = [result for result in results if self._was_searched(result)]
        return in_grid_order(results) if len(results) > 1 else results, stop

    def _prepare(self, candidate, inputs, options):
        prepared = PreparedRows(candidate, inputs, options)
        self._scores[id(candidate)] = Scores(prepared, self._scorers)
        self._prepared[id(candidate)] = prepared
        return prepared

    def _was_searched(self, result):
        if result.is_searched:
            return True
        if result.is_own:
            return False
        raise ValueError(result.fallback)

    def _unwatched(self):
        """What is found is scored and installed, even if the time is over."""
        self.inputs.watch = bool

    def _judged(self, results):
        outputs, kept = [], []
        for result in results:
            prepared, layouts = self._prepared[id(result.candidate)], _layouts(result)
            if result.describe is not None:
                describe = RowsDescribe(result.describe.layout, prepared)
                result = dataclasses.replace(result, describe=describe)
            result = prepared.with_more_rows(result)
            solutions = [prepared.weights_at(point, layouts) for point in result.points]
            scores = self._scores[id(result.candidate)].of(result, solutions)
            result, scores = self._with_best(result, scores)
            outputs += [each for row in scores for each in self._outputs(prepared, row)]
            kept.append(result)
        return Judged(kept, outputs)

    def _with_best(self, result, scores):
        """The first rows, and of the others the best listed and the best visited one."""
        if not result.judged:
            return result, scores
        decides = [np.mean([_value(each, self._search.refit) for each in row]) for row in scores]
        first, others = len(result.rows) - sum(result.judged), []
        for number in filter(None, result.judged):
            others.append(first + int(np.argmax(decides[first : first + number])))
            first += number
        rows = [*range(len(result.rows) - sum(result.judged)), *others]
        kept = distinct([result.points[row] for row in rows], same_point)
        rows = [next(r for r in rows if result.points[r] is point) for point in kept]
        points = [result.points[row] for row in rows]
        chosen = dataclasses.replace(result, rows=[result.rows[r] for r in rows], points=points)
        return chosen, [scores[row] for row in rows]

    def _outputs(self, prepared, scores):
        """What fits of a row would return."""
        tests = prepared.inputs.splits
        share = sum(self.inputs.seconds) / max(1, len(tests))
        n_rows = prepared.held_out_counts
        return [
            {
                "test_scores": score,
                "fit_error": None,
                "fit_time": share,
                "score_time": 0.0,
                "n_test_samples": int(n),
            }
            for score, n in zip(scores, n_rows, strict=True)
        ]

    def _installed(self, result, position):
        prepared = self._prepared[id(result.candidate)]
        settings = clone(result.rows[position], safe=False)
        estimator = clone(self._search.estimator).set_params(**settings)
        return prepared.installed(estimator, result.points[position], _layouts(result))


def _value(score, refit):
    """The number that decides of a score, or of several."""
    if not isinstance(score, dict):
        return score
    # Without one that decides, the first rows stay the best ones.
    return score[refit] if isinstance(refit, str) else 0.0


def _layouts(result):
    """How the vector of a result spreads over coefficients, by name; {} without one."""
    if result.describe is None:
        return {}
    return {result.candidate.vector.leaf: result.describe.layout}
