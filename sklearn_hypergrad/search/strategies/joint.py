"""The strategy for networks and own models: several hyperparameters, from the own values."""

import dataclasses

import numpy as np

from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.problems import VALIDATION_LOSSES, Status
from sklearn_hypergrad.problems.outer.validation_loss import NUMBERS
from sklearn_hypergrad.search.candidates.refusals import (
    CannotSearch,
    NowhereFinite,
    UnsupportedRange,
)
from sklearn_hypergrad.search.results.candidate_result import (
    SearchedResult,
    compared,
    distinct,
    same_point,
    same_settings,
)
from sklearn_hypergrad.search.results.found import Found, end_statuses_of
from sklearn_hypergrad.search.strategies.base import Strategy
from sklearn_hypergrad.search.strategies.judging import N_JUDGED, Judge
from sklearn_hypergrad.search.strategies.listed import best_listed, listed_points
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected
from sklearn_hypergrad.search.strategies.own_values import own_values_setup
from sklearn_hypergrad.tuning import descend


class JointSearch(Strategy):
    """Descend from the estimator's own values, or the best listed ones.

    Parameters
    ----------
    prepared : PreparedCandidate
    """

    def __init__(self, prepared):
        self.prepared, self.options = prepared, prepared.options
        self.setup = own_values_setup(prepared)
        self.objective = self.setup.objective
        self._direction = directions_of(prepared, self.objective.space)
        if self.options.selection != "best":
            check_selection(self.objective, self._direction)
        space = self.objective.space
        self._start = {d.name: d.starts.reshape(d.shape) for d in space.dimensions}
        self._trained = self.objective.terms[0].trained
        self._found, self._judged, self._comparisons, self._remarks = None, [], [], []

    def run(self):
        self._found = self._descended()
        if self.options.selection != "best":
            self._found = selected(self.objective, self._found, self._direction, self.options.tol)
        if self.options.selection == "best" and not self.setup.choice.exact:
            self._judge()
        # If values are noisy or training goes on between them, they cannot be compared.
        if not self.objective.noisy:
            what = "the point found over the start"
            self._comparisons = [compared(self.objective, self._start, self._found, what)]

    def _descended(self):
        objective, options, ranges = self.objective, self.options, self.prepared.ranges
        optimizer = options.optimizer or self._usual_optimizer()
        budget = optimizer.n_evaluations(options.max_iter)
        if budget is not None:
            # Listed values, the start and the end (2) are evaluated in addition.
            at_most = budget + sum(len(span.listed) for span in ranges) + 2
            objective.stage = dataclasses.replace(objective.stage, at_most=at_most)
        self._start = best_listed(objective, self._start, ranges)
        theta = objective.space.to_theta(self._start)
        self._begin(theta)
        end = descend(objective, optimizer, theta, **self.prepared.run)
        return self._found_at(end.record, end.converged, end.message, end.warning)

    def _judge(self):
        """Points that are rows because the asked score has no gradient."""
        ranges, records = self.prepared.ranges, self.objective.records
        visited = sorted((r for r in records if np.isfinite(r.value)), key=lambda r: r.value)
        visited = [record.h for record in visited[:N_JUDGED]]
        judge = Judge(self.prepared, self.setup.asked())
        self._judged = judge.rows(listed_points(ranges), visited, only_visited=self._trained)
        self._judged += [] if self._trained else self._own_points()
        self._remarks = judge.remarks

    def _own_points(self):
        """The estimator's own values, in a list; empty if they are not within the bounds."""
        own = {each.dimension.name: each.before for each in self.setup.searched}
        within = all(
            np.all((own[d.name] >= d.low) & (own[d.name] <= d.high))
            for d in self.objective.space.dimensions
        )
        return [own] if within else []

    def _usual_optimizer(self):
        """Adam for training runs and for losses with kinks, which mislead line searches."""
        smooth = self.setup.choice.loss.smooth and self.objective.terms[0].smooth
        return LBFGS() if smooth and not self._trained else Adam()

    def _begin(self, theta):
        """Evaluate the start of the search.

        Raises
        ------
        CannotSearch
            If training cannot begin, or diverges, and there are other settings to enumerate.
        UnsupportedRange
            If training cannot begin, or diverges, and there are no other settings.
        """
        candidate = self.prepared.candidate
        others = candidate.settings or any(span.listed for span in candidate.ranges)
        refused = CannotSearch if others else UnsupportedRange
        try:
            record = self.objective.record(theta)
        except ValueError as error:
            raise refused(str(error)) from error
        name = type(candidate.model).__name__
        if Status.DIVERGED in record.statuses:
            raise refused(
                f"training of {name} diverges where the search starts. Lower its "
                f"learning_rate_init, or standardise the data"
            )
        if not np.isfinite(record.value):
            raise (NowhereFinite if others else UnsupportedRange)(
                f"the validation loss of {name} or its gradient is not finite where the search "
                f"starts: training may be chaotic, which smaller learning rates and fewer steps "
                f"prevent, or the score not be defined for its predictions"
            )

    def _found_at(self, record, converged, message, warning=""):
        end_statuses = end_statuses_of(record.theta, self.objective.space, self.prepared, converged)
        return Found(record, end_statuses, message, warning)

    def result(self, stopped=None):
        setup, objective, found = self.setup, self.objective, self._found
        if found is None:
            found = self._found_at(objective.best, False, stopped)
        elif stopped is not None:
            found = dataclasses.replace(found, message=stopped)
        rows = [setup.params(point) for point in self._points(found)]
        solved = set(found.record.statuses) == {Status.CONVERGED}
        expected = setup.choice.exact and setup.replays and (self._trained or solved)
        # After an interruption of an online search, the weights also depend on earlier values.
        expected = expected and not (stopped is not None and objective.noisy)
        fixed = self.prepared.candidate.settings
        return SearchedResult(
            self.prepared.candidate,
            [{**fixed, **row} for row in rows],
            objective.records,
            found,
            searched=[_started(each, self._start) for each in setup.searched],
            how=setup.why,
            choice=setup.choice,
            loss_name=setup.choice.loss.name,
            trained=self._trained,
            from_own_values=True,
            expected=found.record.value if expected else None,
            comparisons=self._comparisons,
            remarks=self._remarks,
            start_row=_row_of(setup.params(self._start), rows),
            constant_loss=constant_loss(objective.terms) if self._trained else None,
        )

    def _points(self, found):
        """Points that scikit-learn judges: the point found, the start, and the best other point."""
        space, start = self.objective.space, self._start
        points = [found.record.h]
        if self.options.selection == "best":
            points += [start, *self._judged]
        # Theta and back changes last digits; the row of the start has those of the estimator.
        begin = space.to_h(space.to_theta(start))
        points = [start if same_settings(point, begin) else point for point in points]
        return distinct(points, same_point)


def directions_of(prepared, space):
    """For each entry of theta, 1, -1 or 0: the direction that regularises more (``selected``)."""
    signs = [prepared.hyperparameter(span).regularizes for span in prepared.ranges]
    return np.repeat(signs, [dimension.size for dimension in space.dimensions])


def constant_loss(terms):
    """The validation loss of the mean target, or of classes that are all alike.

    None for a loss of the user, which may take anything.
    """
    losses = []
    for term in terms:
        loss = term.validation_loss
        if loss.name not in VALIDATION_LOSSES:
            return None
        held_out = term.held_out(loss)
        y = term.data.y[held_out.rows]
        z = np.broadcast_to(y.mean(axis=0) if loss.takes == NUMBERS else 0.0, y.shape)
        losses.append(held_out(z)[0])
    return float(np.mean(np.concatenate(losses)))


def _row_of(settings, rows):
    """The number of a row with these settings, or None."""
    same = (number for number, row in enumerate(rows) if same_settings(settings, row))
    return next(same, None)


def _started(searched, start):
    """A hyperparameter with its actual start, which may be a listed value."""
    dimension = dataclasses.replace(searched.dimension, start=start[searched.dimension.name])
    return dataclasses.replace(searched, dimension=dimension)
