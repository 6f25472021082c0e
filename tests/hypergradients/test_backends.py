"""Losses in autograd.numpy and in jax.numpy: the same hypergradients, by every method."""

import types

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import (
    Forward,
    Implicit,
    Online,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
    hypergradient,
)
from sklearn_hypergrad.problems import (
    AutogradLoss,
    AutogradProblem,
    AutogradTraining,
    GaussNewton,
)
from sklearn_hypergrad.training import Epochs, GradientDescent, Momentum, Training

jax = pytest.importorskip("jax")
# Compiling takes seconds: continuous integration has a stage for these.
pytestmark = pytest.mark.thorough

RNG = np.random.default_rng(0)
X, X_val = RNG.normal(size=(2, 12, 2))
y, y_val = RNG.normal(size=(2, 12))


def robust(np):
    """Linear regression with a loss whose width is tuned."""

    def predict(w, h, X):
        return np.dot(X, w["coef"]) + w["bias"]

    def of_outputs(z, h, X, y):
        return np.mean(h["slope"] ** 2 * (np.sqrt(1 + ((z - y) / h["slope"]) ** 2) - 1))

    return predict, of_outputs, {"coef": anp.full(2, 0.3), "bias": 0.2}


def network(np):
    """Two layers; the slope of their units is tuned."""

    def predict(w, h, X):
        return np.dot(np.tanh(h["slope"] * np.dot(X, w[0])), w[1])

    def of_outputs(z, h, X, y):
        return 0.5 * np.mean((z - y) ** 2)

    rng = anp.random.default_rng(1)
    return predict, of_outputs, [0.5 * rng.normal(size=(2, 2)), 0.5 * rng.normal(size=2)]


def written(loss, np):
    """The functions of a model in one of the two languages."""
    predict, of_outputs, start = loss(np)
    leaves = sorted(start) if isinstance(start, dict) else range(len(start))

    def penalty(w, h, X=None, y=None):
        parts = [np.sum(w[leaf] ** 2) for leaf in leaves]
        return 0.5 * np.sum(h["alpha"] * np.stack(parts))

    def inner(w, h, X, y):
        return of_outputs(predict(w, h, X), h, X, y) + penalty(w, h)

    def outer(w, h):
        errors = (predict(w, h, X_val) - y_val) ** 2
        return np.stack([np.mean(errors[:6]), np.mean(errors[6:]) + 0.1 * h["slope"] ** 2])

    product = GaussNewton(lambda w, h, X, y: predict(w, h, X), of_outputs, penalty)
    return types.SimpleNamespace(inner=inner, outer=outer, product=product, start=start)


# Compiled functions are found again by their code and what they read: one set serves all cases.
LANGUAGES = {
    (loss.__name__, backend): written(loss, np)
    for loss in (robust, network)
    for backend, np in (("autograd", anp), ("jax", jax.numpy))
}
H = {"alpha": np.array([0.3, 0.5]), "slope": 0.8}
SCHEDULES = {**H, "learning_rate_init": np.full((6, 2), 0.25), "init_scale": 1.1}
DESCENT = GradientDescent(n_steps=6, learning_rate=0.7, momentum=0.5)


def solved(loss, backend, method, h=H):
    own = LANGUAGES[loss, backend]
    problem = AutogradProblem(own.inner, own.start, data=(X, y), gauss_newton=own.product)
    return hypergradient(problem, own.outer, h, method=method, tol=1e-11)


def trained(loss, backend, method, h=SCHEDULES, dynamics=None):
    own = LANGUAGES[loss, backend]
    problem = AutogradTraining(own.inner, own.start, data=(X, y), gauss_newton=own.product)
    training = Training(problem, Momentum(), Epochs(12, 5, seed=0), 6, {"momentum": 0.5})
    return hypergradient(training, own.outer, h, method=method)


def moved(loss, backend, method, h=H):
    """Two steps of a method that tunes while it trains."""
    own = LANGUAGES[loss, backend]
    problem = AutogradTraining(own.inner, own.start, data=(X, y), gauss_newton=own.product)
    settings = {"momentum": 0.5, "learning_rate_init": 0.2}
    training = Training(problem, Momentum(), Epochs(12, 5, seed=0), 6, settings)
    session = method.begin(training, h, 2)
    outer = AutogradLoss(own.outer, problem.structure)
    return [session.advance(h, outer) for _ in range(2)][-1]


METHODS = {
    "implicit": (solved, Implicit()),
    "implicit, cholesky": (solved, Implicit("cholesky")),
    "implicit, gauss-newton": (solved, Implicit(gauss_newton=True)),
    "descended": (solved, Reverse(descent=DESCENT)),
    "descended, forward": (solved, Forward(descent=DESCENT)),
    "reverse": (trained, Reverse()),
    "reversible": (trained, Reversible()),
    "truncated": (trained, Truncated(3)),
    "forward": (trained, Forward()),
    "online": (moved, Online()),
    "online, gauss-newton": (moved, Online(gauss_newton=True)),
    "real time": (moved, RealTime()),
}


