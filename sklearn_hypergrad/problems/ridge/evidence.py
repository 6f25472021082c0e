"""The evidence of ridge regression: its marginal likelihood as a function of the penalties."""

import dataclasses

import numpy as np

# Smallest misfit: that of a constant target is zero. Chosen by hand: its inverse is finite, times a
# number of rows, and it is no misfit of data that vary.
LEAST = 1e-290


@dataclasses.dataclass(frozen=True)
class Marginal:
    """What the evidence takes from one factorisation.

    With the weighted and centred rows Z and each target t of the one split, D the diagonal of
    strengths and ``w = (Z'Z + D)^-1 Z't``:

    Attributes
    ----------
    w : ndarray of shape (n_features, n_outputs)
    misfit : ndarray of shape (n_outputs,)
        The minimum of the penalised squared error, ``t'(t - Z w)``.
    log_volume : float
        ``log det(I + Z D^-1 Z')``, columns without penalty projected out of Z.
    used : ndarray of shape (n_features,)
        Effective degrees of freedom of each coefficient: ``1 - strength_j (Z'Z + D)^-1_jj``.
    """

    w: np.ndarray
    misfit: np.ndarray
    log_volume: float
    used: np.ndarray


# Derivation. Let y have Gaussian noise of variance s2 (s2 over its weight, for weighted rows), and
# let coefficient j be Gaussian with the variance s2 / strength_j, and the intercept have a flat
# prior. Then minus the log marginal likelihood is, up to a constant,
#     1/2 (m log s2 + log det(I + Z D^-1 Z') + Q / s2)
# with Q the misfit, and m the number of rows, less one for an intercept. Its minimum in s2 is at
# Q / m, which leaves
#     E = m/2 log Q + 1/2 log det(I + Z D^-1 Z').
# As w minimises the squared error whose minimum is Q, dQ / d strength_j = w_j^2. With H = Z'Z + D,
# log det(I + Z D^-1 Z') = log det H - log det D. So
#     dE / d log strength_j = m / (2 Q) strength_j w_j^2 - 1/2 used_j
# A coefficient without a penalty has a flat prior, as the intercept has: it takes one from m. With
# a strength e that goes to zero,
#     log det(I + Z D^-1 Z') -> log det(I + P Z D^-1 Z' P) + log det(U'U / e)
# where P projects the free columns U out of the others; the last term is constant.
# Several targets that share the strengths have noise of their own: their evidences are added.
# (MacKay 1992, "Bayesian interpolation"; Tipping 2001, "Sparse Bayesian learning and the relevance
# vector machine").
class Evidence:
    """Minus the log evidence of ridge regression on all rows, in nats, up to a constant.

    The variance of the noise is the one that maximises it.

    Parameters
    ----------
    problem : GramRidge or DualRidge
        A problem of one split, whose training part is all rows.
    penalty : L2Penalty
        Its penalty, which all targets share.
    n_samples : float
        Number of rows, or the sum of their weights: a row of weight w counts as w rows.
    n_free : int, default=0
        Number of directions that the columns without a penalty span, beside the intercept.
    fit_intercept : bool
    """

    def __init__(self, problem, penalty, n_samples, n_free=0, *, fit_intercept):
        self._problem = problem
        self._penalty = penalty
        self._half = 0.5 * (n_samples - fit_intercept - n_free)

    @property
    def level(self):
        """Strength at which penalty and data have about the same weight."""
        return self._problem.level

    def __call__(self, h):
        """``(value, derivatives)``, the latter a dict of arrays shaped like those of ``h``."""
        strength = np.broadcast_to(self._penalty.strength(h), (self._problem.n_features, 1))
        marginal = self._problem.marginal(strength[:, 0])
        misfit, n_outputs = np.maximum(marginal.misfit, LEAST), len(marginal.misfit)
        value = self._half * np.log(misfit).sum() + 0.5 * n_outputs * marginal.log_volume
        # In the strengths, not in their logarithms.
        slopes = marginal.w**2 @ (self._half / misfit)
        slopes -= 0.5 * n_outputs * marginal.used / strength[:, 0]
        return float(value), self._penalty.cross_vjp(h, slopes[:, None])
