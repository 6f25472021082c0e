import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.optimizers import Adam

SCALES = np.array([1.0, 30.0, 0.01])
MINIMUM = np.array([0.3, -0.4, 0.8])
BOUNDS = np.array([[-1.0, 1.0]] * 3)


class Recorded:
    """A quadratic that remembers where it was evaluated; ``spoil`` may change what it returns."""

    def __init__(self, spoil=lambda n, value, gradient: (value, gradient)):
        self.seen, self._spoil = [], spoil

    def __call__(self, z):
        assert z.shape == (3,)
        self.seen.append(z.copy())
        value = 0.5 * np.sum(SCALES * (z - MINIMUM) ** 2)
        return self._spoil(len(self.seen) - 1, value, SCALES * (z - MINIMUM))


def minimize(fun, start=(0.0, 0.0, 0.0), bounds=BOUNDS, *, tol=1e-6, max_iter=400, **settings):
    optimizer = Adam(**{"learning_rate": 0.1, **settings})
    return optimizer.minimize(fun, np.array(start), bounds, tol=tol, max_iter=max_iter)


def steps(fun):
    return np.abs(np.diff(fun.seen, axis=0))


@pytest.mark.parametrize("start", [(0.0, 0.0, 0.0), (-1.0, 1.0, 0.9), (5.0, -5.0, 0.0)])
def test_finds_the_minimum_of_a_quadratic(start):
    fun = Recorded()
    minimum = minimize(fun, start)
    assert_allclose(minimum.z, MINIMUM, atol=5e-3)
    assert minimum.converged
    assert minimum.warning == ""
    assert all(np.all(np.abs(z) <= 1) for z in fun.seen)


def test_bounds_are_never_passed_and_hold_the_minimum():
    fun, bounds = Recorded(), np.array([[-1.0, 0.1], [-0.2, 1.0], [-1.0, 1.0]])
    minimum = minimize(fun, bounds=bounds)
    assert_allclose(minimum.z, [0.1, -0.2, 0.8], atol=2e-2)
    assert_array_equal(minimum.z[:2], [0.1, -0.2])
    low, high = bounds.T
    assert all(np.all((low <= z) & (z <= high)) for z in fun.seen)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_no_step_is_longer_than_the_learning_rate(rate):
    fun = Recorded()
    minimize(fun, learning_rate=rate, max_iter=100)
    assert steps(fun).max() <= rate * (1 + 1e-12)
    assert_allclose(steps(fun)[0], rate, rtol=1e-6)


def lengths_along(slopes):
    """Lengths of the steps down a line that falls with these slopes, one after the other."""
    seen = []

    def fun(z):
        seen.append(z[0])
        return -float(z[0]), -np.array([slopes[len(seen) - 1]])

    bounds = np.array([[0.0, 1e3]])
    Adam(0.1).minimize(fun, np.zeros(1), bounds, tol=1e-9, max_iter=len(slopes))
    return np.diff(seen)


def test_no_step_is_longer_where_the_gradient_grows():
    # The mean of the gradient follows faster than that of its square.
    assert lengths_along(np.repeat([0.02, 1.0], [150, 850])).max() <= 0.1


def test_steps_shorten_to_a_tenth():
    lengths = lengths_along(np.ones(1000))
    assert np.all(np.diff(lengths) < 0)
    assert_allclose([lengths[0], lengths[-1]], [0.1, 0.01], rtol=0.02)


BAD = {
    "infinite value": lambda value, gradient: (np.inf, np.zeros(3)),
    "value NaN": lambda value, gradient: (np.nan, gradient),
    "gradient NaN": lambda value, gradient: (value, np.full(3, np.nan)),
    "infinite gradient": lambda value, gradient: (value, np.array([np.inf, 0, 0])),
    "exploded": lambda value, gradient: (value, 110 * gradient),
}


@pytest.mark.parametrize("kind", BAD)
def test_steps_that_cannot_be_used_are_taken_back_and_halved(kind):
    fun = Recorded(lambda n, *rest: BAD[kind](*rest) if n in (1, 2) else rest)
    minimum = minimize(fun, learning_rate=0.01)
    start, first, second, third, fourth = fun.seen[:5]
    assert_allclose(first - start, 2 * (second - start), rtol=1e-12)
    assert_allclose(first - start, 4 * (third - start), rtol=1e-12)
    # Two of them: steps are a quarter as long from then on.
    assert np.abs(fourth - third).max() <= 0.25 * 0.01
    assert "2 steps were taken back and halved" in minimum.warning
    assert "smaller upper bounds" in minimum.warning
    assert np.isfinite(minimum.z).all()


def test_a_gradient_that_is_99_times_as_long_is_accepted():
    fun = Recorded(lambda n, value, gradient: (value, gradient * (99 if n == 1 else 1)))
    assert minimize(fun, learning_rate=0.01).warning == ""


@pytest.mark.parametrize("n_zeros", [1, 15])
def test_a_gradient_after_zeros_has_not_exploded(n_zeros):
    fun = Recorded(lambda n, value, gradient: (value, gradient * (n >= n_zeros)))
    # One that depends on the calls before is not at a minimum where its gradient is zero.
    fun.take_back = lambda: None
    minimum = minimize(fun)
    assert minimum.warning == ""
    assert_allclose(minimum.z, MINIMUM, atol=5e-3)


