import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.problems import L2Penalty

# Features, outputs.
SHAPE = (4, 3)
RNG = np.random.default_rng(0)
VALUES = {
    "scalar": (np.array(0.3), None, np.zeros((1, 1), int)),
    "per output": (np.array([0.3, 5.0, 2.0]), None, np.arange(3)[None]),
    "per feature": (np.array([0.3, 5.0, 2.0, 1.0]), np.arange(4)[:, None], np.arange(4)[:, None]),
    "per feature, as a row": (RNG.uniform(1, 2, (1, 4)), np.arange(4)[:, None], None),
    "per coefficient": (RNG.uniform(1, 2, (3, 4)), np.arange(12).reshape(3, 4).T, None),
    "per group": (np.array([0.3, 5.0]), np.array([[0], [1], [1], [0]]), None),
    "absent group": (np.array([0.3, 5.0, 7.0]), np.array([[0], [1], [1], [0]]), None),
}


@pytest.fixture(params=[(name, inverse) for name in VALUES for inverse in (False, True)])
def case(request):
    name, inverse = request.param
    value, entries, _ = VALUES[name]
    penalty = L2Penalty("a", inverse=inverse, entries=entries)
    return penalty, {"a": value, "other": np.array(1.0)}


def strengths(penalty, h):
    return np.broadcast_to(penalty.strength(h), SHAPE)


@pytest.mark.parametrize("inverse", [False, True])
def test_strength_of_every_coefficient(inverse):
    for value, entries, index in VALUES.values():
        index = entries if index is None else index
        expected = np.broadcast_to(value.ravel()[index], SHAPE)
        penalty = L2Penalty("a", inverse=inverse, entries=entries)
        assert_allclose(strengths(penalty, {"a": value}), 1 / expected if inverse else expected)


@pytest.mark.parametrize(
    ("entries", "uniform"),
    [(None, True), (np.zeros((1, 2), int), True), (np.zeros((2, 1), int), False)],
)
def test_uniform_means_the_same_for_all_features(entries, uniform):
    assert L2Penalty("a", entries=entries).uniform == uniform


def test_cross_jvp_is_the_derivative_of_the_strength(case, five_point):
    penalty, h = case
    u = {"a": RNG.normal(size=h["a"].shape)}
    expected = five_point(lambda s: strengths(penalty, {"a": h["a"] + s * u["a"]}), 1e-4)
    assert_allclose(np.broadcast_to(penalty.cross_jvp(h, u), SHAPE), expected, rtol=1e-8)


def test_cross_vjp_is_its_transpose(case):
    penalty, h = case
    product = RNG.normal(size=SHAPE)
    u = {"a": RNG.normal(size=h["a"].shape)}
    pulled = penalty.cross_vjp(h, product)
    assert list(pulled) == ["a"]
    assert np.shape(pulled["a"]) == h["a"].shape
    assert_allclose(np.sum(pulled["a"] * u["a"]), np.sum(product * penalty.cross_jvp(h, u)))
