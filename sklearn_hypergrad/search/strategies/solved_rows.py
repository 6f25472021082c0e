"""Rows of ``cv_results_`` from what the search has solved, scored by the real scorer.

What a solution is to a fit of scikit-learn, and how that is checked, is said by the two subclasses,
``ClosedFormRows`` and ``WarmRows``.
"""

import abc
import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone

from sklearn_hypergrad._sklearn import (
    compute_score,
    is_pairwise,
    rows_of,
    rows_of_params,
    score_fitted,
)
from sklearn_hypergrad.problems.outer.validation_loss import NUMBERS
from sklearn_hypergrad.problems.split_data import row_numbers, stacked
from sklearn_hypergrad.search.results.refit import Refit
from sklearn_hypergrad.search.results.solved_row import SolvedRow
from sklearn_hypergrad.threads import cached_property
from sklearn_hypergrad.tuning import FINE, Stopped
from sklearn_hypergrad.tuning.objective import UNSOLVED

# Relative difference up to which a score is the loss that was descended. Reason: by more than that
# no result shall be worse than another one.
EQUAL = 1e-6


@dataclasses.dataclass(frozen=True)
class SplitFit:
    """The fit of one split that starts, or ends, at a solution.

    Attributes
    ----------
    split : int
    final : estimator
        The final step with the solution.
    fit : callable
        ``fit()`` does what is left of its fit, and returns whether the solution is as before.
    features : callable
        ``features(part)`` returns rows of what the final step sees, part 0 the training rows of the
        split and part 1 the held-out ones.
    stands_for_all : bool
        Whether it is known that no fit that starts at a solution of the other splits leaves it: one
        fit shows then what all of them would do.
    seconds : float
        Its share of the time that the solution took.
    """

    split: int
    final: Any
    fit: Callable
    features: Callable
    stands_for_all: bool = True
    seconds: float = 0.0


def features_of(block, number, part):
    """Rows of a split of a block as its final step sees them, up to an origin."""
    return block.own(block.X[(block.trains, block.tests)[part][number]], number)


class Unsolved(Exception):
    """The training problem of a row cannot be solved."""


def with_first(fits):
    """The first SplitFit of an iterable, and all; None and None if it is None or unsolved."""
    if fits is None:
        return None, None
    fits = iter(fits)
    try:
        first = next(fits)
    except Unsolved:
        return None, None
    return first, itertools.chain([first], fits)


