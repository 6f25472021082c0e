"""Ridge regression with a penalty per feature or per coefficient."""

import numpy as np
from sklearn import linear_model
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from sklearn_hypergrad._sklearn import check_sample_weight, fit_context
from sklearn_hypergrad.by_feature.values import by_name, is_number
from sklearn_hypergrad.linear_model.penalties import DeployMixin, alpha_array
from sklearn_hypergrad.linear_model.targets import delegable, set_ridge


class Ridge(DeployMixin, linear_model.Ridge):
    """Linear least squares with an L2 penalty, which may differ between coefficients.

    Extends :class:`sklearn.linear_model.Ridge`, with which it agrees wherever ``alpha`` is what
    that takes. Minimises, for each target k ::

        sum_i s_i (y_ik - x_i w_k - b_k)^2  +  sum_j alpha_kj w_kj^2

    with sample weights s. The intercepts b are not penalised.

    Parameters
    ----------
    alpha : float, array-like or dict, default=1.0
        Penalties, not negative. A number penalises all coefficients. With one target, for y of
        shape (n_samples,) or (n_samples, 1), an array of shape (n_features,) or (1, n_features) has
        a penalty for each feature. With several targets an array of shape (n_targets,) has one for
        each target, as in scikit-learn, one of shape (1, n_features) one for each feature, and one
        of shape (n_targets, n_features) one for each coefficient.

        A dict gives a penalty for each feature by its name, for X with names, or an array of one
        for each target; its key None stands for all features that it does not name. In arrays and
        dicts, 0 leaves a coefficient without penalty and infinity leaves the feature out: its
        coefficient is exactly zero.
    fit_intercept : bool, default=True
        Whether to fit intercepts; else they are zero.
    copy_X : bool, default=True
        Whether X is copied; else it may be overwritten.
    max_iter : int, default=None
        Largest number of iterations of iterative solvers; None is a default of each.
    tol : float, default=1e-4
        Precision of iterative solvers.
    solver : {'auto', 'svd', 'cholesky', 'lsqr', 'sparse_cg', 'sag', 'saga', 'lbfgs'}, \
default='auto'
        Solver of scikit-learn, which gets features scaled so that they all have one penalty.
        Newton's method takes its place in two cases: no scaling makes up for a penalty of 0, and
        the solver would suffer from penalties that differ by a factor of more than 1e4 (1e12 for
        the direct solvers 'cholesky' and 'svd'). Then `solver`, `tol` and `max_iter` play no part.
    positive : bool, default=False
        Whether coefficients are constrained to be positive, with the solver 'lbfgs'. No penalty in
        an array may be 0 then.
    random_state : int, RandomState instance or None, default=None
        Shuffles the data for the solvers 'sag' and 'saga'.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients; one-dimensional with one target.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercepts, 0.0 if ``fit_intercept=False``.
    n_iter_ : None or ndarray of shape (n_targets,)
        Iterations for each target, for the solvers that count them.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.
    solver_ : str
        The solver that was used, 'newton' for that of this package.

    See Also
    --------
    RidgeClassifier : The same for classes.
    LogisticRegression : The same for probabilities of classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypergrad.linear_model import Ridge
    >>> X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    >>> Ridge(alpha=[0, 1, np.inf]).fit(X, [0, 2, 1, 3]).coef_
    array([2. , 0.5, 0. ])
    """

    _plain_class = linear_model.Ridge
    _penalty_name = "alpha"
    _parameter_constraints = {
        **linear_model.Ridge._parameter_constraints,
        "alpha": [*linear_model.Ridge._parameter_constraints["alpha"], "array-like", dict],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples; None is one for all.

        Returns
        -------
        self : Ridge
            The fitted estimator.

        Raises
        ------
        ValueError
            If ``alpha`` is negative or nan somewhere, if its shape does not fit y and X, or if it
            is 0 somewhere in an array and ``positive=True``.
        """
        if is_number(self.alpha):
            return super().fit(X, y, sample_weight)
        features, targets = validate_data(
            self,
            X,
            y,
            accept_sparse="csr" if get_tags(self).input_tags.sparse else False,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
        )
        n_targets = 1 if targets.ndim == 1 else targets.shape[1]
        given = by_name("alpha", self.alpha, self, (1, -1))
        alpha = alpha_array(given, n_targets, features.shape[1])
        if given is self.alpha and delegable(alpha):
            return super().fit(X, y, sample_weight)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, features, dtype=features.dtype)
        set_ridge(self, features, targets, alpha, sample_weight)
        return self
