"""The splits whose validation loss is descended."""

import numbers

import numpy as np
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)

# Splitters that say no more than how many parts are wanted. Any other one knows something of the
# data (groups, time) and is respected.
PLAIN = {KFold, StratifiedKFold, RepeatedKFold, RepeatedStratifiedKFold}
N_HALVES, N_REPEATS = 2, 10
# Two members of every class in each half.
FEWEST_MEMBERS = 4


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
