"""Steps that no hyperparameter reaches: fitted once per split, by scikit-learn's own code."""

import numpy as np
from scipy.sparse import issparse, vstack

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
            parts = [fitted.fit_transform(rows.train, rows.y)]
            if rows.n_train < rows.X.shape[0]:
                parts.append(fitted.transform(rows.X[rows.n_train :]))
        self._X = joined(parts)

    def at(self, h, X):
        return Transformed(self._X, lambda G, through: ({}, None))


def joined(parts):
    """Rows below each other: arrays, sparse matrices or data frames."""
    if len(parts) == 1:
        return parts[0]
    if any(map(issparse, parts)):
        return vstack(parts, format="csr")
    return np.concatenate([np.asarray(part) for part in parts])
