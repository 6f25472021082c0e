"""Ridge regression of all splits from their Gram matrices."""

import numpy as np

from sklearn_hypergrad.linalg import factor, inverse_of_triangle, solve_factored
from sklearn_hypergrad.problems.linear.centred_splits import GramMatrices
from sklearn_hypergrad.problems.outer.held_out import PredictionLoss, sample_weights
from sklearn_hypergrad.problems.ridge.evidence import Marginal
from sklearn_hypergrad.problems.ridge.hat_trace import trace_of
from sklearn_hypergrad.problems.ridge.ridge_problem import NormalEquations, PrimalRidge

# Share of the sum of squares of the targets up to which a misfit is lost as a difference. Chosen by
# hand: at 1e-6 the difference has a relative rounding error of about 1e-10, far below the
# differences that an optimizer compares.
LOST = 1e-6


class GramRidge(NormalEquations, PrimalRidge):
    """Ridge regression from sums over rows, computed once: evaluations do not need X.

    Parameters
    ----------
    block : SplitData
        The data of the splits, with or without scales.
    penalty : L2Penalty
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        matrices = GramMatrices(block, fit_intercept=fit_intercept)
        super().__init__(*matrices.design, penalty=penalty)
        self._gram, self._cross = matrices.gram, matrices.cross
        self.held_out, self._matrices = matrices.held_out, matrices
        self._block = block
        self.n_features = block.X.shape[1]

    def hat_trace(self, strength):
        """The trace of the hat matrix of all rows, for one penalty; None if it is not known."""
        total = self._matrices.total
        return None if total is None or self._scales is not None else trace_of(total, strength)

    # Factorised is I + D^-1/2 Z'Z D^-1/2, whose entries have no units: features of any scale and
    # strengths of any size keep their digits.
    def marginal(self, strength):
        """The Marginal of the only split for ``strength`` of shape (n_features,)."""
        root = 1 / np.sqrt(strength)
        triangle = factor(root[:, None] * self._gram[0] * root, 1.0)
        cross = root[:, None] * self._cross[0]
        scaled = solve_factored(triangle, cross)
        left = inverse_of_triangle(triangle)
        return Marginal(
            w=root[:, None] * scaled,
            misfit=self._misfit(root[:, None] * scaled, *_sums(cross, scaled)),
            log_volume=2 * float(np.log(np.diag(triangle)).sum()) - self._free_volume(root),
            used=1 - np.einsum("ij,ij->i", left, left),
        )

    def _free_volume(self, root):
        """The part of the log volume that belongs to columns without penalty; it is constant."""
        free = self.penalty.free
        if free is None:
            return 0.0
        block = root[free, None] * self._gram[0][np.ix_(free, free)] * root[free]
        return float(np.linalg.slogdet(block + np.eye(len(block)))[1])

    def _misfit(self, w, explained, penalty):
        """The penalised squared error of the only split at its minimiser ``w``.

        Parameters
        ----------
        w : ndarray of shape (n_features, n_outputs)
        explained : ndarray of shape (n_outputs,)
            What it is less than that of the mean.
        penalty : ndarray of shape (n_outputs,)
            The penalty in it.
        """
        weights, y = self._block.row_weights()[:, 0], self._block.y
        whole = weights @ (y - self._y_mean[0]) ** 2
        misfit = whole - explained
        if (misfit > LOST * whole).all():
            return misfit
        residual = y - self.predict(w[None])[:, 0]
        return weights @ residual**2 + penalty


def _sums(cross, scaled):
    """What the minimisers of outputs explain, and their penalties, in scaled features."""
    return (cross * scaled).sum(axis=0), (scaled**2).sum(axis=0)


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
    """

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
        values, gradient = (None, None) if w is None else self.of_many(w)
        return (None, None) if values is None else (values, pull(gradient))

    def of_many(self, w):
        """Losses at many weights, and the gradient of their sums over splits in them.

        Parameters
        ----------
        w : ndarray of shape (n_splits, n_features, n_many * n_outputs)

        Returns
        -------
        values : ndarray of shape (n_many, n_splits)
        gradient : ndarray like ``w``

        Both are None if digits are lost.
        """
        errors, gradient = self._errors(w)
        if errors is None:
            return None, None
        n_splits, n_outputs = self._yy.shape
        errors = errors.reshape(n_splits, -1, n_outputs).swapaxes(0, 1)
        values, slopes = self._reduce(errors, self._null)
        slopes = np.broadcast_to(slopes, errors.shape).swapaxes(0, 1)
        return values, slopes.reshape(n_splits, 1, -1) * gradient

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
        if (errors < LOST * yy).any():
            return None, None
        return errors, 2 * half_slope
