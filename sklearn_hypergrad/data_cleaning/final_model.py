"""What an estimator leaves to the model that it trains at the end."""

from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.neural_network.base import DTYPES


def _final_has(name):
    """Whether the final model has a method, or will have it when it is fitted."""

    def check(self):
        fitted = getattr(self, "estimator_", None)
        models = fitted, self.final_estimator, self.estimator, MLPClassifier
        getattr(next(model for model in models if model is not None), name)
        return True

    return check


class FinalModel(DocumentedMixin, BaseEstimator):
    """Predictions of ``estimator_``, which is trained from ``final_estimator``."""

    def predict(self, X):
        """Predict classes with the final model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes.
        """
        return self._respond("predict", X)

    @available_if(_final_has("predict_proba"))
    def predict_proba(self, X):
        """Predict probabilities with the final model, where that has such.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Probabilities of the classes, in the order of ``classes_``.
        """
        return self._respond("predict_proba", X)

    @available_if(_final_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Predict logarithms of probabilities with the final model, where that has such.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of ``predict_proba``.
        """
        return self._respond("predict_log_proba", X)

    @available_if(_final_has("decision_function"))
    def decision_function(self, X):
        """Confidence scores of the final model, where that has such.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the final model has them.
        """
        return self._respond("decision_function", X)

    def _respond(self, name, X):
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, accept_sparse="csr", dtype=DTYPES, reset=False)
        return getattr(self.estimator_, name)(X)
