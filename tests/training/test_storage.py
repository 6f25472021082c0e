import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_hypergrad.hypergradients import Reverse, Truncated
from sklearn_hypergrad.training import Adam, Momentum, Storage


def outer(w, h):
    return np.array([0.5 * (w @ w)]), w.copy(), {}


def test_an_array_is_the_same_until_it_has_to_be_another():
    storage = Storage()
    array = storage.array(3, (2, 4), np.dtype(float))
    assert storage.array(3, (2, 4), np.dtype(float)) is array
    assert storage.array(0, (2, 4), np.dtype(float)) is not array
    assert storage.array(3, (2, 5), np.dtype(float)).shape == (2, 5)
    assert storage.array(3, (2, 5), np.dtype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "method", [Reverse(), Reverse(3), Reverse(dtype="float32"), Truncated(4)], ids=repr
)
def test_used_storage_gives_the_bits_of_a_fresh_one(make_training, method):
    storage, h = Storage(), {"alpha": np.array(0.3), "init_scale": np.array(0.7)}
    runs = [make_training(n_steps=20), make_training(Adam(), 9), make_training(size=9)]
    for training in [*runs, *reversed(runs)]:
        used = method.evaluate(training, outer, h, None, None, storage=storage)
        fresh = method.evaluate(training, outer, h, None, None)
        assert_array_equal(used.values, fresh.values)
        for name in h:
            assert_array_equal(used.gradient[name], fresh.gradient[name])


def test_evaluations_outlive_the_storage(make_training):
    storage, h = Storage(), {"alpha": np.array([0.3, 0.1]), "momentum": np.full(12, 0.5)}
    first = Reverse().evaluate(make_training(), outer, h, None, None, storage=storage)
    kept = {name: part.copy() for name, part in first.gradient.items()}
    Reverse().evaluate(make_training(Momentum(), 12), outer, {}, None, None, storage=storage)
    for name, part in kept.items():
        assert_array_equal(first.gradient[name], part)
