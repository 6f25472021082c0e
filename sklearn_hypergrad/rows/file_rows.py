"""Rows of a list of files, by a function of the user that loads one."""

import os
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from sklearn_hypergrad.rows.base import Part
from sklearn_hypergrad.rows.loaded_rows import LoadedRows
from sklearn_hypergrad.threads import cached_property


class FileRows(LoadedRows):
    """Rows of several files, each of which is a part.

    Parameters
    ----------
    paths : sequence
        What ``load`` takes, such as paths, in the order of the rows.
    load : callable
        ``load(path)`` returns ``(X, y)``, ``(X, y, sample_weight)`` or ``(X, y, sample_weight,
        groups)`` of a file; any but X may be None. Each call returns the same: another number of
        rows than before is an error.
    lengths : sequence of int, default=None
        Number of rows of each file. None loads each file once more to count them.

    Raises
    ------
    ValueError
        If there is no file, or the number of lengths is another.
    """

    def __init__(
        self,
        paths: Iterable[str | os.PathLike],
        load: Callable,
        *,
        lengths: Sequence[int] | None = None,
    ):
        self._paths, self._load, self._given = list(paths), load, lengths
        if not self._paths:
            raise ValueError("There are no files in paths.")
        if lengths is not None and len(lengths) != len(self._paths):
            raise ValueError(f"There are {len(self._paths)} paths and {len(lengths)} lengths.")

    @cached_property
    def _lengths(self):
        if self._given is not None:
            return [int(length) for length in self._given]
        return [self._load(path)[0].shape[0] for path in self._paths]

    @cached_property
    def shape(self):
        return sum(self._lengths), self._load(self._paths[0])[0].shape[1]

    @cached_property
    def places(self):
        starts = np.cumsum([0, *self._lengths[:-1]]).tolist()
        return list(zip(starts, self._paths, self._lengths, strict=True))

    def load(self, place):
        first, path, length = place
        X, *others = self._load(path)
        if X.shape[0] != length:
            raise ValueError(
                f"load({path!r}) has returned {X.shape[0]} rows, and {length} were expected. It is "
                f"to return the same rows in every call."
            )
        return Part(first, X, *(None if each is None else np.asarray(each) for each in others))
