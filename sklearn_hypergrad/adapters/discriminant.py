"""LinearDiscriminantAnalysis with shrinkage.

The estimator predicts classes c by the decision values ::

    x' S(s)^-1 m_c  -  1/2 m_c' S(s)^-1 m_c  +  log prior_c

with class means m_c and the covariance matrix ``S(s) = (1 - s) S + s tr(S) / p I`` of p features.
The shrinkage ``s`` is tuned, between 0 and 1. One eigendecomposition of S per split gives the
decision values for every ``s``, so that a whole path of values costs about as much as one, and the
pullback is in closed form. ``solver="svd"`` has no shrinkage, and a ``covariance_estimator`` has
another one: both are refused.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sklearn_hypergrad.adapters.base import Hyperparameter, family
from sklearn_hypergrad.adapters.closed_form import (
    ClosedFormFamily,
    ClosedFormModel,
    ClosedFormSplit,
)

# Features up to which a covariance matrix is decomposed for every split: 2500 take ten seconds.
MAX_FEATURES = 2500
# Eigenvalues below this share of the largest count as zero, as for LAPACK's least squares, with
# which scikit-learn solves.
EPS = np.finfo(float).eps


class DiscriminantSplit(ClosedFormSplit):
    """The decision values of one split as a function of the shrinkage.

    Its covariance matrix is ``(1 - s) S + s mean(eigenvalues of S) I``, so one eigendecomposition
    of ``S = V diag(v) V'`` serves all ``s``.

    Parameters
    ----------
    estimator : LinearDiscriminantAnalysis
    X, codes : ndarray
        Rows and classes of the training part.
    tests : ndarray
        Held-out rows.
    """

    def __init__(self, estimator, X, codes, tests):
        counts = np.bincount(codes)
        self._priors = _priors(estimator, counts)
        self._means = np.array([X[codes == k].mean(axis=0) for k in range(len(counts))])
        residuals = (X - self._means[codes]) * np.sqrt(self._priors / counts)[codes, None]
        values, self._V = np.linalg.eigh(residuals.T @ residuals)
        self._values = np.maximum(values, 0.0)
        self._rotated, self._tests = self._means @ self._V, tests @ self._V

    def decisions(self, values):
        return np.array([self._decisions(value) for value in values])

    def at(self, value):
        return self._decisions(value), lambda: self._slopes(value)

    def _decisions(self, shrinkage):
        coef = self._rotated * self._inverse(shrinkage)
        z = self._tests @ coef.T + self._intercept(coef)
        return z if len(coef) > 2 else z[:, 1:] - z[:, :1]

    def _slopes(self, value):
        change = np.mean(self._values) - self._values
        coef = -self._rotated * change * self._inverse(value) ** 2
        z = self._tests @ coef.T - 0.5 * np.sum(self._rotated * coef, axis=1)
        return z if len(coef) > 2 else z[:, 1:] - z[:, :1]

    def attributes(self, value):
        rotated = self._rotated * self._inverse(value)
        coef, intercept = rotated @ self._V.T, self._intercept(rotated)
        if len(coef) == 2:
            coef, intercept = np.diff(coef, axis=0), np.diff(intercept)
        return {
            "coef_": coef,
            "intercept_": intercept,
            "means_": self._means,
            "priors_": self._priors,
        }

    def _inverse(self, shrinkage):
        values = (1 - shrinkage) * self._values + shrinkage * np.mean(self._values)
        kept = values > EPS * values.max()
        return np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)

    def _intercept(self, rotated):
        with np.errstate(divide="ignore"):
            return np.log(self._priors) - 0.5 * np.sum(self._rotated * rotated, axis=1)


class DiscriminantFamily(ClosedFormFamily):
    """Gaussian classes of one covariance matrix, which is shrunk towards a multiple of I."""

    estimator_class = LinearDiscriminantAnalysis
    hyperparameters = {
        "shrinkage": Hyperparameter(regularizes=1, scale="linear", limits=(0.0, 1.0), closed=True)
    }
    conditions = "``solver='lsqr'`` or ``'eigen'``; not with ``covariance_estimator``"

    def configuration_obstacle(self, estimator):
        if estimator.solver not in ("lsqr", "eigen"):
            return f"solver={estimator.solver!r} has no shrinkage: use 'lsqr' or 'eigen'"
        if estimator.covariance_estimator is not None:
            return "covariance_estimator takes the place of shrinkage"
        return None

    def own_value(self, estimator, name, data):
        own = getattr(estimator, name)
        return 0.0 if own is None else own

    def model(self, estimator, data, entries, seed):
        if issparse(data.X):
            raise TypeError("LinearDiscriminantAnalysis takes no sparse X")
        n_features = data.X.shape[1]
        if n_features > MAX_FEATURES:
            raise ValueError(
                f"the covariance of {n_features} features is too large to be decomposed for every "
                f"split: at most {MAX_FEATURES}"
            )
        X = data.X.astype(np.float64, copy=False)
        _, codes = np.unique(data.labels, return_inverse=True)
        splits = [
            DiscriminantSplit(estimator, X[train], codes[train], X[test])
            for train, test in zip(data.trains, data.tests, strict=True)
        ]
        return ClosedFormModel(data, "shrinkage", 0.5, splits)


def _priors(estimator, counts):
    """Shares of the classes, as ``fit`` of the estimator has them."""
    if estimator.priors is None:
        return counts / counts.sum()
    priors = np.asarray(estimator.priors, dtype=float)
    # The tolerance is that of scikit-learn.
    return priors / priors.sum() if abs(priors.sum() - 1.0) > 1e-5 else priors


@family.register
def _(estimator: LinearDiscriminantAnalysis):
    return DiscriminantFamily()
