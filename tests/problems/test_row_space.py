import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import Ridge

from sklearn_hypergrad.adapters.base import narrowed
from sklearn_hypergrad.problems import to_row_space

pytestmark = pytest.mark.portable


def wide(thin=False, dtype=float):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 30)) + 0.5
    X *= rng.uniform(size=X.shape) < 0.5
    return sparse.csr_array(X.astype(dtype)) if thin else X.astype(dtype)


def kernel(X, center):
    X = (X.toarray() if sparse.issparse(X) else X).astype(float)
    X = X - X.mean(axis=0) if center else X
    return X @ X.T


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize(
    ("thin", "dtype"),
    [
        (False, np.float64),
        (False, np.float32),
        (True, np.float64),
        (True, np.float32),
    ],
)
def test_inner_products_are_kept_in_at_most_as_many_columns_as_rows(thin, dtype, center):
    X = wide(thin, dtype)
    before = X.copy()
    Z = to_row_space(X, center=center)
    # Centred rows sum to zero, which takes one dimension.
    assert Z.shape == (10, 9 if center else 10)
    assert Z.dtype == np.float64
    expected = kernel(X, center)
    assert_allclose(Z @ Z.T, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    assert (X != before).sum() == 0


@pytest.mark.parametrize("center", [False, True])
def test_a_penalised_model_predicts_the_same(center):
    X, train, test = wide(), np.arange(7), np.arange(7, 10)
    y, Z = np.random.default_rng(1).normal(size=10), to_row_space(X, center=center)
    predictions = [
        Ridge(alpha=2.0, fit_intercept=center).fit(A[train], y[train]).predict(A[test])
        for A in (X, Z)
    ]
    assert_allclose(*predictions, rtol=1e-10)


def test_a_large_offset_costs_dense_data_no_digits_if_it_is_centred():
    X = wide()
    expected = kernel(X, True)
    Z = to_row_space(X + 2.0**20, center=True)
    assert_allclose(Z @ Z.T, expected, atol=1e-8 * np.abs(expected).max())


def test_dimensions_without_variation_are_dropped():
    X = wide()
    X[5:] = X[:5]
    assert to_row_space(X, center=False).shape == (10, 5)


@pytest.mark.parametrize("thin", [False, True])
def test_nothing_is_one_column_of_zeros(thin):
    X = np.zeros((4, 6))
    Z = to_row_space(sparse.csr_array(X) if thin else X, center=True)
    assert_array_equal(Z, np.zeros((4, 1)))


# Few entries stay if there are many rows, and too many features to factorise a matrix of them.
@pytest.mark.parametrize(
    ("shape", "density", "narrower"),
    [
        ((320, 2500), 0.01, False),
        ((320, 2500), 0.2, True),
        ((320, 1500), 0.01, True),
        ((80, 2500), 0.01, True),
    ],
)
def test_sparse_data_stay_sparse_where_that_is_less_work(make_block, shape, density, narrower):
    block = make_block("binary", wide=True, thin=True)
    X = sparse.random(*shape, density=density, random_state=0, format="csr")
    found = narrowed(dataclasses.replace(block, X=X), center=False, most=1000).X
    assert (found is not X) == narrower
    if narrower:
        assert_allclose(found @ found.T, (X @ X.T).toarray(), atol=1e-10)
