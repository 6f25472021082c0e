"""GaussianNB with smoothed variances.

The joint log likelihood of a row x and a class c is the sum over features j ::

    log prior_c  -  1/2 sum_j [log(2 pi v_cj(s))  +  (x_j - m_cj)^2 / v_cj(s)]

with ``v_cj(s) = v_cj + s max_j var_j``: the variances of the class, plus a share of the largest
variance of a feature over all training rows. ``var_smoothing`` is the share.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.naive_bayes import GaussianNB

from sklearn_hypergrad.adapters.base import Hyperparameter, family
from sklearn_hypergrad.adapters.closed_form import ClosedFormFamily, ClosedFormModel
from sklearn_hypergrad.adapters.likelihood import LikelihoodSplit, priors_of

# Centre of a scan without bounds. Chosen by hand: twelve decades to each side hold the usual value,
# 1e-9, and shares at which all classes have the same variances.
LEVEL = 1e-3


class GaussianSplit(LikelihoodSplit):
    """Means and variances of the classes in one split.

    Parameters
    ----------
    estimator : GaussianNB
    X, codes, weight : ndarray
        Rows, classes and weights of the training part.
    tests : ndarray
        Held-out rows.
    """

    def __init__(self, estimator, X, codes, weight, tests):
        self._tests, self._dtype = tests, X.dtype
        # The estimator computes in the precision of X.
        self.eps = np.finfo(X.dtype).eps
        self._largest_variance = np.var(X, axis=0, dtype=float).max()
        if self._largest_variance == 0:
            raise ValueError("all features are constant in the training part of a split")
        self._counts = np.bincount(codes, weight)
        moments = [_moments(X[codes == k], weight[codes == k]) for k in range(len(self._counts))]
        self._means, self._variances = map(np.array, zip(*moments, strict=True))
        self._priors = priors_of(estimator.priors, self._counts)

    def joint(self, values):
        smoothing = np.reshape(values, (-1, 1)) * self._largest_variance
        found = [self._joint_of(k, smoothing) for k in range(len(self._means))]
        return np.array(found) + np.log(self._priors)[:, None, None]

    def _joint_of(self, k, smoothing):
        v = self._variances[k] + smoothing
        logs = np.log(2 * np.pi * v).sum(axis=1, keepdims=True)
        return -0.5 * ((1 / v) @ self._squares(k).T + logs)

    def joint_slopes(self, value):
        smoothed = self._variances + value * self._largest_variance
        slopes = [
            0.5 * self._largest_variance * (self._squares(k) @ v**-2.0 - np.sum(1 / v))
            for k, v in enumerate(smoothed)
        ]
        return np.array(slopes)

    def _squares(self, k):
        """Squared deviations of held-out rows from the means of a class."""
        return (self._tests - self._means[k]) ** 2

    def attributes(self, value):
        smoothing = value * self._largest_variance
        arrays = {
            "theta_": self._means,
            "var_": self._variances + smoothing,
            "class_count_": self._counts,
            "class_prior_": self._priors,
        }
        cast = {name: array.astype(self._dtype) for name, array in arrays.items()}
        return cast | {"epsilon_": smoothing}


class GaussianFamily(ClosedFormFamily):
    """Independent Gaussian features, whose variances are smoothed."""

    estimator_class = GaussianNB
    hyperparameters = {"var_smoothing": Hyperparameter(regularizes=1)}
    methods = (*ClosedFormFamily.methods, "predict_log_proba")

    def model(self, estimator, data, entries, seed):
        if issparse(data.X):
            raise TypeError("GaussianNB takes no sparse X")
        _, codes = np.unique(data.labels, return_inverse=True)
        splits = [
            GaussianSplit(estimator, data.X[train], codes[train], weight, data.X[test])
            for train, weight, test in zip(data.trains, data.weights, data.tests, strict=True)
        ]
        return ClosedFormModel(data, "var_smoothing", LEVEL, splits)


def _moments(X, weight):
    """Means and variances of features; zeros, as in the estimator, where nothing has a weight."""
    if np.isclose(weight.sum(), 0.0):
        return np.zeros((2, X.shape[1]))
    X = X.astype(np.float64, copy=False)
    mean = np.average(X, axis=0, weights=weight)
    return mean, np.average((X - mean) ** 2, axis=0, weights=weight)


@family.register
def _(estimator: GaussianNB):
    return GaussianFamily()
