"""From an estimator of this package to scikit-learn's own."""

import copy

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.linear_model.penalties import is_number


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
