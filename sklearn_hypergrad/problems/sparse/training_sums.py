"""What least squares with an L1 penalty needs of the training parts of all splits."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.linear.centred_splits import GramMatrices, origin_of
from sklearn_hypergrad.problems.sparse.gram import DenseGram, RowsGram

# Number of features up to which Gram matrices are formed, and the same for data with fewer rows.
# Chosen by hand: 50 MB per split and 2 MB per split; columns are formed on demand beyond.
MOST_FEATURES, MOST_WIDE = 2500, 500


@dataclasses.dataclass(frozen=True)
class TrainingSums:
    """Sums over the rows of training parts, about their means, divided by the sum of weights.

    Attributes
    ----------
    design : tuple
        The arguments of CentredDesign.
    grams : list of DenseGram or RowsGram
        One for each split.
    cross : ndarray of shape (n_splits, n_features, n_outputs)
        Means of ``x y'``.
    totals : ndarray of shape (n_splits,)
        Sums of training weights.
    held_out : callable or None
        ``held_out`` of GramMatrices, if there are such.
    """

    design: tuple
    grams: list
    cross: np.ndarray
    totals: np.ndarray
    held_out: Callable | None = None

    @classmethod
    def of(cls, data, *, fit_intercept):
        """Sums over the training parts of a SplitData, in the form that is cheapest.

        Parameters
        ----------
        data : SplitData
        fit_intercept : bool
            Whether means are subtracted.
        """
        n_samples, n_features = data.X.shape
        most = MOST_FEATURES if n_features <= n_samples else MOST_WIDE
        make = cls._of_matrices if n_features <= most else cls._of_rows
        return make(data, np.array([weight.sum() for weight in data.weights]), fit_intercept)

    @classmethod
    def _of_matrices(cls, data, totals, fit_intercept):
        matrices = GramMatrices(data, fit_intercept=fit_intercept)
        gram = matrices.gram / totals[:, None, None]
        cross = matrices.cross / totals[:, None, None]
        return cls(matrices.design, list(map(DenseGram, gram)), cross, totals, matrices.held_out)

    # All splits share the columns of all rows: those that a split does not train on have no weight.
    @classmethod
    def _of_rows(cls, data, totals, fit_intercept):
        origin, y_origin = origin_of(data, fit_intercept)
        X = (
            data.X.astype(float).tocsc()
            if issparse(data.X)
            else np.subtract(data.X, origin, order="F")
        )
        weights, y = data.row_weights() / totals, data.y - y_origin
        x_mean, y_mean = weights.T @ X, weights.T @ y
        if not fit_intercept:
            x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
        scales = np.ones(x_mean.T.shape) if data.scales is None else data.scales
        grams, cross = [], []
        for weight, mean, own_y, scale in zip(weights.T, x_mean, y_mean, scales.T, strict=True):
            grams.append(RowsGram(X, weight, mean, scale))
            cross.append(scale[:, None] * (X.T @ (weight[:, None] * (y - own_y))))
        means = x_mean, y_mean + y_origin
        design = X, origin, means, data.scales, totals * fit_intercept
        return cls(design, grams, np.array(cross), totals)
