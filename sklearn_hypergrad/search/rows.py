"""Rows of ``cv_results_``: settings whose clones scikit-learn fits and scores on all splits.

Everything that becomes a row goes through a ``Judge``. If its fits are stopped, rows that are
complete are kept. Points that a search found, but that were not fitted, then have the scores of the
search's own models, where it descends the asked score.
"""

import contextlib
import dataclasses
import itertools
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from sklearn_hypergrad._sklearn import (
    fit_and_score,
    has_callbacks,
    insert_error_scores,
    names_of_scores,
    report_failed_fits,
    rows_of_params,
    safe_split,
)
from sklearn_hypergrad.search.results.candidate_result import (
    settings_of,
    solved_rows,
    with_rows,
)
from sklearn_hypergrad.search.results.listed_rows import with_listed_rows
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.results.stop import RowsStop
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.tuning import INTERRUPTED, Stopped

# The error that users of GridSearchCV know.
NO_FITS = "No fits were performed. Was the CV iterator empty? Were there no candidates?"


# Where a model has a solution, scikit-learn's solver need not find one.
FAILED = (
    "{}: scikit-learn could not fit the point that the search found on all splits, so all listed "
    "values were fitted, too."
)
# The warning of scikit-learn's networks, which swallow Ctrl-C and end their training with it.
SWALLOWED = "Training interrupted by user"


@dataclasses.dataclass(frozen=True)
class Judged:
    """Rows that were judged.

    Attributes
    ----------
    results : list of SearchedResult or EnumeratedResult
        The results with those of their rows that were judged.
    outputs : list of dict
        Scores and times of the fits: row after row, and split after split.
    stop : RowsStop or None
        The stop, if not all rows were fitted.
    """

    results: list
    outputs: list
    stop: RowsStop | None = None

    @property
    def settings(self):
        """The settings of all rows, in their order."""
        return settings_of(self.results)

    def lowest(self):
        """The number of the row with the smallest descended loss, among points found."""
        losses = {
            rows[0]: result.found.record.value
            for rows, result in with_rows(self.results)
            if result.is_searched
        }
        return min(losses, key=losses.get)


