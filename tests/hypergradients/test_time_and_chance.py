"""Training losses that know the step, and draw random numbers with a generator of that step."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.hypergradients import (
    Forward,
    Online,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
    hypergradient,
)
from sklearn_hypergrad.problems import AutogradLoss, AutogradTraining, GaussNewton
from sklearn_hypergrad.training import Adam, Epochs, Momentum, Training

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(2, 30, 4))
Y, Y_VAL = RNG.normal(size=(2, 30))
START = {"W": RNG.normal(size=(4, 5)) / 2, "v": RNG.normal(size=5) / 2}
H = {"noise": 0.3, "decay": 0.05, "alpha": 0.1}
RATES = {
    Momentum: {"learning_rate_init": 0.05, "momentum": 0.5},
    Adam: {"learning_rate_init": 0.02, "beta_1": 0.5, "beta_2": 0.75},
}
METHODS = [Reverse(), Reverse(3), Forward(), Reversible()]


def hidden(w, X):
    return anp.tanh(anp.dot(X, w["W"]))


def loss(w, h, rows, t, rng):
    """Disturbed inputs, units that drop out, and a penalty that fades."""
    X_now = X[rows] + h["noise"] * rng.normal(size=X[rows].shape)
    units = hidden(w, X_now) * (rng.random(size=5) > 0.2) / 0.8
    penalty = h["alpha"] * anp.exp(-h["decay"] * t) * (anp.sum(w["W"] ** 2) + anp.sum(w["v"] ** 2))
    return anp.mean((anp.dot(units, w["v"]) - Y[rows]) ** 2) + penalty


def outer(w, h):
    return anp.mean((anp.dot(hidden(w, X_VAL), w["v"]) - Y_VAL) ** 2)


def training(dynamics=Momentum, *, seed=3, **options):
    problem = AutogradTraining(loss, START, n_samples=30, seed=seed, **options)
    return Training(problem, dynamics(), Epochs(30, 10, seed=0), 9, RATES[dynamics])


@pytest.mark.parametrize("dynamics", [Momentum, Adam], ids=lambda kind: kind.__name__)
def test_every_method_agrees(five_point, dynamics):
    asked = training(dynamics)
    found = {method: hypergradient(asked, outer, H, method=method) for method in METHODS}
    expected, u = found[METHODS[0]].gradient, {"noise": 0.7, "decay": -0.4, "alpha": 0.5}
    for method in METHODS[1:]:
        for name, slope in expected.items():
            rtol = 1e-6 if isinstance(method, Reversible) else 1e-10
            assert_allclose(found[method].gradient[name], slope, rtol=rtol)

    def value(s):
        h = {name: H[name] + s * u[name] for name in H}
        return outer(asked.problem.structure.unflatten(asked.run(h).final().w), h)

    slope = sum(expected[name] * u[name] for name in u)
    differences = five_point(value, 1e-3)
    assert slope == pytest.approx(differences, rel=1e-6)
    assert slope * 1.001 != pytest.approx(differences, rel=5e-4)


def test_a_step_draws_the_same_and_another_step_does_not():
    asked = training()
    w = asked.problem.initial({})

    def gradient(t, seed=3):
        run = training(seed=seed).run(H)
        return run.linearize(w, t).gradient

    assert_array_equal(gradient(2), gradient(2))
    assert np.abs(gradient(2) - gradient(5)).max() > 1e-3
    assert np.abs(gradient(2) - gradient(2, seed=4)).max() > 1e-3


def test_training_is_replayed():
    asked = training()
    final = asked.run(H).final().w
    assert_array_equal(asked.run(H).final().w, final)
    flat = asked.problem.structure.flatten
    # Forward mode traces other functions, which some processors round in other places.
    for method in (Reverse(), Reverse(2), Forward(), Truncated(4)):
        w = flat(hypergradient(asked, outer, H, method=method).w)
        assert_allclose(w, final, rtol=1e-12)
    # In exact arithmetic of its own, which rounds in other places.
    assert_allclose(flat(hypergradient(asked, outer, H, method=Reversible()).w), final, rtol=1e-9)


@pytest.mark.parametrize("method", [Online("identity"), RealTime()], ids=repr)
def test_sessions_draw_with_the_step(method):
    asked, held_out = training(), AutogradLoss(outer, training().problem.structure)
    session = method.begin(asked, H, 3)
    for _ in range(3):
        evaluation = session.advance(H, held_out)
    final = asked.run(H).final().w
    assert_allclose(session.w, final, rtol=1e-12)
    if isinstance(method, RealTime):
        expected = hypergradient(asked, outer, H, method=Forward()).gradient
        assert_allclose(evaluation.gradient["noise"], expected["noise"], rtol=1e-12)


def test_gauss_newton_products_draw_the_same():
    def outputs(w, h, rows, t, rng):
        return anp.dot(hidden(w, X + h["noise"] * rng.normal(size=X.shape)), w["v"])

    product = GaussNewton(outputs, lambda z, h, *_: anp.mean((z - Y) ** 2))
    problem = AutogradTraining(
        lambda w, h, *more: anp.mean((outputs(w, h, *more) - Y) ** 2),
        START,
        seed=1,
        gauss_newton=product,
    )
    w, v = RNG.normal(size=(2, 25))
    found = problem.at_step(4).linearize(w, {"noise": 0.3}, None).gauss_newton(v)
    again = problem.at_step(4).linearize(w, {"noise": 0.3}, None).gauss_newton(v)
    assert_array_equal(found, again)
    # J' L'' J v, with J v by differences.
    noise, unflatten = (
        np.random.default_rng((1, 4)).normal(size=X.shape),
        problem.structure.unflatten,
    )

    def z(s):
        moved = unflatten(w + s * v)
        return hidden(moved, X + 0.3 * noise) @ moved["v"]

    change = (z(1e-5) - z(-1e-5)) / 2e-5
    assert found @ v == pytest.approx(2 / 30 * change @ change, rel=1e-7)


@pytest.mark.thorough
def test_jax_gets_a_key():
    jax = pytest.importorskip("jax")

    def of_jax(w, h, X, y, t, key):
        noise = jax.random.normal(key, X.shape)
        z = jax.numpy.tanh((X + h["noise"] * noise) @ w["W"]) @ w["v"]
        return ((z - y) ** 2).mean() + h["alpha"] * jax.numpy.exp(-0.1 * t) * (w["W"] ** 2).sum()

    problem = AutogradTraining(of_jax, START, data=(X, Y), backend="jax", seed=5)
    asked = Training(problem, Momentum(), Epochs(30, 10, seed=0), 6, RATES[Momentum])
    h = {"noise": 0.3, "alpha": 0.1}
    expected = hypergradient(asked, outer, h, method=Reverse()).gradient
    for method, rtol in ((Forward(), 1e-10), (Reversible(), 1e-6)):
        found = hypergradient(asked, outer, h, method=method).gradient
        assert_allclose(found["noise"], expected["noise"], rtol=rtol)
    first = problem.at_step(0).linearize(problem.initial({}), h, None).gradient
    assert (
        np.abs(first - problem.at_step(1).linearize(problem.initial({}), h, None).gradient).max()
        > 0
    )


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_single_precision(method):
    """Weights, states and gradients are float32; derivatives agree to its precision."""
    expected = hypergradient(training(), outer, H, method=Reverse()).gradient
    asked = training(dtype="float32")
    assert asked.run(H).final().w.dtype == np.float32
    found = hypergradient(asked, outer, H, method=method)
    assert found.w["W"].dtype == np.float32
    for name, slope in expected.items():
        assert_allclose(found.gradient[name], slope, rtol=1e-3)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="dtype must be float64 or float32, got 'float16'"):
        AutogradTraining(loss, START, dtype="float16")
    with pytest.raises(ValueError, match="seed must be an integer of at least 0"):
        AutogradTraining(loss, START, seed=-1)


def test_forward_mode_traces_each_step_once():
    """The loss is called once per step, whatever the number of entries, but for the first."""
    calls = []

    def counted(w, h, rows, t, rng):
        calls.append(t)
        return loss(w, h, rows, t, rng)

    problem = AutogradTraining(counted, START, n_samples=30, seed=3)
    asked = Training(problem, Momentum(), Epochs(30, 10, seed=0), 9, {"momentum": 0.5})
    hypergradient(asked, outer, {**H, "learning_rate_init": 0.1}, method=Forward())
    assert calls[-8:] == list(range(1, 9))
