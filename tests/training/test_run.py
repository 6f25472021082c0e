import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import (
    Adam,
    Diverged,
    Listed,
    Momentum,
    Nesterov,
    RMSprop,
    Training,
)


def by_hand(problem, batches, n_steps, rate, momentum, alpha):
    """Weights after training, from formulas."""
    w, v = problem.origin.copy(), 0.0
    for t in range(n_steps):
        A, b = problem.A[batches.rows(t)], problem.b[batches.rows(t)]
        r = A @ w - b
        v = momentum * v - rate * (A.T @ (r / np.sqrt(1 + r**2)) / len(b) + alpha * w)
        w = w + v
    return w


def test_training_is_that_of_the_formulas(make_training):
    training = make_training(n_steps=30)
    run = training.run({"learning_rate_init": np.array(0.4)})
    expected = by_hand(training.problem, training.batches, 30, 0.4, 0.75, 0.1)
    assert_allclose(run.final().w, expected, rtol=1e-12)


def test_values_take_the_place_of_settings(make_training):
    tuned = make_training(momentum=0.1).run({"momentum": np.array(0.6), "alpha": np.array(0.2)})
    assert_array_equal(tuned.final().w, make_training(momentum=0.6, alpha=0.2).run({}).final().w)


def test_hyperparameters_may_be_nested():
    def loss(w, h, rows):
        alpha, (low, high) = h["penalty"]["alpha"], h["targets"]
        return ((w - low) ** 2).sum() + alpha * ((w - high) ** 2).sum()

    settings = {"learning_rate_init": 0.1, "momentum": 0.5}
    problem = AutogradTraining(loss, np.zeros(2), backend="autograd")
    training = Training(problem, Momentum(), Listed([None]), 60, settings)
    h = {"penalty": {"alpha": 3.0}, "targets": [np.zeros(2), np.array([1.0, 2.0])]}
    assert_allclose(training.run(h).weights(), [0.75, 1.5], rtol=1e-6)


def test_walking_on_from_a_state_is_walking(make_training):
    run = make_training(Adam()).run({})
    states = [run.start()]
    for t, before, after, linearization in run.walk():
        assert_array_equal(np.stack(before.arrays), np.stack(states[t].arrays))
        assert_array_equal(linearization.gradient, run.linearize(before.w, t).gradient)
        states.append(type(after).of_rows(np.stack(after.arrays)))
    for first in range(run.n_steps):
        *_, (t, _, after, _) = run.walk(states[first], first)
        assert t == run.n_steps - 1
        assert_array_equal(np.stack(after.arrays), np.stack(run.final().arrays))
    assert [t for t, *_ in run.walk(states[3], 3, 5)] == [3, 4]


@pytest.mark.parametrize("shape", [(), (2,)], ids=str)
@pytest.mark.parametrize(
    "dynamics", [Momentum(), Momentum(averaged=True), Nesterov(), Adam(), RMSprop()], ids=repr
)
def test_steps_in_place_are_steps(make_training, dynamics, shape, monkeypatch):
    monkeypatch.setattr("sklearn_hypergrad.training.run.PIECE", 3)
    training = make_training(dynamics, size=11)
    rates = {name: training.settings[name] * np.linspace(1, 0.8, 2) for name in dynamics.names}
    run = training.run(rates if shape else {})
    state = run.start()
    arrays = state.arrays
    for t, _, after, _ in run.walk():
        run.move(state, t)
        assert_array_equal(np.stack(state.arrays), np.stack(after.arrays))
    assert all(array is other for array, other in zip(state.arrays, arrays, strict=True))


def test_values_for_every_step_are_known(make_training):
    h = {"momentum": np.full(12, 0.5), "alpha": np.full((1, 2), 0.1)}
    assert make_training().run(h).schedules() == ["momentum"]
    assert make_training(n_steps=1).run({"alpha": np.array([0.1])}).schedules() == []


def test_given_states_and_settings_stay(make_training):
    training = make_training()
    rate, origin = np.full(12, 0.3), training.problem.origin.copy()
    run = training.run({"learning_rate_init": rate})
    state = run.start()
    list(run.walk(state))
    assert_array_equal(state.w, origin)
    assert_array_equal(training.problem.origin, origin)
    assert_array_equal(rate, np.full(12, 0.3))


def test_entries_are_numbered_in_order(make_training):
    h = {"momentum": np.array(0.5), "alpha": np.ones((1, 2))}
    entries = make_training().run(h).entries()
    assert entries == [("momentum", ()), ("alpha", (0, 0)), ("alpha", (0, 1))]


def test_rates_without_a_value_are_named(make_training):
    training = make_training()
    training.settings.clear()
    with pytest.raises(ValueError, match=r"Training with Momentum\(\) needs momentum\."):
        training.run({"learning_rate_init": np.array(0.1)})


@pytest.mark.parametrize("name", ["momentum", "alpha"])
def test_illegal_schedules_are_named(make_training, name):
    with pytest.raises(ValueError, match=rf"{name} has shape \(7,\). Legal are a number, \(12,\)"):
        make_training().run({name: np.full(7, 0.5)})


def test_a_loss_that_is_not_finite_names_the_step_and_a_remedy(make_training):
    training = make_training(n_steps=12)
    rate = np.full(12, 0.1)
    rate[7] = np.nan
    with pytest.raises(Diverged, match=r"is nan at step 8 of 12. Use a smaller learning rate"):
        training.run({"learning_rate_init": rate}).final()


def test_weights_that_are_not_finite_name_the_step_and_a_remedy(make_training):
    run, w = make_training(n_steps=12).run({}), np.array([1.0, np.inf])
    for n_taken, step in ((None, "11 of 12"), (3, "2 of 12"), (12, "11 of 12"), (13, "12")):
        with pytest.raises(Diverged, match=f"not finite after step {step}. Use a smaller"):
            run.check(w, n_taken)
