"""A Neumann series of few terms for online methods, in little memory."""

import numpy as np

from sklearn_hypergrad.linalg import Solved, SolveStatus, curvature_bound

# Number of terms. Chosen by hand: each costs a product with the Hessian at every outer step, and
# ten terms invert directions down to about a tenth of the largest curvature.
N_TERMS = 10
# Number of solves after which the scale is estimated anew. Chosen by hand: the estimate costs 30
# products, so three per solve.
EVERY = 10
# Number of entries that are updated at a time. Chosen by hand: temporary arrays of 256 KiB stay in
# the cache, and use no memory of the size of the weights.
PIECE = 2**15


class Series:
    """The sum of the first terms of ``H^-1 right = scale * sum_j (I - scale H)^j right``.

    See Lorraine, Vicol, Duvenaud (2020), algorithm 3. Unlike Neumann it serves one training, whose
    Hessian changes slowly: the scale is the inverse of the largest curvature, and the 30 products
    that estimate it serve several solves. Besides ``right`` it uses two arrays of its size.
    """

    def __init__(self):
        self._n_solves, self._scale = 0, None

    def prepare(self, hvp, like):
        """Estimate the scale, at every tenth call."""
        if self._n_solves % EVERY == 0:
            bound = curvature_bound(hvp, like).item()
            # If H is zero, any scale will do.
            self._scale = 1 / bound if bound > 0 else 1.0
        self._n_solves += 1

    # The sum x of the first terms has the residual right - H x, which is the next term up to the
    # scale. So the series is descent on 1/2 x H x - right x with steps of this length.
    def solve(self, hvp, right):
        """The sum, as Solved; it ends early if terms grow, as with negative curvature of H."""
        x = self._scale * right
        whole = smallest = float(np.vdot(right, right))
        rounding = whole * float(np.sqrt(np.finfo(right.dtype).eps))
        for n_iter in range(1, N_TERMS):
            product = hvp(x)
            size = whole - 2 * float(np.vdot(right, product)) + float(np.vdot(product, product))
            if not size <= smallest + rounding:
                return Solved(x, n_iter, _residual(size, whole), SolveStatus.DIVERGED)
            smallest = size
            for first in range(0, x.size, PIECE):
                part = slice(first, first + PIECE)
                x[part] += self._scale * (right[part] - product[part])
            # Release its memory before the next product.
            del product
        # The residual of the last but one term: that of the last takes one more product.
        return Solved(x, N_TERMS - 1, _residual(size, whole))


def _residual(size, whole):
    """Norm of the residual relative to that of the right side, from their squares."""
    return float(np.sqrt(max(size, 0.0) / whole)) if whole > 0 else 0.0
