"""All splits about the means of their training parts: sums over rows, and linear predictions."""

import dataclasses
import functools
import operator

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linalg.systems import negligible
from sklearn_hypergrad.problems.split_data import as_slice, chunks
from sklearn_hypergrad.threads import in_threads

# Sum of squares of a feature, relative to the largest of any split, that is rounding.
LEAST = negligible(float)
# Entries of X that are centred and multiplied at a time. Chosen by hand: 4 MiB stay in the cache of
# a processor, and are large enough for fast matrix products.
CHUNK = 2**19
# Entries of X from which on rows are divided among threads, and the number of pieces. Chosen by
# hand: smaller sums take about a millisecond; a fixed number of pieces gives the same digits on
# any number of threads.
LARGE = 2**20
PIECES = 4


def totals_of(block, fit_intercept):
    """Sums of the training weights of every split; zero without an intercept."""
    return np.array([fit_intercept * weight.sum() for weight in block.weights])


def origin_of(block, fit_intercept):
    """Origins of x and y: means, or zero without an intercept and for sparse x, to stay sparse."""
    n_features, n_outputs = block.X.shape[1], block.y.shape[1]
    if not fit_intercept:
        return np.zeros(n_features), np.zeros(n_outputs)
    x = np.zeros(n_features) if issparse(block.X) else block.X.mean(axis=0, dtype=float)
    return x, block.y.mean(axis=0)


class CentredDesign:
    """Predictions of all rows by coefficients ``w`` of shape (n_splits, n_features, n_outputs).

    Intercepts are not among them: with one, the mean of a training part is predicted for the mean
    of its rows. A problem that is one of ``w`` inherits from this class.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    origin : ndarray of shape (n_features,)
        The origin that was subtracted from the features.
    means : tuple of ndarray of shapes (n_splits, n_features) and (n_splits, n_outputs)
        Training means of this X and of the targets; zero without an intercept.
    scales : ndarray of shape (n_features, n_splits) or None
        Factors of the features of each split.
    totals : ndarray of shape (n_splits,)
        Sums of the training weights; zero without an intercept.
    """

    def __init__(self, X, origin, means, scales, totals):
        self._totals = totals
        self._X = X
        self._origin = origin
        self._x_mean, self._y_mean = means
        self._scales = None if scales is None else scales.T[:, :, None]

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        w = self._rescaled(w)
        return self._product(w) + self._intercept(w)

    def predict_vjp(self, v):
        """Transposed derivative of ``predict``: ``v`` like the predictions, the result like w."""
        pulled = self._product_vjp(v)
        pulled -= self._x_mean[:, :, None] * v.sum(axis=0)[:, None, :]
        return self._rescaled(pulled)

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        w = self._rescaled(w)
        return w.transpose(0, 2, 1), self._intercept(w) - np.einsum("p,spk->sk", self._origin, w)

    def adjoint_coefficients(self, v, h, G):
        """The adjoint ``v = H^-1 predict_vjp(G)`` as coefficients V and intercepts c.

        The shapes are those of ``coefficients``. The intercepts solve the equation that was
        eliminated: with training weights t, ``sum_i t_i (x_i V + c) = sum_i G_i``.
        """
        v = self._rescaled(v)
        if not self._totals.any():
            return v.transpose(0, 2, 1), np.zeros((len(v), v.shape[2]))
        mean = self._x_mean + self._origin
        intercept = G.sum(axis=0) / self._totals[:, None] - np.einsum("sp,spk->sk", mean, v)
        return v.transpose(0, 2, 1), intercept

    def _rescaled(self, w):
        """Weights of the features of X from those of the scaled features of each split, or back."""
        return w if self._scales is None else self._scales * w

    def _product(self, w):
        n_splits, n_features, n_outputs = w.shape
        z = self._X @ w.transpose(1, 0, 2).reshape(n_features, -1)
        return z.reshape(-1, n_splits, n_outputs)

    def _product_vjp(self, v):
        n_samples, n_splits, n_outputs = v.shape
        pulled = self._X.T @ v.reshape(n_samples, -1)
        return pulled.reshape(-1, n_splits, n_outputs).transpose(1, 0, 2)

    def _intercept(self, w):
        return self._y_mean - np.einsum("sp,spk->sk", self._x_mean, w)