def test_a_gradient_may_explode_after_zeros():
    fun = Recorded(lambda n, value, gradient: (value, gradient * {1: 0.0, 2: 110.0}.get(n, 1.0)))
    assert "1 steps were taken back" in minimize(fun, learning_rate=0.01).warning


def test_a_wall_is_not_crossed():
    def spoil(n, value, gradient):
        beyond = fun.seen[-1][0] > 0.2
        return (np.inf, np.zeros(3)) if beyond else (value, gradient)

    fun = Recorded(spoil)
    minimum = minimize(fun)
    assert 0.15 < minimum.z[0] <= 0.2
    assert "taken back" in minimum.warning


@pytest.mark.parametrize("kind", ["infinite value", "value NaN", "gradient NaN"])
def test_a_start_that_cannot_be_used_is_reported(kind):
    fun = Recorded(lambda n, *rest: BAD[kind](*rest))
    minimum = minimize(fun)
    assert not minimum.converged
    assert "not finite at the start" in minimum.message
    assert len(fun.seen) == 1


def test_the_best_point_is_returned():
    # A ravine: the last point is not the best one.
    fun = Recorded()
    minimum = minimize(fun, learning_rate=0.5, max_iter=25)
    values = [Recorded()(z)[0] for z in fun.seen]
    assert_array_equal(minimum.z, fun.seen[int(np.argmin(values))])
    assert np.argmin(values) < len(values) - 1


@pytest.mark.parametrize("max_iter", [1, 2, 40, 41])
def test_under_noise_the_last_quarter_is_averaged(max_iter):
    rng = np.random.default_rng(0)
    fun = Recorded(lambda n, value, gradient: (value + rng.normal(), gradient + rng.normal(size=3)))
    minimum = minimize(fun, noisy=True, max_iter=max_iter)
    last = max(1, round(0.25 * max_iter))
    assert len(fun.seen) == max_iter
    assert_allclose(minimum.z, np.mean(fun.seen[-last:], axis=0), rtol=1e-14)


def test_under_noise_points_that_cannot_be_used_are_left_out():
    fun = Recorded(lambda n, *rest: (np.inf, np.zeros(3)) if n == 35 else rest)
    minimum = minimize(fun, noisy=True, max_iter=40)
    used = [z for n, z in enumerate(fun.seen) if n >= 30 and n != 35]
    assert_allclose(minimum.z, np.mean(used, axis=0), rtol=1e-14)


def test_under_noise_a_run_that_ends_before_its_last_quarter_ends_where_it_is():
    bounds = np.array([[-1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    fun = Recorded()
    assert_array_equal(minimize(fun, bounds=bounds, noisy=True).z, np.zeros(3))
    assert len(fun.seen) == 1


@pytest.mark.parametrize("noisy", [False, True])
def test_memory_does_not_grow_with_the_steps(noisy):
    size, arrays = 100_000, []
    bounds = np.broadcast_to(np.array([-1.0, 1.0]), (size, 2))

    def fun(z):
        if len(arrays) in (3, 40):
            arrays.append(tracemalloc.get_traced_memory()[0] / z.nbytes)
        else:
            arrays.append(0.0)
        return float(len(arrays)), np.sin(z + 1)

    tracemalloc.start()
    optimizer = Adam(0.01, noisy=noisy)
    optimizer.minimize(fun, np.broadcast_to(0.0, size), bounds, tol=1e-12, max_iter=44)
    peak = tracemalloc.get_traced_memory()[1] / 8 / size
    tracemalloc.stop()
    # The point, its best or mean, two moments, the one before, a gradient; beside these what the
    # step is computed in.
    assert 2 < arrays[3] <= arrays[40] + 0.1 < 7
    assert peak < 9


def test_noise_is_averaged_out():
    def error(seed, noisy):
        rng = np.random.default_rng(seed)
        fun = Recorded(lambda n, value, gradient: (value + rng.normal(), gradient + rng.normal()))
        return np.abs(minimize(fun, noisy=noisy, max_iter=200).z - MINIMUM)[1]

    averaged, luck = (np.mean([error(seed, noisy) for seed in range(8)]) for noisy in (True, False))
    assert averaged < 0.5 * luck


def test_steps_shorter_than_tol_end_the_run():
    fun = Recorded()
    minimum = minimize(fun, tol=1e-3, max_iter=2000)
    assert minimum.converged
    assert minimum.message == "steps shorter than tol"
    assert len(fun.seen) < 2000


def test_corners_end_the_run_at_once():
    fun = Recorded()
    bounds = np.array([[-1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    minimum = minimize(fun, bounds=bounds)
    assert minimum.converged
    assert len(fun.seen) == 1
    assert_array_equal(minimum.z, np.zeros(3))


@pytest.mark.parametrize(("max_iter", "settled"), [(1, False), (4, False), (150, True)])
def test_a_run_that_gains_nothing_at_its_end_has_settled(max_iter, settled):
    minimum = minimize(Recorded(), tol=1e-12, max_iter=max_iter)
    assert minimum.converged is settled
    assert minimum.message == f"max_iter={max_iter} steps of Adam"


def test_the_start_stays():
    start = np.array([0.1, 0.2, 5.0])
    Adam().minimize(Recorded(), start, BOUNDS, tol=1e-3, max_iter=5)
    assert_array_equal(start, [0.1, 0.2, 5.0])


def test_repr():
    assert repr(Adam(0.1)) == "Adam(learning_rate=0.1)"
    assert repr(Adam(0.2, noisy=True)) == "Adam(learning_rate=0.2, noisy=True)"
