from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_hypergrad.exact import Decay, ExactArray, LatticeOverflow

N = 60
SIZES = (20, 40)
KINDS = ("alike", "growing", "shrinking", "rare", "of all sizes")


def increments(kind, n_steps, seed=0):
    """Increments that leave units as they are, or make them grow, one by one or together."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(n_steps, N))
    if kind in ("growing", "shrinking"):
        powers = np.linspace(-280, 280, n_steps) * (1 if kind == "growing" else -1)
        drawn *= 10.0 ** powers[:, None]
    elif kind == "rare":
        drawn *= rng.random((n_steps, N)) < 0.02
    elif kind == "of all sizes":
        drawn *= 10.0 ** rng.uniform(-300, 300, (n_steps, N))
        # The smallest floats there are, and ones that are rounded to zero.
        drawn[:, 0] = rng.integers(-3, 4, n_steps) * 5e-324
    return drawn


def start(kind):
    rng = np.random.default_rng(7)
    values = rng.normal(size=N) * 10.0 ** rng.uniform(-300, 300, N)
    return {"zero": np.zeros(N), "normal": rng.normal(size=N), "of all sizes": values}[kind]


@pytest.mark.parametrize("begun", ["zero", "normal", "of all sizes"])
def test_an_array_has_the_bits_of_what_it_is_made_of(begun):
    values = start(begun)
    values[:3] = 0.0, 5e-324, np.finfo(float).max
    array = ExactArray(values, SIZES)
    assert_array_equal(array.values(), values)
    assert array.began_with(values)
    assert array.n_bits == 0
    assert not array.began_with(np.nextafter(values, 0) + 5e-324 * (values == 0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("begun", ["zero", "normal", "of all sizes"])
def test_what_was_done_is_taken_back_bit_for_bit(begun, kind):
    values, steps = start(begun), increments(kind, 80)
    array, seen = ExactArray(values, SIZES), []
    rng = np.random.default_rng(1)
    decays = [[Decay.of(m) for m in rng.choice([0.0, 0.5, 0.9, 0.98, 1.0], 2)] for _ in steps]
    for fractions, step in zip(decays, steps, strict=True):
        seen.append((array.values(), array.checksum))
        array.decay(fractions)
        array.add(step)
    assert not array.began_with(values)
    for step, (before, checksum) in zip(steps[::-1], seen[::-1], strict=True):
        array.take_back(step)
        array.undo_decay()
        assert_array_equal(array.values(), before)
        assert array.checksum == checksum
    assert array.began_with(values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("begun", ["zero", "normal", "of all sizes"])
def test_sums_are_as_accurate_as_those_of_floats(begun, kind):
    """Each addition rounds by half a unit of a float as large as the largest sum so far."""
    values, steps = start(begun), increments(kind, 50)
    array = ExactArray(values, SIZES)
    sums, largest = [Fraction(value) for value in values], np.abs(values)
    for step in steps:
        array.add(step)
        sums = [total + Fraction(value) for total, value in zip(sums, step, strict=True)]
        largest = np.maximum(largest, np.abs([float(total) for total in sums]))
        largest = np.maximum(largest, np.abs(step))
    # Floats have 52 bits behind the first one; the last term is the rounding of values().
    most = (len(steps) + 1) * np.maximum(largest * 2.0**-52, 5e-324)
    errors = [abs(float(Fraction(v) - s)) for v, s in zip(array.values(), sums, strict=True)]
    assert np.all(errors <= most)


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99, 0.999])
def test_geometric_sums_seldom_outgrow_their_units(momentum):
    rng = np.random.default_rng(0)
    array, size, decay = ExactArray(np.zeros(2000), (2000,)), 2000, Decay.of(momentum)
    for _ in range(300):
        array.decay([decay])
        array.add(rng.normal(size=size) ** 2)
    # An integer with its exponent, and an accumulator with what it spilled.
    spilled = 300 * np.log2(1 / momentum) / 8
    assert array.nbytes < size * (18 + spilled + 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 30, N - 1])
def test_nan_and_infinity_are_refused(bad, position):
    values = np.random.default_rng(0).normal(size=N)
    array, spoilt = ExactArray(values, SIZES), values.copy()
    spoilt[position] = bad
    with pytest.raises(LatticeOverflow, match="NaN or infinite"):
        array.add(spoilt)
    with pytest.raises(LatticeOverflow, match="NaN or infinite"):
        ExactArray(spoilt)


def test_the_largest_floats_are_no_overflow():
    largest = np.full(N, np.finfo(float).max)
    array = ExactArray(np.ones(N), SIZES)
    array.add(largest)
    array.add(-largest)
    assert np.abs(array.values()).max() < 2.0**-50 * largest[0]
    for step in (-largest, largest):
        array.take_back(step)
    assert array.began_with(np.ones(N))


def test_other_increments_are_noticed():
    array, step = ExactArray(np.ones(N), SIZES), np.full(N, 0.1)
    array.add(step)
    array.take_back(step * (1 + 1e-14))
    assert not array.began_with(np.ones(N))


@pytest.mark.parametrize("other", [1e9, np.inf, np.nan])
def test_increments_that_no_unit_has_room_for_were_never_added(other):
    array, zeros = ExactArray(np.zeros(N), SIZES), np.zeros(N)
    array.add(zeros)
    with pytest.raises(LatticeOverflow, match="not those that were added"):
        array.take_back(np.full(N, other))


@pytest.mark.parametrize("left", ["decay", "unit"])
def test_what_is_left_is_noticed(left):
    array = ExactArray(np.zeros(N), SIZES)
    if left == "decay":
        array.decay([Decay(9, 10), Decay(1, 1)])
    else:
        array.add(np.ones(N))
        array.add(np.full(N, 1e9))
        array.add(np.full(N, -1e9 - 1))
        assert not np.any(array.values())
    assert not array.began_with(np.zeros(N))


def test_single_precision_is_taken_as_it_is():
    values = np.random.default_rng(0).normal(size=N).astype(np.float32)
    array = ExactArray(values, SIZES)
    array.add(values * np.float32(1e-30))
    expected = values.astype(float) + (values * np.float32(1e-30)).astype(float)
    assert array.values().dtype == float
    assert_array_equal(array.values(), expected)


def test_inputs_are_left_alone():
    values = np.array([0.3, -0.7])
    array = ExactArray(values, (2,))
    array.add(values)
    array.decay([Decay(1, 2)])
    assert values.tolist() == [0.3, -0.7]


def test_arrays_without_weights():
    array = ExactArray(np.empty(0), (0,))
    array.decay([Decay(1, 2)])
    array.add(np.empty(0))
    assert array.values().size == 0


def test_control_sums_of_floats_are_not_taken_back():
    rng = np.random.default_rng(0)
    x, steps = rng.normal(size=100), rng.normal(size=(100, 100))
    floats, array = x.copy(), ExactArray(x)
    for step in steps:
        floats = floats + step
        array.add(step)
    for step in steps[::-1]:
        floats = floats - step
        array.take_back(step)
    assert not np.array_equal(floats, x)
    assert array.began_with(x)
