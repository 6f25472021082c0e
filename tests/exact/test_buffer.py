import math

import numpy as np
import pytest

from sklearn_hypergrad.exact import Decay, InformationBuffer
from sklearn_hypergrad.exact.buffer import BLOCK, exchange

WORD = np.iinfo(np.int64)
N = 50


def numbers(rng, size=N):
    """Integers of all sizes and both signs."""
    drawn = rng.integers(WORD.min, WORD.max, size, endpoint=True)
    return drawn >> rng.integers(0, 63, size)


def decays(kind, n_steps, rng):
    """A schedule of momenta."""
    schedule = {
        "constant": lambda: np.full(n_steps, 0.9),
        "random": lambda: rng.uniform(0.3, 0.999, n_steps),
        "linear": lambda: np.linspace(0.5, 0.999, n_steps),
        "alternating": lambda: np.resize([0.9, 0.5], n_steps),
        "with 0 and 1": lambda: rng.choice([0.0, 1.0, 0.9, 1e-6, 1 - 1e-6, 0.37], n_steps),
        "powers of ten": lambda: 10 ** rng.uniform(-9, 0, n_steps),
        "distances from 1": lambda: 1 - 10 ** rng.uniform(-9, 0, n_steps),
    }
    return [Decay.of(momentum) for momentum in schedule[kind]()]


KINDS = (
    "constant",
    "random",
    "linear",
    "alternating",
    "with 0 and 1",
    "powers of ten",
    "distances from 1",
)


def filled(n_steps=100, momentum=0.9, seed=0, size=N):
    """A buffer after some steps, its velocities, and the increments and start that undo it."""
    rng = np.random.default_rng(seed)
    buffer, v = InformationBuffer(size), numbers(rng, size)
    start, increments = v.copy(), []
    for _ in range(n_steps):
        buffer.multiply(v, Decay.of(momentum))
        increments.append(rng.integers(-(2**50), 2**50, size))
        v += increments[-1]
    return buffer, v, increments, start


def empty_out(buffer, v, increments):
    for increment in reversed(increments):
        v -= increment
        buffer.undo(v)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_everything_comes_back(kind, seed):
    """Increments of any size wrap, and still come back."""
    rng = np.random.default_rng(seed)
    buffer, v = InformationBuffer(N), numbers(rng)
    start, path, increments = v.copy(), [], []
    schedule = decays(kind, 400, rng)
    for decay in schedule:
        path.append(v.copy())
        buffer.multiply(v, decay)
        increments.append(numbers(rng))
        v += increments[-1]
    assert not buffer.empty
    for increment, before in zip(reversed(increments), reversed(path), strict=True):
        v -= increment
        buffer.undo(v)
        np.testing.assert_array_equal(v, before)
    np.testing.assert_array_equal(v, start)
    assert buffer.empty
    assert buffer.n_bits == 0


@pytest.mark.parametrize("kind", KINDS)
def test_any_mixture_of_multiplying_and_undoing(kind):
    rng = np.random.default_rng(1)
    buffer, v, stack = InformationBuffer(N), numbers(rng), []
    schedule = decays(kind, 1500, rng)
    for i, decay in enumerate(schedule):
        if stack and rng.uniform() < (0.3 if i < 1000 else 0.8):
            increment, before = stack.pop()
            v -= increment
            buffer.undo(v)
            np.testing.assert_array_equal(v, before)
        else:
            stack.append((numbers(rng), v.copy()))
            buffer.multiply(v, decay)
            v += stack[-1][0]


