"""One dimension: the root of the derivative inside a bracket."""

import numpy as np
from scipy.optimize import root_scalar

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer


class Brent(Optimizer):
    """Root of the derivative by Brent's method: superlinear, and never leaves its bracket.

    The bounds must bracket a minimum: negative derivative at the lower, positive at the upper. A
    derivative that jumps from negative to positive (a kink, as those of the absolute error) is
    found like a root.
    """

    def minimize(self, fun, z0, bounds, *, tol, max_iter):
        low, high = bounds[0]
        ends = [(z, *fun(np.array([z]))) for z in (low, high)]
        if not ends[0][2][0] < 0 < ends[1][2][0]:
            z, _, _ = min(ends, key=lambda end: end[1])
            return Minimum(np.array([z]), True, "the better end of a bracket without a root")
        root = root_scalar(
            lambda z: fun(np.array([z]))[1][0],
            bracket=(low, high),
            method="brentq",
            xtol=tol,
            maxiter=max_iter,
        )
        return Minimum(np.array([root.root]), root.converged, f"root of the derivative: {root.flag}")
