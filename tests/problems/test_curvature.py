import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sklearn_hypergrad.problems.linear import curvature
from sklearn_hypergrad.problems.linear.curvature import (
    CurvatureDiagonal,
    CurvatureGram,
    Patterns,
    Secants,
    renewed,
)
from sklearn_hypergrad.problems.linear.design import Design

pytestmark = pytest.mark.portable
N_SAMPLES, N_WEIGHTS, N_SPLITS, N_OUTPUTS = 12, 4, 3, 2


@pytest.fixture(params=[False, True], ids=["dense", "sparse"])
def data(request):
    """``(design, X dense, curvature weights)``."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SAMPLES, N_WEIGHTS)) * (rng.uniform(size=(N_SAMPLES, N_WEIGHTS)) < 0.7)
    weights = rng.uniform(0.1, 1, (N_SAMPLES, N_SPLITS, N_OUTPUTS))
    return Design(sparse.csr_array(X) if request.param else X, fit_intercept=False), X, weights


def check_inverse(kept, dense, weights):
    """``kept`` factorises ``X' D X + ridge`` for every split and output."""
    rng = np.random.default_rng(1)
    ridge = rng.uniform(0.5, 2, (N_WEIGHTS, N_OUTPUTS))
    right = rng.normal(size=(N_WEIGHTS, N_SPLITS, N_OUTPUTS))
    solution = kept.factor(ridge).solve(right)
    for split in range(N_SPLITS):
        for output in range(N_OUTPUTS):
            gram = dense.T @ (weights[:, split, [output]] * dense)
            hessian = gram + np.diag(ridge[:, output])
            expected = np.linalg.solve(hessian, right[:, split, output])
            assert_allclose(solution[:, split, output], expected, rtol=100 * curvature.JITTER)


def test_small_problems_have_a_matrix_per_split_and_output(data):
    X, dense, weights = data
    kept = renewed(None, X, weights)
    assert isinstance(kept, CurvatureGram)
    check_inverse(kept, dense, weights)
    # The Gram matrix is not used up by a factor: another penalty takes it again.
    check_inverse(kept, dense, weights)


def test_larger_problems_share_the_matrix_of_the_mean(data, monkeypatch):
    monkeypatch.setattr(curvature, "MAX_OWN", 0)
    X, dense, weights = data
    kept = renewed(None, X, weights)
    assert kept.gram.shape == (1, N_OUTPUTS, N_WEIGHTS, N_WEIGHTS)
    mean = np.broadcast_to(weights.mean(axis=1, keepdims=True), weights.shape)
    check_inverse(kept, dense, mean)


def test_problems_too_large_to_factorise_keep_the_diagonal(data, monkeypatch):
    monkeypatch.setattr(curvature, "MAX_SIZE", N_WEIGHTS - 1)
    X, dense, weights = data
    kept = renewed(None, X, weights)
    assert isinstance(kept, CurvatureDiagonal)
    assert_allclose(kept.squares, np.einsum("ij,isk->jsk", dense**2, weights))


@pytest.mark.parametrize(("largest", "own"), [(2000, 0), (0, 0)], ids=["shared", "diagonal"])
def test_formed_again_only_when_the_curvature_has_changed(data, monkeypatch, largest, own):
    monkeypatch.setattr(curvature, "MAX_SIZE", largest)
    monkeypatch.setattr(curvature, "MAX_OWN", own)
    X, _, weights = data
    kept = renewed(None, X, weights)
    assert renewed(kept, X, weights * (1 + 0.9 * curvature.STALE)) is kept
    # Half of the rows rise and the others fall, which no common factor does.
    moved = weights * (1 + 3 * curvature.STALE * np.resize([1, -1], (N_SAMPLES, 1, 1)))
    again = renewed(kept, X, moved)
    assert again is not kept
    assert renewed(again, X, moved) is again


@pytest.mark.parametrize("factor", [1e-3, 0.3, 2.0])
def test_a_common_factor_of_the_curvature_is_one_of_the_matrix(data, monkeypatch, factor):
    X, dense, weights = data
    kept = renewed(None, X, weights)
    monkeypatch.setattr(Design, "gram", None)
    again = renewed(kept, X, factor * weights)
    check_inverse(again, dense, factor * weights)
    assert renewed(again, X, factor * weights) is again


def test_how_much_the_curvature_may_change_is_up_to_the_caller(data):
    X, _, weights = data
    kept = renewed(None, X, weights)
    moved = weights * (1 + 3 * curvature.STALE * np.resize([1, -1], (N_SAMPLES, 1, 1)))
    assert renewed(kept, X, moved, stale=4 * curvature.STALE) is kept
    assert renewed(kept, X, moved, stale=2 * curvature.STALE) is not kept


def test_curvature_that_has_vanished_is_formed_again(data):
    X, dense, weights = data
    kept = renewed(None, X, 0 * weights)
    check_inverse(renewed(kept, X, weights), dense, weights)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_matrices_of_folds_are_sums_over_the_others(make_block, thin, intercept, scaled):
    block = make_block(thin=thin)
    X = block.X.toarray() if thin else block.X
    rng = np.random.default_rng(0)
    scales = rng.uniform(0.5, 2, (X.shape[1], block.n_splits)) if scaled else None
    design = Design(block.X, fit_intercept=intercept, scales=scales)
    trained = block.row_weights() > 0
    patterns = Patterns.of(trained)
    assert len(patterns.rows) == block.n_splits
    curved = rng.uniform(0.5, 1, (len(X), 1, N_OUTPUTS))
    kept = renewed(None, design, curved * trained[:, :, None], patterns)
    for split in range(block.n_splits):
        own = X if scales is None else X * scales[:, split]
        own = np.c_[own, np.ones(len(X))] if intercept else own
        for output in range(N_OUTPUTS):
            weight = curved[:, 0, output] * trained[:, split]
            expected = (own * weight[:, None]).T @ own
            assert_allclose(kept.gram[split, output], expected, rtol=1e-12, atol=1e-12)


