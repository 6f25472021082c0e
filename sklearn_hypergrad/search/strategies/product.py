"""The search of several hyperparameters of a solved model: a product scan, then a descent."""

import dataclasses
import itertools

import numpy as np

from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.optimizers.lbfgs import FTOL
from sklearn_hypergrad.optimizers.line import RISEN, RISES, above
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.candidates.refusals import NowhereFinite
from sklearn_hypergrad.search.results.candidate_result import (
    SearchedResult,
    compared,
    distinct,
    same_point,
    searched_one,
    solved,
)
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.strategies.base import Strategy
from sklearn_hypergrad.search.strategies.joint import directions_of, end_statuses_of
from sklearn_hypergrad.search.strategies.judging import Judge
from sklearn_hypergrad.search.strategies.listed import best_listed, listed_points, nearest_listed
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected
from sklearn_hypergrad.search.strategies.scalar import scalar_objectives
from sklearn_hypergrad.tuning import FINE, SEARCH, lowest

# Points of the scan along the first hyperparameter that regularises, and along each other one.
# Measured for KernelRidge on 48 splits of 12 data sets: 6 x 3 points and the rule of WORTH missed
# no minimum that is deeper by 0.01 %, one descent missed one; 6 x 4 points missed three.
N_POINTS = {True: (6, 3), False: (6, 4)}
# The same where a solution costs a fit of the estimator: a point for so many decades of a range, at
# least and at most so many. Measured for SVC on nine data sets with C over five and gamma over four
# decades: 3 x 3 points and two descents ended with an accuracy within 0.003 of a grid of 7 x 7, in
# 21 evaluations; one descent missed 0.03; 6 x 4 points gained 0.0004 on average, with 37.
DECADES, FEWEST, MOST = 1.7, 3, 6
# The same where evaluations are cheap: over four decades 0.8 apart, as in ``line_search``.
MANY_POINTS = 12, 4
# Distance in theta from the level at which a scan without bounds begins and ends: two decades.
REACH = 2 * np.log(10)
# Points of the scan that may be descended, and how many of its steps they are apart, at least along
# one hyperparameter: neighbours lead to one minimum.
N_DESCENTS, APART = 2, 1.5
# The second one is if its loss is at most this share larger than where the first descent ended. It
# is in one of twelve searches of smooth models; losses with kinks say less before a descent.
WORTH = {True: 0.05, False: np.inf}
# A step ends a descent if it gains less than this, relative to the loss and in units of tol^2: that
# is how much a change of a hyperparameter by tol changes it.
GAIN = 0.1
# The same where a solution costs a fit: where the loss is the asked score, and where it is not. The
# latter then counts as one tenth of the largest loss of the scan at least: of classes that are
# separable the surrogate goes on to fall after all are told apart.
GAIN_OF_FITS, SHARE_OF_LARGEST = {True: 100.0, False: 1000.0}, 0.1


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
        self.objective.tol = self.asked.tol = FINE
        model = self.objective.terms[0]
        self._smooth, self._cheap = model.smooth, model.cheap
        self._costs_a_fit = model.costs_a_fit
        self._listed = listed_points(prepared.ranges) if model.cheap else []
        self._direction = directions_of(prepared, self.objective.space)
        if self.options.selection != "best":
            check_selection(self.objective, self._direction)
        self._found, self._judged, self._comparisons, self._remarks = None, [], [], []

    def run(self):
        points = [point for point in self._scanned() if np.isfinite(point.value)]
        if not points:
            raise NowhereFinite("the validation loss is not finite for any values")
        points = sorted([p for p in points if p.usable] or points, key=lambda r: r.value)
        for point in self._separate(points):
            least = np.inf if self._found is None else self._found.record.value
            if not above(point.value, least, WORTH[self._smooth]):
                found = self._descended(point)
                self._found = found if found.record.value < least else self._found
        if self.options.selection != "best":
            self._found = selected(self.objective, self._found, self._direction, self.options.tol)
        self._compare()
        if self.prepared.judges:
            judge = Judge(self.prepared, self.asked)
            if self._costs_a_fit:
                self._judged = judge.rows([], self._visited() + self._own_inside())
            else:
                self._judged = judge.rows(listed_points(self.prepared.ranges), self._visited())
                self._judged += self._unjudged()
            self._remarks = judge.remarks

    def _scanned(self):
        """Records of the scan, and of the estimator's own values."""
        own, first = self._own_record(), self._first
        axes = [self._axis(number) for number in range(len(self.prepared.ranges))]
        records = [own] if own is not None and self.objective.space.contains(own.theta) else []
        if not self.objective.iterative:
            self.objective.expect([np.array(point) for point in itertools.product(*axes)])
        for rest in itertools.product(*axes[:first], *axes[first + 1 :]):
            n_risen, least = 0, np.inf
            for value in axes[first]:
                record = self.objective.record(np.insert(rest, first, value))
                records.append(record)
                n_risen = n_risen + 1 if above(record.value, least, RISEN) else 0
                least = min(least, record.value)
                if n_risen == RISES:
                    break
        return records

    @property
    def _first(self):
        """Number of the hyperparameter with the finest scan: a penalty, wherever it is named."""
        return int(np.argmax(np.abs(self.prepared.directions)))

    def _axis(self, number):
        """Places of the scan in theta, from the strongly regularised end."""
        places = self._listed_places(number) if self._listed else self._even_places(number)
        return places[::-1] if self.prepared.directions[number] > 0 else places

    def _listed_places(self, number):
        """The listed values in theta, ascending."""
        dimension, span = self.objective.space.dimensions[number], self.prepared.ranges[number]
        return np.unique(dimension.transform.to_theta(np.asarray(span.listed, dtype=float)))

    def _even_places(self, number):
        """Places in theta that are evenly spread, ascending."""
        dimension, span = self.objective.space.dimensions[number], self.prepared.ranges[number]
        low, high = dimension.bounds
        level = float(dimension.transform.to_theta(dimension.start))
        # A range of decades is scanned within its bounds, any other around the level.
        if span.continuous.low is None:
            low = max(low, level - REACH)
        if span.continuous.high is None:
            high = min(high, level + REACH)
        n_points = self._n_points(number, high - low)
        inside = (np.arange(n_points) + 0.5) / n_points
        return low + (high - low) * inside

    def _n_points(self, number, width):
        """How many places of the scan there are along a hyperparameter."""
        if not self._costs_a_fit:
            of_axes = MANY_POINTS if self._cheap else N_POINTS[self._smooth]
            return of_axes[int(number != self._first)]
        return int(np.clip(np.ceil(width / (DECADES * np.log(10))), FEWEST, MOST))

    def _own(self):
        """The estimator's own values, or None if one of them is no such number."""
        spans = self.prepared.ranges
        own = {s.leaf: self.prepared.own(s) for s in spans}
        inside = all(
            low < own[span.leaf] < high
            for span in spans
            for low, high in [self.prepared.hyperparameter(span).open_limits]
        )
        return own if inside else None

    def _own_record(self):
        """The Record at the estimator's own values, within bounds or not, or None."""
        own = self._own()
        return None if own is None else self.objective.compared(own)

    def _separate(self, points):
        """The best points, none of them beside a better one."""
        axes = [self._axis(number) for number in range(len(self.prepared.ranges))]
        far, chosen = APART * np.array([np.ptp(axis) / (len(axis) - 1) for axis in axes]), []
        for point in points:
            apart = all(np.any(np.abs(point.theta - other.theta) > far) for other in chosen)
            if apart and len(chosen) < N_DESCENTS:
                chosen.append(point)
        return chosen

    # L-BFGS-B compares decreases with the value, and its first step is the gradient: losses are
    # shifted to 1 and scaled to a slope of 1, so that this step is one of length 1.
    def _descended(self, start):
        objective, optimizer, settings = self.objective, self.options.optimizer, self.prepared.run
        slope = float(np.linalg.norm(start.gradient)) or 1.0
        if optimizer is None:
            optimizer, tol = self._usual_optimizer(self._level(start) / slope)
            settings = settings | {"tol": tol}

        def scaled(theta):
            record = objective.record(theta)
            return 1 + (record.value - start.value) / slope, record.gradient / slope

        bounds = objective.space.bounds
        minimum = optimizer.minimize(scaled, start.theta, bounds, **settings)
        inside = [r for r in objective.records if objective.space.contains(r.theta)]
        record = lowest([objective.record(minimum.z), *inside])
        return self._found_at(record, minimum.converged, minimum.message, minimum.warning)

    def _level(self, start):
        """What a gain is measured by: the loss at the start of a descent, in size."""
        level = abs(start.value)
        if not self._costs_a_fit or self.prepared.choice.exact:
            return level
        known = [abs(r.value) for r in self.objective.records if np.isfinite(r.value)]
        return max(level, SHARE_OF_LARGEST * max(known))

    def _usual_optimizer(self, level):
        """``(optimizer, its tol)``, for a loss that is of this level once it is scaled."""
        tol = self.options.tol
        if not self.prepared.choice.loss.smooth:
            return Adam(), tol
        # Of a loss that is shifted to 1 L-BFGS-B takes the decrease as it is.
        gain = GAIN_OF_FITS[self.prepared.choice.exact] if self._costs_a_fit else GAIN
        return LBFGS(), tol * np.sqrt(gain * level / FTOL)

    def _found_at(self, record, converged, message, warning=""):
        statuses = end_statuses_of(record.theta, self.objective.space, self.prepared, converged)
        return Found(record, statuses, message, warning)

    def _compare(self):
        own = self._own()
        if own is not None:
            shown = ", ".join(f"{name}={value:.4g}" for name, value in own.items())
            what = f"the point found over {shown}"
            self._comparisons = [compared(self.objective, own, self._found, what)]

    def _visited(self):
        return [r.h for r in self.objective.records if r.stage.purpose == SEARCH]

    def _unjudged(self):
        """The estimator's own values and, of lists with many combinations, the best by the loss."""
        ranges, points = self.prepared.ranges, self._own_inside()
        if not listed_points(ranges) and any(span.listed for span in ranges):
            start = nearest_listed(self._found.record.h, ranges, self.objective.space)
            points.append(best_listed(self.objective, start, ranges))
        return points

    def _own_inside(self):
        """The estimator's own values as a point, if they are within bounds."""
        own = self._own_record()
        return [self._own()] if own is not None and self.objective.space.contains(own.theta) else []

    def result(self, stopped=None):
        prepared, objective, found = self.prepared, self.objective, self._found
        if found is None:
            found = self._found_at(objective.best, False, stopped)
        elif stopped is not None:
            found = dataclasses.replace(found, message=stopped)
        points = distinct([found.record.h, *self._judged], same_point)
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
            f"are single values. Leave guard=False and shrinkage='auto'."
        )