def largest_difference(one, other):
    """Relative, over all hyperparameters."""
    scale = max(np.abs(part).max() for part in other.gradient.values())
    assert one.gradient.keys() == other.gradient.keys()
    pairs = ((one.gradient[name], other.gradient[name]) for name in other.gradient)
    return max(np.abs(a - b).max() for a, b in pairs) / scale


CASES = [(loss, method) for loss in ("robust", "network") for method in METHODS]


@pytest.mark.parametrize(("loss", "method"), CASES)
def test_backends_agree(loss, method):
    evaluate, how = METHODS[method]
    ours, expected = (evaluate(loss, backend, how) for backend in ("jax", "autograd"))
    assert_allclose(ours.values, expected.values, rtol=1e-12)
    # Minima are found to the tolerance of the solver; training takes the same steps.
    assert largest_difference(ours, expected) < (1e-9 if method.startswith("implicit") else 1e-12)
    assert ours.statuses == expected.statuses
    for name, part in ours.gradient.items():
        assert np.shape(part) == np.shape(expected.gradient[name])
        assert type(part) is type(expected.gradient[name])


@pytest.mark.parametrize(
    ("loss", "method"),
    [
        ("robust", "implicit"),
        ("network", "reverse"),
        pytest.param("network", "implicit"),
        pytest.param("robust", "reverse"),
    ],
)
def test_finite_differences_agree(loss, method, five_point):
    evaluate, how = METHODS[method]
    h = H if evaluate is solved else SCHEDULES
    u = {name: np.random.default_rng(1).normal(size=np.shape(x)) for name, x in h.items()}

    def value(s):
        at = {name: x + s * u[name] for name, x in h.items()}
        return evaluate(loss, "jax", how, at).values.sum()

    slope = five_point(value, 1e-3)
    gradient = evaluate(loss, "jax", how).gradient
    found = sum(np.sum(gradient[name] * u[name]) for name in h)
    assert abs(found - slope) < 1e-7 * abs(slope)
    assert abs(1.001 * found - slope) > 5e-4 * abs(slope)


def test_each_loss_may_have_its_own_language():
    ours, theirs = LANGUAGES["robust", "jax"], LANGUAGES["robust", "autograd"]
    expected = solved("robust", "autograd", Implicit())
    for inner, outer in ((ours.inner, theirs.outer), (theirs.inner, ours.outer)):
        problem = AutogradProblem(inner, ours.start, data=(X, y))
        found = hypergradient(problem, outer, H, tol=1e-11)
        assert largest_difference(found, expected) < 1e-9


def test_row_numbers_and_slices():
    """A loss of row numbers, as without data."""
    own = LANGUAGES["robust", "jax"]
    arrays = jax.numpy.array(X), jax.numpy.array(y)

    def by_rows(w, h, rows):
        return own.inner(w, h, *(array[rows] for array in arrays))

    data = tuple(np.asarray(array, float) for array in arrays)
    expected = AutogradTraining(own.inner, own.start, data=data, backend="jax")
    problem = AutogradTraining(by_rows, own.start, n_samples=12, backend="jax")
    w, rows = problem.initial({}), np.arange(3, 8)
    with pytest.warns(HypergradWarning, match="made in float32, so it is right to seven digits"):
        found = problem.linearize(w, H, rows)
    assert_allclose(found.gradient, expected.linearize(w, H, rows).gradient, rtol=1e-12)
    assert_allclose(problem.linearize(w, H, slice(3, 8)).gradient, found.gradient, rtol=1e-15)


def test_what_nobody_reads_has_no_derivative():
    own = LANGUAGES["robust", "jax"]
    structure = AutogradProblem(own.inner, own.start).structure
    values, _, direct = AutogradLoss(own.outer, structure, backend="jax")(
        np.ones(3), {"more": 1.0, **H}
    )
    assert (values.shape, list(direct)) == ((2,), ["slope"])
    problem = AutogradProblem(own.inner, own.start, data=(X, y), backend="jax")
    cross = problem.cross_vjp(np.ones(3), {"more": 1.0, **H}, np.ones(3))
    assert list(cross) == ["alpha", "slope"]


def test_results_may_be_written_to():
    own = LANGUAGES["robust", "jax"]
    problem = AutogradTraining(own.inner, own.start, data=(X, y), backend="jax")
    linearization = problem.linearize(problem.initial({}), H, None)
    product, cross = linearization.pull(np.ones(3))
    for array in (linearization.gradient, product, cross["alpha"]):
        assert array.dtype == np.float64
        array += 1.0


@pytest.mark.parametrize("backend", ["torch", None])
def test_unknown_backends_are_refused(backend):
    with pytest.raises(ValueError, match="backend must be 'auto', 'autograd' or 'jax', got"):
        hypergradient(lambda w, h: w, lambda w, h: w, {}, 1.0, backend=backend)