class SolvedRows(abc.ABC):
    """Rows of one candidate.

    Parameters
    ----------
    prepared : PreparedCandidate
        Its options have the ``scoring`` of rows.
    objective : Objective
        The one on the user's cv, whose solutions are used.

    Attributes
    ----------
    begun : sequence of dict
        Where there is a doubt: scores and times of fits of the first row from the beginning, for as
        many of the first splits as were made.
    apart : str
        How far a fit from the beginning is from the first row, where that is noticeable but no
        doubt; or "".
    """

    begun, apart = (), ""

    def __init__(self, prepared, objective):
        objective.tol, objective.events = FINE, dataclasses.replace(objective.events, watch=bool)
        self._prepared, self._objective, self._inputs = prepared, objective, prepared.inputs
        self._scoring = prepared.options.scoring

    @property
    def _whole(self):
        """Whether scorers are to get whole pipelines, and X as the user gave it."""
        return self._prepared.rows_see_steps

    def of(self, result):
        """The rows of a result as far as time allows: SolvedRow or None, and why not, or "".

        Parameters
        ----------
        result : SearchedResult

        Returns
        -------
        solved : list of SolvedRow or None
            None where a problem cannot be solved. Empty if there is a doubt.
        doubt : str
            Why fits from the beginning may be other models; a clause for messages.
        """
        solved = []
        for position, (settings, fits, scores) in enumerate(self._rows(result)):
            row = None if position else self._confirmed(settings, scores)
            if row is not None:
                refit = self._refit(self._h(settings), ())
                solved.append(dataclasses.replace(row, refit=refit))
                continue
            first, fits = with_first(fits)
            doubt = "" if position or first is None else self._early_doubt(settings, first)
            if doubt:
                return [], doubt
            fits, row = self._scored(settings, fits, scores)
            doubt = "" if position or row is None else self._doubt(settings, fits, row)
            if doubt:
                return [], doubt
            solved.append(row)
        return solved, ""

    def _rows(self, result):
        """Yield the rows there is time for: settings, SplitFits or None if unsolved, and scores.

        The scores are those that are known of all splits, or None.
        """
        for position, settings in enumerate(result.rows):
            if position >= result.n_urgent:
                try:
                    self._prepared.options.watch()
                except Stopped:
                    return
            scores = result.scores_of(position)
            if scores is None:
                scores = self._predicted(settings)
            yield settings, self._split_fits(settings), scores

    def _predicted(self, settings):
        """The scores of all splits as far as predictions tell them, or None."""
        return None

    def _split_fits(self, settings):
        """Yield the SplitFits of all splits.

        Raises
        ------
        Unsolved
            If a training problem cannot be solved.
        """
        h, blocks, first = self._h(settings), iter(self._prepared.cv_data), 0
        began = time.perf_counter()
        for model, fitted in self._objective.solutions(h, predicted=False):
            seconds = (time.perf_counter() - began) / model.n_splits
            if not UNSOLVED.isdisjoint(fitted.statuses):
                raise Unsolved
            splits = range(first, first := first + model.n_splits)
            for fit in self._fits(model, fitted, h, next(blocks), splits):
                fit.final.set_params(**self._values(settings))
                yield dataclasses.replace(fit, seconds=seconds)
            began = time.perf_counter()

    def _scored(self, settings, fits, scores):
        """``(fits, SolvedRow)`` of settings; the latter is None if they cannot be solved.

        ``scores`` are those that are known of the splits, or None.
        """
        done, outputs, confirmed = [], [], False
        if fits is None:
            return [], None
        try:
            for fit in fits:
                began = time.perf_counter()
                same = fit.fit()
                seconds = fit.seconds + time.perf_counter() - began
                known = same and confirmed
                outputs.append(
                    self._known(fit.split, scores) if known else self._output(fit, settings)
                )
                outputs[-1]["fit_time"] += seconds
                done.append(fit)
                confirmed = confirmed or (same and self._confirms(outputs, scores))
                if confirmed and fit.stands_for_all:
                    row = self._row_of(outputs[0], scores, fit.seconds)
                    refit = self._refit(self._h(settings), done)
                    return done, dataclasses.replace(row, refit=refit)
        except Unsolved:
            return [], None
        return done, SolvedRow(outputs, self._refit(self._h(settings), done))

    def _h(self, settings):
        ranges = self._prepared.ranges
        return {span.leaf: np.asarray(settings[span.key], dtype=float) for span in ranges}

    def _values(self, settings):
        """Parameters of the final step that are searched."""
        return {span.leaf: settings[span.key] for span in self._prepared.ranges}

    def _fitted(self, settings, X, y, params):
        """A final step that is fitted from the beginning."""
        final = clone(self._prepared.final).set_params(**self._values(settings))
        return final.fit(X, y, **params)

    @abc.abstractmethod
    def _fits(self, model, fitted, h, block, splits):
        """Yield the SplitFit of every split of a model."""

    def _early_doubt(self, settings, first):
        """The same as ``_doubt``, from the first SplitFit, before fits start at solutions."""
        return ""

    @abc.abstractmethod
    def _doubt(self, settings, fits, row):
        """Why fits from the beginning may be other models than these, or ""."""

    def _confirmed(self, settings, scores):
        """The row, without a solution, if one real fit shows that its scores are ``scores``.

        Else None: then solutions are scored, and may be doubted.
        """
        return None

    # A loss that is the asked score needs no scorer: one split shows that it is.
    def _confirms(self, outputs, scores):
        """Whether the score of the first split shows that those of all splits are ``scores``."""
        score, offset = outputs[0]["test_scores"], self._prepared.choice.loss.offset
        if scores is None or self._shown or len(outputs) > 1 or isinstance(score, dict):
            return False
        if not self._are_alike:
            return False
        return abs(score - scores[0]) <= EQUAL * max(abs(score), abs(score - offset))

    # The loss of a part without a class is defined, its score may not be.
    @cached_property
    def _are_alike(self):
        """Whether the held-out parts have numbers, or all classes each."""
        blocks = self._prepared.cv_data
        if self._prepared.family.takes == NUMBERS:
            return True
        n_classes = {len(np.unique(b.labels[test])) for b in blocks for test in b.tests}
        return n_classes == {len(np.unique(blocks[0].labels))}

    @property
    def _shown(self):
        """Whether users are shown more than the test scores of a split."""
        return self._scoring.return_train_score or self._scoring.verbose > 1

    @property
    def _shows_one_score(self):
        """Whether one test score of every split is all that users are shown."""
        return not self._shown and self._scoring.scorer is self._inputs.scorer

    def _row_of(self, first, scores, fit_time=0.0):
        """The SolvedRow of a first output that confirms the scores of all splits."""
        others = range(1, len(self._inputs.splits))
        return SolvedRow([first, *(self._known(split, scores, fit_time) for split in others)])

    def _known(self, split, scores, fit_time=0.0):
        """The output of a split whose score is known."""
        size = len(row_numbers(self._inputs.splits[split][1]))
        known = {"test_scores": float(scores[split]), "n_test_samples": size}
        return {"fit_error": None, "fit_time": fit_time, "score_time": 0.0, **known}

    # Scikit-learn would cut rows out of these rows once more: on small data that takes as long as
    # the score.
    def _quietly(self, fit):
        """The output of a split whose score looks at its features only, without messages."""
        began, output = time.perf_counter(), {"fit_error": None, "fit_time": 0.0}
        output["test_scores"], output["n_test_samples"] = self._score_of(fit, 1)
        output["score_time"] = time.perf_counter() - began
        if self._scoring.return_train_score:
            output["train_scores"], _ = self._score_of(fit, 0)
        return output

    def _score_of(self, fit, part):
        """The score of a part of a split, and its number of rows."""
        scoring, inputs = self._scoring, self._inputs
        rows = row_numbers(inputs.splits[fit.split][part])
        y, params = rows_of(inputs.y, rows), rows_of_params(inputs.X, scoring.params, rows)
        scored = fit.final, fit.features(part), y
        return compute_score(*scored, scoring.scorer, params, scoring.error_score), len(rows)

    def _refit(self, h, fits):
        """The Refit of a row, or None."""
        return None

    def _plain_refit(self):
        """The Refit from the beginning; None where it is known what is fitted."""
        prepared = self._prepared
        return Refit(prepared.range.key) if prepared.candidate.step.path else None

    def _output(self, fit, settings):
        """What ``fit_and_score`` of scikit-learn returns for a split."""
        scoring, train_scores = self._scoring, self._scoring.return_train_score
        if not self._whole and scoring.verbose <= 1:
            return self._quietly(fit)
        train, test = map(row_numbers, self._inputs.splits[fit.split])
        X, y, params, scored = self._inputs.X, self._inputs.y, scoring.params, fit.final
        if self._whole:
            scored = self._prepared.steps[fit.split].then(fit.final)
            # Rows that nobody looks at are not copied.
            train = train if train_scores or is_pairwise(scored) else train[:0]
        else:
            parts = (0, 1) if train_scores else (1,)
            rows = np.concatenate([(train, test)[part] for part in parts])
            X = stacked([fit.features(part) for part in parts])
            y, params = rows_of(y, rows), rows_of_params(self._inputs.X, params, rows)
            train, test = np.split(np.arange(len(rows)), [len(rows) - len(test)])
        return score_fitted(
            scored,
            X,
            y,
            scorer=scoring.scorer,
            train=train,
            test=test,
            verbose=scoring.verbose,
            parameters=settings,
            score_params=params,
            return_train_score=train_scores,
            split_progress=(fit.split, len(self._inputs.splits)),
            error_score=scoring.error_score,
        )
