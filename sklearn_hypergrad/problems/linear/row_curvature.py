"""Preconditioners of linear models with fewer rows than weights, in the space of the rows."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg import factor, solve_factored
from sklearn_hypergrad.problems.linear.row_kernels import TrainingRows

# Largest diagonal entry of ``Z R^-1 Z'`` that is used. Chosen by hand: one has about as many digits
# less in the result, of which a preconditioner needs few.
LARGEST = 1e10
# Ridge that stands for none, as a share of the curvature of the data: for a preconditioner.
FREE = 1e-8


# Derivation. Let R be the positive ridge of the features, d = sum(D), and m = X'D 1 / d the mean of
# the features with the weights D. Eliminating the intercept v from
#     (X'DX + R) u + d m v = a,    d m'u + d v = b
# leaves (Z'Z + R) u = a - m b with Z = D^1/2 (X - 1 m'), and v = b / d - m'u. By Woodbury's formula
#     (R + Z'Z)^-1 = R^-1 - R^-1 Z' (I + Z R^-1 Z')^-1 Z R^-1,
# whose matrices have the size of the rows. Without an intercept m is zero.
# Where R is so small that no digits would be left, a multiple c R takes its place. As a
# preconditioner of the Hessian it has the eigenvalues one, for what the data determine, and 1 / c,
# for the rest, which conjugate gradients tell apart at once.
class RowInverse:
    """Inverse of ``X' D X + diag(ridge)`` for every split and output.

    It is approximate, for conjugate gradients, where the ridge is zero or all but zero.

    Parameters
    ----------
    design : Design
    weights : ndarray of shape (n_samples, n_splits, n_outputs)
        D.
    ridge : ndarray of shape (n_weights, n_outputs)
        Not negative; that of the intercept is zero.
    """

    def __init__(self, design, weights, ridge):
        ridge = _positive(ridge[: design.n_features], design, weights)
        self._design = design
        self._inverse = np.repeat(1 / ridge[:, None], weights.shape[1], axis=1)
        self._sums, self._parts = weights.sum(axis=0), []
        for output, strength in enumerate(ridge.T):
            rows = TrainingRows(weights[:, :, output], fit_intercept=design.fit_intercept)
            kernels = design.kernels(1 / strength, rows.numbers)
            factors = []
            for split, kernel in enumerate(kernels):
                kernel = rows.kernel(split, kernel)
                excess = max(1.0, kernel.diagonal().max(initial=0.0) / LARGEST)
                self._inverse[:, split, output] /= excess
                kernel /= excess
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


def _positive(ridge, design, weights):
    """The ridge of the features, with small values for zeros."""
    free = ridge <= 0
    if not free.any():
        return ridge
    curvature = np.maximum(design.spreads(weights).max(axis=1), np.finfo(float).tiny)
    return np.where(free, FREE * curvature, ridge)


@dataclasses.dataclass(frozen=True)
class RowCurvature:
    """``X' D X`` by its rows.

    Attributes
    ----------
    design : Design
    reference : ndarray of shape (n_samples, n_splits, n_outputs)
        D of all splits.
    """

    design: object
    reference: np.ndarray

    def factor(self, ridge):
        """Inverse of ``X' D X + diag(ridge)``; ridge has shape (n_weights, n_outputs)."""
        return RowInverse(self.design, self.reference, ridge)