def test_the_product_is_that_of_the_fraction_up_to_rounding():
    rng = np.random.default_rng(2)
    for decay in decays("random", 100, rng) + [Decay(9, 10), Decay(1, 10**6), Decay(0, 1)]:
        buffer, v = InformationBuffer(N), numbers(rng)
        exact = [int(value) * decay.numerator / decay.denominator for value in v]
        exact_integers = [int(value) * decay.numerator // decay.denominator for value in v]
        buffer.multiply(v, decay)
        error = [abs(int(a) - b) for a, b in zip(v, exact_integers, strict=True)]
        assert max(error) <= decay.numerator
        np.testing.assert_allclose(v, exact, rtol=1e-12, atol=decay.numerator)


def test_decay_to_nothing():
    """Floors would leave -1 of negative velocities for ever: digits that come back move it."""
    buffer, v = InformationBuffer(4), np.array([10**12, -(10**12), 1, -1])
    for _ in range(600):
        buffer.multiply(v, Decay(9, 10))
    assert np.abs(v).max() <= 9 * 10


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_blocks_cover_all_sizes(size):
    rng = np.random.default_rng(0)
    v, accumulators = numbers(rng, size), rng.integers(0, 2**40, size).astype(np.uint64)
    values = [[int(a) for a in array] for array in (v, accumulators)]
    before = v.copy(), accumulators.copy()
    exchange(v, accumulators, 1000, 7)
    for i in {0, size // 2, size - 1, min(BLOCK, size - 1)}:
        pushed = values[1][i] * 1000 + values[0][i] % 1000
        assert v[i] == values[0][i] // 1000 * 7 + pushed % 7
        assert accumulators[i] == pushed // 7
    exchange(v, accumulators, 7, 1000)
    np.testing.assert_array_equal(v, before[0])
    np.testing.assert_array_equal(accumulators, before[1])


def test_a_view_changes_in_place_and_nothing_else_does():
    whole = numbers(np.random.default_rng(0), 30)
    before = whole.copy()
    parts = slice(3, 10), slice(10, 30, 2)
    buffers = InformationBuffer(7), InformationBuffer(10)
    for part, buffer in zip(parts, buffers, strict=True):
        buffer.multiply(whole[part], Decay(1, 3))
        assert np.abs(whole[part] - before[part] / 3).max() <= 1 + 1e-15 * 2**62
    outside = np.r_[0:3, 11:30:2]
    np.testing.assert_array_equal(whole[outside], before[outside])
    for part, buffer in zip(parts, buffers, strict=True):
        buffer.undo(whole[part])
    np.testing.assert_array_equal(whole, before)


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.98, 0.999])
@pytest.mark.parametrize("n_steps", [100, 1000, 10_000])
def test_storage_is_near_the_entropy_that_is_lost(momentum, n_steps):
    size = 20
    buffer, v = InformationBuffer(size), np.arange(size) - 10
    decay = Decay.of(momentum)
    for _ in range(n_steps):
        buffer.multiply(v, decay)
    lost = n_steps * math.log2(1 / momentum)
    held = buffer.n_bits / size
    assert lost * 0.999 <= held <= 1.001 * lost + math.log2(1 / (1 - momentum)) + 0.1
    log = 24 * n_steps * 9 / 8
    headers = 130 * (lost / 32 + 10)
    # The bits, what is free in a word, the log and the headers of arrays.
    assert held / 8 * size <= buffer.nbytes <= size * (held / 8 + 8) + log + headers


def test_storage_follows_schedules():
    rng = np.random.default_rng(0)
    buffer, v = InformationBuffer(10), numbers(rng, 10)
    schedule = decays("random", 1000, rng)
    for decay in schedule:
        buffer.multiply(v, decay)
    lost = sum(-math.log2(decay.value) for decay in schedule)
    assert lost <= buffer.n_bits / 10 <= lost + 10


def test_memory_comes_back():
    """All but that of the log, which is small and stays to be used again."""
    size, n_steps = 1000, 1000
    buffer, v, increments, _ = filled(n_steps, 0.5, size=size)
    held, log = buffer.nbytes, 24 * n_steps * 9 / 8
    assert held >= size * n_steps / 8
    empty_out(buffer, v, increments)
    assert buffer.nbytes <= InformationBuffer(size).nbytes + log


def test_a_momentum_of_one_stores_nothing_and_one_of_zero_all():
    v = numbers(np.random.default_rng(0))
    before, buffer = v.copy(), InformationBuffer(N)
    buffer.multiply(v, Decay.of(1.0))
    np.testing.assert_array_equal(v, before)
    assert buffer.n_bits == 0
    assert not buffer.empty
    buffer.multiply(v, Decay.of(0.0))
    assert not v.any()
    assert buffer.n_bits == 64 * N
    buffer.undo(v)
    buffer.undo(v)
    np.testing.assert_array_equal(v, before)
    assert buffer.empty


