"""Reverse mode against finite differences of the outer objective after training."""

import itertools

import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible, Truncated
from sklearn_hypergrad.training import Adam, Momentum, Nesterov, RMSprop, Storage

N_STEPS = 12
DYNAMICS = [Momentum(), Momentum(averaged=True), Nesterov(), Adam(0.1), RMSprop(0.1)]


@pytest.mark.parametrize("shape", [(), (2,), (N_STEPS, 2)], ids=str)
@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
@pytest.mark.thorough
def test_networks(network_run, check, dynamics, shape):
    case = network_run(dynamics, shape)
    case.h |= {**case.data, "init_scale": np.array([0.8, 1.1]) if shape else np.array(0.9)}
    check(case.evaluate(Reverse()), case)
    if dynamics.irreversible is None:
        check(case.evaluate(Reversible()), case)


@pytest.mark.parametrize("alpha", [(2,), (20,), (N_STEPS, 20)], ids=str)
@pytest.mark.parametrize("activation", ["identity", "tanh", "logistic"])
def test_activations_and_penalties(network_run, check, activation, alpha):
    case = network_run(activation=activation)
    case.h["alpha"] = np.random.default_rng(4).uniform(0.1, 0.3, alpha)
    check(case.evaluate(Reverse()), case)


@pytest.mark.parametrize("method", [Reverse(), Reverse(3), Forward(), Reversible()], ids=repr)
@pytest.mark.parametrize("entries", [None, np.arange(5)[:, None]], ids=["one", "per feature"])
@pytest.mark.parametrize("family", ["ridge", "logistic", "multinomial"])
def test_linear_models(linear_run, check, family, entries, method):
    case = linear_run(family, entries)
    check(case.evaluate(method), case)


@pytest.mark.parametrize("method", [Reverse(10), Reversible()], ids=repr)
def test_a_hundred_steps(network_run, check, method):
    case = network_run(n_steps=100, activation="logistic", batch_size=3)
    check(case.evaluate(method), case)


NAMES = [*Momentum().names, "alpha", "X", "sample_weight", "init_scale"]


@pytest.mark.parametrize(("name", "factor"), [*zip(NAMES, itertools.cycle([0.999, 1 + 1e-5]))])
def test_a_wrong_hypergradient_is_rejected(network_run, check, assert_agree, name, factor):
    case = network_run(Momentum(), (N_STEPS, 2))
    case.h |= {**case.data, "init_scale": np.array(0.9)}
    right, wrong = (case.evaluate(Reverse()) for _ in range(2))
    wrong.gradient[name] = factor * wrong.gradient[name]
    check(right, case)
    with pytest.raises(AssertionError, match=name):
        check(wrong, case)
    with pytest.raises(AssertionError, match=name):
        assert_agree(wrong, right, 1e-6)


@pytest.mark.parametrize("method", [Reverse(), Reverse(4), Truncated(5)])
def test_trained_weights_outlive_the_storage(network_run, method):
    case, storage = network_run(), Storage()
    kept = method.evaluate(case.training, case.outer, case.h, None, 0.0, storage=storage).w
    before = kept.copy()
    other = {name: 0.5 * value for name, value in case.h.items()}
    method.evaluate(case.training, case.outer, other, None, 0.0, storage=storage)
    assert np.array_equal(kept, before)


@pytest.mark.parametrize("arguments", [(0,), (-1,), (3, "float32"), (None, "int8")])
def test_arguments_that_make_no_sense(arguments):
    n_checkpoints, dtype = (*arguments, None)[:2]
    with pytest.raises(ValueError, match="must be"):
        Reverse(n_checkpoints, dtype=dtype)
