"""Fits of scikit-learn that start at coefficients which are known to be good."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklearn_hypergrad.adapters.base import is_narrowed
from sklearn_hypergrad.hypergradients import WarmStart
from sklearn_hypergrad.search.results.refit import Refit, Seen
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.tuning import FINE


def warm_fit(estimator, X, y, params):
    """Fit an estimator from the coefficients that it has.

    Parameters
    ----------
    estimator : estimator
        It has the parameter ``warm_start``, which is as before afterwards.
    X, y : array-like
    params : dict
        Metadata of the fit.
    """
    before = estimator.warm_start
    estimator.warm_start = True
    try:
        # At a minimum a line search may find no lower point, and warn.
        with warnings_here("ignore", category=ConvergenceWarning):
            estimator.fit(X, y, **params)
    finally:
        estimator.warm_start = before
    # A solver that is there already makes no step; users read that a fit has at least one.
    n_iter = np.maximum(estimator.n_iter_, 1)
    estimator.n_iter_ = n_iter if np.ndim(n_iter) else int(n_iter)


@dataclasses.dataclass(frozen=True)
class WarmRefit(Refit):
    """The refit of a row on all data, which starts at the mean of its solutions.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
        Means over splits.
    family : Family
    h : dict
        Hyperparameters of the row.
    """

    coef: np.ndarray
    intercept: np.ndarray
    family: Any
    h: dict

    @classmethod
    def of(cls, finals, prepared, h):
        """The WarmRefit of final steps that were fitted on the splits; None if they differ.

        Training parts may lack a category: then it is that of the splits with most features.
        """
        most = max(np.shape(final.coef_)[-1] for final in finals)
        finals = [final for final in finals if np.shape(final.coef_)[-1] == most]
        if len({np.shape(final.coef_) for final in finals}) > 1:
            return None
        coef = np.atleast_2d(np.mean([final.coef_ for final in finals], axis=0))
        intercept = np.atleast_1d(np.mean([final.intercept_ for final in finals], axis=0))
        return cls(prepared.range.key, coef, intercept, prepared.family, h)

    def fitted(self, final, X, y, params):
        """A final step, fitted from the minimum on these rows, or from the beginning."""
        try:
            labels = self.family.labels(y)
            data = Seen(X, y, params).as_split(self.family, final, labels)
            start = self._solved(final, data)
            warm = self.family.with_coefficients(final, *start, labels)
            warm_fit(warm, X, y, params)
            has_arrived = np.max(warm.n_iter_) < getattr(warm, "max_iter", np.inf)
        # Rows of the splits were fitted like this; on all rows something may be different.
        except Exception:
            has_arrived = False
        # A fit from the beginning tells users what is wrong.
        return warm if has_arrived else clone(final).fit(X, y, **params)

    def _solved(self, final, data):
        """Coefficients and intercepts on all rows by Newton's method, from the means."""
        # In a basis of the row space it would take an eigendecomposition.
        if is_narrowed(data, self.family.largest_matrix):
            return self.coef, self.intercept
        model = self.family.model(final, data, dict.fromkeys(self.h), 0)
        w = model.problem.weights(self.coef[None], self.intercept[None])
        fitted = model.train(self.h, WarmStart.at(w), FINE)
        (coef,), (intercept,) = model.problem.coefficients(fitted.w)
        return coef, intercept
