"""Ridge regression of all splits from their Gram matrices."""

import numpy as np

from sklearn_hypergrad.problems.outer.held_out import PredictionLoss, sample_weights
from sklearn_hypergrad.problems.ridge.moments import Moments
from sklearn_hypergrad.problems.ridge.ridge_problem import (
    LEAST,
    NormalEquations,
    PrimalRidge,
    origin_of,
    totals_of,
)


class GramRidge(NormalEquations, PrimalRidge):
    """Ridge regression from sums over rows, computed once: evaluations do not need X.

    Sums of a training part are the total minus the held-out part. If every split has scales of its
    own, the sums are multiplied by them.

    Parameters
    ----------
    block : SplitData
        The data of the splits, with or without scales.
    penalty : L2Penalty
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        self._fit_intercept = fit_intercept
        self._about = origin_of(block, fit_intercept)
        self._common, self._tests, trains = _moments(block, self._about)
        self._means = []
        gram, cross, _ = _stacked(self._about_means(trains), block.n_splits)
        _drop_constant(gram, cross)
        x, y = (
            np.stack(mean) + about
            for mean, about in zip(zip(*self._means, strict=True), self._about, strict=True)
        )
        totals = totals_of(block, fit_intercept)
        super().__init__(block.X, np.zeros(block.X.shape[1]), (x, y), block.scales, penalty, totals)
        self._gram, self._cross = self._of_scaled(gram, cross)

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
        return xx, self._rescaled(xy)

    def _mean(self, moments):
        if self._fit_intercept:
            return moments.x / moments.weight, moments.y / moments.weight
        return np.zeros_like(moments.x), np.zeros_like(moments.y)


class QuadraticLoss:
    """Losses that are functions of squared errors, from the Gram matrices of held-out parts.

    The squared error of a split is ``yy - 2 <xy, w> + <w, xx w>``. This difference has the rounding
    error of ``yy``: if it is smaller than ``LOST`` times ``yy``, residuals are computed instead.

    Parameters
    ----------
    problem : GramRidge
    block : SplitData
    validation_loss : ValidationLoss
        A loss whose pointwise loss is half the squared error.

    Attributes
    ----------
    LOST : float
        Chosen by hand: at 1e-6 the difference has a relative rounding error of about 1e-10, far
        below the differences that an optimizer compares.
    """

    LOST = 1e-6

    def __init__(self, problem, block, validation_loss):
        self._problem, self._residual = problem, PredictionLoss(problem, block, validation_loss)
        self._reduce = validation_loss.reduce
        self._null = self._residual.null
        weights = sample_weights(block, validation_loss.balanced)
        self._xx, self._xy, self._yy = problem.held_out(block, weights)

    def __call__(self, w, h):
        """Values of shape (n_splits,), gradient of their sum in ``w``, and direct ones (none)."""
        errors, gradient = self._errors(w)
        if errors is None:
            return self._residual(w, h)
        values, slopes = self._reduce(errors, self._null)
        return values, slopes[:, None, :] * gradient, {}

    def at_minimisers(self, strengths):
        """Losses at the minimisers for many strengths of the penalty, and their derivatives.

        Parameters
        ----------
        strengths : ndarray of shape (n_many, n_outputs)

        Returns
        -------
        values : ndarray of shape (n_many, n_splits)
        slopes : ndarray of shape (n_many, n_outputs)
            Derivatives of their sums over splits in the strengths.

        Both are None where each minimiser is to be computed by itself.
        """
        w, pull = self._problem.minimisers(strengths)
        errors, gradient = (None, None) if w is None else self._errors(w)
        if errors is None:
            return None, None
        shape = len(errors), *strengths.shape
        values, slopes = self._reduce(errors.reshape(shape).swapaxes(0, 1), self._null)
        slopes = np.broadcast_to(slopes, (shape[1], shape[0], shape[2])).swapaxes(0, 1)
        return values, pull(slopes.reshape(len(errors), 1, -1) * gradient)

    def _errors(self, w):
        """Squared errors of outputs, and their gradient in ``w``; None if digits are lost.

        ``w`` has the outputs once, or several times after each other.
        """
        xy, yy = self._xy, self._yy
        if w.shape[2] > xy.shape[2]:
            n_times = w.shape[2] // xy.shape[2]
            xy, yy = np.tile(xy, n_times), np.tile(yy, n_times)
        half_slope = self._xx @ w - xy
        errors = yy + np.einsum("sjk,sjk->sk", half_slope - xy, w)
        if (errors < self.LOST * yy).any():
            return None, None
        return errors, 2 * half_slope


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
