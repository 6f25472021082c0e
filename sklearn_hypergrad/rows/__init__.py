"""Rows that are read part by part: searches of data that are larger than memory, or on a cluster.

Wrap them, and fit: ``HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(ArrayRows(X, y))``.
"""

from sklearn_hypergrad.rows.array_rows import ArrayRows
from sklearn_hypergrad.rows.base import Part, Rows
from sklearn_hypergrad.rows.dask_rows import DaskRows
from sklearn_hypergrad.rows.file_rows import FileRows
from sklearn_hypergrad.rows.parquet_rows import ParquetRows

__all__ = ["ArrayRows", "DaskRows", "FileRows", "ParquetRows", "Part", "Rows"]
