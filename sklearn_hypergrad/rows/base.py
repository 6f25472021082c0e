"""The contract of rows: sums over all parts, in a fixed order."""

import abc
import dataclasses
from typing import Any

import numpy as np

# Bytes of X in a part, if nothing else is asked for. Chosen by hand: reading and a task of a
# cluster cost some milliseconds each, and a part takes a second or less.
PART_BYTES = 2**26
NO_ARRAY = (
    "Rows in parts are no array: HypergradSearchCV.fit takes them. For anything else, such as "
    "checks and pictures, pass a sample of the rows as an array."
)


@dataclasses.dataclass(frozen=True)
class Part:
    """Some consecutive rows.

    Attributes
    ----------
    first : int
        Number of the first of them among all rows.
    X : ndarray, CSR matrix or data frame of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None
    weight : ndarray of shape (n_rows,) or None
        Sample weights; None is one each.
    group : ndarray of shape (n_rows,) or None
        What rows belong together.
    """

    first: int
    X: Any
    y: np.ndarray | None = None
    weight: np.ndarray | None = None
    group: np.ndarray | None = None

    @property
    def n_rows(self):
        """Number of rows."""
        return self.X.shape[0]


class Rows(abc.ABC):
    """Rows of X and y that are read in parts, as often as it takes.

    Nothing else than sums over parts is asked of a source. They are added up as a tree whose shape
    depends on the number of parts alone, so that the same parts give the same bits, wherever they
    are computed.

    Attributes
    ----------
    feature_names : tuple of str or None
        Names of the features, if there are any.
    bytes_per_pass : int or None
        Bytes that a pass reads; None if unknown.
    traffic : str
        What a pass moves between processes, in words; "" if nothing moves.
    """

    feature_names = None
    bytes_per_pass = None
    traffic = ""

    @property
    @abc.abstractmethod
    def shape(self):
        """``(n_samples, n_features)``."""

    @abc.abstractmethod
    def sums(self, function):
        """Add up what a function returns for each part.

        Parameters
        ----------
        function : callable
            ``function(part)`` returns a tuple of arrays, or of anything that can be added. It can
            be pickled, and gives the same for the same :class:`Part` wherever it is called.

        Returns
        -------
        tuple
        """

    def __array__(self, dtype=None, copy=None):
        raise TypeError(NO_ARRAY)

    def map(self, function):
        """These rows, each part of X changed by a function when it is read.

        Parameters
        ----------
        function : callable
            ``function(X)`` returns as many rows as X has. It can be pickled.

        Returns
        -------
        Rows
        """
        from sklearn_hypergrad.rows.mapped_rows import MappedRows

        return MappedRows(self, function)


def add(one, other):
    """The sum of two tuples, element by element."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


class TreeSum:
    """Adds up tuples, given one after the other, as a balanced tree of fixed shape.

    Two neighbours are added, then two of these sums, and so on; what is left over at the end is
    added from the right. So does :func:`tree` with all of them at once.
    """

    def __init__(self):
        self._open = []

    def add(self, term):
        """Add the next tuple."""
        level = 0
        while self._open and self._open[-1][0] == level:
            term, level = add(self._open.pop()[1], term), level + 1
        self._open.append((level, term))

    def total(self):
        """The sum of all of them."""
        (_, total), *others = reversed(self._open)
        for _, term in others:
            total = add(term, total)
        return total


def tree(terms, together):
    """The same tree of ``together(one, other)`` over a list, such as one of delayed results."""
    terms = list(terms)
    while len(terms) > 1:
        pairs = [together(*terms[i : i + 2]) for i in range(0, len(terms) - 1, 2)]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0]


def part_size(n_features, itemsize, part_rows):
    """Number of rows of a part: what was asked for, or so many that X has ``PART_BYTES``."""
    if part_rows is None:
        return max(1, PART_BYTES // max(1, n_features * itemsize))
    if not part_rows >= 1:
        raise ValueError(f"part_rows must be a positive number of rows, got {part_rows!r}.")
    return int(part_rows)


def slices(n_rows, size):
    """``(start, stop)`` of all parts of at most ``size`` rows."""
    return [(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def check_length(name, values, n_rows):
    """Raise ValueError if values are not one for each row."""
    if values is not None and len(values) != n_rows:
        raise ValueError(f"X has {n_rows} rows, and {name} has {len(values)}. Give one for each.")


def columns_of(names, own, what):
    """The position of each named column; a KeyError names the columns that there are."""
    known = {name: place for place, name in enumerate(own)}
    missing = [name for name in names if name not in known]
    if missing:
        raise KeyError(f"{what} {missing[0]!r} is not among the columns {', '.join(own)}")
    return [known[name] for name in names]
