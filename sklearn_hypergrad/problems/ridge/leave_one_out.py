"""The leave-one-out loss of ridge regression, from one fit."""

import numpy as np


class LeaveOneOutLoss:
    """Mean squared error of predictions for each row by a model trained on all other rows.

    Also called PRESS (Allen 1974, "The relationship between variable selection and data
    augmentation and a method for prediction"). With residuals r, training weights t and leverages l
    of the one split of the problem, whose training and held-out part are all rows, the left-out
    residuals are exactly

        e_i = r_i / (1 - l_i)    with    l_i = t_i (1 / sum(t) + x_i' H^-1 x_i)

    where x is centred if there is an intercept, and the first term belongs to it. Through the
    leverages they depend on the penalties directly, too.

    Parameters
    ----------
    problem : RidgeProblem
        The problem in coefficients, not in kernel form.
    block : SplitData
        One split, whose training and held-out part are all rows.
    penalty : L2Penalty
    fit_intercept : bool
    """

    def __init__(self, problem, block, penalty, *, fit_intercept):
        self._problem = problem
        self.penalty = penalty
        self._y = block.y
        self._t = block.row_weights()
        weights = block.score_weight[:, None]
        self._weights = weights / weights.sum() / block.y.shape[1]
        self._Z = problem.centred()
        # The weight of each row in the mean that belongs to the intercept.
        self._average = self._t[:, 0] / self._t.sum() * fit_intercept

    # With g = d loss / d e, A_i = H^-1 x_i and d l_i / d strength_j = -t_i A_ij^2:
    #     grad_w = -sum_i g_i / (1 - l_i) x_i
    #     direct_j = -sum_i g_i e_i / (1 - l_i) t_i A_ij^2.
    def __call__(self, w, h):
        """Values of shape (1,), their gradient in ``w``, and a dict of direct ones in ``h``."""
        strength = self.penalty.strength(h)
        residual = self._y - self._problem.predict(w)[:, 0]
        A, left = self._leave_out(strength, residual.shape[1])
        errors = residual / left
        slopes = 2 * self._weights * errors / left
        grad_w = -self._problem.predict_vjp(slopes[:, None, :])
        direct = -np.einsum("ik,kji->jk", self._t * slopes * errors, A**2)
        values = np.array([np.sum(self._weights * errors**2)])
        return values, grad_w, self.penalty.cross_vjp(h, direct)

    def _leave_out(self, strength, n_outputs):
        """``H^-1 x`` of all rows for every distinct column of strengths, and ``1 - l``."""
        rows = self._Z, self._t[:, 0], self._average
        parts = [self._problem.left_out(column[:, None], *rows) for column in strength.T]
        A, left = (np.stack(part) for part in zip(*parts, strict=True))
        return np.broadcast_to(A, (n_outputs, *A.shape[1:])), left.T
