"""Logistic regression with a penalty per feature or per coefficient."""

import numpy as np
from sklearn import linear_model
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sklearn_hypergrad._sklearn import check_sample_weight, fit_context
from sklearn_hypergrad.by_feature.values import by_name, is_number
from sklearn_hypergrad.linear_model.newton import Fitted, newton_fit
from sklearn_hypergrad.linear_model.penalties import DeployMixin, Scaling, c_array, scalable
from sklearn_hypergrad.losses import LogisticLoss, MultinomialLoss


class LogisticRegression(DeployMixin, linear_model.LogisticRegression):
    """Logistic regression with an L2 penalty, which may differ between coefficients.

    Extends :class:`sklearn.linear_model.LogisticRegression`, with which it agrees wherever ``C`` is
    a number. With an array, minimises ::

        sum_i s_i loss(y_i, x_i w + b)  +  1/2 sum_kj w_kj^2 / C_kj

    with sample weights s, times those of the classes. The loss is minus the logarithm of the
    probability of the true class, which is a sigmoid for two classes (there is one k) and a softmax
    over the classes k for more. The intercepts b are not penalised.

    Parameters
    ----------
    penalty : {'l1', 'l2', 'elasticnet', None}, default='deprecated'
        Deprecated by scikit-learn in favour of `l1_ratio` and `C`. An array as `C` needs 'l2' or
        the default.
    C : float, array-like or dict, default=1.0
        Inverse penalties. A number penalises all coefficients. An array of shape (n_features,) has
        one for each feature, one of the shape of ``coef_`` one for each coefficient.

        A dict has one for each feature by its name, for X with names, or an array of one for each
        class; its key None stands for all features that it does not name. In arrays and dicts,
        infinity leaves a coefficient without penalty and 0 leaves it out: it is exactly zero.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, from 0 to 1. An array as `C` needs 0.
    dual : bool, default=False
        Whether to solve the dual problem, with the solver 'liblinear'.
    tol : float, default=1e-4
        Tolerance of the solver.
    fit_intercept : bool, default=True
        Whether to fit intercepts; else they are zero.
    intercept_scaling : float, default=1
        The constant feature of the intercept for the solver 'liblinear'.
    class_weight : dict or 'balanced', default=None
        Weights of the classes; 'balanced' is ``n_samples / (n_classes * np.bincount(y))``, None is
        one for all.
    random_state : int, RandomState instance or None, default=None
        Shuffles the data for the solvers 'sag', 'saga' and 'liblinear'.
    solver : {'lbfgs', 'liblinear', 'newton-cg', 'newton-cholesky', 'sag', 'saga'}, default='lbfgs'
        Solver of scikit-learn. With an array as `C` it is given features scaled so that they all
        have one penalty. Where some have none, or where the penalties of a feature differ between
        classes, no scaling does that, and where they differ by a factor of more than 1e4 the
        solver would suffer: then Newton's method is used instead, and `solver`, `tol` and
        `max_iter` play no part. 'liblinear' penalises the intercept and therefore takes arrays
        with ``fit_intercept=False`` only.
    max_iter : int, default=100
        Largest number of iterations.
    verbose : int, default=0
        Whether the solvers 'liblinear' and 'lbfgs' report.
    warm_start : bool, default=False
        Whether the solver starts from the previous solution.
    n_jobs : int, default=None
        Without effect, deprecated by scikit-learn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients; of one row with two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.
    n_iter_ : ndarray of shape (1,)
        Iterations.

    See Also
    --------
    RidgeClassifier : Classification by least squares.
    Ridge : The same for numbers.

    Notes
    -----
    Callbacks are called where ``C`` is a number only.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_hypergrad.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(C=[10, 0, 1, 1]).fit(X, y)
    >>> model.coef_[:, 1]
    array([0., 0., 0.])
    """

    _plain_class = linear_model.LogisticRegression
    _penalty_name = "C"
    _parameter_constraints = {
        **linear_model.LogisticRegression._parameter_constraints,
        "C": [*linear_model.LogisticRegression._parameter_constraints["C"], "array-like", dict],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None is one for all.

        Returns
        -------
        self : LogisticRegression
            The fitted estimator.

        Raises
        ------
        ValueError
            If ``C`` is negative or nan somewhere, if its shape does not fit y and X, or if it is an
            array and the model has another penalty than the documented one.
        """
        if is_number(self.C):
            return super().fit(X, y, sample_weight)
        _check_model(self)
        dtype = [np.float64, np.float32]
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=dtype, order="C")
        check_classification_targets(y)
        classes = np.unique(y)
        _check_classes(self, classes)
        C = c_array(by_name("C", self.C, self, -1), len(classes), X.shape[1])
        with np.errstate(divide="ignore", over="ignore"):
            strengths = 1 / C
        by_scaling = np.all(strengths == strengths[0]) and scalable(strengths[0])
        fit = _by_scaling if by_scaling else _by_newton
        fitted = fit(self, X, y, strengths, sample_weight)
        self.coef_ = fitted.coef.astype(X.dtype)
        self.intercept_ = fitted.intercept.astype(X.dtype)
        self.n_iter_, self.classes_ = fitted.n_iter, classes
        return self


def _check_model(model):
    """Refuse models whose objective is not the documented one."""
    obstacles = {
        "the L2 penalty only": model.penalty not in ("deprecated", "l2")
        or model.l1_ratio not in (0, None),
        "an intercept that is not penalised, but solver='liblinear' penalises it; use another "
        "solver or fit_intercept=False": model.solver == "liblinear" and model.fit_intercept,
        "dual=False, but for solver='liblinear'": model.dual and model.solver != "liblinear",
    }
    for need, present in obstacles.items():
        if present:
            raise ValueError(
                f"An array as C needs {need}. Got penalty={model.penalty!r}, "
                f"l1_ratio={model.l1_ratio!r}, solver={model.solver!r}, dual={model.dual!r}."
            )


def _check_classes(model, classes):
    if len(classes) < 2:
        raise ValueError(
            f"y has 1 class only, {classes[0]}, but logistic regression needs at least 2 classes."
        )
    if len(classes) > 2 and model.solver == "liblinear":
        raise ValueError("solver='liblinear' is for two classes only. Use another solver.")


def _by_scaling(model, X, y, strengths, sample_weight):
    scaling = Scaling(strengths[0])
    plain = model._plain(1 / scaling.reference)
    if model.warm_start and hasattr(model, "coef_"):
        plain.coef_, plain.intercept_ = scaling.scaled(model.coef_), model.intercept_
    plain.fit(scaling.features(X), y, sample_weight)
    coef = scaling.coefficients(plain.coef_)
    intercept = np.broadcast_to(plain.intercept_, len(coef))
    return Fitted(coef, intercept, plain.n_iter_, model.solver)


def _by_newton(model, X, y, strengths, sample_weight):
    weights = check_sample_weight(sample_weight, X, dtype=float)
    if model.class_weight is not None:
        classes, codes = np.unique(y, return_inverse=True)
        of_class = compute_class_weight(
            model.class_weight, classes=classes, y=y, sample_weight=weights
        )
        weights = weights * of_class[codes]
    targets = LabelBinarizer().fit_transform(y)
    loss = LogisticLoss() if targets.shape[1] == 1 else MultinomialLoss()
    return newton_fit(X, targets, weights, strengths, loss, fit_intercept=model.fit_intercept)
