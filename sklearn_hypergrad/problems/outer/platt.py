"""Platt's log loss: the log loss of decision values after the best calibration of each split.

For decision values f of the held-out part of a split, weights v that sum to one and targets t, ::

    L(f)  =  min over a >= 0, b   sum_i v_i (log(1 + exp(a f_i + b)) - t_i (a f_i + b))

It does not depend on the origin and the scale of f, as the area under the ROC curve does not.
Targets are Platt's (1999): (n+ + 1) / (n+ + 2) for the n+ positive samples and 1 / (n- + 2) for the
others, so that separable decision values have a finite slope. Slopes a < 0 would reward decision
values that are in the wrong order; where none helps, a is 0 and L is constant.
"""

import numpy as np
from scipy.special import expit, logit

from sklearn_hypergrad.problems.outer.held_out import HeldOutLoss

# Standard deviation, relative to the largest decision value, below which these count as constant:
# they differ by rounding then.
ROUNDING = 1e-13
# Newton's method ends at steps of this size: as it converges quadratically, their errors are below
# rounding. Measured: it takes 5 to 9 steps, and the limits are never met.
SMALLEST_STEP, MOST_STEPS, MOST_HALVINGS = 1e-8, 100, 30


class HeldOutPlatt(HeldOutLoss):
    """The loss on the held-out parts of all splits; of several decision values, their mean.

    Parameters
    ----------
    block : SplitData
        With targets -1 and 1.
    validation_loss : ValidationLoss
    """

    def __init__(self, block, validation_loss):
        super().__init__(block, validation_loss)
        self._targets = self._softened(block.score_weight[self.rows, None])

    def _softened(self, weight):
        """Platt's targets, with sums of weights for numbers of samples."""
        positive = self._y > 0
        n_positive, n_negative = (
            np.add.reduceat(weight * member, self._starts)[self.splits]
            for member in (positive, ~positive)
        )
        return np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    # At the minimum the derivatives in a and b are zero, or a stays 0: the derivative of L in f is
    # the partial one at fixed a and b, v_i (p_i - t_i) a with p = sigmoid(a f + b).
    def __call__(self, predictions):
        u, slope = self._calibrated(predictions)
        values, shares = self._reduce(self._average(self._log_loss(u)), None)
        factor = (shares * slope)[self.splits] * self._weights
        return values, factor * (expit(u) - self._targets)

    def values(self, predictions):
        return self._reduce(self._average(self._log_loss(self._calibrated(predictions)[0])), None)[
            0
        ]

    def samples(self, predictions):
        u, _ = self._calibrated(predictions)
        return self._log_loss(u).mean(axis=1), self._weights[:, 0]

    def _log_loss(self, u):
        return np.logaddexp(0, u) - self._targets * u

    def _calibrated(self, f):
        """``a f + b`` at the minimum, and a, of shape (n_splits, n_outputs)."""
        centred = f - self._average(f)[self.splits]
        deviation = np.sqrt(self._average(centred**2))
        largest = np.maximum.reduceat(np.abs(f), self._starts)
        constant = deviation <= ROUNDING * largest
        x = centred / np.where(constant, 1.0, deviation)[self.splits]
        # L is convex: its slope in a, where a = 0 and b is best, tells the sign of the best a.
        b = logit(self._average(self._targets))
        useful = (self._average(x * self._targets) > 0) & ~constant
        x = np.where(useful[self.splits], x, 0.0)
        a, b = self._minimised(x, b)
        return (a[self.splits] * x + b[self.splits]), a / np.where(constant, 1.0, deviation)

    def _minimised(self, x, b):
        """The best a and b by Newton's method with halved steps, of all splits and outputs."""
        a, value = np.zeros_like(b), self._average(self._log_loss(b[self.splits] + 0 * x))
        for _ in range(MOST_STEPS):
            step = self._newton_step(x, a, b)
            for _ in range(MOST_HALVINGS):
                moved = a - step[0], b - step[1]
                u = moved[0][self.splits] * x + moved[1][self.splits]
                values = self._average(self._log_loss(u))
                # Rounding errors of the value are no increase.
                rises = values > value + ROUNDING * np.abs(value)
                if not rises.any():
                    break
                step = np.where(rises, step / 2, step)
            (a, b), value = moved, values
            if np.max(np.abs(step)) < SMALLEST_STEP:
                break
        return a, b

    def _newton_step(self, x, a, b):
        """The inverse Hessian times the gradient, of shape (2, n_splits, n_outputs)."""
        p = expit(a[self.splits] * x + b[self.splits])
        q, residual = p * (1 - p), p - self._targets
        of_a, of_b = self._average(x * residual), self._average(residual)
        aa, ab, bb = self._average(x * x * q), self._average(x * q), self._average(q)
        determinant = aa * bb - ab**2
        # Where all x are zero, a stays.
        moves = determinant > 0
        safe = np.where(moves, determinant, 1.0)
        together = np.array([bb * of_a - ab * of_b, aa * of_b - ab * of_a]) / safe
        return np.where(moves, together, [0 * of_a, of_b / bb])
