"""Preconditioners in the space of the rows: those of the Hessians, for fewer rows than weights."""

import dataclasses
import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from sklearn_hypergrad.losses import LogisticLoss
from sklearn_hypergrad.problems import L2Penalty, LinearProblem
from sklearn_hypergrad.problems.linear import curvature
from sklearn_hypergrad.problems.linear.curvature import (
    renewed,
    rows_pay,
)
from sklearn_hypergrad.problems.linear.design import Design
from sklearn_hypergrad.problems.linear.row_curvature import RowCurvature, RowInverse

pytestmark = pytest.mark.portable
N_SAMPLES, N_FEATURES, N_SPLITS, N_OUTPUTS = 8, 30, 3, 2


def make(*, thin=False, scaled=False, fit_intercept=True, origin=0.0):
    """``(design, weights, ridge)``; some rows belong to some splits only."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES)) + origin
    X = sparse.csr_array(X * (rng.uniform(size=X.shape) < 0.5)) if thin else X
    scales = rng.uniform(0.5, 2, (N_FEATURES, N_SPLITS)) if scaled else None
    weights = rng.uniform(0.1, 1, (N_SAMPLES, N_SPLITS, N_OUTPUTS))
    weights[[0, 3, 5], [0, 1, 2]] = 0
    design = Design(X, fit_intercept=fit_intercept, scales=scales)
    ridge = 10 ** rng.uniform(-3, 3, (design.shape[1], N_OUTPUTS))
    ridge[N_FEATURES:] = 0
    return design, weights, ridge


def hessian(design, weights, ridge, split, output):
    """The matrix, from products of the design with unit vectors."""
    units = np.zeros((design.shape[1], N_SPLITS, design.shape[1]))
    units[:, split] = np.eye(design.shape[1])
    A = design.product(units)[:, split]
    return A.T @ (weights[:, split, output, None] * A) + np.diag(ridge[:, output])


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("origin", [0.0, 1e2])
def test_inverses_are_those_of_the_hessians(thin, scaled, fit_intercept, origin):
    options = {"thin": thin, "scaled": scaled, "fit_intercept": fit_intercept, "origin": origin}
    design, weights, ridge = make(**options)
    kept = renewed(None, design, weights)
    assert isinstance(kept, RowCurvature)
    right = np.random.default_rng(1).normal(size=(design.shape[1], N_SPLITS, N_OUTPUTS))
    given = right.copy()
    solution = kept.factor(ridge).solve(right)
    assert_allclose(right, given, rtol=0)
    for split in range(N_SPLITS):
        for output in range(N_OUTPUTS):
            H = hessian(design, weights, ridge, split, output)
            back = H @ solution[:, split, output]
            size = np.abs(H).max() * np.abs(solution[:, split, output]).max()
            assert_allclose(back, right[:, split, output], rtol=0, atol=1e-11 * size)


def test_one_ridge_for_all_outputs():
    design, weights, ridge = make()
    right = np.random.default_rng(1).normal(size=(design.shape[1], N_SPLITS, N_OUTPUTS))
    same = np.repeat(ridge[:, :1], N_OUTPUTS, axis=1)
    found = RowInverse(design, weights, same).solve(right)
    for split in range(N_SPLITS):
        H = hessian(design, weights, same, split, 1)
        assert_allclose(found[:, split, 1], np.linalg.solve(H, right[:, split, 1]), rtol=1e-8)


@pytest.mark.parametrize("smallest", [0.0, 1e-13])
@pytest.mark.parametrize("features", [slice(4, 6), slice(0, N_FEATURES)])
def test_ridges_close_to_zero_take_few_conjugate_gradients(features, smallest):
    design, weights, ridge = make()
    ridge[:N_FEATURES] = 1.0
    ridge[features] = smallest
    inverse = renewed(None, design, weights).factor(ridge)
    assert isinstance(inverse, RowInverse)
    H = hessian(design, weights, ridge, 1, 0)
    # In the range of the Hessian, which may be singular.
    right = H @ np.random.default_rng(1).normal(size=len(H))

    def precondition(r):
        stacked = np.zeros((len(H), N_SPLITS, N_OUTPUTS))
        stacked[:, 1, 0] = r
        return inverse.solve(stacked)[:, 1, 0]

    # Named rtol since scipy 1.12.
    tol = "rtol" if "rtol" in inspect.signature(cg).parameters else "tol"
    # Most take 2 to 12, and one of them 13 or more with the kernels of some processors.
    options = {tol: 1e-8, "atol": 0.0, "maxiter": 24}
    x, status = cg(H, right, M=LinearOperator(H.shape, precondition), **options)
    assert status == 0
    assert_allclose(H @ x, right, rtol=0, atol=1e-7 * np.abs(right).max())


def test_when_rows_pay(monkeypatch):
    def pays(n_samples, n_features, n_splits, **more):
        X = sparse.random(n_samples, n_features, density=more.pop("density", 1.0), format="csr")
        return rows_pay(Design(X, fit_intercept=True, **more), n_splits)

    assert pays(20, 200, 5)
    assert not pays(200, 20, 5)
    # A matrix of the size of the features is never formed where rows are fewer.
    assert pays(199, 200, 5)
    assert pays(60, 200, 5, scales=np.ones((200, 5)))
    # Beyond, conjugate gradients take few operations on sparse data.
    monkeypatch.setattr(curvature, "MAX_SIZE", 100)
    assert pays(60, 200, 5)
    assert not pays(60, 200, 5, density=0.01)


def test_solutions_and_adjoints_do_not_depend_on_it(make_block, monkeypatch):
    block = make_block("binary", wide=True, weighted=True)
    block = dataclasses.replace(block, X=np.tile(block.X, 4))
    penalty = L2Penalty("C", inverse=True, entries=np.arange(160)[:, None])
    h = {"C": 10 ** np.random.default_rng(0).uniform(-3, 1, 160)}

    def solved():
        problem = LinearProblem(block, penalty, LogisticLoss(), fit_intercept=True)
        assert problem.factorises
        solution = problem.solve(h, None, 1e-9)
        right = problem.predict_vjp(np.ones_like(problem.predict(solution.w)))
        return solution.w, solution.inverse_hvp(right, None)[0]

    w, adjoint = solved()
    monkeypatch.setattr(curvature, "rows_pay", lambda *args: False)
    expected, other = solved()
    assert_allclose(w, expected, rtol=1e-6)
    assert_allclose(adjoint, other, rtol=1e-4, atol=1e-8 * np.abs(other).max())
