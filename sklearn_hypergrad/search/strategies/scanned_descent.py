"""Minimise an objective of several values: scan their product, then descend from the best points.

The scan finds the region of the best minimum, so that the descent need not end in the nearest one.
Its points have slopes, which tell where between them the objective may be lower: there it looks
before it descends. Where evaluations are cheap it also looks along each value from where it ended.
"""

import dataclasses
import itertools

import numpy as np

from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.optimizers.base import Minimum
from sklearn_hypergrad.optimizers.lbfgs import FTOL, NOTHING_LOWER
from sklearn_hypergrad.optimizers.line import RISEN, RISES, above
from sklearn_hypergrad.search.candidates.refusals import NowhereFinite
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.strategies.between import Between
from sklearn_hypergrad.search.strategies.joint import end_statuses_of
from sklearn_hypergrad.search.strategies.listed import listed_points
from sklearn_hypergrad.search.strategies.rough_scan import RoughScan, lattice
from sklearn_hypergrad.tuning import FINE, lowest

# Points of the scan along the first hyperparameter that regularises, along the other one of two,
# and along each other one of more. Measured for KernelRidge on 28 data sets, 14 of them of 60 rows,
# against 24 x 24 points and descents from the best six: 6 x 4 points with looks between them missed
# no minimum by more than 1e-7, 6 x 3 points missed three by up to 3 %, with looks or without.
N_POINTS = 6, 4, 3
# The same where a solution costs a fit of the estimator: a point for so many decades of a range, at
# least and at most so many. Measured for SVC on nine data sets with C over five and gamma over four
# decades: 3 x 3 points and two descents ended with an accuracy within 0.003 of a grid of 7 x 7, in
# 21 evaluations; one descent missed 0.03; 6 x 4 points gained 0.0004 on average, with 37.
DECADES, FEWEST, MOST = 1.7, 3, 6
# The same where evaluations are cheap: over four decades 0.8 apart, as in ``line_search``.
MANY_POINTS = 12, 4, 4
# Looks between points of the scan, where they promise a value that is lower by this share.
N_LOOKS, PROMISING = 6, 1e-5
# The same where evaluations are cheap, and, along each hyperparameter from where the search ended,
# points and looks between them, with descents from what is lower, at most so many times. Measured
# against 24 x 24 points for LinearSVR (84 searches), HuberRegressor (42) and ElasticNet (28):
# without them 23 ended more than 1e-4 above, 16 of them more than 1e-3; with them 8 and 4.
MANY_LOOKS, N_ALONG, LOOKS_ALONG, ROUNDS = 12, 6, 3, 4
# Share of the distance of these points that they keep from where the search ended.
NEAR = 0.3
# Kinks between points of a scan: ``share`` of ``Between``.
KINKED = 0.1
# Distance in theta from the level at which a scan without bounds begins and ends: two decades.
REACH = 2 * np.log(10)
# Points of the scan that may be descended, and how many of its steps they are apart, at least along
# one hyperparameter: neighbours lead to one minimum.
N_DESCENTS, APART = 2, 1.5
# The second one is if its loss is at most this share larger than where the first descent ended. It
# is in one of twelve searches of smooth models; losses with kinks say less before a descent.
WORTH = {True: 0.05, False: np.inf}
# The same where a solution costs a fit. Measured for SVC and SVR on 19 data sets: with 0.3 all
# searches ended as with infinity, with a fifth fewer evaluations; with 0.1 two of them were worse.
WORTH_OF_FITS = 0.3
# A step ends a descent if it gains less than this, relative to the loss and in units of tol^2: that
# is how much a change of a hyperparameter by tol changes it.
GAIN = 0.1
# Both where evaluations are cheap: a dense scan says more than a descent across kinks. Measured for
# elastic nets on 5 data sets: descents gained less than 2e-7 after their first ten steps.
WORTH_OF_MANY, GAIN_OF_MANY = 0.02, 10.0
# The same where a solution costs a fit: where the loss is the asked score, and where it is not. The
# latter then counts as one tenth of the largest loss of the scan at least: of classes that are
# separable the surrogate goes on to fall after all are told apart.
GAIN_OF_FITS, SHARE_OF_LARGEST = {True: 100.0, False: 1000.0}, 0.1
# The same after a rough scan, whose best point is near a minimum already, the evaluations in a row
# without such a gain that end a descent, and its first step in theta. Measured for SVR on 14 data
# sets: line searches across kinks went on for two thirds of the evaluations to gain a thousandth.
GAIN_AFTER_ROUGH, PATIENCE, FIRST_STEP = 10000.0, 2, 0.5
ARRIVED = "converged: steps gain next to nothing"


