"""Sources of rows: the same sums from arrays, files, Parquet and dask."""

import functools
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge

from sklearn_hypergrad import HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.rows import ArrayRows, DaskRows, FileRows, ParquetRows, Rows
from sklearn_hypergrad.rows.base import TreeSum, add, tree
from sklearn_hypergrad.threads import one_blas_thread

N_ROWS, SIZE = 110, 30
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N_ROWS, 3)), RNG.normal(size=N_ROWS)
WEIGHT, GROUP = RNG.uniform(0.5, 2, N_ROWS), RNG.integers(0, 4, N_ROWS)
ENDS = [(start, min(start + SIZE, N_ROWS)) for start in range(0, N_ROWS, SIZE)]


def summed(part):
    """Sums that depend on the order of parts, and on all that a part has."""
    weight = np.ones(part.n_rows) if part.weight is None else part.weight
    features = part.X if hasattr(part.X, "tocsr") else np.ascontiguousarray(part.X)
    group = 0 if part.group is None else part.group
    return features.T @ (weight * part.y), np.sum(part.first + group * part.y), part.n_rows


def loaded(path):
    return tuple(np.load(path)[name] for name in ("X", "y", "weight", "group"))


def of_memory_map(folder):
    path = folder / "X.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    return ArrayRows(mapped, Y, sample_weight=WEIGHT, groups=GROUP, part_rows=SIZE)


def of_sparse_maps(folder):
    sparse, arrays = csr_matrix(X), []
    for name in ("data", "indices", "indptr"):
        np.save(folder / f"{name}.npy", getattr(sparse, name))
        arrays.append(np.load(folder / f"{name}.npy", mmap_mode="r"))
    mapped = csr_matrix(X.shape)
    mapped.data, mapped.indices, mapped.indptr = arrays
    return ArrayRows(mapped, Y, sample_weight=WEIGHT, groups=GROUP, part_rows=SIZE)


def of_files(folder):
    paths = []
    for number, (start, stop) in enumerate(ENDS):
        paths.append(folder / f"{number}.npz")
        own = {"X": X, "y": Y, "weight": WEIGHT, "group": GROUP}
        np.savez(paths[-1], **{name: values[start:stop] for name, values in own.items()})
    return FileRows(paths, loaded)


def of_frame(folder):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    return ArrayRows(frame, Y, sample_weight=WEIGHT, groups=GROUP, part_rows=SIZE)


def of_parquet(folder, engine):
    pytest.importorskip(engine)
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    own = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": Y, "w": WEIGHT, "g": GROUP}
    first, second = ({n: v[rows] for n, v in own.items()} for rows in (slice(60), slice(60, None)))
    parquet.write_table(pyarrow.table(first), folder / "1.parquet", row_group_size=SIZE)
    parquet.write_table(pyarrow.table(second), folder / "2.parquet", row_group_size=SIZE)
    more = {"sample_weight": "w", "groups": "g", "part_rows": SIZE, "engine": engine}
    return ParquetRows(str(folder / "*.parquet"), "y", **more)


def of_dask(folder, frame):
    array = pytest.importorskip("dask.array")
    others = [array.from_array(each, chunks=SIZE) for each in (Y, WEIGHT, GROUP)]
    data = array.from_array(X, chunks=(SIZE, 2))
    if frame:
        pytest.importorskip("dask.dataframe")
        data = data.rechunk((SIZE, 3)).to_dask_dataframe(columns=["a", "b", "c"])
    y, weight, group = others
    return DaskRows(data, y, sample_weight=weight, groups=group)


SOURCES = {
    "memory map": of_memory_map,
    "sparse maps": of_sparse_maps,
    "files": of_files,
    "frame": of_frame,
    "pyarrow": functools.partial(of_parquet, engine="pyarrow"),
    "polars": functools.partial(of_parquet, engine="polars"),
    "dask array": functools.partial(of_dask, frame=False),
    "dask frame": functools.partial(of_dask, frame=True),
}
NAMED = {"frame", "pyarrow", "polars", "dask frame"}


@pytest.mark.parametrize("name", SOURCES)
def test_the_same_parts_give_the_same_bits(name, tmp_path):
    rows = SOURCES[name](tmp_path)
    expected = ArrayRows(X, Y, sample_weight=WEIGHT, groups=GROUP, part_rows=SIZE).sums(summed)
    for own, other in zip(rows.sums(summed), expected, strict=True):
        if name == "sparse maps":
            np.testing.assert_allclose(own, other, rtol=1e-13)
        else:
            np.testing.assert_array_equal(own, other)
    assert rows.shape == X.shape
    assert rows.feature_names == (("a", "b", "c") if name in NAMED else None)


