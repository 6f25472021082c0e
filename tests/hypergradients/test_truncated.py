"""The last steps of training runs only."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.hypergradients import Implicit, Reverse, Truncated
from sklearn_hypergrad.problems import VALIDATION_LOSSES, GramRidge, L2Penalty, PredictionLoss
from sklearn_hypergrad.training import GradientDescent

H = {"h": np.array(2.0)}


@pytest.fixture
def ridge(make_block):
    """A problem of three splits, and its outer objective."""
    block = make_block(weighted=True)
    problem = GramRidge(block, L2Penalty("h"), fit_intercept=True)
    return problem, PredictionLoss(problem, block, VALIDATION_LOSSES["squared_error"])


def converged(n_steps, method=Truncated):
    """Plain gradient descent, to the last digit."""
    return method(n_steps, descent=GradientDescent(2000, 1.0, 0.0))


def hessian(problem, w):
    """As one dense matrix."""
    columns = [problem.hvp(w, H, unit.reshape(w.shape)) for unit in np.eye(w.size)]
    return np.reshape(columns, (w.size, w.size)).T


@pytest.mark.parametrize("n_steps", [1, 2, 3, 10, 100])
def test_at_a_minimum_steps_are_terms_of_a_neumann_series(ridge, n_steps):
    problem, outer = ridge
    training = GradientDescent(2000, 1.0, 0.0).training(problem, H)
    rate, w = training.settings["learning_rate_init"], training.run(H).final().w
    w = training.problem.shaped(w)
    assert_allclose(w, problem.solve(H, None, 1e-12).w, rtol=1e-11, atol=1e-12)
    contraction = np.eye(w.size) - rate * hessian(problem, w)
    _, grad_w, _ = outer(w, H)
    term, adjoint = grad_w.ravel(), 0.0
    for _ in range(n_steps):
        adjoint = adjoint + rate * term
        term = contraction @ term
    expected = -problem.cross_vjp(w, H, adjoint.reshape(w.shape))["h"]
    actual = converged(n_steps).evaluate(problem, outer, H, None, None).gradient["h"]
    assert_allclose(actual, expected, rtol=1e-10)


def test_terms_converge_to_the_inverse_hessian(ridge):
    expected = Implicit().evaluate(*ridge, H, None, 1e-12).gradient["h"]
    errors = [
        abs(converged(n).evaluate(*ridge, H, None, None).gradient["h"] / expected - 1)
        for n in (1, 3, 10, 30, 100)
    ]
    assert errors[0] > 0.1
    assert errors[-1] < 1e-8
    assert np.all(np.diff(errors) < 0)


@pytest.mark.parametrize("n_steps", [12, 13, 1000])
def test_all_steps_are_reverse_mode(network_run, n_steps):
    case = network_run(shape=(12, 2))
    case.h["init_scale"] = np.array(0.9)
    one, other = case.evaluate(Truncated(n_steps)), case.evaluate(Reverse())
    assert_array_equal(one.values, other.values)
    for name in case.h:
        assert_array_equal(one.gradient[name], other.gradient[name])


@pytest.mark.parametrize("n_steps", [1, 5, 11])
def test_earlier_steps_and_the_start_have_no_gradient(network_run, n_steps):
    case = network_run(shape=(12, 2))
    case.h["init_scale"] = np.array(0.9)
    one, other = case.evaluate(Truncated(n_steps)), case.evaluate(Reverse())
    assert_array_equal(one.values, other.values)
    assert one.gradient["init_scale"] == 0
    for name in ("learning_rate_init", "momentum", "alpha"):
        assert not np.any(one.gradient[name][:-n_steps])
        # The last steps do not know of those before.
        assert_array_equal(one.gradient[name][-n_steps:], other.gradient[name][-n_steps:])
    assert one.n_solves == 12 + 2 * n_steps
