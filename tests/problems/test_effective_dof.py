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