def test_threads_do_not_change_the_order():
    rows = ArrayRows(X, Y, part_rows=7)
    with one_blas_thread(3):
        several = rows.sums(summed)
    for one, other in zip(rows.sums(summed), several, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_terms", [*range(1, 18), 64, 100])
def test_a_stream_is_added_as_the_tree(n_terms):
    def nested(one, other):
        return (f"({one[0]}{other[0]})",)

    class Text(str):
        def __add__(self, other):
            return Text(f"({str(self)}{str(other)})")

    terms, stream = [(Text(chr(97 + n % 26)),) for n in range(n_terms)], TreeSum()
    for term in terms:
        stream.add(term)
    assert stream.total()[0] == tree(terms, nested)[0] == tree(terms, add)[0]


def test_parts_are_views_of_the_array():
    rows = ArrayRows(X, Y, part_rows=SIZE)
    assert rows.sums(lambda part: (np.shares_memory(part.X, X),))[0] == len(ENDS)


def test_the_usual_parts_have_64_mebibytes():
    rows = ArrayRows(np.broadcast_to(np.float32(0), (10**6, 100)))
    sizes = [stop - start for start, stop in rows.places]
    assert max(sizes) * 400 <= 2**26 < (max(sizes) + 1) * 400
    assert sum(sizes) == 10**6
    assert rows.bytes_per_pass == 4 * 10**8


def doubled(features):
    return np.concatenate([features, 2 * features], axis=1)


def test_mapped_rows_change_what_functions_see():
    rows = ArrayRows(X, Y, part_rows=SIZE).map(doubled)
    assert rows.shape == (N_ROWS, 6)
    sums, *_ = rows.sums(summed)
    own, *_ = ArrayRows(doubled(X), Y, part_rows=SIZE).sums(summed)
    np.testing.assert_array_equal(sums, own)


def test_sources_travel():
    rows = pickle.loads(pickle.dumps(ArrayRows(X, Y, part_rows=SIZE)))
    np.testing.assert_array_equal(
        rows.sums(summed)[0], ArrayRows(X, Y, part_rows=SIZE).sums(summed)[0]
    )


def test_a_source_of_ones_own_is_two_methods():
    class Halves(Rows):
        shape = X.shape

        def sums(self, function):
            first = ArrayRows(X[:50], Y[:50], part_rows=50).sums(function)
            return add(first, ArrayRows(X[50:], Y[50:], part_rows=60).sums(function))

    assert Halves().sums(lambda part: (part.n_rows,)) == (N_ROWS,)


def test_files_that_change_are_noticed(tmp_path):
    rows = of_files(tmp_path)
    assert rows.shape == X.shape
    np.savez(tmp_path / "1.npz", X=X[:3], y=Y[:3], weight=WEIGHT[:3], group=GROUP[:3])
    with pytest.raises(ValueError, match="has returned 3 rows, and 30 were expected"):
        rows.sums(summed)


def test_rows_are_no_array():
    search = HypergradSearchCV(Ridge(), {"alpha": [1, 10]})
    with pytest.raises(TypeError, match="pass a sample of the rows as an array"):
        check_hypergradient(search, ArrayRows(X, Y), Y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: ArrayRows(X, Y[:-1]), "X has 110 rows, and y has 109"),
        (lambda folder: ArrayRows(csr_matrix(X).tocsc(), Y), "in the format csc: give X.tocsr"),
        (lambda folder: ArrayRows(X, Y, part_rows=0), "part_rows must be a positive number"),
        (lambda folder: FileRows([], loaded), "no files in paths"),
        (lambda folder: FileRows(["a"], loaded, lengths=[1, 2]), "1 paths and 2 lengths"),
        (lambda folder: ParquetRows(str(folder / "none.parquet"), "y"), "There is no file"),
        (lambda folder: ParquetRows("x", "y", engine="pandas"), "There is no file|one of pyarrow"),
    ],
)
def test_refusals_say_what_to_do(make, message, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        make(tmp_path)


def test_columns_that_do_not_exist_are_named(tmp_path):
    of_parquet(tmp_path, "pyarrow")
    with pytest.raises(KeyError, match="'z' is not among the columns a, b, c"):
        ParquetRows(str(tmp_path / "*.parquet"), "z")


def test_data_in_a_graph_are_noticed():
    array = pytest.importorskip("dask.array")
    large = array.from_array(np.zeros((200_000, 10)), chunks=(200_000, 10))
    with pytest.warns(UserWarning, match="The graph of a part of X has 16 MB"):
        DaskRows(large)
