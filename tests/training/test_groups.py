import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.training.groups import Groups

GROUPS = Groups((2, 3, 1))


def test_slices_follow_one_another():
    assert GROUPS.slices == [slice(0, 2), slice(2, 5), slice(5, 6)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_per_group_become_values_per_weight(dtype):
    spread = GROUPS.spread(np.array([1.0, 2.0, 3.0]), dtype)
    assert spread.dtype == dtype
    assert_array_equal(spread, [1, 1, 2, 2, 2, 3])


@pytest.mark.parametrize("value", [0.5, np.full(3, 0.5)])
def test_what_groups_share_is_a_float(value):
    # Anything else would make float32 weights float64.
    spread = GROUPS.spread(value, np.float32)
    assert isinstance(spread, float)
    assert spread == 0.5


def test_scalar_products_are_per_group():
    x, y = np.random.default_rng(0).normal(size=(2, 6))
    expected = [np.sum((x * y)[part]) for part in GROUPS.slices]
    assert_allclose(GROUPS.dots(x, y), expected, rtol=1e-15)


def test_one_group():
    group = Groups((4,))
    assert group.spread(np.array([2.0]), float) == 2.0
    assert_array_equal(group.dots(np.ones(4), np.arange(4)), [6])
