import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.problems import L2Penalty

SHAPE = (4, 3, 2)
VALUES = {"scalar": np.array(0.3), "per output": np.array([0.3, 5.0])}


@pytest.fixture(params=[(name, inverse) for name in VALUES for inverse in (False, True)])
def case(request):
    name, inverse = request.param
    return L2Penalty("a", inverse=inverse), {"a": VALUES[name], "other": np.array(1.0)}


def test_strength(case):
    penalty, h = case
    assert_allclose(penalty.strength(h), 1 / h["a"] if penalty.inverse else h["a"])


def test_cross_jvp_is_the_derivative_of_the_penalty_s_gradient(case, five_point):
    penalty, h = case
    rng = np.random.default_rng(0)
    w, u = rng.normal(size=SHAPE), {"a": rng.normal(size=h["a"].shape)}
    expected = five_point(lambda s: penalty.strength({"a": h["a"] + s * u["a"]}) * w, 1e-4)
    assert_allclose(penalty.cross_jvp(w, h, u), expected, rtol=1e-9)


def test_cross_vjp_is_its_transpose(case):
    penalty, h = case
    rng = np.random.default_rng(0)
    w, v = rng.normal(size=(2, *SHAPE))
    u = {"a": rng.normal(size=h["a"].shape)}
    pulled = penalty.cross_vjp(w, h, v)
    assert list(pulled) == ["a"]
    assert np.shape(pulled["a"]) == h["a"].shape
    assert_allclose(np.sum(pulled["a"] * u["a"]), np.sum(v * penalty.cross_jvp(w, h, u)))
