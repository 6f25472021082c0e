"""Any number of dimensions: SciPy's L-BFGS-B as it is."""

from scipy.optimize import minimize

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer


class LBFGS(Optimizer):
    """L-BFGS-B with bounds.

    Values are divided by the one at the start, so that ``tol`` means the same for every loss.

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

    def minimize(self, fun, z0, bounds, *, tol, max_iter):
        scale = abs(fun(z0)[0]) or 1.0

        def scaled(z):
            value, gradient = fun(z)
            return value / scale, gradient / scale

        result = minimize(
            scaled,
            z0,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            # Validation losses are flat: a relative curvature of 1e-3 is not unusual.
            options={
                "maxcor": self.memory,
                "maxiter": max_iter,
                "gtol": 1e-3 * tol,
                "ftol": 1e-3 * tol**2,
            },
        )
        return Minimum(result.x, result.status == 0, str(result.message))
