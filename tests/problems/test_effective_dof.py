import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad import losses
from sklearn_hypergrad.problems import (
    DualRidge,
    GramRidge,
    L2Penalty,
    LinearProblem,
    SplitData,
    effective_dof,
)
from sklearn_hypergrad.problems.linear import penalty as module

pytestmark = pytest.mark.portable
MAKERS = {
    "gram": lambda *args, **more: GramRidge(*args, **more),
    "dual": lambda *args, **more: DualRidge(*args, **more),
    "linear": lambda block, penalty, **more: LinearProblem(
        block, penalty, losses.HalfSquaredError(), **more
    ),
}


def solved(make, block, a):
    block = dataclasses.replace(
        block, trains=block.trains[:1], tests=block.tests[:1], weights=block.weights[:1]
    )
    penalty = L2Penalty("a", entries=np.arange(len(a))[:, None])
    problem = make(block, penalty, fit_intercept=True)
    return block, problem, problem.solve({"a": a}, None, 1e-12), penalty.strength({"a": a})


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_it_is_the_trace_of_the_hat_matrix(make_block, name, wide):
    block = make_block(wide=wide)
    a = np.random.default_rng(0).uniform(0.5, 5, block.X.shape[1])
    block, problem, solution, strength = solved(MAKERS[name], block, a)
    X = block.X[block.trains[0]] - block.X[block.trains[0]].mean(axis=0)
    hat = X @ np.linalg.solve(X.T @ X + np.diag(a), X.T)
    found = effective_dof(problem, solution, strength)
    assert found.shape == (len(a), 1)
    assert_allclose(found.sum(), np.trace(hat), rtol=1e-9)


def test_many_weights_are_estimated(make_block, monkeypatch):
    block = make_block(wide=True)
    a = np.full(block.X.shape[1], 2.0)
    _, *arguments = solved(MAKERS["gram"], block, a)
    exact = effective_dof(*arguments).sum()
    monkeypatch.setattr(module, "MAX_EXACT", 3)
    assert_allclose(effective_dof(*arguments).sum(), exact, rtol=0.1)


@pytest.mark.parametrize("of_classes", [False, True])
def test_classes_have_a_common_shift(of_classes):
    """A shift of all classes changes no loss, and is held by the penalty alone."""
    rng, (n_samples, n_features, k) = np.random.default_rng(0), (30, 3, 4)
    X, rows = rng.normal(size=(n_samples, n_features)), np.arange(n_samples)
    y, ones = np.eye(k)[rng.integers(k, size=n_samples)], np.ones(n_samples)
    block = SplitData(X=X, y=y, trains=[rows], tests=[rows], weights=[ones], score_weight=ones)
    a = rng.uniform(0.5, 5, (n_features, k if of_classes else 1))
    penalty = L2Penalty("a", entries=np.arange(a.size).reshape(a.shape))
    problem = LinearProblem(block, penalty, losses.MultinomialLoss(), fit_intercept=True)
    solution = problem.solve({"a": a}, None, 1e-10)
    X1, z = np.column_stack([X, ones]), problem.predict(solution.w)[:, 0]
    P = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    curvature = np.einsum("ik,kl->ikl", P, np.eye(k)) - np.einsum("ik,il->ikl", P, P)
    hessian = np.einsum("ij,ikl,im->jkml", X1, curvature, X1).reshape(X1.shape[1] * k, -1)
    strength = np.broadcast_to(a, (n_features, k))
    ridge = np.diag(np.append(strength.ravel(), np.zeros(k)))
    inverse = np.diag(np.linalg.pinv(hessian + ridge))[: n_features * k].reshape(n_features, k)
    found = effective_dof(problem, solution, penalty.strength({"a": a}))
    assert_allclose(found, 1 - strength * inverse, rtol=1e-5)
