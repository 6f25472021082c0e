"""Training with momentum, forwards and backwards: section 3 of Maclaurin et al. (2015)."""

import numpy as np
import pytest

from sklearn_hypergrad.exact import Decay, ExactArray, LatticeOverflow

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


def train(x, v, schedule, gradient):
    """Descend, in place."""
    for step, momentum in enumerate(schedule):
        decay = Decay.of(momentum)
        slope = gradient(x.values(), step)
        v.decay([decay])
        v.add(-(1 - decay.value) * slope)
        x.add(RATE * v.values())


def reverse(x, v, schedule, gradient):
    """What ``train`` did, backwards: the end is all that it knows."""
    for step, momentum in reversed(list(enumerate(schedule))):
        decay = Decay.of(momentum)
        x.take_back(RATE * v.values())
        v.take_back(-(1 - decay.value) * gradient(x.values(), step))
        v.undo_decay()


def start(size=30):
    """Weights and velocities, as floats and as exact arrays."""
    floats = np.random.default_rng(0).normal(size=(2, size))
    return floats, (ExactArray(floats[0]), ExactArray(floats[1], (size,)))


@pytest.mark.parametrize(
    ("kind", "n_steps"),
    [
        *((kind, 500) for kind in (0.0, 0.5, 0.98, 1.0, "random", "linear", "with 0 and 1")),
        (0.9, 3000),
    ],
)
def test_training_is_run_backwards_bit_for_bit(kind, n_steps):
    schedule = momenta(kind, n_steps)
    (x0, v0), (x, v) = start()
    train(x, v, schedule, chaos)
    assert not np.any(x.values() == x0)
    reverse(x, v, schedule, chaos)
    assert x.began_with(x0)
    assert v.began_with(v0)


def test_control_a_gradient_that_differs_by_rounding():
    """What reversal needs is the same gradient, bit for bit; the arrays tell."""
    (x0, v0), (x, v) = start()
    schedule = momenta(0.9, 50)
    train(x, v, schedule, chaos)
    reverse(x, v, schedule, lambda x, step: chaos(x, step) * (1 + 1e-15))
    assert not x.began_with(x0)
    assert not v.began_with(v0)


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
    exact = ExactArray(x0), ExactArray(v0, (30,))
    train(*exact, momenta(0.9, 800), slope)
    reverse(*exact, momenta(0.9, 800), slope)
    assert exact[0].began_with(x0)


def test_training_is_that_of_floats():
    def slope(x, step):
        return np.tanh(x) + 0.1 * x

    (floats, velocity), (x, v) = start()
    train(x, v, momenta(0.9, 100), slope)
    for step in range(100):
        velocity = 0.9 * velocity - 0.1 * slope(floats, step)
        floats = floats + RATE * velocity
    np.testing.assert_allclose(x.values(), floats, rtol=0, atol=1e-13)


@pytest.mark.parametrize("growth", [-1e300, -np.inf, np.nan])
def test_divergence_is_noticed(growth):
    _, (x, v) = start()
    with np.errstate(over="ignore"), pytest.raises(LatticeOverflow, match="NaN or inf"):
        train(x, v, momenta(0.9, 200), lambda x, step: growth * x)


@pytest.mark.parametrize("n_steps", [10, 200])
def test_large_numbers_are_no_divergence(n_steps):
    (x0, v0), (x, v) = start()
    train(x, v, momenta(0.9, n_steps), lambda x, step: -10.0 * x)
    assert np.isfinite(x.values()).all()
    assert 1e2 < np.abs(x.values()).max()
    reverse(x, v, momenta(0.9, n_steps), lambda x, step: -10.0 * x)
    assert x.began_with(x0)
    assert v.began_with(v0)
