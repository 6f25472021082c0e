"""Arrays, sparse matrices and data frames in a fingerprint: values, types and names."""

import narwhals
import numpy as np

# Kinds of NumPy types whose bytes say everything.
BYTES = "biufcmMSUV"
# Long doubles: some of their bytes mean nothing.
LONG = "gG"


def add_array(walk, value, path):
    """Add an array, or a number of NumPy."""
    if isinstance(value, np.ma.MaskedArray):
        add_array(walk, np.ma.getmaskarray(value), path)
    value = np.asarray(value)
    # Sums depend on the order of the elements in memory.
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    walk.put("array", f"{value.dtype.str} {value.shape} {order} {value.flags.contiguous}")
    if value.dtype.names:
        for name in value.dtype.names:
            walk.add(name, path)
            add_array(walk, value[name], f"{path}[{name!r}]")
    elif value.dtype.char in LONG:
        walk.put("long", " ".join(map(str, value.ravel())))
    elif value.dtype.kind in BYTES:
        walk.put("bytes", memoryview(value.ravel(order=order).view(np.uint8)))
    else:
        _add_elements(walk, value.ravel().tolist(), path)


def _add_elements(walk, values, path):
    # Columns of text are long.
    if all(type(value) is str for value in values):
        walk.put("lengths", [len(value) for value in values])
        walk.put("text", "".join(values))
        return
    for number, value in enumerate(values):
        walk.add(value, f"{path}[{number}]")


def add_sparse(walk, value, path):
    """Add a sparse matrix or array of any format."""
    walk.put("sparse", f"{type(value).__name__} {value.shape}")
    if value.format in ("csr", "csc", "bsr"):
        parts = value.data, value.indices, value.indptr
    else:
        value = value.tocoo()
        parts = value.data, value.row, value.col
    for part in parts:
        add_array(walk, part, path)


def add_frame(walk, value, path):
    """Add a data frame or a series, of any library; whether it is one."""
    frame = narwhals.from_native(value, allow_series=True, pass_through=True)
    if not isinstance(frame, narwhals.DataFrame | narwhals.Series):
        return False
    walk.put("frame", f"{frame.implementation} {frame.shape}")
    index = narwhals.maybe_get_index(frame)
    if index is not None:
        walk.add(list(index.names), f"{path}.index")
        add_array(walk, index.to_numpy(), f"{path}.index")
    columns = frame.iter_columns() if isinstance(frame, narwhals.DataFrame) else [frame]
    for column in columns:
        _add_column(walk, column, f"{path}[{column.name!r}]")
    return True


def _add_column(walk, column, path):
    walk.add(column.name, path)
    walk.put("type", column.dtype)
    # Of pandas; those of polars are part of the type.
    categories = getattr(getattr(column.to_native(), "cat", None), "categories", None)
    if categories is not None:
        walk.add(list(categories), path)
    missing = column.is_null().to_numpy()
    # With missing values, integers would become floats.
    values = (column.drop_nulls() if missing.any() else column).to_numpy()
    # Columns of equal frames may lie differently in memory.
    for part in (missing, values):
        add_array(walk, np.ascontiguousarray(part), path)
