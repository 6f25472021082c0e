"""Data frames that are made when they are first asked for: they take longer than a small search."""

import importlib.util

import narwhals

# Types of columns, by the type of their values.
TYPES = {int: narwhals.Int64(), float: narwhals.Float64(), str: narwhals.String()}
# Where a fitted estimator has the columns of tables that nobody has asked for.
COLUMNS = "_columns"


class FittedTable:
    """A fitted attribute that is a table, made of columns which ``fit`` leaves in ``_columns``."""

    def __set_name__(self, owner, name):
        self._name = name

    # Not called once the table is there. Copies of the estimator may share the dict of columns.
    def __get__(self, estimator, owner=None):
        if estimator is None:
            return self
        own = vars(estimator)
        columns = own.get(COLUMNS, {})
        if self._name in columns:
            own.setdefault(self._name, table(columns[self._name]))
            own[COLUMNS] = {name: columns[name] for name in columns if name != self._name}
        # Another thread may have made it meanwhile.
        if self._name in own:
            return own[self._name]
        raise AttributeError(
            f"{type(estimator).__name__!r} object has no attribute {self._name!r}",
            name=self._name,
            obj=estimator,
        )


def table(columns):
    """A data frame of pandas or polars, the first that is installed; else the dict of lists."""
    if importlib.util.find_spec("pandas"):
        return narwhals.from_dict(columns, backend="pandas").to_native()
    if importlib.util.find_spec("polars"):
        schema = {name: _type(values) for name, values in columns.items()}
        return narwhals.from_dict(columns, schema, backend="polars").to_native()
    return columns


def columns_of(frame):
    """The columns of a data frame, or of a dict of lists, as lists."""
    if isinstance(frame, dict):
        return frame
    return narwhals.from_native(frame).to_dict(as_series=False)


def _type(values):
    """The type of a column for polars; a column of mixed types has the type Object."""
    kinds = set(map(type, values))
    return TYPES.get(kinds.pop(), narwhals.Object()) if len(kinds) == 1 else narwhals.Object()
