"""Steps that no hyperparameter reaches: fitted once per split, by scikit-learn's own code."""

from sklearn_hypergrad.problems.split_data import stacked
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.transformers.base import Features, Transformed, seeded


class FixedFeatures(Features):
    """Rows that are the same for all hyperparameters.

    Parameters
    ----------
    estimator : estimator
    rows : Rows
    seed : int
    """

    def __init__(self, estimator, rows, seed):
        with warnings_here("ignore"):
            fitted = seeded(estimator, seed)
            parts = [fit_transform(fitted, rows.train, rows.y)]
            if rows.held_out is not None:
                parts.append(fitted.transform(rows.held_out))
        self._X = stacked(parts)

    def at(self, h, X):
        return Transformed(self._X, lambda G, through: ({}, None))


def fit_transform(estimator, X, y):
    """Fit a transformer, and return its rows; as scikit-learn does it, which may differ in two."""
    if hasattr(estimator, "fit_transform"):
        return estimator.fit_transform(X, y)
    return estimator.fit(X, y).transform(X)
