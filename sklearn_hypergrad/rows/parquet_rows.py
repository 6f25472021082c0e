"""Rows of Parquet files, read by pyarrow or polars, row group by row group."""

import glob
import importlib.util
import os
from collections.abc import Sequence

import numpy as np

from sklearn_hypergrad.rows.base import Part, columns_of, part_size, slices
from sklearn_hypergrad.rows.loaded_rows import LoadedRows

ENGINES = "pyarrow", "polars"


class ParquetRows(LoadedRows):
    """Rows of Parquet files. A part is a row group (pyarrow) or a slice of rows (polars).

    Parameters
    ----------
    path : str or list of str
        A file, a pattern such as ``"folder/*.parquet"``, whose files are sorted by name, or a list
        of files.
    target : str, list of str or None
        The column or columns of y.
    columns : list of str, default=None
        The features; None is all other columns.
    sample_weight, groups : str, default=None
        Columns of weights, and of what belongs together.
    engine : {"pyarrow", "polars"}, default=None
        The package that reads; None is pyarrow if it is installed, else polars.
    part_rows : int, default=None
        With polars the number of rows of a part; None is as many as have 64 MiB.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If neither package is installed.
    KeyError
        If a column does not exist.
    """

    def __init__(
        self,
        path: str | Sequence[str],
        target: str | Sequence[str] | None = None,
        *,
        columns: Sequence[str] | None = None,
        sample_weight: str | None = None,
        groups: str | None = None,
        engine: str | None = None,
        part_rows: int | None = None,
    ):
        self._paths = _files(path)
        self._read = _reader(engine)
        names, sizes = self._read.described(self._paths)
        several = isinstance(target, list | tuple)
        targets = [] if target is None else [*target] if several else [target]
        apart = [*targets, *(each for each in (sample_weight, groups) if each is not None)]
        columns_of(apart, names, "the column")
        features = [n for n in names if n not in apart] if columns is None else list(columns)
        columns_of(features, names, "the feature")
        self.feature_names, self._several = tuple(features), several
        self._targets, self._weight, self._groups = targets, sample_weight, groups
        self._places = self._read.places(sizes, part_size(len(features), 8, part_rows))
        n_rows = sum(stop - start for _, _, start, stop in self._places)
        self._shape = n_rows, len(features)
        self.bytes_per_pass = sum(os.path.getsize(path) for path in self._paths)

    @property
    def shape(self):
        return self._shape

    @property
    def places(self):
        firsts = np.cumsum([0, *(stop - start for _, _, start, stop in self._places)])
        return list(zip(firsts[:-1].tolist(), self._places, strict=True))

    def load(self, place):
        first, (number, group, start, stop) = place
        features, targets = list(self.feature_names), self._targets
        apart = [*targets, *(each for each in (self._weight, self._groups) if each is not None)]
        wanted = list(dict.fromkeys([*features, *apart]))
        found = self._read.columns(self._paths[number], group, start, stop, wanted)
        X = np.empty((stop - start, len(features)), dtype=_common(found, features))
        for column, name in enumerate(features):
            X[:, column] = found[name]
        y = np.stack([found[name] for name in targets], axis=1) if targets else None
        others = (None if name is None else found[name] for name in (self._weight, self._groups))
        return Part(first, X, y[:, 0] if targets and not self._several else y, *others)


def _common(found, features):
    """Single precision if all features have it or less, else double."""
    return np.float32 if {found[n].dtype for n in features} <= {np.dtype(np.float32)} else float


def _files(path):
    if not isinstance(path, list | tuple):
        path = sorted(glob.glob(os.fspath(path))) or [os.fspath(path)]
    paths = [os.fspath(each) for each in path]
    missing = [each for each in paths if not os.path.exists(each)]
    if missing or not paths:
        raise FileNotFoundError(f"There is no file {(missing or ['in an empty list'])[0]}.")
    return paths


def _reader(engine):
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)} or None, got {engine!r}.")
    wanted = ENGINES if engine is None else (engine,)
    found = [each for each in wanted if importlib.util.find_spec(each) is not None]
    if not found:
        raise ImportError(f"ParquetRows needs {' or '.join(wanted)}: pip install {wanted[0]}")
    return PyArrow() if found[0] == "pyarrow" else Polars()


class PyArrow:
    """Reads row groups by pyarrow."""

    def described(self, paths):
        """Names of the columns, and the numbers of rows of all row groups of each file."""
        files = [self._file(path) for path in paths]
        counts = [
            [each.metadata.row_group(g).num_rows for g in range(each.num_row_groups)]
            for each in files
        ]
        return files[0].schema_arrow.names, counts

    def places(self, sizes, part_rows):
        """``(file, row group, start, stop)`` of every part."""
        return [(f, g, 0, n) for f, counts in enumerate(sizes) for g, n in enumerate(counts) if n]

    def columns(self, path, group, start, stop, names):
        """A dict from names to arrays of the rows of a part."""
        table = self._file(path).read_row_group(group, columns=names)
        return {name: table.column(name).to_numpy() for name in names}

    @staticmethod
    def _file(path):
        import pyarrow.parquet as parquet

        return parquet.ParquetFile(path)


class Polars:
    """Reads slices of rows by polars."""

    def described(self, paths):
        """Names of the columns, and the number of rows of each file, in a list."""
        frames = [self._frame(path) for path in paths]
        counts = [[frame.select(self._package().len()).collect().item()] for frame in frames]
        return frames[0].collect_schema().names(), counts

    def places(self, sizes, part_rows):
        """``(file, 0, start, stop)`` of every part."""
        return [(f, 0, *ends) for f, (n,) in enumerate(sizes) for ends in slices(n, part_rows)]

    def columns(self, path, group, start, stop, names):
        """A dict from names to arrays of the rows of a part."""
        frame = self._frame(path).select(names).slice(start, stop - start).collect()
        return {name: frame[name].to_numpy() for name in names}

    def _frame(self, path):
        return self._package().scan_parquet(path)

    @staticmethod
    def _package():
        import polars

        return polars
