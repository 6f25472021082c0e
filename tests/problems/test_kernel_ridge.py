import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from sklearn_hypergrad.problems import KernelRidge, L2Penalty
from sklearn_hypergrad.problems.linear import row_kernels
from sklearn_hypergrad.threads import one_blas_thread

pytestmark = pytest.mark.portable


def solved(block, alpha):
    problem = KernelRidge(block, L2Penalty("alpha"), fit_intercept=True)
    return problem, problem.solve({"alpha": np.array(alpha)}, None, 1e-10).w


@pytest.mark.parametrize("splits", ["kfold", "overlapping", "time", "bootstrap"])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("alpha", [1e-9, 1.0, 1e6])
def test_solutions_are_those_of_sklearn(make_block, splits, thin, dtype, alpha):
    block = make_block(wide=True, thin=thin, weighted=True, splits=splits, n_outputs=2)
    block = dataclasses.replace(block, X=block.X.astype(dtype))
    X = (block.X.toarray() if thin else block.X).astype(float)
    problem, w = solved(block, alpha)
    coef, intercept = problem.coefficients(w)
    for split, (train, weight) in enumerate(zip(block.trains, block.weights, strict=True)):
        model = Ridge(alpha, solver="svd").fit(X[train], block.y[train], weight)
        # With repeated rows the smallest eigenvalues are rounding errors.
        rtol = 1e-5 if splits == "bootstrap" else 1e-7
        found = X @ coef[split].T + intercept[split]
        assert_allclose(found, model.predict(X), rtol=rtol)
        assert_allclose(problem.predict(w)[:, split], found, rtol=1e-8)


def test_columns_and_threads_change_no_digits(make_block, monkeypatch):
    block = make_block(wide=True)
    problem, expected = solved(block, 0.5)
    monkeypatch.setattr(row_kernels, "COLUMNS", 7)
    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        _, found = solved(block, 0.5)
    assert_allclose(found, expected, rtol=1e-10)


def test_offsets_of_wide_data(make_block):
    block = make_block(wide=True)
    near = dataclasses.replace(block, X=(block.X + 2.0**20) - 2.0**20)
    far = dataclasses.replace(block, X=near.X + 2.0**20)
    found = [problem.predict(w) for problem, w in (solved(near, 0.5), solved(far, 0.5))]
    assert_allclose(*found, rtol=1e-9)


def test_sparse_float32_is_multiplied_in_float64():
    X = sparse.random(6, 40, density=0.5, random_state=0, format="csr", dtype=np.float32)
    expected = X.toarray().astype(float)
    found = row_kernels.row_kernel(X, np.zeros(40))
    assert found.dtype == float
    assert_allclose(found, expected @ expected.T, rtol=1e-14)
