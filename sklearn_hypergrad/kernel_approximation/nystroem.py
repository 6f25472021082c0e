"""Features of a kernel, from some of the training rows, with a gamma for each feature."""

from sklearn import kernel_approximation
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.by_feature.gamma import (
    gamma_array,
    is_per_feature,
    per_feature_constraints,
    scaled_columns,
)


class Nystroem(DocumentedMixin, kernel_approximation.Nystroem):
    """Nystroem's features of a kernel that may have a ``gamma`` for each feature.

    Extends :class:`sklearn.kernel_approximation.Nystroem`, with which it agrees wherever ``gamma``
    is what that takes. With an array the kernel "rbf", for instance, is ::

        k(x, z) = exp(-sum_d gamma_d (x_d - z_d)^2)

    so that features with a large ``gamma`` count and those with 0 are left out. "poly" and
    "sigmoid" have ``sum_d gamma_d x_d z_d``, "laplacian" has ``sum_d gamma_d |x_d - z_d|``, and
    "chi2" likewise.

    Parameters
    ----------
    kernel : str or callable, default="rbf"
        The name of a kernel of :func:`sklearn.metrics.pairwise.pairwise_kernels`, or a function of
        two rows.
    gamma : float, array-like of shape (n_features,) or dict, default=None
        A number is that of all features, None the default of the kernel. An array has one for each
        feature. A dict gives it by the name of the feature, for X with names; its key None stands
        for all that it does not name. None of them may be negative.
    coef0 : float, default=None
        The number that is added in the kernels "poly" and "sigmoid"; None is 1.
    degree : float, default=None
        Degree of the kernel "poly"; None is 3.
    kernel_params : dict, default=None
        Further arguments of a kernel that is a function.
    n_components : int, default=100
        Number of training rows that the features are made from.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of these rows.
    n_jobs : int, default=None
        Number of jobs that compute the kernel.

    Attributes
    ----------
    components_ : {ndarray, sparse matrix} of shape (n_components, n_features)
        The chosen rows; with several values of ``gamma`` in columns that these have scaled.
    component_indices_ : ndarray of shape (n_components,)
        Their numbers in the training rows.
    normalization_ : ndarray of shape (n_components, n_components)
        The inverse square root of their kernel.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    sklearn_hypergrad.kernel_ridge.KernelRidge : The same kernels of all training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypergrad.kernel_approximation import Nystroem
    >>> X = np.array([[0.0, 3.0], [1.0, 1.0], [2.0, 4.0], [3.0, 2.0]])
    >>> features = Nystroem(gamma=[0.5, 0], n_components=2, random_state=0).fit(X)
    >>> features.transform([[2, 0], [2, 100]]).round(2)
    array([[0.95, 0.32],
           [0.95, 0.32]])
    """

    _parameter_constraints = per_feature_constraints(kernel_approximation.Nystroem)

    def fit(self, X, y=None):
        if not is_per_feature(self.gamma):
            return super().fit(X, y)
        X = validate_data(self, X, accept_sparse="csr")
        self._gamma = gamma_array(self, X.shape[1])
        params = {**self.get_params(deep=False), "gamma": 1.0}
        self._plain = kernel_approximation.Nystroem(**params)
        self._plain.fit(scaled_columns(self.kernel, X, self._gamma))
        for name in ("components_", "component_indices_", "normalization_", "_n_features_out"):
            setattr(self, name, getattr(self._plain, name))
        return self

    def transform(self, X):
        if not is_per_feature(self.gamma):
            return super().transform(X)
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        return self._plain.transform(scaled_columns(self.kernel, X, self._gamma))
