"""The splits of rows in parts: unions of buckets, from what ``cv`` is."""

import numbers

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
)

from sklearn_hypergrad.rows.folds import Consecutive, Divided, HashedGroups, HashedRows, Predefined
from sklearn_hypergrad.search.by_blocks.refusals import refused
from sklearn_hypergrad.wording import shortened

# Number of buckets of which half splits are drawn. Chosen by hand: any ten of twenty are half of
# the rows, and there are 184,756 such halves.
MANY = 20
# Largest number of doubles in the sums of all buckets. Chosen by hand: 2**26 doubles are 512 MiB.
MOST_NUMBERS = 2**26
REMEDY = (
    "Give a number of folds, whose rows are drawn by a hash of their numbers, KFold(k) for "
    "consecutive ones, GroupKFold(k) or LeaveOneGroupOut() with groups of the rows, or "
    "PredefinedSplit"
)


def plan(cv, rows, groups_of, *, divided, n_features):
    """What buckets there are, and which of them each split trains on and holds out.

    Parameters
    ----------
    cv : None, int or splitter
    rows : Rows
    groups_of : callable
        ``groups_of()`` returns the sorted groups that occur: a pass.
    divided : bool
        Whether half splits will be drawn, of smaller buckets.
    n_features : int

    Returns
    -------
    buckets : object
    splits : list of (train, test)
        Numbers of buckets.
    splitter : object
        A splitter of scikit-learn that says the same of rows in memory.

    Raises
    ------
    ValueError
        If rows in parts are not split by ``cv``.
    """
    splitter = KFold(5 if cv is None else int(cv)) if cv is None or _is_number(cv) else cv
    never = []
    if type(splitter) is KFold and not splitter.shuffle:
        n_folds, n_rows = splitter.n_splits, rows.shape[0]
        if n_folds > n_rows:
            raise ValueError(
                f"Cannot have number of splits n_splits={n_folds} greater than {n_rows}."
            )
        buckets = HashedRows(n_folds) if splitter is not cv else Consecutive(n_rows, n_folds)
    elif type(splitter) is GroupKFold and not getattr(splitter, "shuffle", False):
        buckets = HashedGroups(splitter.n_splits)
    elif type(splitter) is LeaveOneGroupOut:
        buckets = Predefined(None, tuple(groups_of()))
    elif type(splitter) is PredefinedSplit:
        folds = splitter.test_fold
        if len(folds) != rows.shape[0]:
            raise ValueError(f"cv has folds of {len(folds)} rows, and X has {rows.shape[0]}.")
        buckets = Predefined(folds, tuple(np.unique(folds).tolist()))
        never = [0] if buckets.values[0] == -1 else []
    else:
        why = "its splits are lists of row numbers, or are shuffled"
        raise refused(f"cv={shortened(str(cv))}", why, REMEDY)
    own, n_each = np.arange(buckets.n_buckets), 1
    if divided and isinstance(buckets, HashedRows | Consecutive):
        most = max(1, MOST_NUMBERS // max(1, buckets.n_buckets * n_features**2))
        n_each = min(-(-MANY // buckets.n_buckets), most)
    parts = [np.arange(b * n_each, (b + 1) * n_each) for b in own]
    if n_each > 1:
        buckets = Divided(buckets, n_each)
    every = np.arange(buckets.n_buckets)
    tests = [part for number, part in enumerate(parts) if number not in never]
    splits = [(np.setdiff1d(every, test), test) for test in tests]
    return buckets, splits, splitter


def halves(n_buckets, n_repeats, seed):
    """Splits into two halves of the buckets, drawn several times."""
    drawn = RepeatedKFold(n_splits=2, n_repeats=n_repeats, random_state=seed)
    return list(drawn.split(np.zeros(n_buckets)))


def _is_number(cv):
    return isinstance(cv, numbers.Integral)
