"""Minimisation in any number of dimensions by SciPy's L-BFGS-B."""

from scipy.optimize import minimize

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer

# SciPy's reasons, in words.
MESSAGES = {
    "PROJECTED GRADIENT": "converged: the gradient vanishes",
    "REDUCTION OF F": "converged: a step gains next to nothing",
}

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

    def __init__(self, memory=20):
        self.memory = memory

    def __repr__(self):
        return f"LBFGS(memory={self.memory})"

    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False):
        scale = 1.0 if likelihood else abs(fun(z0)[0]) or 1.0
        # Validation losses are flat: a relative curvature of 1e-3 is not unusual, and an error of
        # tol in z then leaves a slope of 1e-3 tol and a decrease of 1e-3 tol^2. For vectors in
        # nats, 3e-2 and 1e-5 at the default tol were measured: about 12 evaluations, where tight
        # tolerances take 15 to 20.
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
