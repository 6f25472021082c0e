"""Sums over the rows of all splits: Gram matrices of the features about the training means."""

import numpy as np

from sklearn_hypergrad.linalg.systems import negligible
from sklearn_hypergrad.problems.linear.centred_design import origin_of
from sklearn_hypergrad.problems.linear.moments import Moments

# Sum of squares of a feature, relative to the largest of any split, that is rounding.
LEAST = negligible(float)


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
        The first arguments of CentredDesign.
    """

    def __init__(self, block, *, fit_intercept):
        self._fit_intercept = fit_intercept
        self._scales = None if block.scales is None else block.scales.T[:, :, None]
        self._about = origin_of(block, fit_intercept)
        self._common, self._tests, trains = _moments(block, self._about)
        self._means = []
        gram, cross, _ = _stacked(self._about_means(trains), block.n_splits)
        _drop_constant(gram, cross)
        means = tuple(
            np.stack(mean) + about
            for mean, about in zip(zip(*self._means, strict=True), self._about, strict=True)
        )
        self.design = block.X, np.zeros(block.X.shape[1]), means, block.scales
        self.gram, self.cross = self._of_scaled(gram, cross)

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
    """``(common weights or None, moments of held-out parts or None, moments of training parts)``.

    The last are computed one by one: matrices may be large.
    """
    common = block.partition_weights()
    if common is None:
        trains = zip(block.trains, block.weights, strict=True)
        return None, None, (Moments.of(block.X, block.y, *train, origin) for train in trains)
    tests = [Moments.of(block.X, block.y, rows, common[rows], origin) for rows in block.tests]
    rows = np.arange(block.X.shape[0])
    if np.all(np.bincount(np.concatenate(block.tests), minlength=len(rows)) == 1):
        total = sum(tests[1:], start=tests[0])
    else:
        total = Moments.of(block.X, block.y, rows, common, origin)
    return common, tests, (total - test for test in tests)


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
