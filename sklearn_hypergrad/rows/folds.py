"""Buckets of rows: small disjoint sets, of which parts of splits are unions.

What bucket a row is in follows from its number, group or fold alone, so nothing of the length of
the data is kept.
"""

import dataclasses

import numpy as np

# Constants of the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom
# number generators").
GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def hashed(numbers, seed=0):
    """Pseudorandom 64 bit integers from integers: the same for the same number."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64(GOLDEN * (seed + 1) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND)
        return z ^ (z >> np.uint64(31))


def hashed_values(values, seed=0):
    """The same from values of any type: numbers by their bits, others by their text."""
    values = np.asarray(values)
    if values.dtype.kind in "iub":
        return hashed(values.astype(np.int64).view(np.uint64), seed)
    if values.dtype.kind == "f":
        return hashed(values.astype(np.float64).view(np.uint64), seed)
    known, member = np.unique(values.astype(str), return_inverse=True)
    codes = np.array([_text_code(text) for text in known], dtype=np.uint64)
    return hashed(codes, seed)[member]


def _text_code(text):
    """A 64 bit integer from text (FNV-1a), the same in every process."""
    code = 0xCBF29CE484222325
    for byte in text.encode():
        code = (code ^ byte) * 0x100000001B3 % 2**64
    return code


@dataclasses.dataclass(frozen=True)
class HashedRows:
    """Rows by a hash of their number.

    Attributes
    ----------
    n_buckets : int
    """

    n_buckets: int

    def of(self, part):
        """The bucket of every row of a part."""
        numbers = np.arange(part.first, part.first + part.n_rows, dtype=np.uint64)
        return (hashed(numbers) % np.uint64(self.n_buckets)).astype(np.intp)


@dataclasses.dataclass(frozen=True)
class Consecutive:
    """Consecutive rows, as those that KFold of scikit-learn holds out without shuffling.

    Attributes
    ----------
    n_samples, n_buckets : int
    """

    n_samples: int
    n_buckets: int

    def of(self, part):
        """The bucket of every row of a part."""
        sizes = np.full(self.n_buckets, self.n_samples // self.n_buckets)
        sizes[: self.n_samples % self.n_buckets] += 1
        numbers = np.arange(part.first, part.first + part.n_rows)
        return np.searchsorted(np.cumsum(sizes), numbers, side="right")


@dataclasses.dataclass(frozen=True)
class HashedGroups:
    """Rows by a hash of their group.

    Attributes
    ----------
    n_buckets : int
    """

    n_buckets: int

    def of(self, part):
        """The bucket of every row of a part."""
        return (hashed_values(part.group) % np.uint64(self.n_buckets)).astype(np.intp)


@dataclasses.dataclass(frozen=True)
class Predefined:
    """Rows by a table of folds; -1 is in no held-out part.

    Attributes
    ----------
    folds : ndarray of int of shape (n_samples,) or None
        None are the groups of the rows.
    values : tuple of int
        The folds that occur, in order.
    """

    folds: np.ndarray | None
    values: tuple

    @property
    def n_buckets(self):
        """Number of different folds, the one that is never held out included."""
        return len(self.values)

    def of(self, part):
        """The bucket of every row of a part."""
        if self.folds is None:
            own = np.asarray(part.group)
        else:
            own = self.folds[part.first : part.first + part.n_rows]
        return np.searchsorted(np.asarray(self.values), own)


@dataclasses.dataclass(frozen=True)
class Divided:
    """Each bucket of others divided into smaller ones, by a hash of the numbers of its rows.

    Attributes
    ----------
    buckets : object
    n_each : int
    """

    buckets: object
    n_each: int

    @property
    def n_buckets(self):
        """Number of buckets."""
        return self.buckets.n_buckets * self.n_each

    def of(self, part):
        """The bucket of every row of a part."""
        inside = HashedRows(self.n_each)
        numbers = np.arange(part.first, part.first + part.n_rows, dtype=np.uint64)
        own = (hashed(numbers, seed=1) % np.uint64(inside.n_buckets)).astype(np.intp)
        return self.buckets.of(part) * self.n_each + own
