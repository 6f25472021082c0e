"""Penalties given as arrays: their shapes, and how scikit-learn's estimators of one take them."""

import copy

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils.sparsefuncs import inplace_column_scale
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.by_feature.values import is_number, values_array

# Scaling by penalties that differ makes the problem as badly conditioned as they do: beyond this
# ratio iterative solvers stop far from the solution and direct ones lose digits, some of them
# without a warning.
WIDEST = {"iterative": 1e4, "direct": 1e12}


def alpha_array(alpha, n_targets, n_features):
    """``alpha`` of ridge regression as an array.

    Returns
    -------
    values : ndarray of shape (n_targets, 1), (1, n_features) or (n_targets, n_features)
    """
    # One per target comes last: where shapes coincide so do the meanings, but for the name.
    legal = {
        (1, n_features): "per feature",
        (n_targets, n_features): "per coefficient",
        (n_targets,): "per target",
        (1,): "for all",
    }
    if n_targets == 1:
        legal = {(n_features,): "per feature", (1, n_features): "per feature", (1,): "per target"}
    data = f"{n_targets} target(s) and {n_features} feature(s)"
    values = values_array("alpha", alpha, legal, data)
    if values.shape in ((n_targets,), (1,)):
        return values[:, None]
    return values.reshape(-1, n_features)


def c_array(C, n_classes, n_features):
    """``C`` of logistic regression as an array.

    Returns
    -------
    values : ndarray of shape (1, n_features) or (n_classes, n_features)
    """
    coefficients = (1 if n_classes <= 2 else n_classes, n_features)
    legal = {(n_features,): "per feature", coefficients: "per coefficient"}
    data = f"{n_classes} class(es) and {n_features} feature(s)"
    return values_array("C", C, legal, data).reshape(-1, n_features)


def scalable(strengths, kind="iterative"):
    """Whether a solver of that kind finds the solution after a scaling."""
    finite = strengths[np.isfinite(strengths)]
    if len(finite) == 0:
        return True
    return finite.min() > 0 and finite.max() / WIDEST[kind] <= finite.min()


# With u_j = w_j / f_j and f_j = sqrt(r / a_j), for any r > 0,
#     X w = (X diag(f)) u    and    sum_j a_j w_j^2 = r sum_j u_j^2,
# so that u is what a model with the one penalty r has on the columns X_j f_j. An infinite a_j has
# f_j = 0: its column is zero, and so is w_j.
class Scaling:
    """The substitution that turns penalties per feature into one number.

    Parameters
    ----------
    strengths : ndarray of shape (n_features,)
        Positive, or infinite for features to leave out.

    Attributes
    ----------
    reference : float
        The one penalty: the geometric mean of the finite ones.
    """

    def __init__(self, strengths):
        self._kept = kept_columns(np.isfinite(strengths))
        finite = strengths[np.isfinite(strengths)]
        self.reference = _geometric_mean(finite) if len(finite) else 1.0
        self._factors = np.sqrt(self.reference / strengths[self._kept])

    def features(self, X):
        """The scaled columns that stay, a copy in float64 for what the scaling costs in digits."""
        if issparse(X):
            scaled = X[:, self._kept].astype(np.float64)
            inplace_column_scale(scaled, self._factors)
            return scaled
        scaled = np.compress(self._kept, X, axis=1).astype(np.float64, copy=False)
        scaled *= self._factors
        return scaled

    def scaled(self, coef):
        """Coefficients of the scaled columns, for those of all features on the last axis."""
        kept = coef[..., self._kept]
        return np.divide(kept, self._factors, out=np.zeros_like(kept), where=self._factors > 0)

    def coefficients(self, coef):
        """Coefficients of all features, for those of the scaled columns on the last axis."""
        return spread(coef * self._factors, self._kept)


def _geometric_mean(values):
    """Relative to the lowest, so that the mean of equal numbers is exactly that number."""
    lowest = values.min()
    return float(lowest * np.exp(np.mean(np.log(values) - np.log(lowest))))


def kept_columns(wanted):
    """``wanted``, but at least the first column: a model is fitted to one or more."""
    kept = wanted.copy()
    kept[0] |= not wanted.any()
    return kept


def spread(coef, kept):
    """Coefficients of all columns, with exact zeros where they were not kept."""
    full = np.zeros((*coef.shape[:-1], len(kept)), dtype=coef.dtype)
    full[..., kept] = coef
    return full


class DeployMixin(DocumentedMixin):
    """Estimators that extend one of scikit-learn by vectors as a penalty.

    Subclasses set ``_plain_class``, the estimator that they extend, and ``_penalty_name``, the
    parameter that may be a vector.
    """

    def to_sklearn(self):
        """The fitted model as an estimator of scikit-learn, which needs this package no longer.

        It has the same fitted attributes, copied, and hence the same predictions. Its parameters
        are the same too, but for a penalty that is an array: that is replaced by 1.0. Fitting it
        again therefore gives another model.

        Returns
        -------
        estimator : estimator of sklearn.linear_model
            Fitted, of the class of the same name.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        penalty = getattr(self, self._penalty_name)
        plain = clone(self._plain(penalty if is_number(penalty) else 1.0))
        for name, value in vars(self).items():
            if name.endswith("_") or name == "_label_binarizer":
                setattr(plain, name, copy.deepcopy(value))
        return plain

    def _plain(self, penalty):
        """Scikit-learn's estimator with the same parameters, but for the penalty."""
        params = self.get_params(deep=False)
        return self._plain_class(**{**params, self._penalty_name: penalty})
