"""Refits of the best row that keep what the final step has seen."""

import dataclasses
from typing import Any

from sklearn.base import BaseEstimator, clone

from sklearn_hypergrad._sklearn import check_sample_weight
from sklearn_hypergrad.problems.split_data import numbers_of
from sklearn_hypergrad.search.candidates.expand import final_step
from sklearn_hypergrad.search.data.blocks import one_split


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the final step was fitted on in the refit.

    Attributes
    ----------
    X, y : array-like
    params : dict
        Metadata of its fit.
    """

    X: Any
    y: Any
    params: dict

    def as_split(self, family, final, labels):
        """SplitData of one split that trains on it, and holds it out.

        Parameters
        ----------
        family : Family
        final : estimator
        labels : ndarray of shape (n_rows, ...)
            What the family makes of ``y``.
        """
        X, weight = numbers_of(self.X), self.params.get("sample_weight")
        weight = None if weight is None else check_sample_weight(weight, X)
        return one_split(family, final, X, labels, weight)


@dataclasses.dataclass(frozen=True)
class Refit:
    """The refit of a row on all data.

    Attributes
    ----------
    key : str
        Name in ``param_grid`` of a hyperparameter of the final step.
    """

    key: str

    def fit(self, estimator, X, *targets, **params):
        """Fit an estimator.

        Parameters
        ----------
        estimator : estimator
            With the parameters of the row.
        X : array-like
        *targets : array-like
        **params : dict
            As for its ``fit``.

        Returns
        -------
        estimator
            As ``estimator.fit`` returns it.
        seen : Seen
        """
        found = final_step(estimator, self.key)
        step = _Step(found.final, self)
        if not found.path:
            step.fit(X, *targets, **params)
            return step.fitted_, step.seen_
        place = "__".join(found.path)
        estimator.set_params(**{place: step})
        estimator.fit(X, *targets, **params)
        return estimator.set_params(**{place: step.fitted_}), step.seen_

    def fitted(self, final, X, y, params):
        """A final step, fitted on these rows."""
        return clone(final).fit(X, y, **params)


class _Step(BaseEstimator):
    """A final step that is fitted as a Refit says.

    Parameters
    ----------
    estimator : estimator
        The step that it replaces; metadata are routed as for it.
    refit : Refit
    """

    def __init__(self, estimator=None, refit=None):
        self.estimator = estimator
        self.refit = refit

    def fit(self, X, y=None, **params):
        self.fitted_ = self.refit.fitted(self.estimator, X, y, params)
        self.seen_ = Seen(X, y, params)
        return self

    def predict(self, X):
        return self.fitted_.predict(X)

    def get_metadata_routing(self):
        return self.estimator.get_metadata_routing()