def test_patterns_are_told_where_they_are_few(make_block):
    assert Patterns.of(make_block(splits="repeated").row_weights() > 0).member.shape == (4, 4)
    assert Patterns.of(make_block(splits="bootstrap").row_weights() > 0) is None
    assert Patterns.of(np.ones((5, 63), dtype=bool)) is None


def test_rows_that_no_split_trains_on_have_no_pattern():
    patterns = Patterns.of(np.array([[True, False], [False, False], [True, True]]))
    assert [rows.tolist() for rows in patterns.rows] == [[0], [2]]
    assert patterns.member.tolist() == [[1, 1], [0, 1]]


def test_small_steps_do_not_add_up_unnoticed(data, monkeypatch):
    monkeypatch.setattr(curvature, "MAX_OWN", 0)
    # Compared is with what was formed, not with what was seen last.
    X, _, weights = data
    kept = renewed(None, X, weights)
    steps = [
        renewed(kept, X, weights * (1 + 0.4 * curvature.STALE * step)) is kept for step in range(4)
    ]
    assert steps == [True, True, True, False]


@pytest.fixture
def hessians():
    """``(H, P)``: Hessians of two splits, and inverses near those of ``H + 1``."""
    rng = np.random.default_rng(3)
    roots, noise = rng.normal(size=(2, 9, N_WEIGHTS)), 0.1 * rng.normal(size=(2, 9, N_WEIGHTS))
    near = roots + noise
    identity = np.eye(N_WEIGHTS)
    return np.matmul(roots.swapaxes(1, 2), roots), np.linalg.inv(
        np.matmul(near.swapaxes(1, 2), near) + identity
    )


def stacked(matrices):
    """The product of one matrix per split with weights."""
    return lambda v: np.einsum("sij,jsk->isk", matrices, v)


def learned(hessians, n_steps):
    """Secants of random steps; the second split has not moved in the last one."""
    secants, rng = Secants(), np.random.default_rng(5)
    steps = rng.normal(size=(n_steps, N_WEIGHTS, 2, 1))
    steps[-1, :, 1] = 0
    for step in steps:
        secants.learn(step, stacked(hessians)(step))
    return secants, steps


def test_known_products_correct_an_inverse(hessians):
    H, P = hessians
    ridge = np.ones((N_WEIGHTS, 1, 1))
    secants, steps = learned(H, 3)
    corrected = secants.corrected(stacked(P), ridge)
    product = stacked(H + np.eye(N_WEIGHTS))
    # The last step is inverted exactly, by a symmetric positive definite matrix.
    assert_allclose(corrected(product(steps[-1])), steps[-1], rtol=1e-12, atol=1e-13)
    units = np.eye(N_WEIGHTS)
    matrices = np.stack([corrected(units[:, [i, i], None]) for i in range(N_WEIGHTS)], axis=1)
    for split in range(2):
        matrix = matrices[:, :, split, 0]
        assert_allclose(matrix, matrix.T, atol=1e-13)
        assert np.linalg.eigvalsh(matrix).min() > 0
    # A split that has not moved is not corrected by that.
    others = Secants(secants._pairs[:2]).corrected(stacked(P), ridge)
    right = np.random.default_rng(6).normal(size=(N_WEIGHTS, 2, 1))
    assert_allclose(corrected(right)[:, 1], others(right)[:, 1], rtol=1e-12)
    assert not np.allclose(corrected(right)[:, 0], others(right)[:, 0], rtol=1e-3)
    assert_allclose(others(product(steps[1])), steps[1], rtol=1e-12, atol=1e-13)


def test_every_ridge_has_corrections_of_its_own(hessians):
    """What is kept for one ridge is not used for another one, whichever comes first."""
    H, P = hessians
    secants, steps = learned(H, 3)
    one, ten = (size * np.ones((N_WEIGHTS, 1, 1)) for size in (1.0, 10.0))
    right = np.random.default_rng(6).normal(size=(N_WEIGHTS, 2, 1))
    found = [secants.corrected(stacked(P), ridge)(right) for ridge in (one, ten, one)]
    alone = [learned(H, 3)[0].corrected(stacked(P), ridge)(right) for ridge in (one, ten)]
    np.testing.assert_array_equal(found, [*alone, alone[0]])
    assert not np.allclose(found[0], found[1])
    # Another step leaves what is known of those before.
    secants.learn(steps[0], stacked(H)(steps[0]))
    product = stacked(H + np.eye(N_WEIGHTS))(steps[0])
    assert_allclose(secants.corrected(stacked(P), one)(product), steps[0], rtol=1e-12, atol=1e-13)


def test_only_the_last_products_are_known(hessians, monkeypatch):
    H, _ = hessians
    secants, steps = learned(H, curvature.MOST_STEPS + 2)
    known = [pair.s for pair in secants._pairs]
    assert_allclose(known, steps[-curvature.MOST_STEPS :])
    assert secants.size == 3 * curvature.MOST_STEPS * steps[0].size
    other = secants.copy()
    other.learn(steps[0], steps[0])
    assert_allclose([pair.s for pair in secants._pairs], known)
    monkeypatch.setattr(curvature, "MOST_NUMBERS", 3 * steps[0].size)
    assert learned(H, 3)[0].size == 3 * steps[0].size
    monkeypatch.setattr(curvature, "MOST_NUMBERS", steps[0].size)
    assert learned(H, 3)[0].size == 0
