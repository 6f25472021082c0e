"""Support vector regression with a gamma for each feature."""

from sklearn import svm

from sklearn_hypergrad.by_feature.gamma import per_feature_constraints
from sklearn_hypergrad.svm.per_feature import PerFeatureMixin


class SVR(PerFeatureMixin, svm.SVR):
    """Support vector regression whose kernel may have a ``gamma`` for each feature.

    Extends :class:`sklearn.svm.SVR`, with which it agrees wherever ``gamma`` is what that takes.
    With an array the kernel "rbf" is ::

        k(x, z) = exp(-sum_d gamma_d (x_d - z_d)^2)

    so that features with a large ``gamma`` count and those with 0 are left out. "poly" and
    "sigmoid" have ``sum_d gamma_d x_d z_d``.

    Parameters
    ----------
    kernel : {'linear', 'poly', 'rbf', 'sigmoid', 'precomputed'} or callable, default='rbf'
        The name of a kernel, or a function of two arrays of rows.
    degree : int, default=3
        Degree of the kernel 'poly'.
    gamma : {'scale', 'auto'}, float, array-like of shape (n_features,) or dict, default='scale'
        A number, or what scikit-learn calls by a word, is that of all features. An array has one
        for each feature. A dict gives it by the name of the feature, for X with names; its key None
        stands for all that it does not name. None of them may be negative.
    coef0 : float, default=0.0
        The number that is added in the kernels 'poly' and 'sigmoid'.
    tol : float, default=1e-3
        Tolerance of libsvm.
    C : float, default=1.0
        Weight of the errors against the norm of the function.
    epsilon : float, default=0.1
        Errors up to this size do not count.
    shrinking : bool, default=True
        Whether libsvm leaves variables out that stay at their bounds.
    cache_size : float, default=200
        Size of the cache of kernel values, in MB.
    verbose : bool, default=False
        Whether libsvm prints what it does.
    max_iter : int, default=-1
        Largest number of steps of libsvm; -1 is no limit.

    Attributes
    ----------
    support_ : ndarray of shape (n_support,)
        Numbers of the support vectors among the training rows.
    support_vectors_ : {ndarray, sparse matrix} of shape (n_support, n_features)
        The support vectors; for several gammas, with columns multiplied as the kernel takes them.
    dual_coef_ : ndarray of shape (1, n_support)
        Coefficients of the support vectors.
    intercept_ : ndarray of shape (1,)
        The constant.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    sklearn_hypergrad.svm.SVC : The same for classes.
    sklearn_hypergrad.kernel_ridge.KernelRidge : With squared errors, solved in closed form.

    Examples
    --------
    >>> from sklearn_hypergrad.svm import SVR
    >>> X = [[0, 3], [1, 1], [2, 4], [3, 2]]
    >>> model = SVR(C=100, gamma=[0.5, 0]).fit(X, [0, 1, 4, 9])
    >>> model.predict([[2, 0], [2, 100]]).round(1)
    array([4.1, 4.1])
    """

    _parameter_constraints = per_feature_constraints(svm.SVR)
