"""Penalties and degrees of freedom of a vector on rows in parts."""

import dataclasses
from typing import Any

from sklearn_hypergrad.problems import InnerSolution, Status, effective_dof
from sklearn_hypergrad.search.results.effective_model import EffectiveModel, of_entries
from sklearn_hypergrad.search.results.effective_model import effective_model as exact


@dataclasses.dataclass(frozen=True)
class RowsDescribe:
    """Describes points of a search for a vector: ``describe(point)`` is an EffectiveModel.

    Iterated models take no more passes for it: degrees of freedom are those of the sample, scaled
    up.

    Attributes
    ----------
    layout : Layout
    prepared : PreparedRows
    """

    layout: Any
    prepared: Any

    def __call__(self, point):
        prepared, layouts = self.prepared, {self.prepared.vector.leaf: self.layout}
        if prepared.closed_form:
            return exact(prepared, self.layout, point)
        (model,) = prepared.models(prepared.cv_data, layouts)
        return self._of_sample(model.problem, prepared.weights_at(point, layouts), point)

    def _of_sample(self, problem, w, point) -> EffectiveModel:
        solve = problem.approximate_inverse(w, point)
        own = OfAllRows(problem)
        last = w[:, -1:]
        solution = InnerSolution(last, own.inverse(solve, w), Status.CONVERGED, 0)
        strength = problem.penalty.strength(point)
        dof = effective_dof(own, solution, strength)
        return of_entries(self.layout, self.prepared.everything, strength, dof, point)


class OfAllRows:
    """The last split of a RowsLinear, which trains on all rows.

    Parameters
    ----------
    problem : RowsLinear
    """

    def __init__(self, problem):
        self._problem = problem

    def penalised(self, w):
        """The penalised weights, of shape (n_features, n_outputs)."""
        return self._problem.penalised(w)

    def inverse_of_any(self, inverse_hvp, strength):
        """As that of a LinearProblem."""
        return self._problem.inverse_of_any(inverse_hvp, strength)

    def inverse(self, solve, w):
        """``(v, start) -> (H^-1 v, Status)`` from the solver of all splits."""

        def inverse_hvp(v, start):
            spread = v.repeat(w.shape[1], axis=1)
            return solve(spread)[:, -1:], Status.CONVERGED

        return inverse_hvp
