"""Any number of dimensions: SciPy's L-BFGS-B as it is."""

from scipy.optimize import minimize

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer

# SciPy's reasons, in words.
MESSAGES = {
    "PROJECTED GRADIENT": "converged: the gradient vanishes",
    "REDUCTION OF F": "converged: a step gains next to nothing",
}

# Relative decrease that ends a run, in units of tol^2.
FTOL = 1e-3


class LBFGS(Optimizer):
    """L-BFGS-B with bounds.

    Values are divided by the one at the start, so that ``tol`` means the same for every loss. Log
    likelihoods stay as they are: a slope of ``30 tol``, or a relative decrease of ``tol / 100``,
    ends the run.

    Parameters
    ----------
    memory : int, default=20
        Number of past steps that shape the curvature; evaluations are expensive here and vectors
        short, so more than SciPy's 10.
    """

    def __init__(self, memory=20):
        self.memory = memory

    def __repr__(self):
        return f"LBFGS(memory={self.memory})"

    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False):
        scale = 1.0 if likelihood else abs(fun(z0)[0]) or 1.0
        # Validation losses are flat: a relative curvature of 1e-3 is not unusual.
        gtol, ftol = (30 * tol, 1e-2 * tol) if likelihood else (1e-3 * tol, FTOL * tol**2)

        def scaled(z):
            value, gradient = fun(z)
            return value / scale, gradient / scale

        result = minimize(
            scaled,
            z0,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"maxcor": self.memory, "maxiter": max_iter, "gtol": gtol, "ftol": ftol},
        )
        # Older versions of SciPy put underscores between the words.
        message = str(result.message).replace("_", " ")
        told = (words for key, words in MESSAGES.items() if key in message)
        return Minimum(result.x, result.status == 0, next(told, message))