class GramMatrices:
    """Sums over training and held-out parts, computed once: evaluations do not need X.

    Sums of a training part are the total minus the held-out part. If every split has scales of its
    own, the sums are multiplied by them.

    Parameters
    ----------
    block : SplitData
        The data of the splits, with or without scales.
    fit_intercept : bool
        Whether the means of each training part are subtracted.

    Attributes
    ----------
    gram : ndarray of shape (n_splits, n_features, n_features)
        Weighted sums of ``x x'`` over training parts.
    cross : ndarray of shape (n_splits, n_features, n_outputs)
        Weighted sums of ``x y'``.
    design : tuple
        The arguments of CentredDesign.
    total : ndarray of shape (n_features, n_features) or None
        Sums of ``x x'`` over all rows, about their means and without scales; None if training parts
        are not the complements of held-out parts.
    """

    def __init__(self, block, *, fit_intercept):
        self._fit_intercept = fit_intercept
        self._scales = None if block.scales is None else block.scales.T[:, :, None]
        self._about = origin_of(block, fit_intercept)
        self._common, self._tests, self._total, trains = _moments(block, self._about)
        self._means = []
        gram, cross, _ = _stacked(self._about_means(trains), block.n_splits)
        _drop_constant(gram, cross)
        means = tuple(
            np.stack(mean) + about
            for mean, about in zip(zip(*self._means, strict=True), self._about, strict=True)
        )
        totals = totals_of(block, fit_intercept)
        self.design = block.X, np.zeros(block.X.shape[1]), means, block.scales, totals
        self.gram, self.cross = self._of_scaled(gram, cross)

    @property
    def total(self):
        if self._total is None:
            return None
        return self._total.about(*self._mean(self._total))[0]

    def held_out(self, block, weights):
        """Sums over every held-out part about the training means.

        Parameters
        ----------
        block : SplitData
        weights : ndarray of shape (n_held_out,)
            Weights as ``sample_weights`` returns them. If they are the training weights up to a
            factor, the sums that were subtracted from the total are used again.

        Returns
        -------
        xx : ndarray of shape (n_splits, n_features, n_features)
        xy : ndarray of shape (n_splits, n_features, n_outputs)
        yy : ndarray of shape (n_splits, n_outputs)
        """
        starts = np.cumsum([len(test) for test in block.tests])[:-1]
        weights = np.split(weights, starts)
        parts = (self._held_out(block, *split) for split in enumerate(weights))
        xx, xy, yy = _stacked(parts, block.n_splits)
        return *self._of_scaled(xx, xy), yy

    def _held_out(self, block, split, weight):
        test, mean = block.tests[split], self._means[split]
        if self._common is not None:
            moments, total = self._tests[split], weight.sum()
            if _equal(weight * moments.weight, self._common[test] * total):
                return [total / moments.weight * part for part in moments.about(*mean)]
        return Moments.of(block.X, block.y, test, weight, self._about).about(*mean)

    def _about_means(self, trains):
        """Yield the sums of every training part about its means, and store the means."""
        for moments in trains:
            mean = self._mean(moments)
            self._means.append(mean)
            yield moments.about(*mean)

    def _of_scaled(self, xx, xy):
        """Sums of the scaled features of each split, from sums of X."""
        if self._scales is not None:
            xx *= self._scales
            xx *= self._scales.transpose(0, 2, 1)
            xy *= self._scales
        return xx, xy

    def _mean(self, moments):
        if self._fit_intercept:
            return moments.x / moments.weight, moments.y / moments.weight
        return np.zeros_like(moments.x), np.zeros_like(moments.y)


def _moments(block, origin):
    """Common weights, moments of held-out parts and of all rows, and moments of training parts.

    The first three are None if training parts are not the complements of held-out parts. The last
    are computed one by one: matrices may be large.
    """
    common = block.partition_weights()
    if common is None:
        trains = zip(block.trains, block.weights, strict=True)
        return None, None, None, (Moments.of(block.X, block.y, *each, origin) for each in trains)
    tests = [Moments.of(block.X, block.y, rows, common[rows], origin) for rows in block.tests]
    rows = np.arange(block.X.shape[0])
    if np.all(np.bincount(np.concatenate(block.tests), minlength=len(rows)) == 1):
        total = sum(tests[1:], start=tests[0])
    else:
        total = Moments.of(block.X, block.y, rows, common, origin)
    return common, tests, total, (total - test for test in tests)


