"""Descent of a vector of hyperparameters, regularised so that it does not overfit the splits.

Descending plain cross-validation in hundreds of penalties makes models worse: on 27 data sets in
four variants each, 1.04 times the test error of one tuned value with five folds (geometric mean).
So entries are a common level plus deviations from it, with an L1 penalty on the deviations in nats
of log likelihood, and the loss is that of repeated half splits: 0.956 times on the same data.
Entries whose validation gradient is within the penalty stay exactly at the common level, called the
pool. The search starts with all entries there, at the best common value.

Or (``search_cv="evidence"``) the loss is half that of the user's own folds and half minus the log
evidence of all rows. Then a second search starts at a strong common value, since the best one may
be where no slope is above the penalty; the lower end of the two is taken. The penalty is concave.
Where a splitter knows which rows belong together, the result is a mean of three models. For two
classes it is as far from one value towards the vector as the gain of held-out rows is certain.
"""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.optimizers import LBFGS, Minimum
from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.problems.outer.validation_loss import LINEAR
from sklearn_hypergrad.problems.split_data import mean_over_rows
from sklearn_hypergrad.search.candidates.refusals import NowhereFinite
from sklearn_hypergrad.search.data.inputs import is_plain
from sklearn_hypergrad.search.objective.initial_values import init_of
from sklearn_hypergrad.search.results.candidate_result import compared
from sklearn_hypergrad.search.results.found import Found, end_statuses_of
from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus
from sklearn_hypergrad.search.strategies.level_shift import shifted
from sklearn_hypergrad.search.strategies.mixes import LOG_PENALTY, MIXES, RELATED_ROWS
from sklearn_hypergrad.search.strategies.one_se import selected
from sklearn_hypergrad.search.strategies.target_descent import TargetDescent
from sklearn_hypergrad.spaces import Beside, LevelAndDeviations, Unsplit, l1
from sklearn_hypergrad.tuning import FINE

# Slope, in nats, up to which the validation loss does not depend on an entry. Reason: above
# rounding, and far below the slope of 30 tol = 0.03 at which the descent ends.
UNNOTICED = 1e-10
# How the mean of models is reached from one or two vectors, for ``stopping_reason_``.
HALFWAY = {
    1: "then halfway to one value for all",
    2: "then halfway to one value for all from the mean of the vector and the sparse vector",
}
# How far a result goes from one value towards a vector of two classes, and the standard errors of
# its gain on held-out rows up to which it goes no further, and from which on it goes all the way.
# Measured, see MIXES: with a half in place of a quarter two or three of 24 variants lose. With four
# standard errors in place of three none does, either, and the mean is 0.95.
LEAST_WAY, DOUBTFUL, CERTAIN = 0.25, 2.0, 3.0
# The loss of the closed form of leave-one-out.
SQUARED_ERROR = VALIDATION_LOSSES["squared_error"]


def mix_of(prepared):
    """The Mix of a candidate; None if its family has no evidence."""
    minimises = prepared.family.minimises
    if minimises == SQUARED_ERROR.name and not is_plain(prepared.inputs.splitter):
        return RELATED_ROWS
    return MIXES.get(minimises)


