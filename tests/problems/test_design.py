import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sklearn_hypergrad.problems.linear import design
from sklearn_hypergrad.problems.linear.design import Design, as_slice

N, P, S, K = 13, 4, 3, 2
FORMS = {
    "dense": lambda X: X,
    "fortran": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "sparse": sparse.csr_array,
    "sparse float32": lambda X: sparse.csr_matrix(X.astype(np.float32)),
}


@pytest.fixture(params=[False, True], ids=["whole", "chunks"])
def small(request, monkeypatch):
    """With chunks of three rows, and sparse ones of a few."""
    if request.param:
        monkeypatch.setattr(design, "CHUNK", 3 * P)
        monkeypatch.setattr(design, "SPARSE_CHUNK", 7)


@pytest.fixture(params=FORMS)
def data(request):
    """``(X, the same dense)``, exact in all forms."""
    rng = np.random.default_rng(0)
    X = rng.integers(-8, 8, size=(N, P)) * (rng.uniform(size=(N, P)) < 0.7) / 4
    return FORMS[request.param](X), X


def augmented(dense, scales, split, intercept):
    X = dense if scales is None else dense * scales[:, split]
    return np.c_[X, np.ones(N)] if intercept else X


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_products_are_those_of_the_scaled_features(data, intercept, scaled):
    X, dense = data
    rng = np.random.default_rng(1)
    scales = rng.uniform(0.5, 2, (P, S)) if scaled else None
    found = Design(X, fit_intercept=intercept, scales=scales)
    assert found.shape == (N, P + intercept)
    w, v = rng.normal(size=(P + intercept, S, K)), rng.normal(size=(N, S, K))
    z, pulled, squares = found.product(w), found.pull(v), found.squares(v)
    grams = found.grams(np.tile(found.gram(v[:, 0, 0] ** 2, np.arange(N)), (S, 1, 1, 1)))
    for split in range(S):
        own = augmented(dense, scales, split, intercept)
        assert_allclose(z[:, split], own @ w[:, split], atol=1e-12)
        assert_allclose(pulled[:, split], own.T @ v[:, split], atol=1e-12)
        assert_allclose(squares[:, split], (own**2).T @ v[:, split], atol=1e-12)
        expected = (own * v[:, 0, [0]] ** 2).T @ own
        assert_allclose(grams[split, 0], expected, atol=1e-12)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("form", ["dense", "float32"])
def test_features_far_from_zero_are_centred(form):
    rng = np.random.default_rng(0)
    near = rng.integers(-8, 8, size=(N, P)) / 4
    X = FORMS[form](near + 1024.0)
    found = Design(X, fit_intercept=True)
    assert_allclose(found.origin, X.mean(axis=0, dtype=float))
    w = rng.normal(size=(P + 1, S, K))
    expected = (near + 1024 - found.origin) @ w[:-1].transpose(1, 0, 2) + w[-1][:, None]
    assert_allclose(found.product(w), expected.transpose(1, 0, 2), rtol=1e-12, atol=1e-12)
    intercept = w[-1] - np.tensordot(found.origin, w[:-1], 1)
    assert_allclose(found.intercept_at_origin(w), intercept)
    rows = np.array([5, 1, 2])
    own = np.c_[near[rows] + 1024 - found.origin, np.ones(3)]
    assert_allclose(found.gram(np.ones(3), rows), own.T @ own, rtol=1e-12)
    assert Design(X, fit_intercept=False).origin is None
    assert Design(near, fit_intercept=True).origin is None


@pytest.mark.usefixtures("small")
def test_data_are_not_copied():
    X = np.random.default_rng(0).normal(size=(N, P))
    (_, part), *_ = Design(X, fit_intercept=True)._parts()
    assert np.shares_memory(part.X, X)
    thin = sparse.csr_matrix(X)
    for _, part in Design(thin, fit_intercept=True)._parts():
        assert np.shares_memory(part.X.data, thin.data)
        assert np.shares_memory(part.X.indices, thin.indices)
        assert np.shares_memory(part.transposed.data, thin.data)


def test_entries_that_come_twice_are_summed_first():
    X = sparse.csr_matrix(([1.0, -1.0, 3.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    before = X.data.copy()
    found = Design(X, fit_intercept=False)
    assert_allclose(found.squares(np.ones((2, 1, 1))).ravel(), [0, 9])
    assert np.array_equal(X.data, before)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([2, 3, 4], slice(2, 5)),
        ([2, 4, 3], None),
        ([2, 2, 4], None),
        ([3, 2], None),
        ([], None),
        ([7], slice(7, 8)),
    ],
)
def test_rows_in_a_row_are_a_slice(rows, expected):
    rows = np.array(rows, dtype=int)
    found = as_slice(rows)
    assert found == expected if expected else found is rows