def _stacked(parts, n_splits):
    """Tuples of arrays of the splits as one tuple of arrays."""
    stacks = None
    for split, part in enumerate(parts):
        if stacks is None:
            stacks = [np.empty((n_splits, *np.shape(array))) for array in part]
        for stack, array in zip(stacks, part, strict=True):
            stack[split] = array
    return stacks


# Sums of a training part are differences, with the rounding errors of the sums over all rows. A
# feature that is constant in this part and varies elsewhere is left with such an error, which would
# count as data: with weights of any size where it has no penalty.
def _drop_constant(gram, cross):
    """Set the sums of features to zero in splits whose training part they are constant in."""
    diagonal = np.einsum("sjj->sj", gram)
    for split, feature in np.argwhere(diagonal < LEAST * diagonal.max(axis=0)):
        gram[split, feature] = gram[split, :, feature] = cross[split, feature] = 0.0


def _equal(a, b):
    return bool(np.all(np.abs(a - b) <= 1e-14 * np.abs(b)))


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over some rows of ``s``, ``s x``, ``s y``, ``s x x'``, ``s x y'`` and ``s y^2``."""

    weight: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @classmethod
    def of(cls, X, y, rows, weight, origin):
        """Moments of ``X[rows]`` and ``y[rows]`` minus their origins, with one weight per row.

        Sums of squares of data with a large offset lose digits when they are subtracted: measured
        at an offset of 1e6, a cross-validated error was wrong by 3e-3 relative without an origin
        and by 4e-11 with it. Sparse X have the origin 0.
        """
        if issparse(X):
            return cls._of_chunk(X, y, rows, weight, origin)
        pieces = [(rows, weight)]
        if len(rows) * X.shape[1] >= LARGE:
            parts = (np.array_split(each, PIECES) for each in (rows, weight))
            pieces = list(zip(*parts, strict=True))

        def of_piece(piece):
            rows, weight = piece
            own = chunks(len(rows), X.shape[1], CHUNK)
            parts = (cls._of_chunk(X, y, rows[c], weight[c], origin) for c in own)
            return functools.reduce(operator.add, parts)

        return functools.reduce(operator.add, in_threads(of_piece, pieces))

    @classmethod
    def _of_chunk(cls, X, y, rows, weight, origin):
        root = np.sqrt(weight)[:, None]
        y = y[rows] - origin[1]
        if issparse(X):
            scaled = X[rows].multiply(root).tocsr()
            xx = (scaled.T @ scaled).toarray()
        else:
            scaled = np.subtract(X[as_slice(rows)], origin[0], dtype=float)
            if np.any(weight != 1):
                scaled *= root
            xx = scaled.T @ scaled
        return cls(
            weight=weight.sum(),
            x=scaled.T @ root[:, 0],
            y=weight @ y,
            xx=xx,
            xy=scaled.T @ (root * y),
            yy=weight @ y**2,
        )

    def __add__(self, other):
        return Moments(*(a + b for a, b in zip(_parts(self), _parts(other), strict=True)))

    def __sub__(self, other):
        return Moments(*(a - b for a, b in zip(_parts(self), _parts(other), strict=True)))

    def about(self, x, y):
        """``(xx, xy, yy)`` of rows from which ``x`` and ``y`` are subtracted.

        sum s (x_i - x)(x_i - x)' = xx - sx x' - x sx' + weight x x', and likewise for y.
        """
        sx = self.x - 0.5 * self.weight * x
        cross = sx[:, None] * x
        return (
            self.xx - cross - cross.T,
            self.xy - (self.x - self.weight * x)[:, None] * y - x[:, None] * self.y,
            self.yy - 2 * y * self.y + self.weight * y**2,
        )


_parts = operator.attrgetter(*(field.name for field in dataclasses.fields(Moments)))
