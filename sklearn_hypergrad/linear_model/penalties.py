"""Penalties given as arrays: values, shapes, and the way back to scikit-learn's estimators."""

import copy

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.by_feature.values import is_number, values_array


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
