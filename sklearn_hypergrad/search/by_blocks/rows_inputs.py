"""The inputs of a fit on rows in parts, and the passes that are made over them."""

import dataclasses
import pickle
import time

import numpy as np

from sklearn_hypergrad.problems.rows.look_pass import Look, LookPass
from sklearn_hypergrad.problems.rows.moments_pass import MomentsPass
from sklearn_hypergrad.problems.rows.reader import NO_Y, Numbers
from sklearn_hypergrad.search.by_blocks.digest_pass import DigestPass
from sklearn_hypergrad.tuning import Stopped

NOT_FINITE = (
    "X, y or the weights have values that are not finite: NaN, infinity, or overflow. Rows in "
    "parts are not looked at one by one: leave such rows out, or change them with "
    "rows.map(function)."
)
FEW = (
    "Folds of rows and groups follow from hashes: take fewer folds, or LeaveOneGroupOut() if "
    "groups are few."
)


@dataclasses.dataclass(frozen=True)
class Targets:
    """``function(part)``: labels or groups of all parts, and whether there are weights.

    Attributes
    ----------
    groups : bool
        Whether groups are asked for, else labels.
    """

    groups: bool

    def __call__(self, part):
        values = part.group if self.groups else part.y
        if values is None:
            raise ValueError(
                "The rows have no groups. Pass them to the rows." if self.groups else NO_Y
            )
        return (Labels(frozenset(np.unique(values).tolist())),)


@dataclasses.dataclass(frozen=True)
class Labels:
    """A set of labels; sets are joined by ``+``."""

    found: frozenset

    def __add__(self, other):
        return Labels(self.found | other.found)


class RowsInputs:
    """Rows, their splits, and what passes over them have found; the interface of FitInputs.

    Parameters
    ----------
    rows : Rows
    scorer : callable or None
        The scorer that decides.
    estimator : estimator
    watch : callable
        Called before every pass; it may stop the search.

    Attributes
    ----------
    buckets : object
    splits : list of (train, test)
        Numbers of buckets.
    seconds : list of float
        Those of all passes.
    n_outputs : int
        Number of targets, once a pass has seen them.
    """

    fit_params, score_params, split_params, n_jobs = {}, {}, {}, 1

    def __init__(self, rows, scorer, estimator, watch=bool):
        self.X = self.rows = rows
        self.scorer, self.estimator, self.watch = scorer, estimator, watch
        self.buckets, self.splits, self.splitter = None, [], None
        self.seconds, self.n_outputs, self._known = [], 1, {}

    @property
    def y(self):
        """Two targets, which say how many columns these have."""
        return np.zeros(2) if self.n_outputs == 1 else np.zeros((2, self.n_outputs))

    @property
    def identity(self):
        """What inputs of other data differ in, by name: digests of all parts, of one pass."""
        return {"rows": self._once(DigestPass(), lambda sums: sums[0].digests)}

    def row_weight(self):
        """One for each row that counts; none has the weight zero."""
        return np.broadcast_to(np.ones(1), self.rows.shape[:1])

    def sums(self, function):
        """Sums over all parts: one pass."""
        self.check()
        began = time.perf_counter()
        try:
            return self.rows.sums(function)
        finally:
            self.seconds.append(time.perf_counter() - began)

    def check(self):
        """Raise Stopped once if the search is to end: what is left of it is not stopped again."""
        try:
            self.watch()
        except Stopped:
            self.watch = bool
            raise

    def groups(self):
        """The sorted groups of the rows."""
        return self._once(Targets(groups=True), lambda sums: sorted(sums[0].found))

    def classes(self):
        """The sorted labels of the rows."""
        return self._once(Targets(groups=False), lambda sums: np.array(sorted(sums[0].found)))

    def moments(self, reader, *, extrema, of_classes):
        """The BucketSums of all buckets."""
        run = MomentsPass(reader, self.buckets, extrema, of_classes)
        sums = self._once(run, lambda sums: sums)
        total = [each.train.weight + each.train.yy.sum() + each.train.xx.sum() for each in sums]
        _check(np.sum(total))
        self._check_splits([each.held_out.weight for each in sums])
        self.n_outputs = len(sums[0].train.y) if isinstance(reader.coding, Numbers) else 1
        return sums

    def look(self, reader, *, share, counts, extrema):
        """The Look of a first pass."""
        run = LookPass(reader, self.buckets, share, counts, extrema)
        found = self._once(run, lambda sums: Look.of(run, sums))
        _check(sum(each.square.sum() for each in found.moments))
        self._check_splits([each.n for each in found.moments])
        return found

    def _check_splits(self, counts):
        """Raise ValueError if a part of a split has no rows."""
        for number, parts in enumerate(self.splits):
            for part, name in zip(parts, ("trains on", "holds out"), strict=True):
                if not np.sum(np.take(counts, part)):
                    raise ValueError(f"Split {number} {name} no rows. {FEW}")

    def _once(self, function, then):
        """``then`` of the sums of a function, which are computed once."""
        key = pickle.dumps(function)
        if key not in self._known:
            self._known[key] = then(self.sums(function))
        return self._known[key]


def _check(number):
    if not np.isfinite(number):
        raise ValueError(NOT_FINITE)
