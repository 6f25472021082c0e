"""Methods that differentiate training runs, against one another."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible, Truncated
from sklearn_hypergrad.training import Adam, Diverged, Momentum, Nesterov, RMSprop

N_STEPS = 12
# With a small epsilon the first step of the last two has the length of the rate, whatever else.
DYNAMICS = [Momentum(), Momentum(averaged=True), Nesterov(), Adam(0.1), RMSprop(0.1)]
SHAPES = [(), (2,), (N_STEPS,), (N_STEPS, 2)]
METHODS = {
    "one checkpoint": (Reverse(1), 1e-12),
    "checkpoints": (Reverse(5), 1e-12),
    "all checkpoints": (Reverse(N_STEPS), 1e-12),
    "too many checkpoints": (Reverse(99), 1e-12),
    "truncated nowhere": (Truncated(N_STEPS), 1e-12),
    "truncated beyond": (Truncated(999), 1e-12),
    "single precision": (Reverse(dtype="float32"), 1e-5),
    "forward": (Forward(), 1e-12),
    "reversible": (Reversible(), 1e-9),
}
each_method = pytest.mark.parametrize(("method", "rtol"), list(METHODS.values()), ids=METHODS)


each_combination = pytest.mark.parametrize(
    ("dynamics", "method", "rtol"),
    [
        pytest.param(dynamics, method, rtol, id=f"{dynamics}, {name}")
        for dynamics in DYNAMICS
        for name, (method, rtol) in METHODS.items()
        if name != "reversible" or dynamics.irreversible is None
    ],
)


@pytest.mark.product
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@each_combination
def test_methods_agree_on_schedules(network_run, assert_agree, dynamics, method, rtol, shape):
    case = network_run(dynamics, shape)
    case.h["init_scale"] = np.array([0.8, 1.1]) if shape else np.array(0.9)
    assert_agree(case.evaluate(method), case.evaluate(Reverse()), rtol)


@pytest.mark.parametrize("batch_size", [1, 7, 99])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@each_method
def test_methods_agree_on_data_and_coefficients(
    network_run, assert_agree, method, rtol, activation, batch_size
):
    case = network_run(activation=activation, batch_size=batch_size)
    case.h |= {**case.data, "alpha": np.linspace(0.05, 0.2, 3 * 4 + 4 * 2)}
    assert_agree(case.evaluate(method), case.evaluate(Reverse()), rtol)


@pytest.mark.portable
@pytest.mark.parametrize("entries", [None, np.arange(5)[:, None]], ids=["one", "per feature"])
@pytest.mark.parametrize("family", ["ridge", "logistic", "multinomial"])
@each_method
def test_methods_agree_on_linear_models(linear_run, assert_agree, method, rtol, family, entries):
    case = linear_run(family, entries)
    assert_agree(case.evaluate(method), case.evaluate(Reverse()), 10 * rtol)


@each_method
@pytest.mark.parametrize(
    "settings",
    [
        {"n_steps": 2},
        {"n_steps": 30},
        {"hidden": ()},
        {"hidden": (4, 3), "activation": "logistic"},
        {"wrap": sparse.csr_array, "batch_size": 3},
    ],
    ids=str,
)
def test_methods_agree_on_other_runs(network_run, assert_agree, method, rtol, settings):
    case = network_run(**settings)
    if not isinstance(method, Truncated) or method.n_steps >= case.training.n_steps:
        assert_agree(case.evaluate(method), case.evaluate(Reverse()), 10 * rtol)


@each_method
def test_methods_agree_on_a_single_step(network_run, assert_agree, method, rtol):
    case = network_run(n_steps=1)
    # There is no velocity yet.
    case.training.settings["momentum"] = case.h.pop("momentum")
    case.h["alpha"] = np.array([0.1])
    assert_agree(case.evaluate(method), case.evaluate(Reverse()), rtol)


@pytest.mark.product
@pytest.mark.parametrize("shape", [(), (2,)], ids=str)
@each_combination
def test_methods_agree_in_single_precision(
    network_run, assert_agree, dynamics, method, rtol, shape
):
    single, double = (network_run(dynamics, shape, dtype=dtype) for dtype in (np.float32, float))
    assert_agree(single.evaluate(method), double.evaluate(Reverse()), 1e-4)


@pytest.mark.parametrize("shape", [(), (2,)], ids=str)
@pytest.mark.parametrize("dynamics", [Adam(), RMSprop()], ids=repr)
def test_longer_runs_in_units_of_the_gradient_agree(network_run, assert_agree, dynamics, shape):
    case = network_run(dynamics, shape, n_steps=150)
    case.h["learning_rate_init"] = np.full(shape, 0.01)
    case.h["init_scale"] = np.array(0.9)
    assert_agree(case.evaluate(Reversible()), case.evaluate(Reverse()), 1e-6)


def test_costs_are_counted(network_run):
    case = network_run()
    counts = {name: case.evaluate(method).n_solves for name, (method, _) in METHODS.items()}
    assert case.evaluate(Reverse()).n_solves == 3 * N_STEPS
    assert counts["checkpoints"] == counts["reversible"] == 4 * N_STEPS
    assert counts["forward"] == N_STEPS * (1 + 2 * 3)


@each_method
@pytest.mark.parametrize("name", ["beta_1", "gamma"])
def test_what_training_does_not_know_is_named(network_run, method, rtol, name):
    case = network_run()
    with pytest.raises(ValueError, match=rf"Cannot tune '{name}': neither .* Momentum\(\) nor"):
        case.evaluate(method, {**case.h, name: np.array(0.5)})


@each_method
def test_what_the_outer_objective_knows_is_tuned(network_run, method, rtol):
    case = network_run()

    def outer(w, h):
        values, grad_w, _ = case.outer(w, h)
        direct = {"gamma": 2 * h["gamma"], "alpha": 1.0}
        return values + h["gamma"] ** 2 + h["alpha"], grad_w, direct

    h = {**case.h, "gamma": np.array(0.5)}
    gradient = method.evaluate(case.training, outer, h, None, None).gradient
    assert gradient["gamma"] == 1.0
    assert_allclose(gradient["alpha"] - 1.0, case.evaluate(method).gradient["alpha"], rtol=1e-9)


def test_what_cannot_be_reversed_is_refused_with_the_reason(network_run):
    dynamics = Nesterov()
    message = r"Cannot differentiate training with Reversible\(\): .* hypergradient='reverse'"
    with pytest.raises(ValueError, match=message) as caught:
        network_run(dynamics).evaluate(Reversible())
    assert dynamics.irreversible in str(caught.value)


@each_method
@pytest.mark.parametrize(("rate", "n_steps"), [(np.nan, N_STEPS), (1e300, N_STEPS), (np.inf, 1)])
def test_divergence_names_a_remedy(network_run, method, rtol, rate, n_steps):
    case = network_run(n_steps=n_steps)
    case.h["learning_rate_init"] = np.array(rate)
    with pytest.raises(ArithmeticError, match="Use a smaller learning rate or momentum") as caught:
        case.evaluate(method)
    named = isinstance(caught.value, Diverged) and f" of {n_steps}." in str(caught.value)
    assert named or isinstance(method, Reversible)


@each_method
def test_evaluations_repeat_and_inputs_stay(network_run, method, rtol):
    case = network_run(Momentum(), (N_STEPS, 2))
    before = {name: value.copy() for name, value in case.h.items()}
    one, other = (case.evaluate(method) for _ in range(2))
    assert_array_equal(one.values, other.values)
    for name, value in case.h.items():
        assert_array_equal(one.gradient[name], other.gradient[name])
        assert_array_equal(value, before[name])


def test_reprs():
    stored = Reverse(3), Reverse(dtype=np.float32)
    methods = Reverse(), *stored, Reversible(), Forward(), Truncated(7)
    assert " ".join(map(repr, methods)) == (
        "Reverse() Reverse(n_checkpoints=3) Reverse(dtype='float32') Reversible() Forward() "
        "Truncated(n_steps=7)"
    )
