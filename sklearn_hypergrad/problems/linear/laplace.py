"""The evidence of logistic regression by Laplace's approximation, a function of the penalties."""

import numpy as np

from sklearn_hypergrad.linalg import factor, inverse_of_triangle

# Inner tolerance: the derivative of the evidence takes the solution for exact.
SOLVED = 1e-8
# Number of vectors that are multiplied with X at a time. Chosen by hand: 40 MB for 10,000 rows.
COLUMNS = 512


# Derivation. Let coefficient j be Gaussian with the variance 1 / strength_j, and the intercept have
# a flat prior. With w the minimiser of the loss plus penalty F, and H its Hessian there, Laplace's
# approximation of minus the log marginal likelihood is, up to a constant,
#     E = F(w) + 1/2 log det H - 1/2 sum_j log strength_j.
# F is at its minimum, so that F depends on strength_j as w_j^2 / 2. H = X'WX + D depends on it
# directly and through w, whose derivative is -H^-1 e_j w_j:
#     dE / d strength_j = w_j^2 / 2 + (H^-1)_jj / 2 - 1 / (2 strength_j) - w_j q_j
#     q = H^-1 X' (1/2 W' v),   v_i = x_i' H^-1 x_i
# with W' the derivatives of the diagonal of W in the predictions
# (MacKay 1992, "The evidence framework applied to classification networks").
class LaplaceEvidence:
    """Minus the log evidence of logistic regression on all rows, in nats, up to a constant.

    Parameters
    ----------
    problem : LinearProblem
        A problem of one split, whose training part is all rows, with two classes.
    """

    def __init__(self, problem):
        self._problem = problem

    @property
    def level(self):
        """Strength at which penalty and data have about the same weight."""
        return self._problem.level

    def __call__(self, h):
        """``(value, derivatives)``, the latter a dict of arrays shaped like those of ``h``."""
        problem = self._problem
        w = problem.solve(h, None, SOLVED).w
        objective, hessian, strength, slopes = problem.expanded(w, h)
        # Factorised is D^-1/2 H D^-1/2, whose entries have no units.
        root = 1 / np.sqrt(strength)
        triangle = factor(root[:, None] * hessian * root)
        left = root[:, None] * inverse_of_triangle(triangle)
        q = left @ (left.T @ problem.pulled(0.5 * slopes * problem.spread(left, COLUMNS)))
        n_features = problem.penalised(w).shape[0]
        own, w = np.einsum("ij,ij->i", left, left), w[:, 0, 0]
        gradient = 0.5 * (w**2 + own - 1 / strength) - w * q
        value = objective + np.log(np.diag(triangle)).sum()
        return float(value), problem.penalty.cross_vjp(h, gradient[:n_features, None])
