"""A table from a file: its features, its target, and what features need before a linear model."""

import importlib.util
from pathlib import Path

import narwhals as nw
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_hypergrad.wording import suggestion

READERS = {".csv": nw.read_csv, ".csv.gz": nw.read_csv, ".parquet": nw.read_parquet}
# Libraries that read files, and whose frames ColumnTransformer takes apart.
BACKENDS = ("pandas", "polars")
# Categories of fewer rows share a column: a split may have none of them.
MIN_FREQUENCY = 10
MISSING = "(missing)"
CATEGORIES = (nw.String, nw.Categorical, nw.Enum, nw.Boolean)


class TableError(ValueError):
    """The file cannot be read, or its table has no such target."""


def read(path, target):
    """Features and target of the table in a file.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.csv.gz`` or ``.parquet`` file with one row per sample and names of columns.
    target : str
        Name of the target's column. Rows where it is missing are left out.

    Returns
    -------
    X : frame of pandas or polars
        Numbers as floats, missing ones as nan; categories as strings, missing ones as
        ``"(missing)"``. Columns of neither, such as dates, and columns of one value are left out.
    y : ndarray of shape (n_samples,)
        Target: floats, or labels as strings.
    left_out : list of str
        What was left out, and why.

    Raises
    ------
    TableError
        The file does not exist or is of another kind, no library that reads it is installed, or it
        has no such column.
    """
    table = _table(Path(path))
    if target not in table.columns:
        names = f" It has {', '.join(map(repr, table.columns))}."
        hint = suggestion(target, table.columns) or names
        raise TableError(f"{path} has no column {target!r}.{hint}")
    known = table.filter(~_missing(table[target]))
    y, features = known[target], known.drop(target)
    if y.n_unique() < 2:
        raise TableError(f"The target {target!r} has one value in all {len(y)} rows.")
    reasons = {column.name: _unusable(column) for column in features.iter_columns()}
    columns = [_prepared(features[name]) for name, reason in reasons.items() if not reason]
    if not columns:
        raise TableError(f"{path} has no numbers and no categories beside {target!r}.")
    left_out = [f"column {name!r}: {reason}" for name, reason in reasons.items() if reason]
    if len(known) < len(table):
        left_out.append(f"{len(table) - len(known)} rows: {target!r} is missing")
    labels = y if y.dtype.is_numeric() else y.cast(nw.String)
    return features.select(*columns).to_native(), labels.to_numpy(), left_out


def preprocessing(X):
    """Transformer that goes before the model: numbers are scaled, categories encoded.

    Parameters
    ----------
    X : frame of pandas or polars
        Features as :func:`read` gives them.
    """
    columns = [*nw.from_native(X, eager_only=True).iter_columns()]
    numbers = [column.name for column in columns if column.dtype.is_numeric()]
    categories = [column.name for column in columns if not column.dtype.is_numeric()]
    scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encode = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=MIN_FREQUENCY, sparse_output=False
    )
    return ColumnTransformer([("numbers", scale, numbers), ("categories", encode, categories)])


def _table(path):
    if not path.is_file():
        raise TableError(f"There is no file {path}.")
    reader = next((READERS[end] for end in READERS if path.name.endswith(end)), None)
    if reader is None:
        raise TableError(f"{path} is of another kind than {', '.join(READERS)}.")
    backend = next(filter(importlib.util.find_spec, BACKENDS), None)
    if backend is None:
        raise TableError("Reading a table needs pandas or polars: pip install pandas")
    try:
        return reader(str(path), backend=backend)
    except ImportError as error:
        raise TableError(f"{backend} cannot read {path} here: {error}") from error


def _missing(column):
    """Which entries are missing: null, and nan among numbers."""
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()


def _unusable(column):
    """Why a column is of no use, or an empty string."""
    if _missing(column).all():
        return "it is empty"
    if column.n_unique() < 2:
        return "it has one value"
    if not (column.dtype.is_numeric() or column.dtype in CATEGORIES):
        return f"{column.dtype} is neither a number nor a category"
    return ""


def _prepared(column):
    if column.dtype.is_numeric():
        return column.cast(nw.Float64)
    return column.cast(nw.String).fill_null(MISSING)
