import numpy as np
import pytest
from scipy.sparse import csr_array

from sklearn_hypergrad.linear_model.penalties import WIDEST, Scaling, scalable


@pytest.mark.parametrize("form", [np.array, csr_array])
def test_the_penalty_and_the_predictions_are_kept(form):
    rng = np.random.default_rng(0)
    X, strengths = rng.normal(size=(5, 4)), np.array([0.1, np.inf, 20.0, 3.0])
    scaling = Scaling(strengths)
    u = rng.normal(size=(2, 3))
    w = scaling.coefficients(u)
    finite = np.isfinite(strengths)
    np.testing.assert_allclose(scaling.features(form(X)) @ u.T, X @ w.T)
    penalty = np.sum(strengths[finite] * w[:, finite] ** 2)
    np.testing.assert_allclose(penalty, scaling.reference * np.sum(u**2))
    np.testing.assert_allclose(scaling.scaled(w), u)
    assert np.all(w[:, 1] == 0)


def test_the_reference_is_the_geometric_mean():
    assert Scaling(np.array([2.0, 8.0, np.inf])).reference == pytest.approx(4.0)
    assert Scaling(np.full(7, 0.3)).reference == 0.3


def test_without_features_one_of_zeros_is_left():
    scaling = Scaling(np.full(3, np.inf))
    assert scaling.features(np.ones((2, 3))).tolist() == [[0.0], [0.0]]
    assert scaling.coefficients(np.array([[5.0]])).tolist() == [[0.0, 0.0, 0.0]]
    assert scaling.scaled(np.array([[1.0, 2.0, 3.0]])).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("strengths", "iterative", "direct"),
    [
        ([1.0, 2.0, np.inf], True, True),
        ([np.inf, np.inf], True, True),
        ([1.0, 0.0], False, False),
        ([1.0, WIDEST["iterative"]], True, True),
        ([1.0, WIDEST["direct"]], False, True),
        ([1.0, 2 * WIDEST["direct"]], False, False),
        ([1e-300, 1e300], False, False),
    ],
)
def test_what_can_be_scaled(strengths, iterative, direct):
    assert scalable(np.array(strengths)) == iterative
    assert scalable(np.array(strengths), "direct") == direct
