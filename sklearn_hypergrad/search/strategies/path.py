"""The search of one value of a model that predicts for many values at the price of one."""

import numpy as np

from sklearn_hypergrad.optimizers import Cubic
from sklearn_hypergrad.search.candidates.refusals import NowhereFinite
from sklearn_hypergrad.search.results.found import Found, on_bound
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.search.strategies.scalar import ScalarSearch
from sklearn_hypergrad.tuning import FINE, lowest

# Values of the path; between two of them the minimum is polished.
N_VALUES = 100
# Share of the range up to which two places are one: listed values may be places of the path up to
# rounding, with no room for a minimum between them. Chosen by hand, far above rounding.
SAME_PLACE = 1e-9
# Values that are judged by a score without gradient, besides the ends of the range: every other one
# of the best, as scores may be better a little further away.
N_JUDGED = 20


class PathSearch(ScalarSearch):
    """Look at a hundred values, polish the best of them, and judge the best by the asked score.

    Parameters
    ----------
    prepared : PreparedCandidate
    """

    def __init__(self, prepared):
        super().__init__(prepared)
        self.objective.tol = FINE
        (self._dimension,) = self.objective.space.dimensions
        self._thetas = self._places()

    def run(self):
        values, losses = self._path()
        order = np.argsort(losses, kind="stable")
        if not np.isfinite(losses[order[0]]):
            raise NowhereFinite("the validation loss is not finite for any value")
        judged = dict.fromkeys([*order[: 2 * N_JUDGED : 2], 0, len(values) - 1])
        name = self._dimension.name
        best = [{name: float(values[i])} for i in judged if np.isfinite(losses[i])]
        self._found = self._polished(order[0])
        self._select()
        self._compare()
        if self.prepared.judges:
            self.asked.tol = FINE
            self._judge(best)

    def _path(self):
        """``(values, losses)``; the losses are infinite where they are no numbers."""
        values = self._dimension.to_constrained(self._thetas)
        with np.errstate(all="ignore"):
            losses = [term.path_losses(values) for term in self.objective.terms]
        losses = np.mean(np.concatenate(losses, axis=1), axis=1)
        return values, np.where(np.isfinite(losses), losses, np.inf)

    def _places(self):
        """Places in theta, the listed values among them.

        On a linear scale they are closer to each other near the ends, where there may be little
        left of what is shrunk.
        """
        low, high = self._dimension.bounds
        inside = np.linspace(0.0, 1.0, N_VALUES)
        if self._dimension.scale == "linear":
            inside = 0.5 - 0.5 * np.cos(np.pi * inside)
        listed = np.asarray(self.prepared.range.listed, dtype=float)
        thetas = np.append(low + (high - low) * inside, self._dimension.transform.to_theta(listed))
        return np.unique(np.clip(thetas, low, high))

    def _polished(self, best):
        """The Found of the minimum between the neighbours of the best place of the path."""
        objective, thetas = self.objective, self._thetas
        record = objective.record(thetas[best : best + 1])
        ends = self._neighbours(thetas[best])
        optimizer = self.options.optimizer or Cubic()
        minimum = optimizer.minimize(objective, record.theta, ends[None], **self.prepared.run)
        # Where losses have kinks, a point on the way may be lower than the last one.
        record = lowest([record, objective.record(minimum.z), *objective.records])
        message = f"the best of {len(thetas)} values in closed form; {minimum.message}"
        return Found(record, [self._end_status(record.theta[0])], message, minimum.warning)

    def _neighbours(self, theta):
        """The next places below and above one, or the ends of the range."""
        low, high = self._dimension.bounds
        least = SAME_PLACE * (high - low)
        below, above = self._thetas < theta - least, self._thetas > theta + least
        ends = self._thetas[below].max(initial=low), self._thetas[above].min(initial=high)
        return np.array(ends)

    def _end_status(self, theta):
        span = self.prepared.range
        closed = self.prepared.hyperparameter(span).closed
        limit = EndStatus.END_OF_RANGE if closed else EndStatus.LIMIT
        found = on_bound(theta, self._dimension, span.continuous, limit)
        return EndStatus.INTERIOR if found is None else found
