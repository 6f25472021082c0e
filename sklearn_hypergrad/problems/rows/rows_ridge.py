"""Ridge regression of all splits from the sums of buckets: no evaluation needs a pass."""

import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.problems.ridge.gram_ridge import LOST, GramRidge, QuadraticLoss
from sklearn_hypergrad.problems.ridge.ridge_problem import PrimalRidge
from sklearn_hypergrad.problems.rows.split_sums import merged


class RowsRidge(GramRidge):
    """GramRidge whose Gram matrices come from the BucketSums of one pass.

    ``w`` are coefficients of the features that each split has itself: scaled by its scaler, about
    the training means if there is an intercept, else about the offset of the scaler.

    Parameters
    ----------
    data : RowsData
    sums : tuple of BucketSums
        Those of all buckets.
    penalty : L2Penalty
    fit_intercept : bool
    """

    def __init__(self, data, sums, penalty, *, fit_intercept):
        self._data, p = data, data.shape[1]
        scales = np.ones((data.n_splits, p)) if data.scales is None else data.scales
        offsets = np.zeros((data.n_splits, p)) if data.offsets is None else data.offsets
        trains = [merged(sums, part).train for part in data.trains]
        means = [
            (each.x, each.y) if fit_intercept else (offset, np.zeros_like(each.y))
            for each, offset in zip(trains, offsets, strict=True)
        ]
        self._factors, self._centres = scales, np.array([x for x, _ in means])
        self._gram, self._cross, self._yy = self._stacked(trains, means)
        tests = [merged(sums, part).held_out if len(part) else None for part in data.tests]
        self._tests, self._means = tests, means
        totals = np.array([fit_intercept * each.weight for each in trains])
        design = data.X, np.zeros(p), (self._centres, np.array([y for _, y in means])), None, totals
        PrimalRidge.__init__(self, *design, penalty=penalty)
        self.n_features = p

    def _stacked(self, spreads, means):
        """Sums of scaled features about the centres, one set for each split."""
        parts = [spread.about(*mean) for spread, mean in zip(spreads, means, strict=True)]
        xx, xy, yy = (np.array(each) for each in zip(*parts, strict=True))
        factors = self._factors[:, :, None]
        xx *= factors
        xx *= factors.transpose(0, 2, 1)
        return xx, xy * factors, yy

    def held_out_sums(self):
        """``(xx, xy, yy)`` of the held-out parts, per row, and the variance of their targets."""
        xx, xy, yy = self._stacked(self._tests, self._means)
        n = np.array([spread.weight for spread in self._tests])
        variance = np.array([spread.yy / spread.weight for spread in self._tests])
        return xx / n[:, None, None], xy / n[:, None, None], yy / n[:, None], variance

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts of the rows as they are."""
        own = self._factors[:, :, None] * w
        intercept = self._y_mean - np.einsum("sp,spk->sk", self._centres, own)
        return own.transpose(0, 2, 1), intercept

    def final_coefficients(self, w):
        """The same of the features that each split has itself."""
        offsets = 0.0 if self._data.offsets is None else self._data.offsets
        shift = (offsets - self._centres) * self._factors
        return w.transpose(0, 2, 1), self._y_mean + np.einsum("sp,spk->sk", shift, w)

    def _misfit(self, w, explained, penalty):
        whole = self._yy[0]
        if (whole - explained > LOST * whole).all():
            return whole - explained
        errors, _ = self.residual_sums(w[None], trained=True)
        return errors[0] + penalty

    def residual_sums(self, w, *, trained=False):
        """Sums of squared errors of held-out (or training) rows and their gradient: one pass."""
        data, parts = self._data, self._data.trains if trained else self._data.tests
        coef, intercept = self.coefficients(w)
        raw = np.concatenate([coef.transpose(2, 0, 1), intercept[None]])
        run = ResidualPass(data.reader, data.buckets, data.members(parts), raw)
        errors, slope = data.sums(run)
        slope = slope.transpose(1, 0, 2)
        pulled = slope[:, :-1] - self._centres[:, :, None] * slope[:, -1:]
        return errors, self._factors[:, :, None] * pulled


class RowsQuadraticLoss(QuadraticLoss):
    """QuadraticLoss of the held-out parts of rows; where digits are lost it takes one more pass.

    Parameters
    ----------
    problem : RowsRidge
    validation_loss : ValidationLoss
        A loss whose pointwise loss is half the squared error.
    """

    def __init__(self, problem, validation_loss):
        self._problem, self._reduce = problem, validation_loss.reduce
        self._xx, self._xy, self._yy, self._null = problem.held_out_sums()

    def _residual(self, w, h):
        n = np.array([spread.weight for spread in self._problem._tests])
        errors, slope = self._problem.residual_sums(w)
        values, slopes = self._reduce(errors / n[:, None], self._null)
        return values, slopes[:, None, :] * slope / n[:, None, None], {}


@dataclasses.dataclass(frozen=True)
class ResidualPass:
    """``function(part)``: sums of squared errors of all splits, and their gradient.

    Attributes
    ----------
    reader : Reader
    buckets : object
    members : ndarray of shape (n_buckets, n_splits)
        One where the rows of a bucket count.
    w : ndarray of shape (n_features + 1, n_splits, n_outputs)
        Coefficients of the rows as they are, and intercepts.
    """

    reader: Any
    buckets: Any
    members: np.ndarray
    w: np.ndarray

    def __call__(self, part):
        counts = self.members[self.buckets.of(part)]
        if part.weight is not None:
            counts = counts * np.asarray(part.weight, dtype=float)[:, None]
        errors, slope = 0.0, 0.0
        for piece in self.reader.pieces(part):
            residual = piece.product(self.w) - piece.y[:, None]
            weighted = counts[piece.rows][:, :, None] * residual
            errors = errors + np.einsum("isk,isk->sk", weighted, residual)
            slope = slope + 2 * piece.pull(weighted)
        return errors, slope
