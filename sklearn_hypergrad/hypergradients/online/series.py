"""The first terms of a Neumann series, in little memory."""

import numpy as np

from sklearn_hypergrad.linalg import Solved, SolveStatus, curvature_bound

N_TERMS = 10
# Solves after which the scale is found anew.
EVERY = 10
# Numbers that are worked on at a time.
PIECE = 2**15


class Series:
    """Sums of a few terms of ``H^-1 right = scale * sum_j (I - scale H)^j right``.

    Unlike Neumann it serves one training, whose Hessian changes slowly: 30 products that find the
    scale, the inverse of the largest curvature, serve several solves. Beside ``right`` it takes
    two arrays of its size.
    """

    def __init__(self):
        self._n_solves, self._scale = 0, None

    def prepare(self, hvp, like):
        """Find the scale, if it is time to."""
        if self._n_solves % EVERY == 0:
            bound = curvature_bound(hvp, like).item()
            # Where H is zero any scale is as good.
            self._scale = 1 / bound if bound > 0 else 1.0
        self._n_solves += 1

    # The sum x of the first terms has the residual right - H x, which is the next term up to the
    # scale. So the series is descent on 1/2 x H x - right x with steps of this length.
    def solve(self, hvp, right):
        """The sum, as Solved; it ends where terms grow, as they do if H has negative curvature."""
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
            # Not to be there beside the next one.
            del product
        # That of the last but one: another product would tell the last.
        return Solved(x, N_TERMS - 1, _residual(size, whole))


def _residual(size, whole):
    """Norm relative to that of the right side, from squares."""
    return float(np.sqrt(max(size, 0.0) / whole)) if whole > 0 else 0.0