@pytest.mark.parametrize("momentum", [1e-6, 1e-7, 2.0**-24])
def test_tiny_momenta_are_reversible_and_not_zero(momentum):
    v = numbers(np.random.default_rng(0))
    before, buffer = v.copy(), InformationBuffer(N)
    for _ in range(5):
        buffer.multiply(v, Decay.of(momentum))
    assert 0 < buffer.n_bits < 5 * 64 * N
    for _ in range(5):
        buffer.undo(v)
    np.testing.assert_array_equal(v, before)
    assert buffer.empty


def test_control_undoing_gives_the_start_of_a_filled_buffer():
    buffer, v, increments, start = filled()
    empty_out(buffer, v, increments)
    np.testing.assert_array_equal(v, start)
    assert buffer.empty


def test_control_increments_in_the_wrong_order():
    buffer, v, increments, start = filled()
    empty_out(buffer, v, increments[::-1])
    assert not np.any(v == start)
    assert not buffer.empty


def test_control_undoing_before_taking_the_increment_away():
    buffer, v, increments, start = filled()
    for increment in reversed(increments):
        buffer.undo(v)
        v -= increment
    assert not np.array_equal(v, start)
    assert not buffer.empty


@pytest.mark.parametrize(("momentum", "n_steps"), [(0.5, 40), (0.9, 100)])
def test_control_one_bit(momentum, n_steps):
    """It spoils one weight and leaves the others alone."""
    buffer, v, increments, start = filled(n_steps, momentum)
    v[7] ^= 1
    empty_out(buffer, v, increments)
    np.testing.assert_array_equal(np.flatnonzero(v != start), [7])


def test_control_one_bit_of_the_buffer():
    buffer, v, increments, start = filled()
    buffer._accumulators[7] ^= np.uint64(1)
    empty_out(buffer, v, increments)
    np.testing.assert_array_equal(np.flatnonzero(v != start), [7])


def test_control_buffers_that_are_mistaken_for_each_other():
    (first, v, increments, start), (second, *_) = filled(), filled(seed=1)
    for increment in reversed(increments):
        v -= increment
        second.undo(v)
    assert not np.any(v == start)
    assert not second.empty
    assert not first.empty


def test_control_rounded_integers_do_not_reverse():
    v = numbers(np.random.default_rng(0))
    once = v * 9 // 10
    assert not np.array_equal(once * 10 // 9, v)


@pytest.mark.parametrize(
    "v", [np.zeros(3), np.zeros(3, np.int32), np.zeros(2, np.int64), np.zeros((3, 1), np.int64)]
)
@pytest.mark.parametrize("method", ["multiply", "undo"])
def test_other_arrays_are_refused(v, method):
    buffer = InformationBuffer(3)
    buffer.multiply(np.arange(3), Decay(1, 2))
    arguments = (v, Decay(1, 2)) if method == "multiply" else (v,)
    with pytest.raises(ValueError, match=r"int64 of shape \(3,\), got .* of shape"):
        getattr(buffer, method)(*arguments)
    assert buffer.n_bits == 3


def test_nothing_is_left_to_undo():
    with pytest.raises(ValueError, match="undone already"):
        InformationBuffer(3).undo(np.zeros(3, np.int64))


def test_integers_of_numpy_in_a_decay_do_not_wrap():
    decay = Decay(np.int64(65_521), np.int64(65_536))
    buffer, v = InformationBuffer(N), numbers(np.random.default_rng(0))
    before = v.copy()
    for _ in range(50):
        buffer.multiply(v, decay)
    for _ in range(50):
        buffer.undo(v)
    np.testing.assert_array_equal(v, before)


def test_a_constant_decay_is_remembered_once():
    constant, changing = InformationBuffer(10), InformationBuffer(10)
    v = np.arange(10) << 40
    for t in range(1000):
        constant.multiply(v, Decay.of(0.9))
        changing.multiply(v, Decay.of(0.9 if t % 2 else 0.8))
    # A word for the bound of every step, and two and a count for every change of the decay.
    assert constant.nbytes < 12 * 1000 + 2500
    assert changing.nbytes > constant.nbytes + 20 * 1000
