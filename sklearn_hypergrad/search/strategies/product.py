"""The strategy for several values of a solved model: a scan of their product, then descents."""

import dataclasses

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.results.candidate_result import (
    SearchedResult,
    compared_with_own,
    distinct,
    same_point,
    searched_one,
    solved,
)
from sklearn_hypergrad.search.strategies.base import Strategy
from sklearn_hypergrad.search.strategies.joint import directions_of
from sklearn_hypergrad.search.strategies.judging import Judge, leading_judge
from sklearn_hypergrad.search.strategies.listed import (
    as_listed,
    best_listed,
    listed_points,
    nearest_listed,
)
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected
from sklearn_hypergrad.search.strategies.scalar import scalar_objectives
from sklearn_hypergrad.search.strategies.scanned_descent import ScannedDescent
from sklearn_hypergrad.tuning import FINE, SEARCH


class ProductSearch(Strategy):
    """Scan the product of some values of each hyperparameter, and descend from the best point.

    Parameters
    ----------
    prepared : PreparedCandidate
    """

    def __init__(self, prepared):
        self.prepared, self.options = prepared, prepared.options
        refuse_vector_options(prepared)
        self.objective, self.asked = scalar_objectives(prepared)
        self.asked.tol = FINE
        leading = leading_judge(prepared, self.asked) if self.objective is self.asked else None
        self._judge = leading or Judge(prepared, self.asked)
        self._descent = ScannedDescent(prepared, self.objective, leading)
        self._direction = directions_of(prepared, self.objective.space)
        if self.options.selection != "best":
            check_selection(self.objective, self._direction)
        self._found, self._judged, self._comparisons, self._remarks = None, [], [], []

    def run(self):
        self._found = self._descent.run()
        if self.options.selection != "best":
            self._found = selected(self.objective, self._found, self._direction, self.options.tol)
        self._comparisons = compared_with_own(self.prepared, self.objective, self._found)
        if self.prepared.judges:
            judge = self._judge
            if self.objective.terms[0].costs_a_fit:
                self._judged = judge.rows([], self._visited() + self._own_inside())
            else:
                self._judged = judge.rows(listed_points(self.prepared.ranges), self._visited())
                self._judged += self._unjudged()
            self._remarks = judge.remarks

    def _visited(self):
        return [r.h for r in self.objective.solved_records if r.stage.purpose == SEARCH]

    def _unjudged(self):
        """The estimator's own values and, of lists with many combinations, the best by the loss."""
        ranges, points = self.prepared.ranges, self._own_inside()
        if not listed_points(ranges) and any(span.listed for span in ranges):
            start = nearest_listed(self._found.record.h, ranges, self.objective.space)
            points.append(best_listed(self.objective, start, ranges))
        return points

    def _own_inside(self):
        """The estimator's own values as a point, if they are within bounds."""
        own = self._descent.own_record()
        inside = own is not None and self.objective.space.contains(own.theta)
        return [self.prepared.own_values] if inside else []

    def result(self, stopped=None):
        prepared, objective, found = self.prepared, self.objective, self._found
        if found is None:
            found = self._descent.stopped(stopped)
        elif stopped is not None:
            found = dataclasses.replace(found, message=stopped)
        points = [as_listed(h, prepared.ranges) for h in (found.record.h, *self._judged)]
        points = distinct(points, same_point)
        converged = set(found.record.statuses) == {Status.CONVERGED}
        exact = prepared.choice.exact and self.asked is objective and converged
        searched = [
            each
            for span, dimension in zip(prepared.ranges, objective.space.dimensions, strict=True)
            for each in searched_one(prepared, span, dimension)
        ]
        return SearchedResult(
            prepared.candidate,
            [prepared.settings(h) for h in points],
            objective.records,
            found,
            searched=searched,
            how=solved(prepared.final, objective.terms[0]),
            choice=prepared.choice,
            loss_name=objective.stage.loss,
            expected=found.record.value if exact else None,
            comparisons=self._comparisons,
            remarks=self._remarks,
        )


def refuse_vector_options(prepared):
    """Raise ValueError for options that only a vector has."""
    options = prepared.options
    if options.guard or options.shrinkage:
        raise ValueError(
            f"guard and shrinkage are for one vector of penalties, and {prepared.candidate.key} "
            f"are single values. Leave guard='auto' and shrinkage='auto'."
        )