class Arrived(Exception):  # noqa: N818
    """Raised inside an optimizer after steps that have gained next to nothing."""


class ScannedDescent:
    """One search for the minimum of an objective over several values.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective of one value of each range.
    judge : Judge, default=None
        Scores visited points, if the asked score is another one than the loss and takes hardly any
        time.

    Attributes
    ----------
    found : Found or None
        The best end of a descent so far.
    """

    def __init__(self, prepared, objective, judge=None):
        self._prepared, self._objective, self._judge = prepared, objective, judge
        self._objective.tol = FINE
        model = objective.terms[0]
        self._smooth, self._cheap = model.smooth, model.cheap
        self._costs_a_fit = model.costs_a_fit
        # Predictions of LinearSVR bend at so many places that a scan sees kinks.
        self._has_kinks = model.cheap or not model.smooth
        self._listed = listed_points(prepared.ranges) if model.cheap else []
        self.found = None

    def run(self):
        """Minimise.

        Returns
        -------
        Found

        Raises
        ------
        CannotSearch
            If the objective is not finite anywhere.
        """
        points = [point for point in self._scanned() if np.isfinite(point.value)]
        if not points:
            raise NowhereFinite("the validation loss is not finite for any values")
        if not self._costs_a_fit:
            points = self._looked(points, MANY_LOOKS if self._cheap else N_LOOKS)
        points = sorted([p for p in points if p.usable] or points, key=lambda r: r.value)
        axes = [self._axis(number) for number in range(len(self._prepared.ranges))]
        for point in self._separate(points, axes):
            least = np.inf if self.found is None else self.found.record.value
            if not above(point.value, least, self._worth):
                found = self._descended(point)
                self.found = found if found.record.value < least else self.found
        for _ in range(ROUNDS if self._cheap else 0):
            if not any([self._is_lower_along(number) for number in range(len(point.theta))]):
                break
        return self.found

    def _looked(self, points, most):
        """The points, and at most so many between them where there may be lower ones."""
        points, between = list(points), Between(KINKED if self._has_kinks else 0.0)
        for point in points:
            if point.usable:
                between.add(point.theta, point.value, point.gradient)
        for _ in range(most):
            least = min(point.value for point in points)
            place = between.place(least - PROMISING * abs(least))
            if place is None:
                break
            point = self._objective.record(place)
            if np.isfinite(point.value) and point.usable:
                between.add(point.theta, point.value, point.gradient)
                points.append(point)
        return points

    def _is_lower_along(self, number):
        """Look along one hyperparameter from the point found; whether something lower is found."""
        found, places = self.found.record, np.linspace(*self._reach(number), N_ALONG)
        apart = NEAR * (places[1] - places[0])
        thetas = [
            np.insert(np.delete(found.theta, number), number, place)
            for place in places
            if abs(place - found.theta[number]) > apart
        ]
        along = [record for record in map(self._objective.record, thetas) if record.usable]
        best = lowest(self._looked([found, *along], LOOKS_ALONG))
        if not above(found.value, best.value, PROMISING):
            return False
        self.found = self._descended(best)
        return True

    @property
    def _worth(self):
        """How much larger than the end of a descent the start of a second one may be."""
        if self._cheap:
            return WORTH_OF_MANY
        return WORTH_OF_FITS if self._costs_a_fit else WORTH[self._smooth]

    def stopped(self, reason):
        """The Found of a search that was stopped: the best evaluation if no descent ended there."""
        best = self._objective.best
        lower = self.found is not None and best.value < self.found.record.value
        # Rough values may be lower by chance.
        if self.found is None or (lower and np.isfinite(best.gradient).all()):
            return self._found_at(best, False, reason)
        return dataclasses.replace(self.found, message=reason)

    def own_record(self):
        """The Record at the estimator's own values, within bounds or not, or None."""
        own = self._prepared.own_values
        return None if own is None else self._objective.compared(own)

    def _scanned(self):
        """Records of the scan, and of the estimator's own values."""
        own = self.own_record()
        records = [own] if own is not None and self._objective.space.contains(own.theta) else []
        return self._best_of_rough(records) or records + self._scanned_exactly()

    def _best_of_rough(self, records):
        """The best of a rough scan and of some records; empty if there is none.

        Across kinks it is the best alone, elsewhere those that may lead to other minima.
        """
        if not self._objective.has_rough:
            return []
        numbers = range(len(self._prepared.ranges))
        axes = [self._from_strong(number, self._lattice(number)) for number in numbers]
        of_model = {"smooth": self._smooth, "lines": self._objective.terms[0].cheap_along}
        rough = RoughScan(self._objective, axes, self._first, self._judge, **of_model).run()
        points = sorted([*records, *rough], key=lambda r: r.value) if rough else []
        if not self._along_kinks:
            points = self._minima(points, axes)
        exact = []
        for point in points:
            if exact and (self._along_kinks or above(point.value, exact[0].value, self._worth)):
                break
            record = self._objective.record(point.theta)
            exact += [record] if record.usable else []
        return exact

    def _scanned_exactly(self):
        """Records of a scan of exact solutions."""
        records, first = [], self._first
        axes = [self._axis(number) for number in range(len(self._prepared.ranges))]
        if not self._objective.iterative:
            self._objective.expect([np.array(point) for point in itertools.product(*axes)])
        for rest in itertools.product(*axes[:first], *axes[first + 1 :]):
            n_risen, least = 0, np.inf
            for value in axes[first]:
                record = self._objective.record(np.insert(rest, first, value))
                records.append(record)
                n_risen = n_risen + 1 if above(record.value, least, RISEN) else 0
                least = min(least, record.value)
                if n_risen == RISES:
                    break
        return records

    @property
    def _along_kinks(self):
        """Whether a descent begins where a rough scan has ended, and says little: across kinks."""
        return self._objective.has_rough and not self._smooth

    @property
    def _first(self):
        """Number of the hyperparameter with the finest scan: a penalty, wherever it is named."""
        return int(np.argmax(np.abs(self._prepared.directions) - ~self._moves))

    @property
    def _moves(self):
        """For each hyperparameter, whether there is more than one value: not of a known level."""
        return np.array([each.low < each.high for each in self._objective.space.dimensions])

    def _axis(self, number):
        """Places of the scan in theta, from the strongly regularised end."""
        places = self._listed_places(number) if self._listed else self._even_places(number)
        return self._from_strong(number, places)

    def _from_strong(self, number, places):
        return places[::-1] if self._prepared.directions[number] > 0 else places

    def _lattice(self, number):
        """Places of a rough scan in theta, ascending."""
        low, high = self._reach(number)
        most = 2 * self._n_points(number, high - low) + 1
        if not self._prepared.ranges[number].listed:
            return np.linspace(low, high, most)
        return lattice(self._listed_places(number), most, DECADES * np.log(10))

    def _listed_places(self, number):
        """The listed values in theta, ascending."""
        dimension, span = self._objective.space.dimensions[number], self._prepared.ranges[number]
        return np.unique(dimension.transform.to_theta(np.asarray(span.listed, dtype=float)))

    def _even_places(self, number):
        """Places in theta that are evenly spread, ascending."""
        low, high = self._reach(number)
        n_points = self._n_points(number, high - low)
        inside = (np.arange(n_points) + 0.5) / n_points
        return low + (high - low) * inside

    def _reach(self, number):
        """The ends in theta of the scan along a hyperparameter."""
        dimension, span = self._objective.space.dimensions[number], self._prepared.ranges[number]
        low, high = dimension.bounds
        level = float(dimension.transform.to_theta(dimension.start))
        # A range of decades is scanned within its bounds, any other around the level.
        if span.continuous.low is None:
            low = max(low, level - REACH)
        if span.continuous.high is None:
            high = min(high, level + REACH)
        return low, high

    def _n_points(self, number, width):
        """How many places of the scan there are along a hyperparameter."""
        if not self._moves[number]:
            return 1
        if not self._costs_a_fit:
            first, second, other = MANY_POINTS if self._cheap else N_POINTS
            if number == self._first:
                return first
            return second if self._moves.sum() == 2 else other
        return int(np.clip(np.ceil(width / (DECADES * np.log(10))), FEWEST, MOST))

    def _separate(self, points, axes):
        """The best points, none of them beside a better one of them."""
        chosen = []
        for point in points:
            if len(chosen) < N_DESCENTS and _is_apart(point, chosen, axes):
                chosen.append(point)
        return chosen

    def _minima(self, points, axes):
        """The best points, none of them beside a better one, whichever."""
        minima = (p for n, p in enumerate(points) if _is_apart(p, points[:n], axes))
        return list(itertools.islice(minima, N_DESCENTS))

    # L-BFGS-B compares decreases with the value, and its first step is the gradient: losses are
    # shifted to 1 and scaled to a slope of 1, so that this step is one of length 1.
    def _descended(self, start):
        objective, settings = self._objective, self._prepared.run
        optimizer = self._prepared.options.optimizer
        slope = float(np.linalg.norm(start.gradient)) or 1.0
        slope /= FIRST_STEP if self._along_kinks else 1.0
        patience = np.inf
        if optimizer is None:
            optimizer, tol = self._usual_optimizer(self._level(start) / slope)
            if self._along_kinks and isinstance(optimizer, LBFGS):
                patience = PATIENCE
            settings = settings | {"tol": tol}
        best, n_idle, least_gain = start, 0, FTOL * settings["tol"] ** 2 * slope

        def scaled(theta):
            nonlocal best, n_idle
            if n_idle >= patience:
                raise Arrived
            record = objective.record(theta)
            n_idle = 0 if record is start or record.value < best.value - least_gain else n_idle + 1
            best = lowest([best, record])
            return 1 + (record.value - start.value) / slope, record.gradient / slope

        bounds = objective.space.bounds
        try:
            minimum = optimizer.minimize(scaled, start.theta, bounds, **settings)
        except Arrived:
            minimum = Minimum(best.theta, True, ARRIVED)
        inside = [r for r in objective.records if objective.space.contains(r.theta)]
        inside = [r for r in inside if np.isfinite(r.gradient).all()]
        record = lowest([objective.record(minimum.z), *inside])
        # At a kink a line search ends like this, and looks begin descents at kinks.
        at_kink = self._has_kinks and minimum.message == NOTHING_LOWER
        converged = minimum.converged or at_kink
        return self._found_at(record, converged, minimum.message, minimum.warning)

    def _level(self, start):
        """What a gain is measured by: the loss at the start of a descent, in size."""
        level = abs(start.value)
        if not self._costs_a_fit or self._prepared.choice.exact:
            return level
        known = [abs(r.value) for r in self._objective.records if np.isfinite(r.value)]
        return max(level, SHARE_OF_LARGEST * max(known))

    def _usual_optimizer(self, level):
        """``(optimizer, its tol)``, for a loss that is of this level once it is scaled."""
        tol = self._prepared.options.tol
        if not self._prepared.choice.loss.smooth:
            return Adam(), tol
        # Of a loss that is shifted to 1 L-BFGS-B takes the decrease as it is.
        gain = GAIN_OF_MANY if self._cheap else GAIN
        if self._costs_a_fit:
            gain = GAIN_OF_FITS[self._prepared.choice.exact]
        if self._along_kinks:
            gain = GAIN_AFTER_ROUGH
        return LBFGS(), tol * np.sqrt(gain * level / FTOL)

    def _found_at(self, record, converged, message, warning=""):
        statuses = end_statuses_of(record.theta, self._objective.space, self._prepared, converged)
        return Found(record, statuses, message, warning)


def _is_apart(point, others, axes):
    """Whether a point is further than some steps of the axes from all others."""
    far = APART * np.array([np.ptp(axis) / max(1, len(axis) - 1) for axis in axes])
    return all(np.any(np.abs(point.theta - other.theta) > far) for other in others)
