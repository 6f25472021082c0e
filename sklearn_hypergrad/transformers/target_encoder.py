"""TargetEncoder: categories as means of the targets of their rows, drawn towards the mean of all.

With n rows of a category, whose targets have the sum t, and the mean m of all targets, it is ::

    X' = (t + smooth m) / (n + smooth)    so that    dX'/dsmooth = (m - X') / (n + smooth)

Which rows are counted depends on the row that is encoded: for a held-out row all training rows, for
a training row those of the folds that it is not in (cross-fitting).
"""

import copy
import numbers

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.preprocessing import LabelBinarizer, LabelEncoder, TargetEncoder
from sklearn.utils import column_or_1d

from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    transformer,
)


class EncodedFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : TargetEncoder
    rows : Rows
    seed : int
    """

    def __init__(self, estimator, rows, seed):
        with warnings_here("ignore"):
            fitted = rows.fitted(estimator, seed)
            folds = folds_of(estimator, fitted.target_type_ != "continuous", rows, seed)
            targets, codes = targets_of(fitted, rows.y), codes_of(fitted, rows.X)
        n_train, n_rows, unknown = rows.n_train, len(codes), codes < 0
        # Scikit-learn counts training rows of unknown categories as rows of the first one.
        seen = np.maximum(codes[:n_train], 0)
        self._n = np.zeros((*codes.shape, 1))
        self._t = np.zeros((*codes.shape, targets.shape[1]))
        self._m = np.empty_like(self._t)
        for counted, encoded in [*folds, (np.arange(n_train), np.arange(n_train, n_rows))]:
            self._m[encoded] = targets[counted].mean(axis=0)
            for feature, categories in enumerate(fitted.categories_):
                n, t = totals(seen[counted, feature], targets[counted], len(categories))
                self._n[encoded, feature, 0] = n[codes[encoded, feature]]
                self._t[encoded, feature] = t[codes[encoded, feature]]
        self._n[unknown], self._t[unknown] = 0, 0
        # It encodes them all by the mean that belongs to the last fold.
        self._m[:n_train][unknown[:n_train]] = targets[folds[-1][0]].mean(axis=0)
        sizes = np.concatenate([np.bincount(column) for column in seen.T])
        self._usual = float(np.exp(np.log(sizes[sizes > 0]).mean()))

    def levels(self):
        # Half of what categories of the usual size have of their own is left there.
        return {"smooth": self._usual}

    def at(self, h, X):
        total = self._n + float(h["smooth"])
        E = (self._t + h["smooth"] * self._m) / total

        def pull(G, through):
            return {"smooth": np.sum(G.reshape(E.shape) * (self._m - E) / total)}, None

        return Transformed(E.reshape(len(E), -1), pull)


def totals(codes, targets, n_categories):
    """Numbers of rows of each category, and sums of their targets."""
    sums = [np.bincount(codes, column, n_categories) for column in targets.T]
    return np.bincount(codes, minlength=n_categories), np.stack(sums, axis=1)


def targets_of(fitted, y):
    """Targets as an encoder averages them, in one column or one for each class."""
    if fitted.target_type_ == "multiclass":
        return LabelBinarizer().fit_transform(y).astype(float)
    binary = fitted.target_type_ == "binary"
    y = LabelEncoder().fit_transform(y) if binary else column_or_1d(y)
    return y.astype(float)[:, None]


def codes_of(fitted, X):
    """Numbers of the categories of all rows, -1 where they are unknown, by a fitted encoder."""
    reader = copy.copy(fitted)
    reader.encodings_ = [np.arange(len(own), dtype=float) for own in fitted.categories_]
    reader.target_type_, reader.target_mean_ = "continuous", -1.0
    return np.asarray(reader.transform(X)).astype(int)


def folds_of(estimator, classifier, rows, seed):
    """The folds of the cross-fitting, as ``fit_transform`` makes them.

    Parameters
    ----------
    estimator : TargetEncoder
    classifier : bool
        Whether the targets are classes.
    rows : Rows
    seed : int
        It draws from it, if it has no seed of its own.

    Raises
    ------
    ValueError
        If a training row is in no fold, or in several.
    """
    # Later versions of scikit-learn have no such parameters, and shuffle.
    shuffle = getattr(estimator, "shuffle", "deprecated")
    own = getattr(estimator, "random_state", None)
    cv = check_cv(
        estimator.cv,
        rows.y,
        classifier=classifier,
        shuffle=True if shuffle == "deprecated" else shuffle,
        random_state=own if isinstance(own, numbers.Integral) else None,
    )
    if not isinstance(getattr(cv, "random_state", seed), numbers.Integral):
        cv = copy.copy(cv)
        cv.random_state = seed
    folds = list(cv.split(rows.train, rows.y))
    times = np.bincount(np.concatenate([fold for _, fold in folds]), minlength=rows.n_train)
    if np.any(times != 1):
        raise ValueError("cv of TargetEncoder must have each training row in one fold")
    return folds


class TargetEncoderFamily(TransformerFamily):
    """TargetEncoder of scikit-learn; categories have no derivatives."""

    estimator_class = TargetEncoder
    hyperparameters = {"smooth": Hyperparameter(start=1.0)}
    takes_numbers = through = False

    def own_value(self, estimator, name, X):
        # smooth="auto" is another number for every category.
        own = getattr(estimator, name)
        return own if isinstance(own, numbers.Real) else np.nan

    def features(self, estimator, rows, entries, seed):
        return EncodedFeatures(estimator, rows, seed)


@transformer.register
def _(estimator: TargetEncoder):
    return TargetEncoderFamily()
