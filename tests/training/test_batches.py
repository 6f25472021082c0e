import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_hypergrad.training import Epochs, Listed


@pytest.mark.parametrize(("n_samples", "batch_size"), [(10, 3), (10, 5), (10, 9), (3, 1), (7, 4)])
def test_every_epoch_sees_each_sample_once(n_samples, batch_size):
    batches = Epochs(n_samples, batch_size, seed=4)
    rows = [batches.rows(t) for t in range(6 * n_samples)]
    assert {len(batch) for batch in rows} == {batch_size}
    epochs = np.concatenate(rows).reshape(-1, n_samples)
    for epoch in epochs:
        assert_array_equal(np.sort(epoch), np.arange(n_samples))
    assert len({epoch.tobytes() for epoch in epochs}) > 1


def test_steps_can_be_asked_for_in_any_order():
    one, other = Epochs(10, 3, seed=4), Epochs(10, 3, seed=4)
    expected = [one.rows(t).copy() for t in range(40)]
    for t in [*reversed(range(40)), *np.random.default_rng(0).permutation(40).tolist()]:
        assert_array_equal(other.rows(t), expected[t])


def test_seeds_differ():
    first, second = (Epochs(30, 7, seed).rows(0) for seed in (1, 2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("n_samples", "batch_size"), [(10, 10), (10, 99), (1, 1), (1, 5)])
def test_a_batch_of_all_samples_is_none(n_samples, batch_size):
    batches = Epochs(n_samples, batch_size, seed=4)
    assert [batches.rows(t) for t in range(3)] == [None] * 3


def test_listed_batches_come_again():
    batches = Listed([slice(0, 2), None, np.array([3, 1])])
    assert batches.rows(0) == batches.rows(3) == slice(0, 2)
    assert batches.rows(4) is None
    assert_array_equal(batches.rows(8), [3, 1])
