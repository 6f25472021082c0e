"""Derivatives of whole runs of a small problem, against finite differences and one another."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.training import (
    Adam,
    Momentum,
    Nesterov,
    RMSprop,
    Stored,
    Tangents,
    pull_back,
)

N_STEPS = 12
# With a small epsilon the first step of the last two has the length of the rate, whatever else.
DYNAMICS = [Momentum(), Momentum(averaged=True), Nesterov(), Adam(0.1), RMSprop(0.1)]
SHAPES = [(), (2,), (N_STEPS,), (N_STEPS, 2), (1, 2), (N_STEPS, 1)]
V = np.random.default_rng(3).normal(size=5)


def hyperparameters_of(training, shape):
    rng = np.random.default_rng(1)
    h = {n: v * rng.uniform(0.8, 1.1, shape) for n, v in training.settings.items()}
    return {**h, "init_scale": np.array(0.7)}


def backwards(run):
    return pull_back(run, Stored(run).backwards(), V)


def forwards(run):
    tangents = Tangents(run)
    for t, before, after, linearization in run.walk():
        tangents.advance(before, after, linearization, t)
    return tangents.gradient(V)


def check(gradient, training, h, five_point):
    """Every hyperparameter along a direction of its own, relative to its own size."""
    assert gradient.keys() == h.keys()
    for name, value in h.items():
        assert gradient[name].shape == value.shape
        u = np.random.default_rng(2).uniform(0.5, 1, value.shape) * value

        def moved(s, name=name, u=u):
            return training.run({**h, name: h[name] + s * u}).final().w @ V

        assert_allclose(np.sum(gradient[name] * u), five_point(moved, 1e-3), rtol=1e-7)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
@pytest.mark.parametrize("differentiate", [backwards, forwards])
def test_agrees_with_finite_differences(make_training, five_point, differentiate, dynamics, shape):
    training = make_training(dynamics, N_STEPS)
    h = hyperparameters_of(training, shape)
    check(differentiate(training.run(h)), training, h, five_point)


@pytest.mark.parametrize("name", ["learning_rate_init", "momentum", "alpha", "init_scale"])
def test_a_wrong_derivative_is_rejected(make_training, five_point, name):
    training = make_training()
    h = hyperparameters_of(training, (N_STEPS,))
    gradient = backwards(training.run(h))
    gradient[name] = 1.0001 * gradient[name]
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(gradient, training, h, five_point)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("n_steps", [1, 2, 30])
@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
def test_both_directions_agree(make_training, dynamics, n_steps, batch_size):
    training = make_training(dynamics, n_steps, batch_size=batch_size)
    h = {**hyperparameters_of(training, ()), "alpha": np.full((n_steps, 2), 0.1)}
    expected, actual = backwards(training.run(h)), forwards(training.run(h))
    # A first step of Adam does not depend on its averages.
    scale = max(np.abs(part).max() for part in expected.values())
    for name in h:
        assert_allclose(actual[name], expected[name], rtol=0, atol=1e-11 * scale)


def test_entries_of_one_number_add_up(make_training):
    training = make_training()
    run = training.run({"momentum": np.array(0.5), "alpha": np.array(0.2)})
    shared = backwards(run)
    for shape in SHAPES:
        h = {"momentum": np.full(shape, 0.5), "alpha": np.full(shape, 0.2)}
        single = backwards(training.run(h))
        for name in h:
            assert_allclose(single[name].sum(), shared[name], rtol=1e-12)


@pytest.mark.parametrize("differentiate", [backwards, forwards])
def test_what_training_ignores_has_no_derivative(make_training, differentiate):
    run = make_training().run({"momentum": np.array(0.5), "beta_1": 0.9, "gamma": np.ones(3)})
    assert differentiate(run).keys() == {"momentum"}


def test_nothing_is_tuned(make_training):
    run = make_training().run({})
    assert backwards(run) == forwards(run) == {}


def test_without_the_start_its_hyperparameters_have_no_derivative(make_training):
    run = make_training().run({"momentum": np.array(0.5), "init_scale": np.array(0.5)})
    gradient = pull_back(run, Stored(run).backwards(), V, to_start=False)
    assert gradient["init_scale"] == 0
    assert gradient["momentum"] == backwards(run)["momentum"]
