"""Tables for people: pandas or polars if installed, else a dict of columns."""

import importlib.util

import narwhals

TYPES = {int: narwhals.Int64(), float: narwhals.Float64(), str: narwhals.String()}


def table(columns):
    """A data frame of the first installed library, or the dict of lists itself."""
    if importlib.util.find_spec("pandas"):
        return narwhals.from_dict(columns, backend="pandas").to_native()
    if importlib.util.find_spec("polars"):
        schema = {name: _type(values) for name, values in columns.items()}
        return narwhals.from_dict(columns, schema, backend="polars").to_native()
    return columns


def _type(values):
    """What polars cannot infer: a column of numbers, lists and dicts is one of objects."""
    kinds = set(map(type, values))
    return TYPES.get(kinds.pop(), narwhals.Object()) if len(kinds) == 1 else narwhals.Object()
