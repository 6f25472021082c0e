"""Minimisation in any number of dimensions by SciPy's L-BFGS-B."""

import numpy as np
from scipy.optimize import minimize

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer

# The message where a line search finds nothing lower, as at a kink.
NOTHING_LOWER = "the line search finds no lower value"
# SciPy's reasons, in words.
MESSAGES = {
    "ABNORMAL": NOTHING_LOWER,
    "PROJECTED GRADIENT": "converged: the gradient vanishes",
    "REDUCTION OF F": "converged: a step gains next to nothing",
}

BLOCKED = (
    "{} steps were taken back and halved, because the loss or its gradient is not finite there. "
    "Give the hyperparameters narrower bounds, or start from other values."
)

# Relative decrease that ends a run, in units of tol^2; the reason is given where it is used.
FTOL = 1e-3


class LBFGS(Optimizer):
    """L-BFGS-B with bounds (Byrd, Lu, Nocedal, Zhu 1995), as SciPy implements it.

    Values are divided by the value at the start, so that ``tol`` means the same for every loss: a
    slope of ``tol / 1000``, or a relative decrease of ``tol^2 / 1000``, ends the run. Log
    likelihoods are not divided: a slope of ``30 tol`` nats, or a relative decrease of
    ``tol / 100``, ends the run.

    Parameters
    ----------
    memory : int, default=20
        Number of past steps that approximate the Hessian. It is larger than SciPy's 10, because
        evaluations are expensive here and vectors short.
    """

    def __init__(self, memory: int = 20):
        self.memory = memory

    def __repr__(self):
        return f"LBFGS(memory={self.memory})"

    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False):
        bounds = np.array(bounds, dtype=float)
        descent = Descent(fun, np.clip(z0, *bounds.T), bounds, likelihood=likelihood)
        if not np.isfinite(descent.value):
            return Minimum(descent.z, False, "the validation loss is not finite at the start")
        # Validation losses are flat: a relative curvature of 1e-3 is not unusual, and an error of
        # tol in z then leaves a slope of 1e-3 tol and a decrease of 1e-3 tol^2. For vectors in
        # nats, 3e-2 and 1e-5 at the default tol were measured: about 12 evaluations, where tight
        # tolerances take 15 to 20.
        gtol, ftol = (30 * tol, 1e-2 * tol) if likelihood else (1e-3 * tol, FTOL * tol**2)
        return descent.run(max_iter, {"maxcor": self.memory, "gtol": gtol, "ftol": ftol})


class Blocked(Exception):  # noqa: N818
    """Raised inside SciPy at a point whose value or gradient is not finite."""


class Descent:
    """One run, from ``z`` within ``bounds``; ``z`` becomes the best point so far.

    SciPy's line search cannot go on from a value that is not finite, and takes it for the end. So
    the run begins anew at the best point, with a bound halfway to where it must not go.
    """

    def __init__(self, fun, z, bounds, *, likelihood):
        self._fun, self._bounds, self._box = fun, bounds, bounds.copy()
        self._n_steps = self._n_blocked = 0
        self.z = z
        self.value, self._gradient = fun(z)
        self._scale = 1.0 if likelihood else abs(self.value) or 1.0

    def run(self, max_iter, options):
        """Descend in at most ``max_iter`` steps, of which blocked ones count; returns a Minimum."""
        before = self.value
        while (left := max_iter - self._n_steps - self._n_blocked) > 0:
            try:
                result = minimize(
                    self._scaled,
                    self.z,
                    jac=True,
                    bounds=self._box,
                    method="L-BFGS-B",
                    callback=self._count,
                    options={**options, "maxiter": left},
                )
            except Blocked as blocked:
                self._hold(*blocked.args)
                continue
            if self._held(result.x) and self.value < before:
                # From here other steps may be free.
                self._box, before = self._bounds.copy(), self.value
                continue
            # Older versions of SciPy put underscores between the words.
            message = str(result.message).replace("_", " ")
            told = next((words for key, words in MESSAGES.items() if key in message), message)
            return self._minimum(result.x, result.status == 0, told)
        return self._minimum(self.z, False, f"stopped after max_iter={max_iter} iterations")

    def _scaled(self, z):
        if not np.array_equal(z, self.z):
            value, gradient = self._fun(z)
            if not np.isfinite([value, *gradient]).all():
                raise Blocked(z.copy())
            if value > self.value:
                return value / self._scale, gradient / self._scale
            self.z, self.value, self._gradient = z.copy(), value, gradient
        return self.value / self._scale, self._gradient / self._scale

    def _count(self, _):
        self._n_steps += 1

    def _hold(self, beyond):
        """Bound the box halfway to a point that must not be reached."""
        halfway, (low, high) = 0.5 * (self.z + beyond), self._box.T
        self._n_blocked += 1
        self._box[:, 0] = np.where(beyond < self.z, halfway, low)
        self._box[:, 1] = np.where(beyond > self.z, halfway, high)

    def _held(self, z):
        """Whether a bound that a blocked step has set holds ``z``."""
        return bool(np.any((self._box != self._bounds) & (self._box == z[:, None])))

    def _minimum(self, z, converged, message):
        warning = BLOCKED.format(self._n_blocked) if self._n_blocked else ""
        return Minimum(z, converged and not self._held(z), message, warning)
