import numpy as np
import pytest
from scipy.sparse import csr_array


@pytest.fixture(scope="session")
def features():
    """``features(sparse)``: 60 rows of 6 features on different scales, the same in both forms."""

    def make(sparse=False):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(60, 6)) * (rng.uniform(size=(60, 6)) < 0.7)
        X = (X + 0.2 * (X != 0)) * np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.0])
        return csr_array(X) if sparse else X

    return make


@pytest.fixture(scope="session")
def targets(features):
    """``targets(k)``: of shape (60,) for None, else (60, k), with means away from zero."""

    def make(k=None):
        rng = np.random.default_rng(1)
        w = rng.normal(size=(6, k or 1))
        y = features() @ w + 3 + rng.normal(size=(60, k or 1))
        return y[:, 0] if k is None else y

    return make


@pytest.fixture(scope="session")
def labels(features):
    """``labels(n_classes)``: strings, with every class overlapping the others."""

    def make(n_classes):
        rng = np.random.default_rng(2)
        scores = features() @ rng.normal(size=(6, n_classes)) + 2 * rng.normal(size=(60, n_classes))
        return np.array(["a", "b", "c", "d"])[np.argmax(scores, axis=1)]

    return make


@pytest.fixture(scope="session")
def weights():
    """``weights(weighted)``: None, or one weight per row, zeros among them."""

    def make(weighted=True):
        rng = np.random.default_rng(3)
        return rng.integers(0, 4, size=60) * 0.7 if weighted else None

    return make
