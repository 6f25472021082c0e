"""Descent of a vector whose entries belong to targets, each of which has a loss of its own."""

import numpy as np

from sklearn_hypergrad.optimizers import Minimum
from sklearn_hypergrad.optimizers.block_newton import BlockNewton

# What a target may leave, in nats per ``tol``: with the usual tol a hundredth of what an entry pays
# for a deviation of one. Measured on 1,000 targets of four groups: with a tenth of it 12 % more
# systems are solved, and r2 on new rows differs by 1e-4.
LEFT = 10.0
CONVERGED = "converged: no target has more than 10 tol nats to gain"


class TargetDescent:
    """The losses of all targets as functions of a common level and the deviations from it.

    Parameters
    ----------
    fun : callable
        ``fun(z) -> (value, gradient)`` of all targets together, in nats.
    objective : Objective
        It ``knows_targets``, and has one hyperparameter of shape (n_targets, n_entries).
    splitting : LevelAndDeviations or Unsplit
    """

    def __init__(self, fun, objective, splitting):
        self._fun, self._objective, self._splitting = fun, objective, splitting
        (dimension,) = objective.space.dimensions
        self._shape = dimension.shape

    def minimum(self, z0, scale, weight, run):
        """``(value, Minimum)`` of a descent.

        Parameters
        ----------
        z0 : ndarray
        scale : callable
            ``scale(loss) -> (value, slope)``, in nats.
        weight : float
            Of the L1 penalty on deviations.
        run : dict
            ``tol`` and ``max_iter``.
        """
        level, deviations = self._splitting.parts(z0)
        bounds = self._splitting.bounds_of_deviations.reshape(2, *self._shape)
        newton = BlockNewton(
            self._evaluate,
            self._curvature,
            scale,
            weight=weight,
            bounds=bounds,
            level_bounds=self._splitting.level_bounds or (level, level),
        )
        level, deviations, converged = newton.minimize(
            level,
            deviations.reshape(self._shape),
            tol=LEFT * run["tol"],
            max_iter=run["max_iter"],
        )
        z = self._z(level, deviations)
        message = f"stopped after max_iter={run['max_iter']} iterations"
        return self._fun(z)[0], Minimum(z, converged, CONVERGED if converged else message)

    def _z(self, level, deviations):
        return self._splitting.joined(level, deviations.ravel())

    def _evaluate(self, level, deviations):
        z = self._z(level, deviations)
        if not np.isfinite(self._fun(z)[0]):
            return None
        record = self._objective.record(self._splitting.theta(z))
        # The loss is the mean over targets.
        return record.of_targets, len(deviations) * record.gradient.reshape(self._shape)

    def _curvature(self, level, deviations, targets):
        theta = self._splitting.theta(self._z(level, deviations))
        return self._objective.curvature(theta, targets)
