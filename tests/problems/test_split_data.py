import dataclasses
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_hypergrad.problems import split_data
from sklearn_hypergrad.problems.split_data import variances


@pytest.mark.parametrize("weighted", [False, True])
def test_all_but_the_test_part_with_common_weights_is_complementary(make_block, weighted):
    block = make_block(weighted=weighted)
    assert block.n_splits == 3
    assert_array_equal(block.partition_weights(), block.score_weight)


def test_test_parts_that_overlap_are_complementary_if_every_row_trains_somewhere(make_block):
    assert_array_equal(make_block(splits="repeated").partition_weights(), np.ones(40))


@pytest.mark.parametrize("splits", ["overlapping", "time", "bootstrap"])
def test_other_splits_are_not(make_block, splits):
    assert make_block(splits=splits).partition_weights() is None


@pytest.mark.parametrize("row", [0, -1])
def test_weights_that_differ_between_splits_are_not(make_block, row):
    block = make_block(weighted=True)
    block.weights[1][row] *= 1 + 1e-15
    assert block.partition_weights() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda trains, tests: (trains[:1], tests[:1]),
        lambda trains, tests: (trains, [tests[0][1:], *tests[1:]]),
        lambda trains, tests: (trains, [tests[0].repeat(2), *tests[1:]]),
        lambda trains, tests: ([trains[0].repeat(2), *trains[1:]], tests),
        lambda trains, tests: ([trains[0][1:], *trains[1:]], tests),
    ],
    ids=[
        "rows never trained",
        "fewer held out",
        "held out twice",
        "trained twice",
        "fewer trained",
    ],
)
def test_rows_that_are_missing_or_repeated_are_not(make_block, change):
    block = make_block()
    trains, tests = change(block.trains, block.tests)
    weights = [np.ones(len(train)) for train in trains]
    changed = dataclasses.replace(block, trains=trains, tests=tests, weights=weights)
    assert changed.partition_weights() is None


def test_divided_blocks_have_the_splits_of_the_whole_in_their_order(make_block):
    block = make_block(splits="repeated")
    parts = block.in_batches(3)
    assert [part.n_splits for part in parts] == [3, 1]
    tests = [test for part in parts for test in part.tests]
    assert all(np.array_equal(a, b) for a, b in zip(tests, block.tests, strict=True))
    assert all(part.X is block.X for part in parts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("repeats", [1, 2])
def test_sparse_variances_are_those_of_dense_features(dtype, repeats, monkeypatch):
    monkeypatch.setattr(split_data, "MOST_NUMBERS", 40)  # X is read in pieces
    rng = np.random.default_rng(0)
    rows, columns, entries = (
        rng.integers(20, size=90),
        rng.integers(6, size=90),
        rng.normal(size=90),
    )
    X = sparse.csr_array((20, 7), dtype=dtype)  # the last column is constant
    coordinates = np.tile(rows, repeats), np.tile(columns, repeats)
    X = X + sparse.coo_array((np.tile(entries, repeats).astype(dtype), coordinates), shape=X.shape)
    dense = X.toarray().astype(float)
    assert_allclose(variances(X.tocsr()), dense[:, :6].var(axis=0), rtol=1e-6)


def test_sparse_variances_need_little_memory(monkeypatch):
    monkeypatch.setattr(split_data, "MOST_NUMBERS", 10**5)
    X = sparse.random(1200, 1200, density=0.5, format="csr", random_state=0)
    variances(X)
    tracemalloc.start()
    variances(X)
    peak = tracemalloc.get_traced_memory()[1] / X.data.nbytes
    tracemalloc.stop()
    assert peak < 0.6


def test_frames_below_each_other_keep_their_categories():
    pd = pytest.importorskip("pandas")
    own = pd.CategoricalDtype(["a", "b"])
    frames = [
        pd.DataFrame({"c": pd.Categorical(["u", "v"]), "d": pd.Categorical(["a", "b"], dtype=own)})
        for _ in range(2)
    ]
    frames[1]["c"] = pd.Categorical(["w", "v"])
    found = split_data.stacked(frames)
    assert found["c"].tolist() == ["u", "v", "w", "v"]
    assert found["c"].cat.categories.tolist() == ["u", "v", "w"]
    assert found["d"].dtype == own
    assert frames[0]["c"].cat.categories.tolist() == ["u", "v"]
    frames[1]["c"] = ["w", "v"]
    assert split_data.stacked(frames)["c"].tolist() == ["u", "v", "w", "v"]