class VectorDescent:
    """One search for a vector, and the values beside it, from the best with one value for all.

    Parameters
    ----------
    prepared : PreparedCandidate
    data : VectorData
    """

    def __init__(self, prepared, data):
        self._prepared, self._data, self._options = prepared, data, prepared.options
        self._layouts = {prepared.vector.leaf: data.layout}
        if data.loss is None:
            models = [prepared.left_out_model(self._layouts)]
        else:
            models = prepared.models(data.search_data, self._layouts)
        self.mix = mix_of(prepared) if data.with_evidence else None
        self.evidence = None if self.mix is None else prepared.evidence(self._layouts)
        self.objective = prepared.objective(
            models,
            data.loss,
            self._layouts,
            data.splits,
            self.evidence,
            0.0 if self.mix is None else self.mix.share,
        )
        self.objective.tol = FINE
        dimensions = self.objective.space.dimensions
        self._sizes = [dimension.size for dimension in dimensions]
        names = np.repeat([dimension.name for dimension in dimensions], self._sizes)
        # The entries of theta that belong to the vector.
        self._own = names == prepared.vector.leaf
        self._directions = np.repeat(prepared.directions, self._sizes)
        self._cv_objective = self._deviations = None
        if self.mix is None:
            self._splitting = self.split_by(l1)
        else:
            self._splitting = self.split_by(LOG_PENALTY, self.mix.weight)
        self._best_z, self._lowest, self._common_level = None, np.inf, None

    @property
    def is_single(self):
        """Whether the vector has one entry, which is the one value for all."""
        return np.count_nonzero(self._own) == 1

    def common(self, theta):
        """The hyperparameters from a theta with one value for each of them."""
        return self.objective.space.to_h(np.repeat(theta, self._sizes))

    def run(self, start):
        """Minimise from ``start``, a theta with one value for each hyperparameter.

        Returns
        -------
        Found

        Raises
        ------
        CannotSearch
            If the objective is not finite where it starts.
        """
        z0, *more = self.starts(start)
        first = self.objective.record(self._splitting.theta(z0))
        self._common_level = float(np.repeat(start, self._sizes)[self._own][0])
        if not np.isfinite(first.value):
            raise NowhereFinite("the validation loss is not finite at the best common value")
        if not np.ptp(self._prepared.everything.y, axis=0).any():
            theta = self._splitting.theta(z0)
            return Found(first, [EndStatus.FLAT] * len(theta), "the target is constant")
        self._likelihood = self._likelihood_scale(first)
        self._solvable = first.usable
        minima = [self._minimum(z) for z in (z0, *more)]
        _, minimum = min(minima, key=lambda pair: pair[0])
        return self._found(self._polished(minimum.z), minimum)

    def _begin(self, theta):
        """The theta where the descent begins: that of all equal entries, or ``init``."""
        if self.begins_at is not None:
            theta[self._own] = np.ravel(self._dimension.transform.to_theta(self.begins_at))
        return theta

    @property
    def begins_at(self):
        """``init`` of the vector in its shape; None if the descent begins with equal entries."""
        continuous = self._prepared.vector.continuous
        if not isinstance(continuous.init, dict | tuple):
            return None
        dimension, labels = self._dimension, self._data.layout.labels
        return init_of(continuous, dimension.name, dimension.shape, labels)

    def starts(self, theta):
        """The z of all starts: one value for all, and beside the evidence a strong one, too.

        Parameters
        ----------
        theta : ndarray
            One value for each hyperparameter.
        """
        z0 = self._splitting.start(self._begin(np.repeat(theta, self._sizes)))
        return [z0, *self._more_starts(z0)]

    def _more_starts(self, z0):
        if self.evidence is None or self.begins_at is not None:
            return []
        theta, dimension = self._splitting.theta(z0), self._dimension
        strong = self.mix.strong * self.evidence.level
        strong = dimension.transform.to_theta(strong if self._regularizes > 0 else 1 / strong)
        theta[self._own] = np.clip(strong, *dimension.bounds)
        return [self._splitting.start(theta)]

    def found_at(self, minimum):
        """The Found of a Minimum of another descent in the same coordinates."""
        return self._found(self._splitting.theta(minimum.z), minimum)

    @property
    def is_weighed(self):
        """Whether the result goes as far from one value as the gain of held-out rows is certain."""
        return self.mix is not None and self.mix.is_weighed and bool(self._prepared.shrinkage)

    def weighed(self, start, vector):
        """The Found between one value and the vector, as far as the gain is certain.

        Parameters
        ----------
        start : ndarray
            One value for each hyperparameter.
        vector : Found
        """
        certainty = self._certainty(self.common(start), vector.record.h)
        trust = np.clip((certainty - DOUBTFUL) / (CERTAIN - DOUBTFUL), 0, 1)
        way = LEAST_WAY + (1 - LEAST_WAY) * trust
        if way == 1:
            return vector
        start = np.repeat(start, self._sizes)
        theta = start + way * (vector.record.theta - start)
        message = (
            f"{vector.message}; then {way:.2g} of the way from one value for all, since the gain "
            f"is {certainty:.2g} standard errors"
        )
        return self._between(theta, [vector], message)

    def _between(self, theta, vectors, message):
        """The Found at a theta between one value and some vectors."""
        ends = {status for found in vectors for status in found.end_statuses}
        converged = EndStatus.NOT_CONVERGED not in ends
        return self._found(theta, Minimum(self._splitting.start(theta), converged, message))

    def _certainty(self, common, vector):
        """The mean gain of held-out rows over its standard error."""
        (before, weight, rows), (after, _, _) = map(self._held_out, (common, vector))
        groups = self._prepared.inputs.split_params.get("groups")
        gain, error = mean_over_rows(before - after, weight, rows, groups)
        return gain / error if error else 0.0

    def _held_out(self, h):
        """Losses, weights and numbers of held-out rows on the splits of the descent."""
        losses, weight = self._samples(h)
        tests = [test for term in self.objective.terms for test in term.data.tests]
        sizes = list(map(len, tests))
        # Weights of a split sum to one.
        return losses, weight * np.repeat(sizes, sizes), np.concatenate(tests)

    @property
    def is_halfway(self):
        """Whether the result is to be halfway between one value and what is found."""
        if not self._prepared.shrinkage or not self._prepared.candidate.is_penalty:
            return False
        if self.mix is not None:
            return self.mix.is_halfway
        # Measured on 14 sets of several classes in four variants (benchmarks/generalisation.py),
        # chosen on half of them: the vector alone is worse than one value in 10 of 56 variants, by
        # up to 1.25 times its log loss, halfway in 6, by up to 1.09 times.
        loss = self._data.loss
        return loss is not None and loss.name == "log_loss" and self._prepared.n_outputs > 1

    def halfway(self, start, vectors):
        """The Found between one value and the mean of some vectors.

        Parameters
        ----------
        start : ndarray
            One value for each hyperparameter.
        vectors : list of Found
            The vector, and the sparse one if there is one.
        """
        mean = np.mean([found.record.theta for found in vectors], axis=0)
        theta = 0.5 * (np.repeat(start, self._sizes) + mean)
        message = f"{vectors[0].message}; {HALFWAY[len(vectors)]}"
        return self._between(theta, vectors, message)

    def best_so_far(self, reason):
        """The Found of a descent that was stopped; None if it had not begun."""
        if self._best_z is None:
            return None
        minimum = Minimum(self._best_z, converged=False, message=reason)
        return self._found(self._splitting.theta(minimum.z), minimum)

    def _found(self, theta, minimum):
        record = self.objective.record(theta)
        self._deviations = self._splitting.deviations(minimum.z)
        end_statuses = self._with_others(
            theta,
            entry_statuses(
                self._deviations,
                self._nats(record)[1][self._own],
                minimum.converged,
                self._regularizes,
                most=self._splitting.most,
            ),
            minimum.converged,
        )
        reasons = [minimum.message, self._data.reason]
        return Found(record, end_statuses, "; ".join(filter(None, reasons)))

    def selected(self, found):
        """The point that ``selection="one_se"`` proposes; its level stays within its bounds."""
        direction, theta = self._regularizes, found.record.theta
        most, bounds = np.inf, self._splitting.level_bounds
        if direction and bounds is not None and self._deviations is not None:
            level = float((theta[self._own] - self._deviations)[0])
            most = max(0.0, direction * (bounds[int(direction > 0)] - level))
        tol = self._options.tol
        proposed = selected(self.objective, found, self._directions, tol, most)
        end_statuses = np.array(proposed.end_statuses)
        end_statuses[self._own] = self._on_bounds(proposed.record.theta, end_statuses[self._own])
        return dataclasses.replace(proposed, end_statuses=list(end_statuses))

    def _with_others(self, theta, own, converged):
        """EndStatuses of all entries of theta, from those of the vector inside its bounds."""
        own, held = self._on_bounds(theta, own), self._data.layout.held_entries
        if held is not None:
            own = [
                end if np.isnan(value) else EndStatus.FIXED
                for end, value in zip(own, held, strict=True)
            ]
        if self._own.all():
            return own
        space = self.objective.space
        end_statuses = np.array(end_statuses_of(theta, space, self._prepared, converged))
        end_statuses[self._own] = own
        return list(end_statuses)

    def _on_bounds(self, theta, own):
        """Statuses of the vector, with AT_BOUND for entries of its pool on a bound of the user."""
        theta, continuous = theta[self._own], self._prepared.vector.continuous
        held = np.zeros(len(theta), dtype=bool)
        for bound, side in ((continuous.low, -1), (continuous.high, 1)):
            if bound is not None:
                held |= side * (theta - self._dimension.transform.to_theta(bound)) >= -ON_BOUND
        if self._deviations is not None:
            held &= self._deviations == 0
        return [EndStatus.AT_BOUND if on else end for on, end in zip(held, own, strict=True)]

    @property
    def _dimension(self):
        """The Dimension of the vector."""
        leaf = self._prepared.vector.leaf
        return next(d for d in self.objective.space.dimensions if d.name == leaf)

    @property
    def _regularizes(self):
        return self._prepared.hyperparameter(self._prepared.vector).regularizes

    def _minimum(self, z0):
        """``(value, Minimum)`` of a descent from ``z0``."""
        if self._best_z is None:
            self._best_z = z0

        def fun(z):
            value, gradient = self._value_and_gradient(z)
            if value < self._lowest:
                self._best_z, self._lowest = z.copy(), value
            return value, gradient

        if self._is_by_target:
            targets = TargetDescent(fun, self.objective, self._splitting.splitting)
            weight = self._prepared.shrinkage
            return targets.minimum(z0, self._likelihood, weight, self._prepared.run)
        return lowest_visited(fun, z0, self._splitting.bounds, self._prepared)

    @property
    def _is_by_target(self):
        """Whether every target has a loss and entries of its own, and the optimizer is free."""
        known = self._data.layout.by_target and self.objective.knows_targets
        return known and self._own.all() and self._options.optimizer is None

    def _polished(self, z):
        loss, bounds = self._data.loss, self._splitting.level_bounds
        if loss is None or loss.likelihood != LINEAR or bounds is None or self.evidence is not None:
            return self._splitting.theta(z)
        z, bounds = z.copy(), np.array(bounds)
        # With deviations that were learned on the same rows, splits ask for too weak a level: it is
        # not weaker than that of the best value for all. Measured with the evidence of two classes,
        # before its level was left alone: the worst ratio to one tuned value fell from 2.10 to
        # 1.02.
        if self._regularizes:
            bounds[int(self._regularizes < 0)] = self._common_level
            z[0] = np.clip(z[0], *bounds)
        theta, shifts = self._splitting.theta(z), bounds - z[0]
        return shifted(self.cv_objective(), theta, self._own, shifts, self._prepared.run)

    def pooled(self, h, message):
        """The Found of hyperparameters with one value for all entries of the vector."""
        theta = self.objective.space.to_theta(h)
        own = [EndStatus.POOLED] * np.count_nonzero(self._own)
        end_statuses = self._with_others(theta, own, converged=True)
        return Found(self.objective.record(theta), end_statuses, message)

    def cv_objective(self):
        """The objective of the vector on the user's cv, with the loss of the asked score."""
        if self._cv_objective is None:
            prepared = self._prepared
            models = prepared.models(prepared.cv_data, self._layouts)
            loss = prepared.choice.loss
            self._cv_objective = prepared.objective(models, loss, self._layouts)
            self._cv_objective.tol = FINE
        return self._cv_objective

    def is_apart(self, found):
        """Whether an entry of the vector differs from the others."""
        return bool(np.ptp(found.record.theta[self._own]))

    def gain_over(self, h, found):
        """The Comparison with one value for all, on the splits of the descent, in a list."""
        # If all entries are in the pool, the vector is one value for all.
        if not self.is_apart(found):
            return []
        return [compared(self.objective, h, found, "a value for each over one for all")]

    def cv_loss(self, h):
        """The loss of hyperparameters on the user's cv."""
        return self.cv_objective().compared(h).value

    def cv_records(self):
        """Evaluations of the vector on the user's cv."""
        return [] if self._cv_objective is None else self._cv_objective.records

    def _value_and_gradient(self, z):
        record = self.objective.record(self._splitting.theta(z))
        usable = record.usable if self._solvable else np.isfinite(record.value)
        if not usable:
            return np.inf, np.zeros_like(z)
        value, gradient = self._nats(record)
        penalty = self._splitting.penalty(z)
        return value + penalty, self._splitting.pullback(gradient, z)

    def _nats(self, record):
        """``(value, gradient in theta)`` of what is minimised, without the penalty."""
        if self.evidence is not None:
            return self.objective.nats(record)
        value, slope = self._likelihood(record.value)
        return value, slope * record.gradient

    def _likelihood_scale(self, first):
        """The function from losses to minus log likelihoods, calibrated at the start."""
        loss, prepared = self._data.loss or SQUARED_ERROR, self._prepared
        samples = functools.partial(self._samples, first.h)
        return loss.likelihood_scale(prepared.total_weight, prepared.n_outputs, samples)

    def _samples(self, h):
        """Losses and weights of held-out rows on the splits of the descent."""
        parts = self.objective.of_solutions("samples", h, lambda term, fitted: term.samples(fitted))
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def split_by(self, penalty, weight=1.0):
        """The coordinates of theta with a penalty on deviations of the vector.

        Parameters
        ----------
        penalty : callable
            ``penalty(x, weight)``.
        weight : float, default=1.0
            Relative to ``shrinkage``.
        """
        bounds, shrinkage = self.objective.space.bounds, weight * self._prepared.shrinkage
        if shrinkage == 0:
            splitting = Unsplit(bounds[self._own])
        else:
            size, own = np.count_nonzero(self._own), functools.partial(penalty, weight=shrinkage)
            splitting = LevelAndDeviations(size, self._level_bounds(), own)
        return Beside(splitting, self._own, bounds)

    def _level_bounds(self):
        """Bounds of the level in theta: where one value may go."""
        dimension, continuous = self._dimension, self._prepared.vector.continuous
        low = dimension.low if continuous.low is None else continuous.low
        high = dimension.high if continuous.high is None else continuous.high
        known = self._prepared.hyperparameter(self._prepared.vector).level
        if known is not None and continuous.low is continuous.high is None:
            low = high = known
        return tuple(float(dimension.transform.to_theta(end)) for end in (low, high))