@dataclasses.dataclass(frozen=True)
class Judge:
    """Fits and scores rows on the splits of a search.

    Attributes
    ----------
    search : HypergradSearchCV
    inputs : FitInputs
    scorers : callable
        The scorer of the search, or that of several metrics.
    score_params : dict
        Metadata for it.
    deadline : Deadline or None
        After it only urgent rows are fitted, such as points that a search found.
    """

    search: Any
    inputs: Any
    scorers: Any
    score_params: dict
    deadline: Any = None

    def __call__(self, results, task, name, *, patient=True):
        """Judge the rows of results.

        Parameters
        ----------
        results : list of SearchedResult or EnumeratedResult
        task : CallbackContext
            The task that the fits are a part of, for callbacks.
        name : str
            The name of their task.
        patient : bool, default=True
            Whether Ctrl-C ends the fits; otherwise it is raised.

        Returns
        -------
        Judged

        Raises
        ------
        KeyboardInterrupt
            If it is not patient, or if there is no row to return.
        """
        rows = settings_of(results)
        n_fits = len(rows) * len(self.inputs.splits)
        if not n_fits:
            raise ValueError(NO_FITS)
        whole, task = task, task.subcontext(name, max_subtasks=n_fits, sequential_subtasks=False)
        urgent = {n for own, result in with_rows(results) for n in own[: result.n_urgent]}
        solved = {number: each.outputs for number, each in solved_rows(results).items()}
        known = {own[0]: result.begun for own, result in with_rows(results) if result.begun}
        fitted, reason = self._fitted(rows, urgent, solved, known, task)
        if reason == INTERRUPTED and not patient:
            raise KeyboardInterrupt
        more = results if reason else _with_listed(results, fitted)
        if more != results:
            ended(task, estimator=self.search)
            return self(more, whole, name, patient=patient)
        outputs = [output for number in sorted(fitted) for output in fitted[number]]
        if outputs:
            report_failed_fits(outputs, self.search.error_score)
            # A callable may return one score or several, which is known only now.
            if callable(self.search.scoring):
                insert_error_scores(outputs, self.search.error_score)
        ended(task, estimator=self.search)
        if len(fitted) == len(rows):
            return Judged(results, outputs)
        return self._part(results, fitted, reason or self.deadline.reason)

    def _fitted(self, rows, urgent, solved, known, task):
        """Outputs of all splits by the number of the row, and why fits were stopped, or None.

        ``solved`` and ``known`` are those of all and of the first splits of rows.
        """
        n_splits, begun, outputs, reason, fits = len(self.inputs.splits), [], [], None, ()
        try:
            task.call_on_fit_task_begin(estimator=self.search)
            with hearing_ctrl_c():
                fits = self._tasks(rows, urgent, solved, known, begun, task)
                # Workers are not started for nothing.
                fits = self._parallel()(fits) if len(solved) < len(rows) else fits
                for output in fits:
                    if SWALLOWED in (output["fit_error"] or ""):
                        raise KeyboardInterrupt
                    outputs.append(output)
        except (KeyboardInterrupt, Stopped) as stop:
            reason = getattr(stop, "reason", INTERRUPTED)
            _close(fits)
        left, parts = iter(outputs), {}
        for number in begun:
            first = known.get(number, ())
            parts[number] = [*first, *itertools.islice(left, n_splits - len(first))]
        complete = {number: part for number, part in parts.items() if len(part) == n_splits}
        return solved | complete, reason

    def _parallel(self):
        options = {"n_jobs": self.search.n_jobs, "pre_dispatch": self.search.pre_dispatch}
        try:
            return Parallel(**options, return_as="generator")
        # Some backends return all outputs at the end; then an interrupt leaves none.
        except ValueError:
            return Parallel(**options)

    def _tasks(self, rows, urgent, solved, known, begun, task):
        """Yield the fits of all rows, of urgent ones only if time is over; add them to begun."""
        search, inputs, n_splits = self.search, self.inputs, len(self.inputs.splits)
        n_rows = len(rows) - len(solved)
        n_known = sum(map(len, known.values()))
        if search.verbose > 0 and solved:
            print(f"{len(solved)} candidates on {n_splits} folds from solutions of the search")
        if search.verbose > 0 and n_rows:
            print(
                f"Fitting {n_splits} folds for each of {n_rows} candidates, totalling "
                f"{n_rows * n_splits - n_known} fits"
            )
        # All are made before the first fit: the search must not change while it is pickled.
        contexts = [
            task.subcontext("candidate-split-evaluation", task_id=number)
            for number in range(len(rows) * n_splits)
        ]
        for number, settings in enumerate(rows):
            if number in solved:
                self._tell(contexts[number * n_splits : (number + 1) * n_splits])
                continue
            late = self.deadline is not None and self.deadline.has_passed
            if late and begun and number not in urgent:
                continue
            begun.append(number)
            n_known = len(known.get(number, ()))
            self._tell(contexts[number * n_splits :][:n_known])
            for split, (train, test) in enumerate(inputs.splits[n_known:], start=n_known):
                yield delayed(fit_and_score)(
                    clone(search.estimator),
                    inputs.X,
                    inputs.y,
                    scorer=self.scorers,
                    train=train,
                    test=test,
                    verbose=search.verbose,
                    parameters=settings,
                    fit_params=inputs.fit_params,
                    score_params=self.score_params,
                    return_train_score=search.return_train_score,
                    return_n_test_samples=True,
                    return_times=True,
                    split_progress=(split, n_splits),
                    candidate_progress=(number, len(rows)),
                    error_score=search.error_score,
                    caller=search,
                    callback_ctx=contexts[number * n_splits + split],
                )

    def _tell(self, contexts):
        """Tell callbacks of the fits of a row that were made during the search."""
        if not has_callbacks(self.search):
            return
        search, inputs = self.search, self.inputs
        for context, (train, _) in zip(contexts, inputs.splits, strict=False):
            X, y = safe_split(search.estimator, inputs.X, inputs.y, train)
            weight = rows_of_params(inputs.X, inputs.fit_params, train).get("sample_weight")
            metadata = None if weight is None else {"sample_weight": weight}
            told = {"estimator": search, "X": X, "y": y, "metadata": metadata}
            context.call_on_fit_task_begin(**told)
            context.call_on_fit_task_end(**told)

    def _part(self, results, fitted, reason):
        """The Judged of fits that were stopped."""
        scores = {n: known for n, known in _of_search(results) if n not in fitted}
        known = {n: self._outputs(scores[n]) for n in scores}
        numbers = sorted(fitted.keys() | known.keys())
        if not numbers:
            raise KeyboardInterrupt(reason)
        places = {number: place for place, number in enumerate(numbers)}
        kept = [_cut(result, rows, places) for rows, result in with_rows(results)]
        n_rows = sum(len(result.rows) for result in results)
        n_unscored = sum(each is None for each in scores.values())
        stop = RowsStop(reason, n_rows, len(fitted), len(known) - n_unscored, n_unscored)
        outputs = [output for number in numbers for output in (fitted | known)[number]]
        return Judged(kept, outputs, stop)

    def _outputs(self, scores):
        """What fits of a row would return, with these scores; None are unknown ones."""
        if scores is None:
            scores = np.full(len(self.inputs.splits), np.nan)
        names, decides = names_of_scores(self.scorers, self.search.refit), self.search.refit

        def named(score):
            if names is None:
                return score
            return {name: score if name == decides else np.nan for name in names}

        trained = {"train_scores": named(np.nan)} if self.search.return_train_score else {}
        unknown = {"fit_error": None, "fit_time": np.nan, "score_time": np.nan, "n_test_samples": 0}
        return [{"test_scores": named(float(score)), **trained, **unknown} for score in scores]


