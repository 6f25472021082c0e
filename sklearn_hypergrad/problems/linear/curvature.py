"""What is kept of the Hessian of a linear model to precondition its systems.

The Hessian of a split is ``X' D X + ridge`` with D the curvature of the loss, weighted. Its first
term depends on the hyperparameters only through the weights and changes slowly along a search: it
is formed anew when D has changed, and factorised anew for every ridge.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg import CholeskyBlocks

# A change of D by this share of its sum calls for a new matrix.
STALE = 0.1
# Largest matrix to factorise, and largest number of multiplications for a Gram matrix of each
# split.
MAX_SIZE = 2000
MAX_OWN = 1e8
# Share of the diagonal that is added to a preconditioner: where the Hessian is singular, rounding
# errors are divided by it.
JITTER = 1e-10
# Splits whose patterns of rows are told apart by the bits of an integer.
MAX_PATTERNS = 62


def renewed(previous, design, weights, patterns=None):
    """The curvature of all splits: ``previous`` while it serves, else formed anew.

    Parameters
    ----------
    previous : CurvatureGram, CurvatureDiagonal or None
    design : Design
    weights : ndarray of shape (n_samples, n_splits, n_outputs)
        D, the curvature of the loss times the training weights.
    patterns : Patterns, default=None
        Rows that are trained on by the same splits, where these are few.
    """
    if previous is not None and not _stale(previous.reference, weights):
        return previous
    n_samples, n_weights = design.shape
    if n_weights > MAX_SIZE:
        return CurvatureDiagonal(design.squares(weights), weights)
    if patterns is not None:
        gram = _pattern_grams(design, weights, patterns)
    elif n_samples * n_weights**2 * weights[0].size <= MAX_OWN:
        gram = _grams(design, weights)
    else:
        gram = _grams(design, weights.mean(axis=1, keepdims=True))
    return CurvatureGram(gram, weights)


@dataclasses.dataclass(frozen=True)
class CurvatureGram:
    """``X' D X`` per output, for each split or for the mean of all.

    Attributes
    ----------
    gram : ndarray of shape (n_splits or 1, n_outputs, n_weights, n_weights)
    reference : ndarray
        D of all splits when it was formed, whatever mean of it was used.
    """

    gram: np.ndarray
    reference: np.ndarray

    def factor(self, ridge):
        """Inverse of ``X' D X + diag(ridge)``; ridge has shape (n_weights, n_outputs)."""
        return CholeskyBlocks(self.gram, JITTER * np.einsum("gkii->gki", self.gram) + ridge.T)


@dataclasses.dataclass(frozen=True)
class CurvatureDiagonal:
    """The diagonal of ``X' D X``, for matrices too large to factorise."""

    diagonal: np.ndarray
    reference: np.ndarray

    def factor(self, ridge):
        """Inverse of ``diag(X' D X) + diag(ridge)``."""
        return _Diagonal(self.diagonal + ridge[:, None, :])


class _Diagonal:
    def __init__(self, diagonal):
        # A feature without entries and without a penalty has nothing to divide by.
        self._inverse = np.divide(1, diagonal, where=diagonal > 0, out=np.ones_like(diagonal))

    def solve(self, right):
        return self._inverse * right


@dataclasses.dataclass(frozen=True)
class Patterns:
    """Rows grouped by the splits that train on them.

    Attributes
    ----------
    rows : list of ndarray of int
        Rows of every pattern; those that no split trains on are left out.
    member : ndarray of shape (n_splits, n_patterns)
        1 where the split trains on the rows of the pattern, else 0.
    """

    rows: list
    member: np.ndarray

    @classmethod
    def of(cls, trained):
        """Patterns of a table of shape (n_samples, n_splits); None if there are many.

        The folds of cross-validation have one pattern per fold, some of the folds one more for the
        rows that all of them train on.
        """
        n_splits = trained.shape[1]
        if n_splits > MAX_PATTERNS:
            return None
        codes = trained @ (1 << np.arange(n_splits))
        found = np.unique(codes)
        found = found[found > 0]
        if len(found) > n_splits + 1:
            return None
        member = (found >> np.arange(n_splits)[:, None]) & 1
        return cls([np.flatnonzero(codes == code) for code in found], member.astype(float))


# D differs between splits by little, so that its mean over them will do; which rows are in a
# split makes the difference. Sums over the rows of each pattern then make the matrices of all
# splits, for the price of one.
def _pattern_grams(design, weights, patterns):
    n_outputs = weights.shape[2]
    count = np.maximum(np.count_nonzero(weights, axis=1), 1)
    mean = weights.sum(axis=1) / count
    parts = np.array(
        [
            [design.gram(mean[rows, output], rows) for output in range(n_outputs)]
            for rows in patterns.rows
        ]
    )
    return design.grams(np.tensordot(patterns.member, parts, 1))


def _grams(design, weights):
    rows = np.arange(design.shape[0])
    groups = weights.transpose(1, 2, 0)
    return design.grams(
        np.stack([[design.gram(weight, rows) for weight in group] for group in groups])
    )


def _stale(reference, weights):
    return np.abs(weights - reference).sum() > STALE * reference.sum()