def lowest_visited(fun, z0, bounds, prepared):
    """``(value, Minimum)`` of the lowest point that the optimizer of a search has visited.

    Parameters
    ----------
    fun : callable
        ``fun(z) -> (value, gradient)``, in nats.
    z0 : ndarray
    bounds : ndarray of shape (size, 2)
    prepared : PreparedCandidate
    """
    best_z, best = z0, np.inf

    def watched(z):
        nonlocal best_z, best
        value, gradient = fun(z)
        if value < best:
            best_z, best = z.copy(), value
        return value, gradient

    optimizer = prepared.options.optimizer or LBFGS()
    minimum = optimizer.minimize(watched, z0, bounds, **prepared.run, likelihood=True)
    return best, dataclasses.replace(minimum, z=best_z)


def entry_statuses(deviations, gradient, converged, regularizes, *, most):
    """An EndStatus for every entry of a vector.

    Parameters
    ----------
    deviations : ndarray or None
        Deviations from the common level, in theta; zero for entries of the pool. None if there is
        no level.
    gradient : ndarray
        Gradient of the validation loss, in nats.
    converged : bool
    regularizes : {1, -1, 0}
        1 if larger values regularise more. Below the pool means less regularised; for values that
        are no penalties (0), smaller.
    most : float
        Largest deviation: a penalty that far above the pool drops its feature, one that far below
        leaves it unpenalised. A factor in a kernel drops its feature that far below.

    Returns
    -------
    list of EndStatus
    """
    if not converged:
        return [EndStatus.NOT_CONVERGED] * len(gradient)
    if deviations is None:
        return [EndStatus.INTERIOR] * len(gradient)
    strength, penalises = (regularizes or 1) * deviations, regularizes != 0
    conditions = [
        (np.abs(gradient) <= UNNOTICED) & (strength == 0),
        strength == 0,
        strength >= most if penalises else strength <= -most,
        (strength <= -most) & penalises,
        strength > 0,
    ]
    names = [
        EndStatus.FLAT,
        EndStatus.POOLED,
        EndStatus.DROPPED,
        EndStatus.UNPENALISED,
        EndStatus.ABOVE_POOL,
    ]
    chosen = np.select(conditions, range(len(names)), default=-1)
    return [names[index] if index >= 0 else EndStatus.BELOW_POOL for index in chosen]
