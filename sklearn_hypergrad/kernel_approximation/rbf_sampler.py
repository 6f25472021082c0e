"""Random Fourier features of the Gaussian kernel, with a gamma for each feature."""

import numpy as np
from sklearn import kernel_approximation

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.by_feature.gamma import gamma_array, is_per_feature, per_feature_constraints


class RBFSampler(DocumentedMixin, kernel_approximation.RBFSampler):
    """Random features of the Gaussian kernel, which may have a ``gamma`` for each feature.

    Extends :class:`sklearn.kernel_approximation.RBFSampler`, with which it agrees wherever
    ``gamma`` is what that takes. Products of two rows of features approximate ::

        k(x, z) = exp(-sum_d gamma_d (x_d - z_d)^2)

    Parameters
    ----------
    gamma : "scale", float, array-like of shape (n_features,) or dict, default=1.0
        A number is that of all features, "scale" is ``1 / (n_features * X.var())``. An array has
        one for each feature. A dict gives it by the name of the feature, for X with names; its key
        None stands for all that it does not name. None of them may be negative.
    n_components : int, default=100
        Number of features.
    random_state : int, RandomState instance or None, default=None
        Seed of the frequencies.

    Attributes
    ----------
    random_weights_ : ndarray of shape (n_features, n_components)
        The frequencies.
    random_offset_ : ndarray of shape (n_components,)
        Phases, from 0 to 2 pi.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    Nystroem : Features of any kernel, from training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypergrad.kernel_approximation import RBFSampler
    >>> X = np.array([[0.0, 3.0], [1.0, 1.0]])
    >>> features = RBFSampler(gamma=[0.5, 0], n_components=500, random_state=0).fit_transform(X)
    >>> print(f"{features[0] @ features[1]:.1f}, and not 0: {np.exp(-0.5):.1f}")
    0.6, and not 0: 0.6
    """

    _parameter_constraints = per_feature_constraints(kernel_approximation.RBFSampler)

    def fit(self, X, y=None):
        if not is_per_feature(self.gamma):
            return super().fit(X, y)
        params = {**self.get_params(deep=False), "gamma": 0.5}
        plain = kernel_approximation.RBFSampler(**params).fit(X)
        for name, value in vars(plain).items():
            if name not in params and name != "_gamma":
                setattr(self, name, value)
        # Those of gamma = 1/2 are the numbers that were drawn.
        self._gamma = gamma_array(self, plain.n_features_in_)
        roots = np.sqrt(2 * self._gamma)[:, None]
        self.random_weights_ = (roots * plain.random_weights_).astype(plain.random_weights_.dtype)
        return self
