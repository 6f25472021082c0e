"""What a fit of the search works on, collected from the hooks of BaseSearchCV.fit."""

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

from sklearn_hypergrad._sklearn import (
    accepts_sample_weight,
    num_samples,
    rows_of_params,
    safe_split,
    single_scorer,
)

# Splitters that say no more than how many parts are wanted. Any other one knows something of the
# data (groups, time) and is respected.
PLAIN = {KFold, StratifiedKFold, RepeatedKFold, RepeatedStratifiedKFold}
N_HALVES, N_REPEATS = 2, 10
# Two members of every class in each half.
FEWEST_MEMBERS = 4


class FrozenSplits:
    """A splitter that asks another one once and then repeats its answer."""

    def __init__(self, cv):
        self.cv = cv
        self._splits = None

    def split(self, X, y=None, groups=None, **params):
        if self._splits is None:
            if groups is not None:
                params["groups"] = groups
            self._splits = list(self.cv.split(X, y, **params))
        return iter(self._splits)

    def get_n_splits(self, X=None, y=None, groups=None, **params):
        if groups is not None:
            params["groups"] = groups
        return self.cv.get_n_splits(X, y, **params)


@dataclasses.dataclass(frozen=True)
class FitInputs:
    """Data, splits and metadata of one fit; local to it.

    Attributes
    ----------
    X, y : as the user gave them
    splits : list of (train, test)
    fit_params, score_params : dict
        What goes to the estimator's ``fit`` and to the scorer.
    scorer : callable or None
        The scorer that decides, None where only its scores will tell.
    splitter : object
        Where the splits are from.
    split_params : dict
        What it was given besides X and y.
    """

    X: object
    y: object
    splits: list
    fit_params: dict
    score_params: dict
    scorer: object
    splitter: object = None
    split_params: dict = dataclasses.field(default_factory=dict)

    def row_weight(self):
        """Weight of every row: zero where no training or no score takes notice of it."""
        weight = np.ones(num_samples(self.X))
        for params in (self.fit_params, self.score_params):
            for name, value in params.items():
                if name.rpartition("__")[2] == "sample_weight" and value is not None:
                    weight = weight * np.asarray(value, dtype=float)
        return weight

    def subset(self, rows, estimator):
        """The inputs of a fit on some rows, with splits of their own."""
        X, y = safe_split(estimator, self.X, self.y, rows)
        split_params = rows_of_params(self.X, self.split_params, rows)
        return dataclasses.replace(
            self,
            X=X,
            y=y,
            splits=list(self.splitter.split(X, y, **split_params)),
            fit_params=rows_of_params(self.X, self.fit_params, rows),
            score_params=rows_of_params(self.X, self.score_params, rows),
            split_params=split_params,
        )


def fit_inputs(search, X, y, cv, routed_params):
    """The inputs of a fit of ``search`` from what BaseSearchCV.fit has worked out."""
    scorers, _ = search._get_scorers()
    scorer = single_scorer(scorers, search.refit)
    score_params = dict(routed_params.scorer.score)
    if scorer is not None and not accepts_sample_weight(scorer):
        score_params.pop("sample_weight", None)
    return FitInputs(
        X=X,
        y=y,
        splits=list(cv.split(X, y, **routed_params.splitter.split)),
        fit_params=dict(routed_params.estimator.fit),
        score_params=score_params,
        scorer=scorer,
        splitter=cv.cv,
        split_params=dict(routed_params.splitter.split),
    )


def has_fixed_splits(splitter):
    """Whether what was given for a cross-validation is splits of one data set, and no other."""
    asked_for = hasattr(splitter, "split") or isinstance(splitter, numbers.Integral | str | None)
    return not asked_for or isinstance(splitter, PredefinedSplit)


def half_splits(family, inputs, seed):
    """Repeated random halves among rows of positive weight, stratified for classifiers.

    Returns
    -------
    splits : list of (train, test)
        Those of the user's cv where halves cannot be drawn or are not wanted.
    reason : str or None
        Why halves cannot be drawn.
    """
    if type(inputs.splitter) not in PLAIN:
        return inputs.splits, None
    rows = np.flatnonzero(inputs.row_weight() > 0)
    labels = family.labels(inputs.y)[rows]
    fewest = np.unique(labels, return_counts=True)[1].min() if family.stratified else len(rows)
    if fewest < FEWEST_MEMBERS:
        what = "the smallest class has" if family.stratified else "there are"
        return inputs.splits, f"no half splits: {what} {fewest} members"
    repeated = RepeatedStratifiedKFold if family.stratified else RepeatedKFold
    splitter = repeated(n_splits=N_HALVES, n_repeats=N_REPEATS, random_state=seed)
    halves = splitter.split(rows, labels)
    return [(rows[train], rows[test]) for train, test in halves], None
