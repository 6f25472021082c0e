"""The package's own solver, for penalties that no scaling of the features expresses."""

import dataclasses
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_hypergrad.linear_model.penalties import kept_columns, spread
from sklearn_hypergrad.problems import L2Penalty, LinearProblem, SplitData, Status

# Accuracy of the solution. Chosen by hand: close to rounding, since Newton's method doubles the
# number of correct digits per step.
TOL = 1e-10
# Penalty of a dropped coefficient, in units of the curvature of the loss: far above the inverse of
# the precision, 1e16, so that the coefficient is zero to all digits.
DROPPED = 1e20


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A fitted linear model.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
    n_iter : ndarray of shape (m,) or None
        Iterations, per target where targets were fitted one by one.
    solver : str
    """

    coef: np.ndarray
    intercept: np.ndarray
    n_iter: np.ndarray
    solver: str


def newton_fit(X, y, weights, strengths, loss, *, fit_intercept):
    """Minimise ``sum_i weights_i loss(y_i, X_i w + b) + 1/2 sum_kj strengths_kj w_kj^2``.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,)
    strengths : ndarray of shape (1, n_features) or (n_outputs, n_features)
        From 0 to infinity.
    loss : object
        A loss of :mod:`sklearn_hypergrad.losses` that can be trained.
    fit_intercept : bool

    Returns
    -------
    Fitted
    """
    kept = kept_columns(np.isfinite(strengths).any(axis=0))
    strength = strengths[:, kept].T
    penalty = L2Penalty("strength", entries=np.arange(strength.size).reshape(strength.shape))
    block = _block(X[:, kept], y, weights)
    problem = LinearProblem(block, penalty, loss, fit_intercept=fit_intercept)
    dropped = np.isinf(strength)
    finite = np.where(dropped, DROPPED * (problem.level or 1.0), strength)
    solution = problem.solve({"strength": finite.ravel()}, None, tol=TOL)
    _warn_unless_converged(solution.status)
    coef, intercept = problem.coefficients(solution.w)
    coef = np.where(dropped.T, 0.0, coef[0])
    # One system per iteration, and one for an adjoint that is not needed here.
    n_iter = np.array([solution.n_solves - 1], dtype=np.int32)
    return Fitted(spread(coef, kept), intercept[0], n_iter, "newton")


def _block(X, y, weights):
    """All rows as the training part of one split, which holds nothing out."""
    n_samples = len(y)
    return SplitData(
        X=X.astype(float),
        y=y.astype(float),
        trains=[np.arange(n_samples)],
        tests=[np.arange(0)],
        weights=[weights],
        score_weight=np.ones(n_samples),
    )


def _warn_unless_converged(status):
    if status is not Status.CONVERGED:
        warnings.warn(
            "The model did not converge. Scale the features (StandardScaler), or penalise every "
            "coefficient: without a penalty there may be no minimum, as for classes that can be "
            "separated.",
            ConvergenceWarning,
            stacklevel=2,
        )
