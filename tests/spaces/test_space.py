import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.spaces import Dimension, Space
from sklearn_hypergrad.spaces.space import TRANSFORMS

DIMENSIONS = (
    Dimension("a", (), "log", 1e-3, 1e3, 1.0),
    Dimension("b", (3,), "linear", -2.0, 5.0, 0.0),
    Dimension("c", (2,), "log", 0.1, 10.0, 1.0),
)
HYPERPARAMS = {"a": np.array(0.2), "b": np.array([-1.0, 0.5, 4.0]), "c": np.array([0.3, 7.0])}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_transforms_invert_and_know_their_derivative(transform):
    value, step = np.array([0.3, 2.0, 70.0]), 1e-6
    value = value / 100 if transform.name == "logit" else value
    theta = transform.to_theta(value)
    assert_allclose(transform.to_constrained(theta), value, rtol=1e-14)
    change = transform.to_constrained(theta + step) - transform.to_constrained(theta - step)
    assert_allclose(transform.derivative(value), change / (2 * step), rtol=1e-8)
    slopes = [transform.derivative(transform.to_constrained(theta + s)) for s in (step, -step)]
    bend = (slopes[0] - slopes[1]) / (2 * step) / transform.derivative(value)
    assert_allclose(transform.bend(value), bend, rtol=1e-8, atol=1e-9)


def test_theta_and_hyperparams_are_inverse():
    space = Space(DIMENSIONS)
    theta = space.to_theta(HYPERPARAMS)
    assert theta.shape == (space.size,) == (6,)
    back = space.to_h(theta)
    assert list(back) == list(HYPERPARAMS)
    for name, value in HYPERPARAMS.items():
        assert back[name].shape == value.shape
        assert_allclose(back[name], value, rtol=1e-14)


def test_a_scalar_stands_for_all_entries():
    theta = Space(DIMENSIONS).to_theta({"a": 1.0, "b": 2.0, "c": 0.5})
    assert_allclose(theta, [0, 2, 2, 2, np.log(0.5), np.log(0.5)])


def test_bounds_are_one_row_per_entry():
    expected = [np.log([1e-3, 1e3]), *3 * [[-2, 5]], *2 * [np.log([0.1, 10])]]
    assert_allclose(Space(DIMENSIONS).bounds, expected)


@pytest.mark.parametrize(
    "bound",
    [*np.random.default_rng(0).uniform(1e-6, 1e6, 20), *(1 + np.logspace(-8, -1, 20))],
)
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_bounds_are_met_to_the_last_bit_and_never_passed(bound, scale):
    # exp(log(x)) is not x, and a bound that is missed by rounding may be outside a listed range.
    space = Space([Dimension("a", (), scale, bound, 2 * bound, bound)])
    ((low, high),) = space.bounds
    assert space.to_h([low])["a"] == bound
    assert space.to_h([high])["a"] == 2 * bound
    for theta in (low - 1e-12, np.nextafter(low, high), np.nextafter(high, low), high + 1e-12):
        assert bound <= space.to_h([theta])["a"] <= 2 * bound


def test_pullback_is_the_chain_rule():
    space, rng = Space(DIMENSIONS), np.random.default_rng(0)
    theta = space.to_theta(HYPERPARAMS)
    gradients = {name: rng.normal(size=np.shape(value)) for name, value in HYPERPARAMS.items()}

    def linear(theta):
        h = space.to_h(theta)
        return sum(np.sum(gradients[name] * h[name]) for name in h)

    step = 1e-6 * np.eye(space.size)
    expected = [(linear(theta + s) - linear(theta - s)) / 2e-6 for s in step]
    assert_allclose(space.pullback(theta, gradients), expected, rtol=1e-7)


def test_second_derivatives_of_some_rows_follow_the_chain_rule():
    space = Space([Dimension("a", (3, 2), "log", 1e-3, 1e3, 1.0)])
    rng, rows = np.random.default_rng(0), np.array([2, 0])
    theta, curvature = rng.normal(size=6), rng.normal(size=(3, 2, 2))
    curvature = curvature + curvature.transpose(0, 2, 1)

    def gradient(theta):
        """Of a quadratic function in every row."""
        a = space.to_h(theta)["a"]
        return space.pullback(theta, {"a": np.einsum("rij,rj->ri", curvature, a - 2)})

    found = space.pullback_of_curvature(theta, curvature[rows], gradient(theta), rows)
    step = 1e-6 * np.eye(6)
    whole = np.array([gradient(theta + s) - gradient(theta - s) for s in step]) / 2e-6
    expected = [whole[2 * row : 2 * row + 2, 2 * row : 2 * row + 2] for row in rows]
    assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_inputs_are_not_changed():
    space = Space(DIMENSIONS)
    theta = space.to_theta(HYPERPARAMS)
    before = theta.copy()
    h = space.to_h(theta)
    space.pullback(theta, h)
    h["b"][...] = 0
    assert_array_equal(theta, before)
