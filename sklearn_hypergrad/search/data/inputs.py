"""The inputs of a fit: data, splits and metadata."""

import dataclasses
import numbers

import numpy as np
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)

from sklearn_hypergrad._sklearn import num_samples, rows_of, rows_of_params, safe_split
from sklearn_hypergrad.problems.split_data import row_numbers
from sklearn_hypergrad.wording import shortened

# Splitters that choose only a number of parts; random parts may replace them. Any other one encodes
# knowledge of the data (groups, time) and is used as it is.
PLAIN = {KFold, StratifiedKFold, RepeatedKFold, RepeatedStratifiedKFold}
# Fewest members of a class in each of several random parts.
FEWEST_MEMBERS = 2
# Metadata that have a value for each row, by the last part of their names.
PER_ROW = {"groups", "sample_weight"}


@dataclasses.dataclass(frozen=True)
class FitInputs:
    """Data, splits and metadata of one fit; not kept after it.

    Attributes
    ----------
    X, y : array-like
        The data as the user gave them.
    splits : list of (train, test)
    fit_params, score_params : dict
        Metadata for the estimator's ``fit`` and for the scorer.
    scorer : callable or None
        The scorer that decides; None if it is known only after the rows are scored.
    splitter : object
        The splitter that made the splits.
    split_params : dict
        Its arguments besides X and y, such as groups.
    estimator : estimator
        The estimator of the search.
    n_jobs : int or None
        Number of workers that may share the work on these data; 1 if all are at work already.
    """

    X: object
    y: object
    splits: list
    fit_params: dict
    score_params: dict
    scorer: object
    splitter: object = None
    split_params: dict = dataclasses.field(default_factory=dict)
    estimator: object = None
    n_jobs: int | None = 1

    @property
    def identity(self):
        """What inputs of other data differ in, by name."""
        return {"X": self.X, "y": self.y}

    def as_arrays(self):
        """The same where workers have arrays as files, so that results are of the usual types."""
        params = "fit_params", "score_params", "split_params"
        changed = {
            name: {n: _as_array(v) for n, v in getattr(self, name).items()} for name in params
        }
        changed |= {"X": _as_array(self.X), "y": _as_array(self.y)}
        return dataclasses.replace(self, **changed)

    def row_weight(self):
        """Weight of every row: zero if training or scoring ignores it."""
        weight = np.ones(num_samples(self.X))
        for params in (self.fit_params, self.score_params):
            for name, value in params.items():
                if name.rpartition("__")[2] == "sample_weight" and value is not None:
                    weight = weight * np.asarray(value, dtype=float)
        return weight

    def total_weight(self):
        """Sum of the weights of rows, by which losses are averaged; else of those of training.

        A row of weight w counts as w rows. Rows that either of both ignores count as none.
        """
        counted = self.row_weight() > 0
        for params in (self.score_params, self.fit_params):
            weights = [
                np.asarray(value, dtype=float)
                for name, value in params.items()
                if name.rpartition("__")[2] == "sample_weight" and value is not None
            ]
            if weights:
                return float(weights[0][counted].sum())
        return int(np.count_nonzero(counted))

    def held_out_targets(self, split):
        """Targets of a held-out part, and the metadata of its score, as the user gave them."""
        _, test = self.splits[split]
        return rows_of(self.y, test), rows_of_params(self.X, self.score_params, test)

    def held_out_features(self, split, estimator):
        """Features of a held-out part as the user gave them."""
        train, test = self.splits[split]
        return safe_split(estimator, self.X, self.y, test, train)[0]

    def of_rows(self, rows, estimator):
        """The inputs of some rows, without splits."""
        X, y = safe_split(estimator, self.X, self.y, rows)
        return dataclasses.replace(
            self,
            X=X,
            y=y,
            splits=[],
            fit_params=rows_of_params(self.X, self.fit_params, rows),
            score_params=rows_of_params(self.X, self.score_params, rows),
            split_params=rows_of_params(self.X, self.split_params, rows),
        )

    def subset(self, rows, estimator):
        """The inputs of a fit on some rows, which are split anew."""
        some = self.of_rows(rows, estimator)
        splits = splits_of(self.splitter, some.X, some.y, some.split_params)
        # A search inside of another one, which shares its searches.
        return dataclasses.replace(some, splits=splits, n_jobs=1)


