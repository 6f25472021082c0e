"""The data of some splits that share one design matrix."""

import dataclasses
import functools
import sys

import numpy as np
from scipy.sparse import hstack, issparse, vstack

from sklearn_hypergrad._sklearn import checked_array

# Number of entries of dense X from which variances are those of every k-th row; of sparse X so many
# are squared at a time. Chosen by hand: variances are compared as orders of magnitude, and 2**20
# numbers take a few milliseconds.
MOST_NUMBERS = 2**20
# Number of entries of dense X that are squared at a time. Measured: of 2**20 entries, with 2**14 at
# a time variances take a third of the time that they take at once, which needs fresh memory.
AT_ONCE = 2**14


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
    labels : ndarray of shape (n_samples, ...), default=None
        The targets as the user gave them.
    columns : Columns, default=None
        Number and names of the features, where a hyperparameter tells features apart.
    scales : ndarray of shape (n_features, n_splits), default=None
        Factors of the features of each split: its features are X times these factors, up to an
        offset that the intercept absorbs. None is one.
    offsets : ndarray of shape (n_features, n_splits), default=None
        These offsets, where they are known; models need none.
    present : list of ndarray of int, default=None
        For each split the columns of X that are its own features, in its own order; the others have
        the scale zero. None if every split has all of them.
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
    offsets: object = None
    present: object = None

    @property
    def n_splits(self):
        """Number of splits."""
        return len(self.trains)

    @property
    def identity(self):
        """What models of other data differ in."""
        return self.X, self.scales, self.trains, self.tests, self.weights

    def relative_scales(self):
        """The smallest and the largest variance of a feature relative to their mean.

        The features are those of the first split. Constant ones do not count; (1, 1) if nothing is
        known.
        """
        found = variances(self.X, None if self.scales is None else self.scales[:, 0])
        if not found.size or not np.isfinite(found).all():
            return 1.0, 1.0
        return float(found.min() / found.mean()), float(found.max() / found.mean())

    def own(self, X, split):
        """Features that a split has itself, from some X; up to an offset if that is unknown."""
        present = slice(None) if self.present is None else self.present[split]
        X = X if self.present is None else X[..., present]
        if self.scales is not None:
            scales = self.scales[present, split]
            X = X.multiply(scales).tocsr() if issparse(X) else X * scales
        return X if self.offsets is None else X + self.offsets[:, split]

    def row_weights(self):
        """Training weights of shape (n_samples, n_splits): zero outside the training part."""
        weights = np.zeros((self.X.shape[0], self.n_splits))
        for column, train, weight in zip(weights.T, self.trains, self.weights, strict=True):
            np.add.at(column, train, weight)
        return weights

    def in_batches(self, most):
        """List of SplitData of at most ``most`` splits each, on the same X."""
        return [
            dataclasses.replace(
                self,
                trains=self.trains[start : start + most],
                tests=self.tests[start : start + most],
                weights=self.weights[start : start + most],
                scales=None if self.scales is None else self.scales[:, start : start + most],
                offsets=None if self.offsets is None else self.offsets[:, start : start + most],
                present=None if self.present is None else self.present[start : start + most],
            )
            for start in range(0, self.n_splits, most)
        ]

    def partition_weights(self):
        """Weights of shape (n_samples,) if every training part is the complement of its test part.

        Then sums over a training part are the total minus the held-out part. None if this is not
        so, or if the weight of a row differs between splits.
        """
        n_samples = self.X.shape[0]
        common = np.full(n_samples, np.nan)
        for train, test, weight in zip(self.trains, self.tests, self.weights, strict=True):
            used = np.bincount(train, minlength=n_samples)
            used += np.bincount(test, minlength=n_samples)
            seen = common[train]
            if np.any(used != 1) or np.any((seen != weight) & ~np.isnan(seen)):
                return None
            common[train] = weight
        return None if np.isnan(common).any() else common


