"""Hypergradients of functions, by every method."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.hypergradients import (
    Forward,
    Implicit,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
    hypergradient,
)
from sklearn_hypergrad.linalg import Neumann
from sklearn_hypergrad.problems import AutogradProblem, AutogradTraining, GaussNewton, Status
from sklearn_hypergrad.training import (
    Adam,
    Epochs,
    GradientDescent,
    Momentum,
    Nesterov,
    RMSprop,
    Training,
)

RNG = np.random.default_rng(0)
X, X_val = RNG.normal(size=(2, 25, 3))
y, y_val = RNG.normal(size=(2, 25))
START = {"coef": np.zeros(3), "bias": 0.0}
H = {"alpha": np.array([0.5, 1.0, 2.0]), "slope": 0.8}


def predict(w, h, X):
    return anp.tanh(h["slope"] * (X @ w["coef"] + w["bias"]))


def penalty(w, h):
    return 0.5 * anp.sum(h["alpha"] * w["coef"] ** 2) + 0.5 * w["bias"] ** 2


def inner(w, h, rows=slice(None)):
    return 0.5 * anp.mean((predict(w, h, X[rows]) - y[rows]) ** 2) + penalty(w, h)


def outer(w, h):
    """Of two splits; also depends on a hyperparameter directly."""
    errors = (predict(w, h, X_val) - y_val) ** 2
    return anp.stack([anp.mean(errors[:10]), anp.mean(errors[10:]) + 0.1 * h["slope"] ** 2])


def differences(function, h, five_point):
    """Derivatives along a direction of every hyperparameter, and the directions."""
    u = {name: np.random.default_rng(1).normal(size=np.shape(x)) for name, x in h.items()}
    slopes = {
        name: five_point(lambda s, name=name: function({**h, name: h[name] + s * u[name]}), 1e-3)
        for name in h
    }
    return slopes, u


def error(gradient, slopes, u):
    scale = max(map(abs, slopes.values()))
    return max(abs(np.sum(gradient[name] * u[name]) - slopes[name]) for name in slopes) / scale


def test_finite_differences_agree(five_point):
    evaluation = hypergradient(inner, outer, H, START, tol=1e-11)
    assert evaluation.statuses == (Status.CONVERGED, Status.CONVERGED)
    assert evaluation.values.shape == (2,)
    assert {k: np.shape(x) for k, x in evaluation.gradient.items()} == {
        "alpha": (3,),
        "slope": (),
    }
    problem = AutogradProblem(inner, START)

    def value(h):
        w = problem.structure.unflatten(problem.solve(h, None, 1e-11).w)
        return np.sum(outer(w, h))

    slopes, u = differences(value, H, five_point)
    assert error(evaluation.gradient, slopes, u) < 1e-8
    wrong = {name: 1.001 * part for name, part in evaluation.gradient.items()}
    assert error(wrong, slopes, u) > 5e-4


def assert_close(actual, expected, rtol):
    assert actual.gradient.keys() == expected.gradient.keys()
    for name, part in expected.gradient.items():
        assert_allclose(actual.gradient[name], part, atol=rtol * max(1e-3, np.abs(part).max()))


@pytest.fixture(scope="module")
def implicit():
    return hypergradient(inner, outer, H, START, tol=1e-11)


@pytest.mark.parametrize(
    "method",
    [
        Implicit("cg"),
        Implicit("cholesky"),
        Implicit(Neumann(n_terms=2000)),
        Reverse(descent=GradientDescent(n_steps=100, momentum=0.5)),
        Truncated(70, descent=GradientDescent(n_steps=100, momentum=0.5)),
    ],
    ids=repr,
)
def test_methods_agree_where_training_converges(implicit, method):
    evaluation = hypergradient(inner, outer, H, START, method=method, tol=1e-11)
    assert set(evaluation.statuses) == {Status.CONVERGED}
    assert_close(evaluation, implicit, 1e-6)
    assert_allclose(evaluation.w["coef"], implicit.w["coef"], atol=1e-8)
    assert np.ndim(evaluation.w["bias"]) == 0


def test_ways_through_training_agree():
    descent = GradientDescent(n_steps=12, learning_rate=0.7, momentum=0.5)
    found = {
        kind: hypergradient(inner, outer, H, START, method=kind(descent=descent))
        for kind in (Reverse, Forward, Reversible)
    }
    assert_close(found[Forward], found[Reverse], 1e-10)
    assert_close(found[Reversible], found[Reverse], 1e-9)
    assert found[Reverse].statuses == (Status.DESCENT_NOT_CONVERGED,)


def minibatches(dynamics, n_steps=12):
    def loss(w, h, rows):
        return inner(w, h, rows) + anp.sum(h.get("decay", 0.0) * w["coef"] ** 2)

    start = {"coef": np.full(3, 0.3), "bias": 0.2}
    problem = AutogradTraining(loss, start, n_samples=25, scheduled={"decay": (3,)})
    return Training(problem, dynamics, Epochs(25, 10, seed=0), n_steps, {"momentum": 0.5})


def test_batches_and_dynamics(five_point):
    training = minibatches(Momentum())
    decay = np.random.default_rng(0).uniform(size=(12, 3))
    h = {**H, "learning_rate_init": np.full((12, 2), 0.25), "init_scale": 1.0, "decay": decay}
    found = {
        kind: hypergradient(training, outer, h, method=kind())
        for kind in (Reverse, Forward, Reversible, Truncated)
    }
    for kind in (Forward, Truncated):
        assert_close(found[kind], found[Reverse], 1e-10)
    assert_close(found[Reversible], found[Reverse], 1e-9)
    unflatten = training.problem.structure.unflatten

    def value(h):
        return np.sum(outer(unflatten(training.run(h).final().w), h))

    slopes, u = differences(value, h, five_point)
    assert error(found[Reverse].gradient, slopes, u) < 1e-8
    last = unflatten(training.run(h).final().w)
    assert_array_equal(found[Reverse].w["coef"], last["coef"])


def test_a_method_that_cannot_go_back_says_so():
    h = {"learning_rate_init": 0.1, **H}
    with pytest.raises(ValueError, match="Use hypergradient='reverse'"):
        hypergradient(minibatches(Nesterov()), outer, h, method=Reversible())


@pytest.mark.parametrize("dynamics", [Adam(), RMSprop(0.01)], ids=repr)
def test_steps_in_units_of_the_gradient(five_point, dynamics):
    training = minibatches(dynamics)
    rates = {"learning_rate_init": np.array([0.02, 0.05]), "beta_1": 0.9, "beta_2": 0.99}
    if isinstance(dynamics, RMSprop):
        rates = {"learning_rate_init": 0.02, "momentum": np.repeat([0.5, 0.75], 6), "decay": 0.9}
    h, exact = {**H, **rates, "init_scale": 1.0}, {}
    for kind in (Reverse, Forward, Reversible):
        exact[kind] = hypergradient(training, outer, h, method=kind())
    assert_close(exact[Forward], exact[Reverse], 1e-10)
    assert_close(exact[Reversible], exact[Reverse], 1e-6)
    unflatten = training.problem.structure.unflatten

    def value(h):
        return np.sum(outer(unflatten(training.run(h).final().w), h))

    slopes, u = differences(value, h, five_point)
    assert error(exact[Reverse].gradient, slopes, u) < 1e-6


def test_closed_forms_and_gauss_newton():
    counts = []

    def gradient(w, h):
        counts.append("gradient")
        return {"coef": X.T @ (X @ w["coef"] - y) + h["alpha"] * w["coef"]}

    def squares(w, h):
        return 0.5 * anp.sum((X @ w["coef"] - y) ** 2) + 0.5 * anp.sum(h["alpha"] * w["coef"] ** 2)

    product = GaussNewton(
        lambda w, h: X @ w["coef"],
        lambda z, h: 0.5 * anp.sum((z - y) ** 2),
        lambda w, h: 0.5 * anp.sum(h["alpha"] * w["coef"] ** 2),
    )
    start = {"coef": np.zeros(3)}
    problem = AutogradProblem(squares, start, gradient=gradient, gauss_newton=product)
    options = {
        "outer": lambda w, h: anp.sum((X_val @ w["coef"] - y_val) ** 2),
        "h": {"alpha": H["alpha"]},
        "tol": 1e-11,
    }
    expected = hypergradient(squares, start=start, **options)
    assert_close(hypergradient(problem, **options), expected, 1e-9)
    assert counts
    by_product = hypergradient(problem, method=Implicit(gauss_newton=True), **options)
    assert_close(by_product, expected, 1e-9)


def test_warm_starts(implicit):
    near = {**H, "slope": 0.8 + 1e-6}
    cold = hypergradient(inner, outer, near, START, tol=1e-11)
    warm = hypergradient(inner, outer, near, START, tol=1e-11, warm_start=implicit.warm_start)
    assert_close(warm, cold, 1e-8)
    assert warm.n_solves < cold.n_solves


def test_a_start_is_needed():
    with pytest.raises(TypeError, match="A start is needed beside the inner loss"):
        hypergradient(inner, outer, H)


def test_a_problem_has_a_start_of_its_own():
    with pytest.raises(TypeError, match="The loss must be a function"):
        hypergradient(AutogradProblem(inner, START), outer, H, START)


def test_a_training_has_no_minimum():
    message = re.escape("Implicit() differentiates a loss at its minimum")
    with pytest.raises(TypeError, match=message):
        hypergradient(minibatches(Momentum()), outer, H)


@pytest.mark.parametrize(
    ("h", "method", "error", "text"),
    [
        (0.1, None, TypeError, "h must be a dict from names"),
        ({**H, "slope": "steep"}, None, TypeError, "h.'slope'. must be a number or an array"),
        ({**H, "slope": np.nan}, None, ValueError, "h.'slope'. must be finite, got nan"),
        (H, "implicit", TypeError, "method must be None or such as Implicit.. or Reverse"),
        (H, Implicit, TypeError, "method must be None or such as Implicit.. or Reverse"),
    ],
)
def test_wrong_arguments(h, method, error, text):
    with pytest.raises(error, match=text):
        hypergradient(inner, outer, h, START, method=method)


def test_an_outer_loss_by_numpy():
    with pytest.raises(TypeError, match=re.escape("import autograd.numpy as np")):
        hypergradient(inner, lambda w, h: float(w["bias"]), H, START)


def test_online_methods_have_sessions():
    with pytest.raises(TypeError, match="RealTime\\(\\) has no single evaluation"):
        hypergradient(inner, outer, H, START, method=RealTime())


@pytest.mark.parametrize("backend", ["autograd", "jax"])
def test_nested_hyperparameters(backend):
    """Derivatives are those of the same hyperparameters side by side."""
    if backend == "jax":
        pytest.importorskip("jax")

    def in_parts(w, h):
        flat = {"alpha": h["penalty"]["each"][0], "slope": h["penalty"]["each"][1]["slope"]}
        return inner_of(w, {**flat, "factor": h["factor"]})

    def inner_of(w, h):
        fit = ((h["slope"] * (X @ w["coef"] + w["bias"]) - y) ** 2).mean()
        return h["factor"] * fit + (h["alpha"] * w["coef"] ** 2).sum() + w["bias"] ** 2

    def outer_of(w, h):
        return ((X_val @ w["coef"] + w["bias"] - y_val) ** 2).mean()

    alpha = np.array([0.5, 1.0, 2.0])
    h = {"penalty": {"each": [alpha, {"slope": 0.8}]}, "factor": 2.0}
    found = hypergradient(in_parts, outer_of, h, START, backend=backend).gradient
    flat = {"alpha": alpha, "slope": 0.8, "factor": 2.0}
    expected = hypergradient(inner_of, outer_of, flat, START, backend=backend).gradient
    assert_allclose(found["penalty"]["each"][0], expected["alpha"], rtol=1e-9)
    assert found["penalty"]["each"][1]["slope"] == pytest.approx(expected["slope"], rel=1e-9)
    assert found["factor"] == pytest.approx(expected["factor"], rel=1e-9)
