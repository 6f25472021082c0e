"""Buckets of rows, without arrays of the length of the data."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from sklearn_hypergrad.rows import Part
from sklearn_hypergrad.rows.folds import (
    Consecutive,
    Divided,
    HashedGroups,
    HashedRows,
    Predefined,
    hashed_values,
)


def part(start, stop, group=None):
    return Part(start, np.empty((stop - start, 1)), group=group)


@pytest.mark.parametrize(("n", "k"), [(10, 2), (11, 3), (23, 5), (7, 7)])
def test_consecutive_folds_are_those_of_kfold(n, k):
    expected = np.empty(n, dtype=int)
    for fold, (_, test) in enumerate(KFold(k).split(np.zeros(n))):
        expected[test] = fold
    np.testing.assert_array_equal(Consecutive(n, k).of(part(0, n)), expected)
    np.testing.assert_array_equal(Consecutive(n, k).of(part(3, n)), expected[3:])


@pytest.mark.parametrize("buckets", [HashedRows(5), Divided(Consecutive(1000, 5), 4)])
def test_buckets_do_not_depend_on_parts(buckets):
    whole = buckets.of(part(0, 1000))
    np.testing.assert_array_equal(buckets.of(part(300, 700)), whole[300:700])
    assert set(whole) == set(range(buckets.n_buckets))


def test_hashed_rows_are_spread_evenly():
    counts = np.bincount(HashedRows(5).of(part(0, 100_000)))
    # Five standard deviations of a binomial count.
    assert np.abs(counts - 20_000).max() < 5 * np.sqrt(100_000 * 0.2 * 0.8)


def test_hashes_are_the_same_in_every_process():
    assert HashedRows(1000).of(part(0, 4)).tolist() == [535, 465, 110, 53]
    assert (hashed_values(np.array(["a", "b"])) % np.uint64(1000)).tolist() == [583, 980]


def test_divided_buckets_are_inside_of_others():
    whole = Consecutive(1000, 5)
    divided = Divided(whole, 4)
    assert divided.n_buckets == 20
    np.testing.assert_array_equal(divided.of(part(0, 1000)) // 4, whole.of(part(0, 1000)))


@pytest.mark.parametrize("kind", [int, float, str])
def test_a_group_is_in_one_bucket(kind):
    group = np.array([kind(number) for number in np.random.default_rng(0).integers(0, 50, 400)])
    own = HashedGroups(3).of(part(0, 400, group))
    for value in np.unique(group):
        assert len(set(own[group == value])) == 1
    assert set(own) == {0, 1, 2}


def test_predefined_folds_are_looked_up():
    folds = np.array([2, -1, 0, 2])
    buckets = Predefined(folds, (-1, 0, 2))
    assert buckets.of(part(1, 4)).tolist() == [0, 1, 2]
    groups = Predefined(None, (-1, 0, 2))
    assert groups.of(part(1, 4, folds[1:])).tolist() == [0, 1, 2]
