"""Preconditioners of linear models with fewer rows than weights, in the space of the rows."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg import factor, solve_factored
from sklearn_hypergrad.problems.linear.row_kernels import TrainingRows

# Largest diagonal entry of ``Z R^-1 Z'`` that is used. Chosen by hand: one has about as many digits
# less in the result, of which a preconditioner needs few.
LARGEST = 1e10


# Derivation. Let R be the positive ridge of the features, d = sum(D), and m = X'D 1 / d the mean of
# the features with the weights D. Eliminating the intercept v from
#     (X'DX + R) u + d m v = a,    d m'u + d v = b
# leaves (Z'Z + R) u = a - m b with Z = D^1/2 (X - 1 m'), and v = b / d - m'u. By Woodbury's formula
#     (R + Z'Z)^-1 = R^-1 - R^-1 Z' (I + Z R^-1 Z')^-1 Z R^-1,
# whose matrices have the size of the rows. Without an intercept m is zero.
class RowInverse:
    """Inverse of ``X' D X + diag(ridge)`` for every split and output.

    Parameters
    ----------
    design : Design
    weights : ndarray of shape (n_samples, n_splits, n_outputs)
        D.
    ridge : ndarray of shape (n_weights, n_outputs)
        Positive but for the intercept.
    """

    def __init__(self, design, weights, ridge):
        self._design, self._inverse = design, 1 / ridge[: design.n_features, None]
        self._sums, self._parts = weights.sum(axis=0), []
        self.largest = 0.0
        for output, strength in enumerate(ridge[: design.n_features].T):
            rows = TrainingRows(weights[:, :, output], fit_intercept=design.fit_intercept)
            kernels = design.kernels(1 / strength, rows.numbers)
            factors = []
            for split, kernel in enumerate(kernels):
                kernel = rows.kernel(split, kernel)
                self.largest = max(self.largest, kernel.diagonal().max(initial=0.0))
                factors.append(factor(kernel, 1.0))
            self._parts.append((rows, factors))

    def solve(self, right):
        """Apply the inverse to ``right`` of shape (n_weights, n_splits, n_outputs)."""
        design, intercept = self._design, self._design.fit_intercept
        average = np.stack([rows.average for rows, _ in self._parts], axis=2)
        scaled = right.copy()
        if intercept:
            scaled[:-1] -= design.pull(average * right[-1])[:-1]
            scaled[-1] = 0
        scaled[: design.n_features] *= self._inverse
        solved = design.pull(self._of_rows(design.product(scaled)))
        scaled[: design.n_features] -= self._inverse * solved[: design.n_features]
        if intercept:
            means = np.einsum("isk,isk->sk", average, design.product(scaled))
            scaled[-1] = right[-1] / self._sums - means
        return scaled

    def _of_rows(self, z):
        """``D^1/2 (I + Z R^-1 Z')^-1 D^1/2`` of centred ``z``, centred again."""
        out = np.zeros_like(z)
        for output, (rows, factors) in enumerate(self._parts):
            for split, (numbers, own) in enumerate(zip(rows.numbers, factors, strict=True)):
                root, average = rows.root[numbers, split], rows.average[numbers, split]
                right = z[numbers, split, output]
                found = root * solve_factored(own, root * (right - average @ right))
                out[numbers, split, output] = found - average * found.sum()
        return out


@dataclasses.dataclass(frozen=True)
class RowCurvature:
    """``X' D X`` by its rows, for any ridge that is not close to zero.

    Attributes
    ----------
    design : Design
    reference : ndarray of shape (n_samples, n_splits, n_outputs)
        D of all splits.
    otherwise : callable
        ``otherwise()``: the curvature by features, for other ridges.
    """

    design: object
    reference: np.ndarray
    otherwise: object

    def factor(self, ridge):
        """Inverse of ``X' D X + diag(ridge)``; ridge has shape (n_weights, n_outputs)."""
        if np.all(ridge[: self.design.n_features] > 0):
            inverse = RowInverse(self.design, self.reference, ridge)
            if inverse.largest <= LARGEST:
                return inverse
        return self.otherwise().factor(ridge)
