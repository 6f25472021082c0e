"""Classification by a model of one's own."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from sklearn_hypergrad._sklearn import check_sample_weight, fit_context
from sklearn_hypergrad.differentiable.base import DifferentiableModel
from sklearn_hypergrad.problems.autograd.backends import numpy_of, special_of


class DifferentiableClassifier(ClassifierMixin, DifferentiableModel):
    """Base class of classifiers that are written down as a loss.

    See :class:`DifferentiableModel` for the methods of a subclass. With two classes, the y that
    ``initial`` and ``loss`` take has the shape (n_samples,) and is 0 or 1, and an output is the
    logarithm of the odds of the second class. With more classes y is one-hot, of shape
    (n_samples, n_classes), and the softmax of the outputs are probabilities. By default ``loss`` is
    minus the logarithm of the probability of the true class.

    Attributes
    ----------
    multi_class : bool
        Set by the subclass: False if ``forward`` has outputs for two classes only. More are then
        refused. Default: True.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    backend_ : {"autograd", "jax"}
        Who differentiated the loss.
    weights_ : nested structure
        The fitted weights, as ``initial`` shapes them.
    hyperparameters_ : dict
        The hyperparameters of the fit, as floats and arrays.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.
    """

    multi_class = True

    def loss(self, y, z, h):
        own = numpy_of(z)
        if np.ndim(z) == 1:
            return own.logaddexp(0.0, z) - y * z
        return special_of(z).logsumexp(z, axis=1) - own.sum(y * z, axis=1)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative; None is one for all. A sample of weight 0 is left
            out.

        Returns
        -------
        self : DifferentiableClassifier
            The fitted estimator.

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter is not legal, if ``forward`` or ``loss`` return something of another
            shape than they should, if y has one class only, or more than ``multi_class`` allows, or
            if training diverges.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self._check_binary(y)
        sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        present = np.unique(y[sample_weight > 0])
        if len(present) < 2:
            raise ValueError(
                f"y has 1 class only, {present[0]!r}, but a classifier needs at least 2 classes of "
                f"positive weight."
            )
        binarizer = LabelBinarizer().fit(y)
        self.classes_ = binarizer.classes_
        coded = binarizer.transform(y).astype(float)
        return self._fit(X, coded[:, 0] if coded.shape[1] == 1 else coded, sample_weight)

    def decision_function(self, X):
        """Compute the outputs of the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        z : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Logarithm of the odds of the second of two classes; else up to a common summand the
            logarithms of the probabilities.
        """
        return self._forward(X)

    def predict_proba(self, X):
        """Predict probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        z = self._forward(X)
        return expit(np.column_stack([-z, z])) if z.ndim == 1 else softmax(z, axis=1)

    def predict(self, X):
        """Predict classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable class of each sample.
        """
        z = self._forward(X)
        return self.classes_[(z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.multi_class
        return tags

    def _check_binary(self, y):
        kind = type_of_target(y)
        if not self.multi_class and kind != "binary":
            # The words that scikit-learn's own checks expect.
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}. "
                f"{type(self).__name__} has multi_class = False: wrap it in OneVsRestClassifier, "
                f"or write outputs for several classes."
            )
