"""Preconditioners of linear models, made from the curvature of the loss.

The Hessian of a split is ``X' D X + ridge`` with D the curvature of the loss, weighted. Its first
term depends on the hyperparameters only through the weights and changes slowly along a search: it
is computed anew if D has changed by more than a common factor, and factorised anew for every ridge.
In between it is corrected along the steps that are taken.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg import CholeskyBlocks
from sklearn_hypergrad.linalg.systems import ratio
from sklearn_hypergrad.problems.linear.diagonal_curvature import CurvatureDiagonal
from sklearn_hypergrad.problems.linear.row_curvature import RowCurvature

# Change of D, as a share of its sum, from which on the matrix is computed anew. With a matrix that
# is 5 % off, each step of the preconditioner reduces the error about twentyfold. Measured on 20,000
# rows of 100 features, where a matrix costs as much as two steps: 0.02 and 0.1 take as long.
STALE = 0.05
# The same where the loss couples the outputs: there blocks per output are not the Hessian, and
# conjugate gradients make up for both. Measured, with 0.15 / 0.3 / 0.5: searches take 0.84 / 0.81 /
# 0.75 s on digits, 5.7 / 5.6 / 4.4 s on sparse data, 0.76 / 0.84 / 0.99 s on 20,000 rows of 60
# features and three classes.
STALE_BLOCKS = 0.3
# Largest matrix that is factorised. Measured: a Cholesky factor of 2000 takes 50 ms on one core.
MAX_SIZE = 2000
# Products with Hessians that a penalty takes with a diagonal preconditioner. Chosen by hand: it may
# be ten for strong penalties and hundreds for weak ones.
N_PRODUCTS = 50
# Largest number of multiplications for which every split gets a Gram matrix of its own, not the
# mean of all. Chosen by hand: a few milliseconds on one core.
MAX_OWN = 1e8
# Share of the diagonal that is added to a preconditioner. Chosen by hand: if the Hessian is
# singular, rounding errors (1e-16) are divided by it; larger values would slow convergence.
JITTER = 1e-10
# Largest number of splits for patterns of rows: each split is one bit of a signed 64 bit integer.
MAX_PATTERNS = 62
# Largest number of steps, and of numbers in them and their products. Chosen by hand: solutions and
# adjoints along a line move in few directions, and 2**20 doubles are 8 MiB.
MOST_STEPS = 4
MOST_NUMBERS = 2**20


def renewed(previous, design, weights, patterns=None, stale=STALE):
    """The curvature of all splits: ``previous`` if D has hardly changed, else computed anew.

    If D has changed by a common factor, as it does first where training starts at zero weights, so
    has the matrix.

    Parameters
    ----------
    previous : CurvatureGram, CurvatureDiagonal, RowCurvature or None
    design : Design
    weights : ndarray of shape (n_samples, n_splits, n_outputs)
        D, the curvature of the loss times the training weights.
    patterns : Patterns, default=None
        Rows grouped by the splits that train on them; None if there are many groups.
    stale : float, default=STALE
        Change of D, as a share of its sum, that counts as hardly any.

    Returns
    -------
    CurvatureGram, CurvatureDiagonal or RowCurvature
    """
    if previous is not None and _close(previous.reference, weights, stale):
        return previous
    if isinstance(previous, CurvatureGram):
        share = ratio(weights.sum(), previous.reference.sum())
        if _close(share * previous.reference, weights, stale):
            return CurvatureGram(share * previous.gram, share * previous.reference)
    if rows_pay(design, weights.shape[1]):
        return RowCurvature(design, weights)
    return _by_features(design, weights, patterns)


def rows_pay(design, n_splits):
    """Whether systems have the size of the rows: where these are fewer than the weights.

    For more weights than a Gram matrix of features is formed for, kernels of rows are to take fewer
    multiplications than conjugate gradients on sparse data.

    Parameters
    ----------
    design : Design
    n_splits : int
    """
    n_samples, n_weights = design.shape
    if n_samples > min(n_weights, MAX_SIZE):
        return False
    if n_weights <= MAX_SIZE:
        return True
    n_kernels = 1 if design.scales is None else n_splits
    kernels = n_kernels * n_samples**2 * n_weights + n_splits * n_samples**3 / 3
    return kernels < N_PRODUCTS * 2 * design.size * n_splits


def _by_features(design, weights, patterns):
    n_samples, n_weights = design.shape
    if n_weights > MAX_SIZE:
        return CurvatureDiagonal.of(design, weights)
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
        D of all splits when the matrix was computed, even if a mean of D was used.
    """

    gram: np.ndarray
    reference: np.ndarray

    def factor(self, ridge):
        """Inverse of ``X' D X + diag(ridge)``; ridge has shape (n_weights, n_outputs)."""
        return CholeskyBlocks(self.gram, JITTER * np.einsum("gkii->gki", self.gram) + ridge.T)


