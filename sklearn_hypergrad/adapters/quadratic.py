"""QuadraticDiscriminantAnalysis with regularised covariances.

The joint log likelihood of a row x and a class c with mean m_c is, but for a constant, ::

    -1/2 (x - m_c)' S_c(r)^-1 (x - m_c)  -  1/2 log det S_c(r)  +  log prior_c

with the covariance matrix ``S_c(r) = (1 - r) S_c + r I`` of the rows of the class. ``r`` is
``reg_param``, between 0 and 1. One singular value decomposition per class and split gives the
decision values for every ``r``. ``solver="eigen"`` ignores it and is refused.
"""

import functools

import numpy as np
from scipy.sparse import issparse
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from sklearn_hypergrad.adapters.base import Hyperparameter, family
from sklearn_hypergrad.adapters.closed_form import ClosedFormFamily, ClosedFormModel
from sklearn_hypergrad.adapters.likelihood import LikelihoodSplit, priors_of


class QuadraticSplit(LikelihoodSplit):
    """Gaussian classes of one split, each with its own covariance matrix.

    Parameters
    ----------
    estimator : QuadraticDiscriminantAnalysis
    parts : list of ndarray
        The training rows of every class.
    tests : ndarray
        Held-out rows.
    """

    def __init__(self, estimator, parts, tests):
        counts = np.array([len(part) for part in parts])
        self._priors, self._tol = priors_of(estimator.priors, counts), estimator.tol
        self._store_covariance = estimator.store_covariance
        self._means = np.array([part.mean(axis=0) for part in parts])
        self._variances, self._rotations, self._squares = [], [], []
        for part, mean in zip(parts, self._means, strict=True):
            _, s, Vt = np.linalg.svd(part - mean, full_matrices=False)
            self._variances.append(s**2 / (len(part) - _n_lost()))
            self._rotations.append(Vt.T)
            self._squares.append(((tests - mean) @ Vt.T) ** 2)

    def joint(self, values):
        found = [self._joint_of(k, np.reshape(values, (-1, 1))) for k in range(len(self._squares))]
        return np.array(found) + np.log(self._priors)[:, None, None]

    def _joint_of(self, k, values):
        s = self._regularised(k, values)
        z = -0.5 * ((1 / s) @ self._squares[k].T + np.log(s).sum(axis=1, keepdims=True))
        # The fit raises an error for these.
        z[np.any(s <= self._tol, axis=1)] = np.nan
        return z

    def joint_slopes(self, value):
        slopes = []
        for k, (variances, squares) in enumerate(zip(self._variances, self._squares, strict=True)):
            s, change = self._regularised(k, value), 1 - variances
            slopes.append(0.5 * (squares @ (change / s**2) - np.sum(change / s)))
        return np.array(slopes)

    def _regularised(self, k, value):
        return (1 - value) * self._variances[k] + value

    def attributes(self, value):
        scalings = [self._regularised(k, value) for k in range(len(self._variances))]
        found = {
            "means_": self._means,
            "priors_": self._priors,
            "scalings_": scalings,
            "rotations_": self._rotations,
        }
        if self._store_covariance:
            pairs = zip(scalings, self._rotations, strict=True)
            found["covariance_"] = [scaling * V @ V.T for scaling, V in pairs]
        return found


class QuadraticFamily(ClosedFormFamily):
    """Gaussian classes, whose covariance matrices are drawn towards I."""

    estimator_class = QuadraticDiscriminantAnalysis
    hyperparameters = {
        "reg_param": Hyperparameter(regularizes=1, scale="linear", limits=(0.0, 1.0), closed=True)
    }
    conditions = "``solver='svd'``; more rows than features in every class"
    enumerated = {"shrinkage": "belongs to solver='eigen', which is not differentiated"}

    def configuration_obstacle(self, estimator):
        if estimator.solver != "svd":
            return f"solver={estimator.solver!r} has no reg_param: use 'svd'"
        if estimator.shrinkage is not None or estimator.covariance_estimator is not None:
            return "solver='svd' takes neither shrinkage nor covariance_estimator"
        return None

    def fewest_rows(self, n_features):
        return max(2, n_features)

    def model(self, estimator, data, entries, seed):
        if issparse(data.X):
            raise TypeError("QuadraticDiscriminantAnalysis takes no sparse X")
        X, classes = data.X.astype(np.float64, copy=False), np.unique(data.labels)
        splits = []
        for train, test in zip(data.trains, data.tests, strict=True):
            parts = [X[train[data.labels[train] == label]] for label in classes]
            _check_sizes(parts, classes)
            splits.append(QuadraticSplit(estimator, parts, X[test]))
        return ClosedFormModel(data, "reg_param", 0.5, splits)


# Scikit-learn 1.9.0 divides by one row less, later releases by all of them.
@functools.cache
def _n_lost():
    """What the estimator takes off the number of rows, by which it divides sums of squares."""
    rows, labels = [[-1.0], [1.0], [-1.0], [1.0]], [0, 0, 1, 1]
    (variance,), _ = QuadraticDiscriminantAnalysis().fit(rows, labels).scalings_
    return 2 - 2 / variance


def _check_sizes(parts, classes):
    """Raise ValueError where the fit raises an error for every ``reg_param``."""
    for label, part in zip(classes, parts, strict=True):
        n_rows, n_features = part.shape
        if n_rows < max(2, n_features):
            raise ValueError(
                f"class {label} has {n_rows} rows in the training part of a split, too few for a "
                f"covariance matrix of {n_features} features"
            )


@family.register
def _(estimator: QuadraticDiscriminantAnalysis):
    return QuadraticFamily()
