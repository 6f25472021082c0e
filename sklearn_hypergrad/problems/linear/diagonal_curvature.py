"""Preconditioners of linear models whose Hessians are too large to factorise."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg.systems import ratio

# Least share of a sum of squares that is left of it about the mean. Chosen by hand: rounding leaves
# about 1e-16 of a constant feature, and may be negative.
LEAST = 1e-10


# Derivation. With a = sum(D), the weighted means m of the features and their squares c about these
# means, the Hessian is that of centred features next to an intercept: eliminating the latter takes
#     (Z'Z + R) u = f - m g    and    v = g / a - m'u,
# with Z'Z = X'DX - a m m', whose diagonal is c. Rows of counts or of words have large means, and
# so X'DX has a large eigenvalue that Z'Z has not.
#     R + c suits Z'Z + R where there are more rows than features. Where there are fewer, Z w = 0 in
# most directions, and there the Hessian is R. Both are met half way by the geometric mean of R and
# c. Measured on reviews: R + c takes 1.0 to 2.3 times as many iterations of conjugate gradients, R
# with the mean of c as many on words, but twice as many where columns have units of their own.
# With more rows than features it is the mean that takes more: on words 1.1 times as many with 1.1
# times as many rows, 1.3 to 2.6 times with 4 times as many, at weak penalties.
@dataclasses.dataclass(frozen=True)
class CurvatureDiagonal:
    """The diagonal of ``X' D X`` about the means of the features, and these means.

    Attributes
    ----------
    squares, mean : ndarray of shape (n_weights, n_splits, n_outputs)
        Of an intercept the sum of D, and zero. Without an intercept all means are zero.
    reference : ndarray of shape (n_samples, n_splits, n_outputs)
        D of all splits.
    """

    squares: np.ndarray
    mean: np.ndarray
    reference: np.ndarray

    @classmethod
    def of(cls, design, weights):
        """The CurvatureDiagonal of a Design for curvatures D, shaped like ``reference``."""
        squares = design.squares(weights)
        if not design.fit_intercept:
            return cls(squares, np.zeros_like(squares), weights)
        sums = design.pull(weights)
        mean = ratio(sums, sums[-1])
        mean[-1] = 0
        return cls(np.maximum(squares - sums * mean, LEAST * squares), mean, weights)

    def factor(self, ridge):
        """An approximate inverse of ``X' D X + diag(ridge)``; ridge is (n_weights, n_outputs)."""
        ridge, data = ridge[:, None, :], self.squares
        if len(self.reference) <= len(data):
            data = np.where(ridge > 0, np.sqrt(ridge * data), data)
        return _Inverse(ridge + data, self.mean)


class _Inverse:
    def __init__(self, diagonal, mean):
        # A zero feature without a penalty has a zero diagonal, which is not inverted.
        self._inverse = np.divide(1, diagonal, where=diagonal > 0, out=np.ones_like(diagonal))
        self._mean = mean

    def solve(self, right):
        solved = self._inverse * (right - self._mean * right[-1])
        solved[-1] -= np.einsum("jsk,jsk->sk", self._mean, solved)
        return solved
