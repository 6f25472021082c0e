"""Steps before the model of one's own: rows as a function of hyperparameters."""

import abc

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_hypergrad._sklearn import DocumentedMixin, fit_context
from sklearn_hypergrad.differentiable.declarations import Declared
from sklearn_hypergrad.differentiable.returned import check_array
from sklearn_hypergrad.problems.autograd.loaded_jax import doubles, in_numpy


class DifferentiableTransformer(
    Declared,
    DocumentedMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    abc.ABC,
):
    """Base class of transformers of one's own, to be tuned in pipelines.

    A subclass has a constructor as any scikit-learn estimator, and lists in ``hyperparameters``
    which of its parameters can be tuned. It writes ``forward`` with ``autograd.numpy`` or
    ``jax.numpy`` and, if something is learned from training rows, ``learn``. ``forward`` takes the
    hyperparameters as a dict ``h``: read them from there, not from ``self``, or they have no
    derivative. A hyperparameter may be a number or an array of any shape.

    Attributes
    ----------
    hyperparameters : dict of str -> Hyperparameter
        Set by the subclass.
    backend : {"auto", "autograd", "jax"}
        Set by the subclass: what its functions are written with. By default, "auto", they show it.
    state_ : object
        What ``learn`` returned.
    hyperparameters_ : dict
        The hyperparameters of the fit, as floats and arrays.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    Notes
    -----
    The names of the columns that leave it are numbered. If each belongs to the column that enters,
    ``class Own(OneToOneFeatureMixin, DifferentiableTransformer)`` keeps its name.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
    >>> from sklearn_hypergrad.differentiable import DifferentiableTransformer, Hyperparameter
    >>> class Bent(DifferentiableTransformer):
    ...     '''Draws values that are far from the mean towards it.'''
    ...
    ...     hyperparameters = {"width": Hyperparameter()}
    ...
    ...     def __init__(self, width=1.0):
    ...         self.width = width
    ...
    ...     def learn(self, X, y, rng):
    ...         return X.mean(axis=0), X.std(axis=0)
    ...
    ...     def forward(self, state, X, h):
    ...         mean, deviation = state
    ...         return h["width"] * np.tanh((X - mean) / (h["width"] * deviation))
    >>> X, y = load_diabetes(return_X_y=True)
    >>> param_grid = {"bent__width": Continuous(), "ridge__alpha": Continuous()}
    >>> search = HypergradSearchCV(make_pipeline(Bent(), Ridge()), param_grid).fit(X, y)
    >>> round(float(search.best_score_), 2)
    0.48
    """

    backend = "auto"
    # A subclass may have constraints of its own, as scikit-learn's estimators do.
    _parameter_constraints: dict = {}

    def learn(self, X, y, rng):
        """What is learned from the training rows; by default nothing.

        What depends on hyperparameters belongs into ``forward``: this state is the same for all of
        them. It needs ``autograd.numpy`` only to stand behind another step that is tuned.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features of the training rows.
        y : ndarray of shape (n_samples, ...) or None
            Targets as the user gave them.
        rng : numpy.random.Generator
            Generator with the seed ``random_state``, if there is such a parameter, else with a
            fixed seed.

        Returns
        -------
        state : object
            Whatever ``forward`` needs, such as arrays or a tuple or dict of arrays.
        """
        return None

    @abc.abstractmethod
    def forward(self, state, X, h):
        """The rows that leave the step.

        Each is to depend on the row of X at its place only, and on the state.

        Parameters
        ----------
        state : object
            What ``learn`` returned.
        X : ndarray of shape (n_samples, n_features)
            Features of any rows.
        h : dict of str -> float or ndarray
            Hyperparameters.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            One row for each of X.
        """

    # What follows is not for subclasses to write.

    def hyperparameter_shape(self, name, per, X):
        """Shape of a hyperparameter with one value per ``per``; override it for shapes of your own.

        Parameters
        ----------
        name : str
            Name of the hyperparameter.
        per : str, tuple or None
            One of those that ``hyperparameters`` allows; None is the shape that it has now.
        X : ndarray of shape (n_samples, n_features)
            Features.

        Returns
        -------
        shape : tuple of int
            Shape of the array; ``()`` for a number.

        Raises
        ------
        ValueError
            If nothing is known of this ``per``.
        """
        if per is None:
            return np.shape(getattr(self, name))
        return self._shape_along(name, per, {"feature": X.shape[1]}, "name, per, X")

    def learned(self, X, y):
        """The state of a fit.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features of the training rows.
        y : ndarray of shape (n_samples, ...) or None
            Targets as the user gave them.

        Returns
        -------
        state : object
            What ``learn`` returns with the seed of the estimator.
        """
        with doubles():
            return self.learn(X, y, np.random.default_rng(self._seed()))

    def transformed(self, state, X, h):
        """The rows that leave the step, checked.

        Parameters
        ----------
        state : object
            What ``learn`` returned.
        X : ndarray of shape (n_samples, n_features)
            Features of any rows.
        h : dict of str -> float or ndarray
            Hyperparameters.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            What ``forward`` returns.

        Raises
        ------
        TypeError, ValueError
            If that is no array, or of a wrong shape.
        """
        name = f"{type(self).__name__}.forward"
        with doubles():
            left = self.forward(state, X, h)
        check_array(name, left, "Return one row for each row of X.")
        shape = np.shape(left)
        if len(shape) != 2 or shape[0] != len(X):
            raise ValueError(
                f"{name} returned an array of shape {shape}, and not ({len(X)}, n_features_out). "
                f"Return one row for each row of X."
            )
        return left

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn from training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets, which ``learn`` gets.

        Returns
        -------
        self : DifferentiableTransformer
            The fitted transformer.

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter is not legal, or if ``forward`` returns something of another shape
            than it should.
        """
        X = validate_data(self, X, dtype=np.float64)
        if y is not None:
            y = np.asarray(y)
            check_consistent_length(X, y)
        self.hyperparameters_ = self.hyperparameter_values()
        self.state_ = in_numpy(self.learned(X, y))
        first = self.transformed(self.state_, X[:1], self.hyperparameters_)
        self._n_features_out = first.shape[1]
        return self

    def transform(self, X):
        """Transform rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            The rows that leave the step.
        """
        check_is_fitted(self, "state_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return in_numpy(self.transformed(self.state_, X, self.hyperparameters_))
