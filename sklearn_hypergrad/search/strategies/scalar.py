"""The strategy for one value of a model whose level is known: a line search."""

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.results.candidate_result import (
    SearchedResult,
    compared_with_own,
    distinct,
    same_point,
    scale_remarks,
    searched_one,
    solved,
)
from sklearn_hypergrad.search.results.found import Found, stopped_at
from sklearn_hypergrad.search.results.one_value import OneValue
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.search.strategies.base import Strategy
from sklearn_hypergrad.search.strategies.judging import Judge
from sklearn_hypergrad.search.strategies.line_search import line_search_of
from sklearn_hypergrad.search.strategies.listed import listed_points
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected
from sklearn_hypergrad.search.strategies.stable import STABLE, stable

# Relative difference of two losses that is more than rounding. Reason: far below the 1e-6 by which
# no result is to be worse.
NOTICED = 1e-9


class ScalarSearch(Strategy):
    """Scan a line, polish the best minimum, and judge visited points by the asked score.

    Parameters
    ----------
    prepared : PreparedCandidate
    """

    def __init__(self, prepared):
        self.prepared, self.options = prepared, prepared.options
        self.objective, self.asked = scalar_objectives(prepared)
        self._direction = np.array(prepared.directions)
        if self.options.selection == "one_se":
            check_selection(self.objective, self._direction)
        self._found, self._comparisons, self._judged, self._remarks = None, [], [], []

    def run(self):
        self._found = line_search_of(self.prepared, self.objective).run()
        self._select()
        self._compare()
        if self.prepared.judges:
            self.asked.tol = self.objective.tol
            space = self.objective.space
            self._judge([r.h for r in self.objective.records if space.contains(r.theta)])

    def _select(self):
        """Take the point that ``selection`` proposes."""
        options = self.options
        if options.selection == "one_se":
            self._found = selected(self.objective, self._found, self._direction, options.tol)
        if options.selection == STABLE:
            self._found = stable(self.prepared, self.objective, self._found)

    def _compare(self):
        """Compare with the estimator's own value, and take it where coarse values hid it."""
        found, objective = self._found, self.objective
        self._comparisons = compared_with_own(self.prepared, objective, found)
        for own in (each.before for each in self._comparisons):
            lower = found.record.value - own.value > NOTICED * abs(own.value)
            better = own.usable and lower
            if better and objective.space.contains(own.theta) and self.options.selection == "best":
                message = f"{found.message}; the estimator's own value is better"
                self._found = Found(own, [EndStatus.INTERIOR], message)

    def _judge(self, visited):
        """Find the best listed and the best of some visited points under the asked score."""
        judge = Judge(self.prepared, self.asked)
        self._judged = judge.rows(listed_points(self.prepared.ranges), visited)
        self._remarks = judge.remarks

    def result(self, stopped=None):
        prepared, objective = self.prepared, self.objective
        found = self._found if stopped is None else stopped_at(self._found, objective, stopped)
        (dimension,) = objective.space.dimensions
        points = distinct([found.record.h, *self._judged], same_point)
        rows = [prepared.settings(point) for point in points]
        # Scores of scikit-learn's fits are compared with converged solutions only.
        solved_exactly = set(found.record.statuses) == {Status.CONVERGED}
        exact = prepared.choice.exact and solved_exactly and self.asked is objective
        told = prepared.in_memory and prepared.family.knows_dof
        return SearchedResult(
            prepared.candidate,
            rows,
            objective.records,
            found,
            searched=searched_one(prepared, prepared.range, dimension),
            how=solved(prepared.final, objective.terms[0]),
            choice=prepared.choice,
            loss_name=objective.stage.loss,
            points=points,
            expected=found.record.value if exact else None,
            comparisons=self._comparisons,
            one_value=OneValue(prepared) if told else None,
            remarks=[*self._remarks, *scale_remarks(prepared)],
        )


def scalar_objectives(prepared):
    """The objective that is descended, and that of the user's cv; mostly the same object."""
    asked = prepared.objective(prepared.cv_models, prepared.choice.loss)
    if prepared.options.search_cv == "loo":
        model = prepared.left_out_model()
        return prepared.objective([model], None, splits=[]), asked
    splits, _ = prepared.search_splits()
    if splits is prepared.inputs.splits:
        return asked, asked
    models = prepared.models(prepared.data_of(splits))
    return prepared.objective(models, prepared.choice.loss, splits=splits), asked
