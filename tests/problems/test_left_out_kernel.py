"""One eigendecomposition for all splits: the solutions and hypergradients of split after split."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, LeaveOneOut, RepeatedKFold

from sklearn_hypergrad.adapters.ridge import RidgeModel
from sklearn_hypergrad.problems import VALIDATION_LOSSES, KernelRidge, L2Penalty
from sklearn_hypergrad.problems.ridge import left_out_kernel
from sklearn_hypergrad.problems.ridge.left_out_kernel import LeftOut, LeftOutKernel

pytestmark = pytest.mark.portable
# Penalties of the two targets.
ALPHA = np.array([0.7, 20.0])


def with_splits(block, splits, weight):
    trains, tests = zip(*splits, strict=True)
    weights = [weight[train] for train in trains]
    return dataclasses.replace(block, trains=list(trains), tests=list(tests), weights=weights)


def make(make_block, name, *, thin=False):
    block = make_block(wide=True, weighted=True, n_outputs=2, thin=thin)
    rows, weight = np.arange(24), np.random.default_rng(1).uniform(0.5, 2, 24)
    if name == "repeated":
        cv = RepeatedKFold(n_splits=6, n_repeats=2, random_state=0)
        return with_splits(block, cv.split(rows), weight)
    if name == "one out":
        return with_splits(block, LeaveOneOut().split(rows), weight)
    if name == "some rows in no part":
        splits = [
            (np.setdiff1d(rows[:-1], rows[i : i + 3]), rows[i : i + 3]) for i in range(0, 21, 3)
        ]
        return with_splits(block, splits, weight)
    if name == "zero weights":
        weight[[3, 17]] = 0
    return with_splits(block, KFold(6, shuffle=True, random_state=0).split(rows), weight)


SPLITS = ["folds", "repeated", "one out", "some rows in no part", "zero weights"]


def problems(block, *, fit_intercept=True, entries=None):
    """The problem that shares eigenvectors, and one that decomposes split after split."""
    penalty = L2Penalty("alpha", entries=entries)
    shared, apart = (KernelRidge(block, penalty, fit_intercept=fit_intercept) for _ in range(2))
    assert shared._shared is not None
    apart._shared = None
    return shared, apart


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("thin", [False, True])
def test_solutions_are_those_of_each_split(make_block, name, fit_intercept, thin):
    block = make(make_block, name, thin=thin)
    shared, apart = problems(block, fit_intercept=fit_intercept, entries=np.arange(2)[None])
    h = {"alpha": ALPHA}
    found, expected = shared.solve(h, None, 1e-6), apart.solve(h, None, 1e-6)
    assert_allclose(found.w, expected.w, rtol=1e-9, atol=1e-12)
    right = np.random.default_rng(0).normal(size=found.w.shape)
    right[~(shared._gathered(shared._rows.root[:, :, None]) > 0)[:, :, 0]] = 0
    solved, status = found.inverse_hvp(right, None)
    assert_allclose(solved, expected.inverse_hvp(right, None)[0], rtol=1e-9, atol=1e-12)
    assert_allclose(apart.hvp(None, h, solved), right, rtol=1e-9, atol=1e-11)
    assert_allclose(shared.level, apart.level, rtol=1e-12)


def test_predictions_of_the_rows_left_out_are_those_of_scikit_learn(make_block):
    block = make(make_block, "repeated")
    shared, _ = problems(block)
    z, _ = shared.held_out({"alpha": np.array(3.0)})
    expected = []
    for train, test, weight in zip(block.trains, block.tests, block.weights, strict=True):
        fitted = Ridge(3.0).fit(block.X[train], block.y[train], weight)
        expected.append(fitted.predict(block.X[test]))
    assert_allclose(z, np.concatenate(expected), rtol=1e-10)


def evaluations(block, alpha, entries, **options):
    loss = VALIDATION_LOSSES["r2" if len(block.tests[0]) > 1 else "squared_error"]
    for problem in problems(block, entries=entries, **options):
        model = RidgeModel(problem, block).judged_by(loss)
        yield model.evaluate({"alpha": alpha}, None, 1e-6)


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("alpha", [np.array(2.0), ALPHA], ids=["one", "per target"])
def test_hypergradients_are_those_of_each_split(make_block, five_point, name, alpha):
    entries = None if alpha.ndim == 0 else np.arange(2)[None]
    block = make(make_block, name)
    found, expected = evaluations(block, alpha, entries)
    assert_allclose(found.values, expected.values, rtol=1e-10)
    assert_allclose(found.gradient["alpha"], expected.gradient["alpha"], rtol=1e-8)
    assert found.statuses == expected.statuses
    assert found.n_solves == expected.n_solves
    direction = np.full(alpha.shape, 0.3)

    def value(step):
        return next(evaluations(block, alpha + step * direction, entries)).values.sum()

    slope = np.sum(found.gradient["alpha"] * direction)
    assert_allclose(slope, five_point(value, 1e-2), rtol=1e-6)


def test_the_check_rejects_a_slope_that_is_wrong_by_a_thousandth(make_block, monkeypatch):
    slopes = LeftOut.slopes
    monkeypatch.setattr(LeftOut, "slopes", lambda *args: 1.001 * slopes(*args))
    found, expected = evaluations(make(make_block, "folds"), np.array(2.0), None)
    with pytest.raises(AssertionError):
        assert_allclose(found.gradient["alpha"], expected.gradient["alpha"], rtol=1e-8)


def test_penalties_close_to_rounding_errors_are_solved_split_by_split(make_block):
    block = make(make_block, "folds")
    X = block.X.copy()
    X[12:] = X[:12]
    singular = dataclasses.replace(block, X=X)
    for data, smallest in ((block, 1e-6), (singular, 1e-3)):
        shared, apart = problems(data)
        for alpha in 10.0 ** np.arange(-14, 4):
            h = {"alpha": np.array(alpha)}
            assert alpha < smallest or shared.held_out(h) is not None
            # Where the kernel is singular, only predictions are determined.
            found, expected = (p.predict(p.solve(h, None, 1e-6).w) for p in (shared, apart))
            assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    assert shared.held_out({"alpha": np.array(1e-9)}) is None


def test_when_decompositions_of_splits_are_kept(make_block):
    shared, _ = problems(make(make_block, "folds"))
    assert LeftOutKernel.pays(shared._rows)
    # Halves leave out too many rows, and weights may differ between splits.
    halves = make(make_block, "folds")
    rows = np.arange(24)
    halves = with_splits(halves, [(rows[:12], rows[12:]), (rows[12:], rows[:12])], np.ones(24))
    other = make(make_block, "folds")
    other = dataclasses.replace(other, weights=[other.weights[0] * 2, *other.weights[1:]])
    for block in (halves, other):
        problem = KernelRidge(block, L2Penalty("alpha"), fit_intercept=True)
        assert problem._shared is None
        assert problem.held_out({"alpha": np.array(1.0)}) is None
    # Training rows are not among those left out.
    inside = make(make_block, "folds")
    inside = dataclasses.replace(inside, tests=inside.trains)
    problem = KernelRidge(inside, L2Penalty("alpha"), fit_intercept=True)
    assert problem._shared is not None
    assert problem.held_out({"alpha": np.array(1.0)}) is None


def test_rounding_errors_are_what_the_limit_says(make_block):
    """Predictions at the smallest penalty that counts as accurate, against longer arithmetic."""
    block = with_splits(make_block(wide=True), KFold(6).split(np.arange(24)), np.ones(24))
    shared, _ = problems(block)
    kernel = shared._shared
    largest = kernel.eigenvalues[-1]
    alpha = 2 * left_out_kernel.LEAST * largest
    z, _ = shared.held_out({"alpha": np.array(alpha)})
    train, test = block.trains[0], block.tests[0]
    X = block.X.astype(np.longdouble)
    mean = X[train].mean(axis=0)
    Z, centre = X[train] - mean, block.y[train].mean()
    gram = np.array(Z @ Z.T + alpha * np.eye(len(train), dtype=np.longdouble))
    # Newton's refinement of a double precision solution in longer arithmetic.
    right, x = (block.y[train] - centre).astype(np.longdouble), 0
    for _ in range(20):
        left = (right - gram @ x) if np.ndim(x) else right
        x = x + np.linalg.solve(gram.astype(float), left.astype(float))
    expected = (X[test] - mean) @ (Z.T @ x) + centre
    assert_allclose(z[: len(test)], expected.astype(float), rtol=1e-8)
