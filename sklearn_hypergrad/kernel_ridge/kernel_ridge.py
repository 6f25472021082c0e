"""Kernel ridge regression with a gamma for each feature."""

from sklearn import kernel_ridge
from sklearn.metrics.pairwise import pairwise_kernels

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.by_feature.gamma import (
    gamma_array,
    is_per_feature,
    per_feature_constraints,
    scaled_columns,
)


class KernelRidge(DocumentedMixin, kernel_ridge.KernelRidge):
    """Kernel ridge regression whose kernel may have a ``gamma`` for each feature.

    Extends :class:`sklearn.kernel_ridge.KernelRidge`, with which it agrees wherever ``gamma`` is
    what that takes. With an array the kernel "rbf", for instance, is ::

        k(x, z) = exp(-sum_d gamma_d (x_d - z_d)^2)

    so that features with a large ``gamma`` count and those with 0 are left out. This is also called
    automatic relevance determination. "poly" and "sigmoid" have ``sum_d gamma_d x_d z_d``,
    "laplacian" has ``sum_d gamma_d |x_d - z_d|``, and "chi2" likewise.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1
        The penalty; an array has one for each target.
    kernel : str or callable, default="linear"
        The name of a kernel of :func:`sklearn.metrics.pairwise.pairwise_kernels`, "precomputed", or
        a function of two rows.
    gamma : float, array-like of shape (n_features,) or dict, default=None
        A number is that of all features, None the default of the kernel. An array has one for each
        feature. A dict gives it by the name of the feature, for X with names; its key None stands
        for all that it does not name. None of them may be negative.
    degree : float, default=3
        Degree of the kernel "poly".
    coef0 : float, default=1
        The number that is added in the kernels "poly" and "sigmoid".
    kernel_params : dict, default=None
        Further arguments of a kernel that is a function.

    Attributes
    ----------
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Coefficients of the kernel functions of the training rows.
    X_fit_ : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The training rows, which predictions need.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    sklearn_hypergrad.linear_model.Ridge : Linear, with a penalty for each feature.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypergrad.kernel_ridge import KernelRidge
    >>> X = np.array([[0.0, 3.0], [1.0, 1.0], [2.0, 4.0], [3.0, 2.0]])
    >>> model = KernelRidge(alpha=0.01, kernel="rbf", gamma=[0.5, 0]).fit(X, [0, 1, 4, 9])
    >>> model.predict([[2, 0], [2, 100]]).round(1)
    array([4., 4.])
    """

    _parameter_constraints = per_feature_constraints(kernel_ridge.KernelRidge)

    def _get_kernel(self, X, Y=None):
        if not is_per_feature(self.gamma):
            return super()._get_kernel(X, Y)
        gamma = gamma_array(self, X.shape[1])
        X, Y = (
            rows if rows is None else scaled_columns(self.kernel, rows, gamma) for rows in (X, Y)
        )
        params = {"gamma": 1.0, "degree": self.degree, "coef0": self.coef0}
        return pairwise_kernels(X, Y, metric=self.kernel, filter_params=True, **params)
