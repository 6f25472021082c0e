"""Ridge regression of many targets on wide data, each with a penalty per group of features."""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linear_model.newton import Fitted
from sklearn_hypergrad.problems.linear.row_kernels import row_kernel
from sklearn_hypergrad.problems.ridge.group_kernels import MOST_GROUPS
from sklearn_hypergrad.problems.ridge.group_systems import MOST_KEPT, Systems, packed_kernels


def groups_of(model, X, alpha):
    """The number of the group of each feature; None where groups do not pay.

    Parameters
    ----------
    model : Ridge
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    alpha : ndarray of shape (n_targets, n_features)
        With equal columns for features of a group.
    """
    n_samples, n_features = X.shape
    direct = model.solver in ("auto", "cholesky") and not model.positive
    double = not issparse(X) and X.dtype == np.float64
    usual = np.isfinite(alpha).all() and (alpha > 0).all()
    if not (direct and double and usual and len(alpha) > 1 and n_features > n_samples):
        return None
    # A sum of all targets tells features apart; rounding may tell too many.
    sums = np.random.default_rng(0).normal(size=len(alpha)) @ alpha
    _, firsts, numbers = np.unique(sums, return_index=True, return_inverse=True)
    fits = len(firsts) * n_samples**2 <= MOST_KEPT
    if len(firsts) > MOST_GROUPS or not fits:
        return None
    return numbers if np.array_equal(alpha, alpha[:, firsts[numbers]]) else None


# With D the penalties of a target, K = Z D^-1 Z' = sum_g Z_g Z_g' / alpha_g of the weighted and
# centred rows Z, and a = (I + K)^-1 t, the coefficients are D^-1 Z' a. The kernels of the groups
# serve all targets.
def fit_by_groups(model, X, y, alpha, groups, places, sample_weight):
    """The Fitted of all targets.

    Parameters
    ----------
    model : Ridge
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_targets)
    alpha : ndarray of shape (n_features, n_distinct)
        The distinct penalties of targets.
    groups : ndarray of int of shape (n_features,)
    places : list of ndarray of int
        The targets that have each of them.
    sample_weight : ndarray of shape (n_samples,) or None
    """
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    root = np.sqrt(weights)[:, None]
    x_mean = np.average(X, axis=0, weights=weights) if model.fit_intercept else np.zeros(X.shape[1])
    y_mean = np.average(y, axis=0, weights=weights) if model.fit_intercept else np.zeros(y.shape[1])
    Z = root * (X - x_mean)
    numbers, firsts = np.unique(groups, return_index=True)
    parts = [Z[:, groups == number] for number in numbers]
    kernels = packed_kernels([row_kernel(part, np.zeros(part.shape[1])) for part in parts])
    order, sizes = np.concatenate(places), [len(each) for each in places]
    systems = Systems(kernels, 1 / alpha[firsts], np.cumsum(sizes))
    a = systems.solve(root * (y - y_mean)[:, order])
    coef = (Z.T @ a) / np.repeat(alpha, sizes, axis=1)
    coef = coef[:, np.argsort(order)].T
    return Fitted(coef, y_mean - coef @ x_mean, None, "cholesky")