def variances(X, scales=None):
    """Variances of the features of X, times these factors, that are not constant."""
    scales = np.ones(X.shape[1]) if scales is None else scales
    if issparse(X):
        means, squares = _sparse_moments(X)
        found = squares - means**2
    else:
        X = X[:: -(-X.size // MOST_NUMBERS)]
        means, found = X.mean(axis=0, dtype=float), np.zeros(X.shape[1])
        for rows in chunks(*X.shape, AT_ONCE):
            centred = X[rows] - means
            found += np.einsum("ij,ij->j", centred, centred)
        found /= len(X)
        squares = found + means**2
    varied = (found > np.finfo(float).eps * squares) & (scales != 0)
    return found[varied] * scales[varied] ** 2


def spreads_of(data, features):
    """Sums of squares of some features about their means, by the largest scale of any split."""
    X = data.X[:, features]
    X = X.toarray() if issparse(X) else X
    spreads = X.var(axis=0, dtype=float) * len(X)
    # The variance of a constant is rounding.
    spreads[spreads <= np.finfo(float).eps * np.square(X).sum(axis=0, dtype=float)] = 0.0
    return (
        spreads if data.scales is None else spreads * np.square(data.scales[features]).max(axis=1)
    )


def _sparse_moments(X):
    """Means of the columns of CSR X and of their squares, without a copy of X."""
    X = canonical(X)
    sums, squares = np.zeros((2, X.shape[1]))
    for start in range(0, X.nnz, MOST_NUMBERS):
        piece = slice(start, start + MOST_NUMBERS)
        columns, values = X.indices[piece], X.data[piece].astype(float)
        sums += np.bincount(columns, values, X.shape[1])
        squares += np.bincount(columns, values**2, X.shape[1])
    return sums / X.shape[0], squares / X.shape[0]


def canonical(X):
    """CSR X without duplicate entries."""
    if X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def variance_of_entries(X):
    """The variance of all entries of X, dense or sparse, as one set of numbers."""
    return X.multiply(X).mean() - X.mean() ** 2 if issparse(X) else X.var()


def column_means(X):
    """Means of the columns of X, dense or sparse."""
    return np.asarray(X.mean(axis=0, dtype=float)).ravel()


def stacked(parts):
    """Rows of several X below each other: dense, CSR or data frames; a single X itself."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "columns"):
        return _stacked_frames(parts)
    return vstack(parts, format="csr") if issparse(parts[0]) else np.concatenate(parts)


def _stacked_frames(frames):
    library = type(frames[0]).__module__.partition(".")[0]
    # Each library of data frames has a function of this name.
    concat = sys.modules[library].concat
    if library == "polars":
        return concat(frames, how="vertical_relaxed")
    return concat(_with_common_categories(frames))


def _with_common_categories(frames):
    """Data frames of pandas whose categories are the same, so that they stay categories."""
    frames = [frame.copy(deep=False) for frame in frames]
    for number, dtype in enumerate(frames[0].dtypes):
        columns = [frame.iloc[:, number] for frame in frames]
        if any(column.dtype != dtype for column in columns) and all(
            hasattr(column, "cat") for column in columns
        ):
            own = [column.cat.categories for column in columns]
            common = functools.reduce(lambda some, more: some.union(more, sort=False), own)
            for frame, column in zip(frames, columns, strict=True):
                frame.isetitem(number, column.cat.set_categories(common, ordered=False))
    return frames


def numbers_of(X):
    """X as models take it: dense, or CSR, in single or double precision."""
    return checked_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])


def beside(X, more):
    """Columns of two X beside each other, dense or CSR."""
    return hstack([X, more], format="csr") if issparse(X) else np.hstack([X, more])


def chunks(n_rows, n_columns, numbers):
    """Slices of rows with at most ``numbers`` entries each, but at least one row."""
    size = max(1, numbers // max(1, n_columns))
    starts = range(0, max(1, n_rows), size)
    return [slice(start, min(start + size, n_rows)) for start in starts]


def as_slice(rows):
    """Consecutive rows as a slice, which avoids a copy; other rows unchanged."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and np.all(np.diff(rows) == 1):
        return slice(rows[0], rows[-1] + 1)
    return rows


def overlap_of(splits):
    """Mean ratio of held-out to training rows if rows are held out more than once, else zero.

    Parts of k folds are disjoint. Those of repeated folds and of random splits are not: their
    number says little about how well a mean over them is known.

    Parameters
    ----------
    splits : list of (train, test)

    Returns
    -------
    float
    """
    parts = [(row_numbers(train), row_numbers(test)) for train, test in splits]
    if parts and np.bincount(np.concatenate([test for _, test in parts])).max(initial=0) <= 1:
        return 0.0
    held_out = np.concatenate([np.unique(test) for _, test in parts]) if parts else np.array([])
    if len(np.unique(held_out)) == len(held_out):
        return 0.0
    return float(np.mean([len(test) / len(train) for train, test in parts]))


def row_numbers(indices):
    """The rows of one part of a split as numbers; it may be given as a mask."""
    indices = np.asarray(indices)
    return np.flatnonzero(indices) if indices.dtype == bool else indices


def mean_over_rows(values, weight, rows, groups=None):
    """Weighted mean over held-out rows and its standard error.

    A row that several splits hold out counts once, with its mean value: it is no new row. Rows of a
    group are averaged, too, and groups count alike.

    Parameters
    ----------
    values, weight : ndarray of shape (n_held_out,)
    rows : ndarray of shape (n_held_out,)
        The number of the row of each of them.
    groups : array-like of shape (n_samples,) or None, default=None
        Labels of groups of all rows.

    Returns
    -------
    mean, error : float
        The error is infinite for fewer than two rows or groups.
    """
    members = rows if groups is None else np.asarray(groups)[rows]
    _, member = np.unique(members, return_inverse=True)
    total = np.bincount(member, weight)
    values = np.bincount(member, weight * values) / np.where(total > 0, total, 1.0)
    weight = total if groups is None else (total > 0).astype(float)
    n = np.count_nonzero(weight)
    mean = np.average(values, weights=weight)
    if n < 2:
        return float(mean), np.inf
    spread = np.sqrt(np.sum((weight * (values - mean)) ** 2)) / weight.sum()
    return float(mean), float(spread * np.sqrt(n / (n - 1)))
