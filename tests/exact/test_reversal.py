"""Training with momentum, forwards and backwards: section 3 of Maclaurin et al. (2015)."""

import numpy as np
import pytest

from sklearn_hypergrad.exact import Decay, FixedPoint, InformationBuffer, LatticeOverflow

LATTICE = FixedPoint()
RATE = 0.3


def chaos(x, step):
    """A gradient that the last bit of the weights changes altogether after a few steps."""
    return 5 * np.sin(37 * x + step) + x


def momenta(kind, n_steps):
    rng = np.random.default_rng(3)
    schedules = {
        "random": rng.uniform(0.3, 0.999, n_steps),
        "linear": np.linspace(0.5, 0.999, n_steps),
        "with 0 and 1": rng.choice([0.0, 0.5, 0.9, 1.0], n_steps),
    }
    return schedules.get(kind, np.full(n_steps, kind))


def train(x, v, schedule, gradient, buffer):
    """Descend, in place."""
    for step, momentum in enumerate(schedule):
        decay = Decay.of(momentum)
        slope = gradient(LATTICE.decode(x), step)
        buffer.multiply(v, decay)
        v -= LATTICE.encode((1 - decay.value) * slope)
        x += LATTICE.encode(RATE * LATTICE.decode(v))
        LATTICE.check(v)
        LATTICE.check(x)


def reverse(x, v, schedule, gradient, buffer):
    """What ``train`` did, backwards: the end is all that it knows."""
    for step, momentum in reversed(list(enumerate(schedule))):
        decay = Decay.of(momentum)
        x -= LATTICE.encode(RATE * LATTICE.decode(v))
        v += LATTICE.encode((1 - decay.value) * gradient(LATTICE.decode(x), step))
        buffer.undo(v)


def start(size=30):
    rng = np.random.default_rng(0)
    return LATTICE.encode(rng.normal(size=size)), LATTICE.encode(rng.normal(size=size))


@pytest.mark.parametrize(
    ("kind", "n_steps"),
    [
        *((kind, 500) for kind in (0.0, 0.5, 0.98, 1.0, "random", "linear", "with 0 and 1")),
        (0.9, 3000),
    ],
)
def test_training_is_run_backwards_bit_for_bit(kind, n_steps):
    schedule = momenta(kind, n_steps)
    (x, v), (x0, v0), buffer = start(), start(), InformationBuffer(30)
    train(x, v, schedule, chaos, buffer)
    assert not np.any(x == x0)
    assert not buffer.empty
    reverse(x, v, schedule, chaos, buffer)
    np.testing.assert_array_equal(x, x0)
    np.testing.assert_array_equal(v, v0)
    assert buffer.empty


def test_control_a_gradient_that_differs_by_rounding():
    """What reversal needs is the same gradient, bit for bit; the buffer tells."""
    (x, v), (x0, _), buffer = start(), start(), InformationBuffer(30)
    schedule = momenta(0.9, 200)
    train(x, v, schedule, chaos, buffer)
    reverse(x, v, schedule, lambda x, step: chaos(x, step) * (1 + 1e-15), buffer)
    assert not np.array_equal(x, x0)
    assert not buffer.empty


def test_control_plain_floats_do_not_reverse():
    def slope(x, step):
        return x - 1

    rng = np.random.default_rng(0)
    x0, v0 = rng.normal(size=(2, 30))
    x, v = x0.copy(), v0.copy()
    for step in range(800):
        v = 0.9 * v - 0.1 * slope(x, step)
        x = x + RATE * v
    for step in reversed(range(800)):
        x = x - RATE * v
        v = (v + 0.1 * slope(x, step)) / 0.9
    assert np.abs(x - x0).max() > 1
    numbers, velocities, buffer = LATTICE.encode(x0), LATTICE.encode(v0), InformationBuffer(30)
    train(numbers, velocities, momenta(0.9, 800), slope, buffer)
    reverse(numbers, velocities, momenta(0.9, 800), slope, buffer)
    np.testing.assert_array_equal(numbers, LATTICE.encode(x0))


def test_training_is_that_of_floats():
    def slope(x, step):
        return np.tanh(x) + 0.1 * x

    x, v = start()
    floats, velocity = LATTICE.decode(x), LATTICE.decode(v)
    train(x, v, momenta(0.9, 100), slope, InformationBuffer(30))
    for step in range(100):
        velocity = 0.9 * velocity - 0.1 * slope(floats, step)
        floats = floats + RATE * velocity
    np.testing.assert_allclose(LATTICE.decode(x), floats, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("growth", "message"), [(-10.0, "exceeds"), (-np.inf, "NaN or inf"), (np.nan, "NaN or inf")]
)
def test_divergence_is_noticed(growth, message):
    with pytest.raises(LatticeOverflow, match=message):
        train(*start(), momenta(0.9, 200), lambda x, step: growth * x, InformationBuffer(30))
