"""What is kept of the Hessian of a linear model to precondition its systems.

The Hessian of a split is ``X' D X + ridge`` with D the curvature of the loss, weighted. Its first
term depends on the hyperparameters only through the weights and changes slowly along a search: it
is formed anew when D has changed, and factorised anew for every ridge.
"""

import dataclasses

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linalg import CholeskyBlocks

# A change of D by this share of its sum calls for a new matrix that all splits share.
STALE = 0.1
# Largest matrix to factorise, and largest number of multiplications for a Gram matrix of each
# split.
MAX_SIZE = 2000
MAX_OWN = 1e8


def renewed(previous, X, weights):
    """The curvature of all splits: ``previous`` while it serves, else formed anew.

    Parameters
    ----------
    previous : CurvatureGram, CurvatureDiagonal or None
    X : ndarray or sparse matrix of shape (n_samples, n_weights)
    weights : ndarray of shape (n_samples, n_splits, n_outputs)
        D, the curvature of the loss times the training weights.
    """
    n_samples, n_weights = X.shape
    if n_weights > MAX_SIZE:
        kind = CurvatureDiagonal
    else:
        kind = CurvatureGram
        if n_samples * n_weights**2 * weights[0].size > MAX_OWN:
            weights = weights.mean(axis=1, keepdims=True)
    # Each split's own matrix makes an exact Newton step, and is cheap: it is always up to date.
    own = weights.shape[1] > 1 and kind is CurvatureGram
    allowed = 0.0 if own else STALE
    if previous is not None and not _stale(previous.reference, weights, allowed):
        return previous
    return kind.of(X, weights)


@dataclasses.dataclass(frozen=True)
class CurvatureGram:
    """``X' D X`` per output, for each split or for the mean of all."""

    gram: np.ndarray
    reference: np.ndarray

    @classmethod
    def of(cls, X, weights):
        groups = weights.transpose(1, 2, 0)
        return cls(np.stack([[_gram(X, weight) for weight in group] for group in groups]), weights)

    def factor(self, ridge):
        """Inverse of ``X' D X + diag(ridge)``; ridge has shape (n_weights, n_outputs)."""
        blocks = self.gram.copy()
        np.einsum("gkii->gki", blocks)[...] += ridge.T
        return CholeskyBlocks(blocks)


@dataclasses.dataclass(frozen=True)
class CurvatureDiagonal:
    """The diagonal of ``X' D X``, for matrices too large to factorise."""

    diagonal: np.ndarray
    reference: np.ndarray

    @classmethod
    def of(cls, X, weights):
        squares = X.multiply(X).tocsr() if issparse(X) else X**2
        flat = squares.T @ weights.reshape(weights.shape[0], -1)
        return cls(flat.reshape(-1, *weights.shape[1:]), weights)

    def factor(self, ridge):
        """Inverse of ``diag(X' D X) + diag(ridge)``."""
        return _Diagonal(self.diagonal + ridge[:, None, :])


class _Diagonal:
    def __init__(self, diagonal):
        # A feature without entries and without a penalty has nothing to divide by.
        self._inverse = np.divide(1, diagonal, where=diagonal > 0, out=np.ones_like(diagonal))

    def solve(self, right):
        return self._inverse * right


def _stale(reference, weights, allowed):
    return np.abs(weights - reference).sum() > allowed * reference.sum()


def _gram(X, weight):
    if issparse(X):
        scaled = X.multiply(np.sqrt(weight)[:, None]).tocsr()
        return (scaled.T @ scaled).toarray()
    scaled = X * np.sqrt(weight)[:, None]
    return scaled.T @ scaled