class Secants:
    """The last steps ``s`` of all splits, and the products ``y = X'DX s`` of their Hessians.

    They hold for any ridge, and for weights near those where they were computed.

    Parameters
    ----------
    pairs : tuple of Secant, default=()
    """

    def __init__(self, pairs=()):
        self._pairs = pairs

    @property
    def size(self):
        """Number of floats in it."""
        return sum(3 * pair.s.size for pair in self._pairs)

    def copy(self):
        return Secants(self._pairs)

    def learn(self, s, y):
        """Add a step and its product, in place of the oldest ones if there are too many."""
        most = min(MOST_STEPS, MOST_NUMBERS // (2 * s.size))
        self._pairs = (*self._pairs, Secant(s, y))[-most:] if most else ()

    # Derivation. Let P be an approximate inverse. Of all symmetric matrices that map y to s,
    #     (I - s y' / y's) P (I - y s' / y's) + s s' / y's
    # is the nearest to P in a weighted norm (BFGS); it is positive definite if P is, and y's > 0.
    # Two loops apply the corrections of all steps (Nocedal, Wright 2006, algorithm 7.4). Along a
    # path of solutions they make a fixed P as good as one that is computed anew (Morales, Nocedal
    # 2000, "Automatic preconditioning by limited memory quasi-Newton updating").
    def corrected(self, precondition, ridge):
        """A function like ``precondition`` that inverts ``X'DX + ridge`` along the steps.

        Parameters
        ----------
        precondition : callable
            Stacked product with an approximate inverse.
        ridge : ndarray of shape (n_weights, 1, n_outputs or 1)
        """
        known = [pair.at(ridge) for pair in self._pairs]

        def apply(right):
            right, shares = right.copy(), []
            for s, y, inverse in reversed(known):
                shares.append(inverse * inner_by_split(s, right))
                right -= shares[-1][:, None] * y
            solved = precondition(right)
            for (s, y, inverse), share in zip(known, reversed(shares), strict=True):
                solved += (share - inverse * inner_by_split(y, solved))[:, None] * s
            return solved

        return apply if known else precondition


class Secant:
    """One step of all splits, and its product with ``X'DX``; both have the shape of weights."""

    def __init__(self, s, y):
        self.s, self._y, self._known = s, y, (None, ())

    def at(self, ridge):
        """The step, its product with ``X'DX + ridge``, and the inverses of their inner products.

        Those of the last ridge are known: every new step asks for those before it again.
        """
        at, known = self._known
        if at is not ridge:
            y = self._y + ridge * self.s
            known = self.s, y, _inverse(inner_by_split(self.s, y))
            self._known = ridge, known
        return known


@dataclasses.dataclass(frozen=True)
class Patterns:
    """Rows grouped by the splits that train on them.

    Attributes
    ----------
    rows : list of ndarray of int
        Rows of every pattern; rows that no split trains on are left out.
    member : ndarray of shape (n_splits, n_patterns)
        1 where the split trains on the rows of the pattern, else 0.
    """

    rows: list
    member: np.ndarray

    @classmethod
    def of(cls, trained):
        """Patterns of a boolean table of shape (n_samples, n_splits); None if there are many.

        The folds of cross-validation have one pattern per fold; if some folds are missing, there is
        one more pattern, for rows that all splits train on.
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


# D differs little between splits, so its mean over them is used; splits differ by their rows. Sums
# over the rows of each pattern give the matrices of all splits at the cost of one.
def _pattern_grams(design, weights, patterns):
    n_outputs = weights.shape[2]
    count = np.maximum(np.count_nonzero(weights, axis=1), 1)
    # NumPy's own sum over a few numbers takes twice as long.
    mean = np.einsum("isk->ik", weights) / count
    parts = np.array(
        [
            [design.gram(mean[rows, output], rows) for output in range(n_outputs)]
            for rows in patterns.rows
        ]
    )
    grams = patterns.member @ parts.reshape(len(parts), -1)
    return design.grams(grams.reshape(-1, *parts.shape[1:]))


def _grams(design, weights):
    rows = np.arange(design.shape[0])
    groups = weights.transpose(1, 2, 0)
    return design.grams(
        np.stack([[design.gram(weight, rows) for weight in group] for group in groups])
    )


def _close(reference, weights, stale):
    return np.abs(weights - reference).sum() <= stale * reference.sum()


def inner_by_split(a, b):
    """Inner products of two arrays of the shape of weights, one for every split."""
    return np.einsum("jsk,jsk->s", a, b)


def _inverse(curvature):
    """``1 / curvature``; zero where a split has not moved, which corrects nothing."""
    return ratio(np.ones_like(curvature), curvature)
