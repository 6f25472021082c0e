import numpy as np
import pytest
from sklearn.preprocessing import scale

from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor

N_SAMPLES, N_FEATURES = 40, 4


@pytest.fixture
def features():
    """``features()``: standardised columns."""
    rng = np.random.default_rng(0)
    return lambda: scale(rng.normal(size=(N_SAMPLES, N_FEATURES)))


@pytest.fixture
def targets():
    """``targets(kind)``: y of one kind, of as many samples."""

    def make(kind):
        rng = np.random.default_rng(1)
        if kind in ("squared", "two targets"):
            return rng.normal(size=(N_SAMPLES, 2) if kind == "two targets" else N_SAMPLES)
        if kind == "multilabel":
            return rng.integers(2, size=(N_SAMPLES, 3))
        return np.array(["a", "b", "c"])[
            rng.permutation(N_SAMPLES) % (3 if kind == "classes" else 2)
        ]

    return make


@pytest.fixture
def model_of():
    """``model_of(kind, ...)``: a small network for y of one kind."""

    def make(kind, **params):
        cls = MLPRegressor if kind in ("squared", "two targets") else MLPClassifier
        small = {"hidden_layer_sizes": 5, "n_steps": 7, "batch_size": 16, "random_state": 3}
        return cls(**{**small, **params})

    return make
