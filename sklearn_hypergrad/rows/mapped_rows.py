"""Rows whose features are changed by a function when they are read."""

import dataclasses
from collections.abc import Callable

from sklearn_hypergrad.rows.base import Part, Rows
from sklearn_hypergrad.threads import cached_property


@dataclasses.dataclass(frozen=True)
class Mapped:
    """``function`` of a part whose X has been changed by ``change``."""

    function: Callable
    change: Callable

    def __call__(self, part):
        return self.function(dataclasses.replace(part, X=self.change(part.X)))


@dataclasses.dataclass(frozen=True)
class Width:
    """The number of features of the first part, as a sum over all parts."""

    def __call__(self, part: Part):
        return (part.X.shape[1] if part.first == 0 else 0,)


class MappedRows(Rows):
    """Rows of another source, with ``function(X)`` in place of each part of X.

    Parameters
    ----------
    rows : Rows
    function : callable
    """

    def __init__(self, rows, function):
        self._rows, self._function = rows, function

    @property
    def bytes_per_pass(self):
        """Bytes that a pass reads."""
        return self._rows.bytes_per_pass

    @property
    def traffic(self):
        """What a pass moves between processes."""
        return self._rows.traffic

    @cached_property
    def shape(self):
        (width,) = self.sums(Width())
        return self._rows.shape[0], width

    def sums(self, function):
        return self._rows.sums(Mapped(function, self._function))