def splits_of(splitter, X, y, params):
    """The splits that a splitter makes, with rows by their numbers.

    Parameters
    ----------
    splitter : object
    X, y : array-like
    params : dict
        Other arguments of ``splitter.split``, such as groups.

    Returns
    -------
    list of (train, test)
    """
    n_rows = num_samples(X)
    return [
        (_from_start(train, n_rows), _from_start(test, n_rows))
        for train, test in splitter.split(X, y, **params)
    ]


def _from_start(part, n_rows):
    """The rows of a part of a split, which may be a mask, or count from the end."""
    rows = row_numbers(part)
    return np.where(rows < 0, rows + n_rows, rows) if np.size(rows) else part


def _as_array(value):
    return np.asarray(value) if isinstance(value, np.memmap) else value


def check_lengths(X, params):
    """Raise ValueError if there are more or fewer groups, or weights, than rows."""
    n_rows = num_samples(X)
    for name, value in params.items():
        kind = name.rpartition("__")[2]
        if kind not in PER_ROW or not np.ndim(value) or num_samples(value) == n_rows:
            continue
        features = " Groups of features go to Continuous(per='group', groups=...)."
        raise ValueError(
            f"{name} has {num_samples(value)} values, and X has {n_rows} rows. Give fit one value "
            f"per row, in the order of the rows.{features if kind == 'groups' else ''}"
        )


def has_fixed_splits(splitter):
    """Whether ``cv`` or ``search_cv`` is a list of splits, which fits one data set only."""
    asked_for = hasattr(splitter, "split") or isinstance(splitter, numbers.Integral | str | None)
    return not asked_for or isinstance(splitter, PredefinedSplit)


@dataclasses.dataclass(frozen=True)
class RandomParts:
    """Rows are divided at random, several times; each part is held out once.

    Attributes
    ----------
    key : str
        The value of ``search_cv`` that asks for them; "" if there is none.
    name : str
        What such splits are called in messages.
    n_parts, n_repeats : int
    """

    key: str
    name: str
    n_parts: int
    n_repeats: int


# For vectors of penalties. Measured on 27 data sets in four variants each, against one tuned value:
# two halves drawn ten times give 0.956 times its test error (geometric mean), drawn five times
# 0.957, three parts drawn seven times 0.961, five folds 0.971.
HALVES = RandomParts("halves", "half splits", 2, 10)
# For vectors of penalties beside the evidence of logistic regression. Measured on six binary data
# sets in four variants each: the five folds of the user alone lose somewhat more often.
FIFTHS = RandomParts("", "splits into fifths", 5, 2)
# For vectors inside kernels, whose best widths depend on the number of rows. Measured with kernel
# ridge regression on 200 rows of twelve data sets: thirds drawn four times give 0.87 times the test
# error of one gamma, five folds 0.91; with eight columns of noise both give 0.71, and the worst of
# 33 ratios is 1.1 and 2.0. Halves with a polish on five folds after them were not better.
THIRDS = RandomParts("", "splits into thirds", 3, 4)


def is_plain(splitter):
    """Whether a splitter chooses only a number of parts, and knows nothing of the rows."""
    return type(splitter) in PLAIN


def check_halves(splitter):
    """Raise ValueError if rows must not be divided at random, as a splitter of the user says."""
    if not is_plain(splitter):
        raise ValueError(
            f"search_cv='halves' divides rows at random, and cv={shortened(str(splitter))} says "
            f"which rows belong together. Leave search_cv='auto', which descends the splits of cv, "
            f"or give a splitter as search_cv."
        )


def random_splits(parts, family, inputs, seed):
    """Splits into random parts of rows of positive weight, stratified for classifiers.

    Parameters
    ----------
    parts : RandomParts
    family : Family
    inputs : FitInputs
    seed : int

    Returns
    -------
    splits : list of (train, test)
        The splits of the user's cv if parts cannot be drawn, or if its splitter is not plain.
    reason : str or None
        Why parts cannot be drawn.
    """
    if not is_plain(inputs.splitter):
        return inputs.splits, None
    rows = np.flatnonzero(inputs.row_weight() > 0)
    strata = family.strata(family.labels(inputs.y)[rows])
    fewest = len(rows) if strata is None else np.unique(strata, return_counts=True)[1].min()
    if fewest < FEWEST_MEMBERS * parts.n_parts:
        what = "there are" if strata is None else "the smallest class has"
        return inputs.splits, f"no {parts.name}: {what} {fewest} members"
    repeated = RepeatedKFold if strata is None else RepeatedStratifiedKFold
    counts = {"n_splits": parts.n_parts, "n_repeats": parts.n_repeats}
    splits = repeated(**counts, random_state=seed).split(rows, strata)
    return [(rows[train], rows[test]) for train, test in splits], None
