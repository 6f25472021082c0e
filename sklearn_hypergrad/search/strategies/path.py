"""The search of one value of a model that predicts for many values at the price of one."""

import numpy as np

from sklearn_hypergrad.search.candidates.refusals import CannotSearch
from sklearn_hypergrad.search.results.candidate_result import compared_with_own
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.results.status import ON_BOUND, EndStatus
from sklearn_hypergrad.search.strategies.scalar import ScalarSearch
from sklearn_hypergrad.tuning import FINE

# Values of the path: the loss between two of a hundred is within 1e-4 of theirs where measured.
N_VALUES = 100


class PathSearch(ScalarSearch):
    """Look at a hundred values, evaluate the best of them, and judge it by the asked score.

    Parameters
    ----------
    prepared : PreparedCandidate
    """

    def run(self):
        (dimension,), objective = self.objective.space.dimensions, self.objective
        thetas = self._thetas(dimension)
        values = dimension.to_constrained(thetas)
        losses = np.mean(np.concatenate([t.path_losses(values) for t in objective.terms], 1), 1)
        if not np.isfinite(losses).any():
            raise CannotSearch("the validation loss is not finite for any value")
        objective.tol = FINE
        order = np.argsort(np.where(np.isfinite(losses), losses, np.inf), kind="stable")
        records = [objective.record(np.array([thetas[i]])) for i in order[:1]]
        status = EndStatus.INTERIOR
        for bound, asked in zip(dimension.bounds, self._bounded, strict=True):
            if abs(records[0].theta[0] - bound) <= ON_BOUND:
                status = EndStatus.AT_BOUND if asked else EndStatus.LIMIT
        message = f"the best of {len(thetas)} values in closed form"
        self._found = Found(records[0], [status], message)
        self._comparisons = compared_with_own(self.prepared, objective, self._found)
        if not self.prepared.choice.exact:
            for i in order[1:5]:
                objective.record(np.array([thetas[i]]))
        self._judge()

    @property
    def _bounded(self):
        continuous = self.prepared.range.continuous
        return continuous.low is not None, continuous.high is not None

    def _thetas(self, dimension):
        """Places of the path, the listed values and the estimator's own among them."""
        thetas = np.linspace(*dimension.bounds, N_VALUES)
        listed = np.asarray(self.prepared.range.listed, dtype=float)
        return np.unique(np.concatenate([thetas, dimension.transform.to_theta(listed)]))
