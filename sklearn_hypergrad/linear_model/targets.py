"""Ridge regression of several targets with penalties per feature or per coefficient."""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from sklearn_hypergrad.linalg import distinct_columns
from sklearn_hypergrad.linear_model.by_groups import fit_by_groups, groups_of
from sklearn_hypergrad.linear_model.newton import Fitted, newton_fit
from sklearn_hypergrad.linear_model.penalties import WIDEST, Scaling, scalable
from sklearn_hypergrad.losses import HalfSquaredError

SHARED_PARAMS = (
    "fit_intercept",
    "copy_X",
    "max_iter",
    "tol",
    "solver",
    "positive",
    "random_state",
)


def delegable(alpha):
    """Whether ``alpha`` is what scikit-learn takes, one finite number per target."""
    return alpha.shape[1] == 1 and np.isfinite(alpha).all()


def set_ridge(model, X, y, alpha, sample_weight):
    """Fit ``model``, a Ridge or RidgeClassifier, to checked data.

    Parameters
    ----------
    model : estimator
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    alpha : ndarray of shape (n_targets, 1), (1, n_features) or (n_targets, n_features)
    sample_weight : ndarray of shape (n_samples,) or None
    """
    fit = _fitter(model, X, alpha)
    groups = groups_of(model, X, alpha) if fit is _by_scaling else None
    targets = y.reshape(len(y), -1)
    alpha = np.broadcast_to(alpha, (len(alpha), X.shape[1]))
    # Targets that share their penalties are fitted at once.
    distinct, places = distinct_columns(alpha.T)
    places = [np.arange(targets.shape[1])] if len(alpha) == 1 else places
    if groups is not None:
        parts = [fit_by_groups(model, X, targets, distinct, groups, places, sample_weight)]
        places = [np.arange(targets.shape[1])]
    else:
        parts = [
            fit(model, X, targets[:, own], a, sample_weight)
            for a, own in zip(distinct.T, places, strict=True)
        ]
    order = np.argsort(np.concatenate(places))
    coef = np.concatenate([part.coef for part in parts])[order].astype(X.dtype)
    intercept = np.concatenate([part.intercept for part in parts])[order].astype(X.dtype)
    model.coef_ = coef[0] if len(coef) == 1 else coef
    model.intercept_ = intercept.reshape(y.shape[1:])[()] if model.fit_intercept else 0.0
    n_iters = [part.n_iter for part in parts]
    model.n_iter_ = None if n_iters[0] is None else np.concatenate(n_iters)[order]
    model.solver_ = parts[0].solver


def _fitter(model, X, alpha):
    """How each group of targets is fitted."""
    if model.positive:
        _check_positive(alpha)
        return _by_scaling
    if model.solver == "lbfgs":
        raise ValueError("solver='lbfgs' can be used only with positive=True.")
    direct = model.solver in ("cholesky", "svd") or (model.solver == "auto" and not issparse(X))
    kind = "direct" if direct else "iterative"
    return _by_scaling if all(scalable(row, kind) for row in alpha) else _by_newton


def _check_positive(alpha):
    """Constrained models are left to scikit-learn, which takes what can be scaled."""
    if np.any(alpha == 0):
        position = ", ".join(map(str, np.argwhere(alpha == 0)[0]))
        raise ValueError(
            f"alpha[{position}] is 0, but with positive=True penalties that differ must be "
            "above 0. Use a small number instead, or positive=False."
        )
    if not all(scalable(row) for row in alpha):
        warnings.warn(
            "With positive=True and penalties that differ this much the solver may stop far from "
            f"the solution. Let them differ by a factor of {WIDEST['iterative']:g} at most.",
            ConvergenceWarning,
            stacklevel=2,
        )


def _by_scaling(model, X, y, alpha, sample_weight):
    scaling = Scaling(alpha)
    params = {name: getattr(model, name) for name in SHARED_PARAMS}
    plain = linear_model.Ridge(alpha=scaling.reference, **params)
    plain.fit(scaling.features(X), y, sample_weight)
    coef = scaling.coefficients(plain.coef_.reshape(y.shape[1], -1))
    intercept = np.broadcast_to(plain.intercept_, y.shape[1:])
    return Fitted(coef, intercept, plain.n_iter_, plain.solver_)


def _by_newton(model, X, y, alpha, sample_weight):
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    loss, intercept = HalfSquaredError(), model.fit_intercept
    fitted = newton_fit(X, y, weights, alpha[None], loss, fit_intercept=intercept)
    n_iter = np.repeat(fitted.n_iter, y.shape[1])
    return Fitted(fitted.coef, fitted.intercept, n_iter, fitted.solver)