@contextlib.contextmanager
def hearing_ctrl_c():
    """Raise KeyboardInterrupt also where a network of scikit-learn turns it into a warning."""
    with warnings_here("error", SWALLOWED):
        try:
            yield
        except UserWarning as warning:
            if SWALLOWED not in str(warning):
                raise
            raise KeyboardInterrupt from None


def ended(task, **data):
    """Tell callbacks that a task has ended; they cannot stop it any more."""
    with contextlib.suppress(Stopped):
        task.call_on_fit_task_end(**data)


def _with_listed(results, fitted):
    """The results, with all listed values as rows where fits of every row have failed."""
    return [
        _completed(result)
        if result.is_searched and all(_has_failed(fitted.get(number, ())) for number in rows)
        else result
        for rows, result in with_rows(results)
    ]


def _has_failed(outputs):
    return any(output["fit_error"] for output in outputs)


def _completed(result):
    """A result with all its listed values as rows."""
    completed = with_listed_rows(result)
    if len(completed.rows) == len(result.rows):
        return result
    remark = Remark(FAILED.format(result.candidate.key), warns=False)
    return dataclasses.replace(completed, remarks=[*result.remarks, remark])


def _of_search(results):
    """Yield rows and their scores in the search: points found, and others whose scores it knows."""
    for rows, result in with_rows(results):
        for position, number in enumerate(rows) if result.is_searched else ():
            scores = result.scores_of(position)
            if scores is not None or not position:
                yield number, scores


def _cut(result, rows, places):
    """A result with those of its rows that have a place; ``rows`` are the numbers of all."""
    positions = [position for position, number in enumerate(rows) if number in places]
    kept = {
        "rows": [result.rows[position] for position in positions],
        "numbers": tuple(places[rows[position]] for position in positions),
    }
    if not result.is_searched:
        return dataclasses.replace(result, **kept)
    solved = dict(enumerate(result.solved))
    return dataclasses.replace(
        result,
        **kept,
        points=[result.points[position] for position in positions] if result.points else (),
        start_row=positions.index(result.start_row) if result.start_row in positions else None,
        solved=[solved.get(position) for position in positions],
    )


def _close(fits):
    """End a generator of joblib, which warns about outputs that nobody takes."""
    if hasattr(fits, "close"):
        with warnings_here("ignore"):
            fits.close()
