"""One descent of an objective of several values, from a point of a scan."""

import numpy as np

from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.optimizers.base import Minimum
from sklearn_hypergrad.optimizers.lbfgs import FTOL, NOTHING_LOWER
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.strategies.joint import end_statuses_of
from sklearn_hypergrad.tuning import lowest

ARRIVED = "converged: steps gain next to nothing"


class Arrived(Exception):  # noqa: N818
    """Raised inside an optimizer after steps that have gained next to nothing."""


class Descent:
    """Descents with the same settings.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
    settings : ScanSettings
    """

    def __init__(self, prepared, objective, settings):
        self._prepared, self._objective, self._settings = prepared, objective, settings

    # L-BFGS-B compares decreases with the value, and its first step is the gradient: losses are
    # shifted to 1 and scaled to the slope of this step.
    def run(self, start):
        """Descend from a Record; the Found is the lowest exact evaluation so far."""
        objective, options = self._objective, self._prepared.run
        slope = (float(np.linalg.norm(start.gradient)) or 1.0) / self._settings.first_step
        optimizer, patience = self._prepared.options.optimizer, np.inf
        if optimizer is None:
            optimizer, tol = self._usual_optimizer(self._level(start) / slope)
            patience = self._settings.patience if isinstance(optimizer, LBFGS) else np.inf
            options = options | {"tol": tol}
        best, n_idle, least_gain = start, 0, FTOL * options["tol"] ** 2 * slope

        def scaled(theta):
            nonlocal best, n_idle
            if n_idle >= patience:
                raise Arrived
            record = objective.record(theta)
            n_idle = 0 if record is start or record.value < best.value - least_gain else n_idle + 1
            best = lowest([best, record])
            return 1 + (record.value - start.value) / slope, record.gradient / slope

        try:
            minimum = optimizer.minimize(scaled, start.theta, objective.space.bounds, **options)
        except Arrived:
            minimum = Minimum(best.theta, True, ARRIVED)
        inside = [r for r in objective.records if objective.space.contains(r.theta)]
        inside = [r for r in inside if np.isfinite(r.gradient).all()]
        record = lowest([objective.record(minimum.z), *inside])
        # At a kink a line search ends like this, and looks begin descents at kinks.
        at_kink = self._settings.kinks and minimum.message == NOTHING_LOWER
        converged = minimum.converged or at_kink
        return self.found_at(record, converged, minimum.message, minimum.warning)

    def found_at(self, record, converged, message, warning=""):
        """The Found of a search that ends at a Record."""
        space = self._objective.space
        statuses = end_statuses_of(record.theta, space, self._prepared, converged)
        return Found(record, statuses, message, warning)

    def _level(self, start):
        """What a gain is measured by: the loss at the start of a descent, in size."""
        if self._prepared.choice.exact or not self._settings.floor:
            return abs(start.value)
        known = [abs(r.value) for r in self._objective.records if np.isfinite(r.value)]
        return max(abs(start.value), self._settings.floor * max(known))

    def _usual_optimizer(self, level):
        """``(optimizer, its tol)``, for a loss that is of this level once it is scaled."""
        tol, choice = self._prepared.options.tol, self._prepared.choice
        if not choice.loss.smooth:
            return Adam(), tol
        # Of a loss that is shifted to 1 L-BFGS-B takes the decrease as it is.
        return LBFGS(), tol * np.sqrt(self._settings.gains[choice.exact] * level / FTOL)
