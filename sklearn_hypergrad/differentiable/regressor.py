"""Regression by a model of one's own."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from sklearn_hypergrad._sklearn import check_sample_weight, fit_context
from sklearn_hypergrad.differentiable.base import DifferentiableModel
from sklearn_hypergrad.problems.autograd.backends import numpy_of


class DifferentiableRegressor(RegressorMixin, DifferentiableModel):
    """Base class of regressors that are written down as a loss.

    See :class:`DifferentiableModel` for the methods of a subclass. By default ``loss`` is half the
    squared error, summed over outputs.

    Attributes
    ----------
    multi_output : bool
        Set by the subclass: whether y may have several columns. Then ``forward`` returns outputs of
        the shape (n_samples, n_outputs) of y, which ``initial`` can tell from y. Default: False.
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

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
    >>> from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
    >>> class SoftThreshold(DifferentiableRegressor):
    ...     '''Least squares with a penalty that is between those of lasso and ridge.'''
    ...
    ...     hyperparameters = {"alpha": Hyperparameter(), "width": Hyperparameter()}
    ...
    ...     def __init__(self, alpha=1.0, width=10.0):
    ...         self.alpha = alpha
    ...         self.width = width
    ...
    ...     def initial(self, X, y, rng):
    ...         return {"coef": np.zeros(X.shape[1]), "intercept": 0.0}
    ...
    ...     def forward(self, w, X, h):
    ...         return X @ w["coef"] + w["intercept"]
    ...
    ...     def penalty(self, w, h):
    ...         return h["alpha"] * np.sum(np.sqrt(w["coef"] ** 2 + h["width"] ** 2))
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = X[:150], y[:150]
    >>> ranges = {"alpha": Continuous(), "width": [1.0, 1000.0]}
    >>> search = HypergradSearchCV(SoftThreshold(), ranges, cv=3)
    >>> search = search.fit(X, y)
    >>> round(float(search.best_score_), 2), search.best_params_["alpha"] < 1
    (0.39, True)
    """

    multi_output = False

    def loss(self, y, z, h):
        squares = 0.5 * (z - y) ** 2
        return squares if np.ndim(squares) == 1 else numpy_of(squares).sum(squares, axis=1)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative; None is one for all. A sample of weight 0 is left
            out.

        Returns
        -------
        self : DifferentiableRegressor
            The fitted estimator.

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter is not legal, if ``forward`` or ``loss`` return something of another
            shape than they should, or if training diverges.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, multi_output=self.multi_output
        )
        sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return self._fit(X, y.astype(float, copy=False), sample_weight)

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        return self._forward(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.multi_output
        return tags
