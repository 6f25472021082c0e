"""The data of some splits that share one design matrix."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class SplitData:
    """Splits of one data set.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Floats.
    y : ndarray of shape (n_samples, n_outputs)
        Floats: targets, or classes as they are coded for the loss.
    trains, tests : list of ndarray of int
        Rows of the training and the held-out part of each split.
    weights : list of ndarray
        For each split, one training weight per row of its training part.
    score_weight : ndarray of shape (n_samples,)
        Weights of the validation loss.
    labels : ndarray of shape (n_samples, ...)
        The targets as the user gave them.
    columns : object
        What is known of the features, for those who tell them apart.
    scales : ndarray of shape (n_features, n_splits), default=None
        Factors of the features of each split, where these are X up to them (and an offset that the
        intercept absorbs); None is one.
    """

    X: object
    y: np.ndarray
    trains: list
    tests: list
    weights: list
    score_weight: np.ndarray
    labels: object = None
    columns: object = None
    scales: object = None

    @property
    def n_splits(self):
        return len(self.trains)

    def row_weights(self):
        """Training weights of all rows, a column per split: zero outside its training part."""
        weights = np.zeros((self.X.shape[0], self.n_splits))
        for column, train, weight in zip(weights.T, self.trains, self.weights, strict=True):
            np.add.at(column, train, weight)
        return weights

    def in_batches(self, most):
        """Blocks of at most ``most`` splits each, on the same X."""
        return [
            dataclasses.replace(
                self,
                trains=self.trains[start : start + most],
                tests=self.tests[start : start + most],
                weights=self.weights[start : start + most],
                scales=None if self.scales is None else self.scales[:, start : start + most],
            )
            for start in range(0, self.n_splits, most)
        ]

    def partition_weights(self):
        """Whether every training part is all but its test part, with the same weights throughout.

        Then sums over it are total minus held-out. Returns the common weights or None.
        """
        n_samples = self.X.shape[0]
        common = np.full(n_samples, np.nan)
        for train, test, weight in zip(self.trains, self.tests, self.weights, strict=True):
            used = np.zeros(n_samples, dtype=int)
            np.add.at(used, train, 1)
            np.add.at(used, test, 1)
            seen = common[train]
            if np.any(used != 1) or np.any((seen != weight) & ~np.isnan(seen)):
                return None
            common[train] = weight
        return None if np.isnan(common).any() else common


def chunks(n_rows, n_columns, numbers):
    """Slices of rows with at most so many numbers, or one row; of no rows there is an empty one."""
    size = max(1, numbers // max(1, n_columns))
    starts = range(0, max(1, n_rows), size)
    return [slice(start, min(start + size, n_rows)) for start in starts]


def as_slice(rows):
    """Rows that follow one another as a slice, which copies nothing."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and np.all(np.diff(rows) == 1):
        return slice(rows[0], rows[-1] + 1)
    return rows
