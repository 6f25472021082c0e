import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sklearn_hypergrad.linalg import conjugate_gradient
from sklearn_hypergrad.problems.linear.design import Design
from sklearn_hypergrad.problems.linear.diagonal_curvature import CurvatureDiagonal

pytestmark = pytest.mark.portable
N_FEATURES, N_SPLITS, N_OUTPUTS = 5, 3, 2


def counts(n_samples, n_features, *, n_entries=60):
    """Rows of about as many entries, of which those of the first features are in most rows."""
    rng = np.random.default_rng(0)
    share = np.minimum(1, n_entries / (1 + np.arange(n_features)))
    return sparse.csr_array(rng.uniform(size=(n_samples, n_features)) < share).astype(float)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("n_samples", [4, 12])
def test_the_inverse_of_what_it_says(n_samples, thin, intercept, scaled):
    rng = np.random.default_rng(0)
    X = rng.normal(2, 1, size=(n_samples, N_FEATURES))
    X[rng.uniform(size=X.shape) < 0.4] = 0
    scales = rng.uniform(0.5, 2, (N_FEATURES, N_SPLITS)) if scaled else None
    design = Design(sparse.csr_array(X) if thin else X, fit_intercept=intercept, scales=scales)
    weights = rng.uniform(0.1, 1, (n_samples, N_SPLITS, N_OUTPUTS))
    ridge = np.zeros((N_FEATURES + intercept, N_OUTPUTS))
    ridge[:N_FEATURES] = rng.uniform(0.5, 2, (N_FEATURES, N_OUTPUTS))
    ridge[1] = 0  # without a penalty its square takes the place of the geometric mean
    right = rng.normal(size=(N_FEATURES + intercept, N_SPLITS, N_OUTPUTS))
    found = CurvatureDiagonal.of(design, weights).factor(ridge).solve(right)
    for split in range(N_SPLITS):
        own = X * (scales[:, split] if scaled else 1)
        for output in range(N_OUTPUTS):
            d, r = weights[:, split, output], ridge[:N_FEATURES, output]
            mean = d @ own / d.sum() if intercept else np.zeros(N_FEATURES)
            squares = d @ (own - mean) ** 2
            if n_samples <= N_FEATURES:
                squares = np.where(r > 0, np.sqrt(r * squares), squares)
            expected = np.diag(r + squares)
            if intercept:
                border = np.append(mean, 1)
                expected = np.pad(expected, (0, 1)) + d.sum() * np.outer(border, border)
            solution = np.linalg.solve(expected, right[:, split, output])
            assert_allclose(found[:, split, output], solution, rtol=1e-10)


def test_a_column_without_entries_and_penalty_is_left_alone():
    squares = np.array([1.0, 0.0])[:, None, None]
    kept = CurvatureDiagonal(squares, 0 * squares, np.ones((1, 1, 1)))
    solution = kept.factor(np.zeros((2, 1))).solve(np.array([2.0, 3.0])[:, None, None])
    assert_allclose(solution.ravel(), [2, 3])


@pytest.mark.parametrize("intercept", [False, True])
def test_features_that_are_constant_stay_positive(intercept):
    X = np.c_[np.full(8, 1e3), np.arange(8.0)]
    design = Design(sparse.csr_array(X), fit_intercept=intercept)
    kept = CurvatureDiagonal.of(design, np.ones((8, 1, 1)))
    assert np.all(kept.squares > 0)
    assert np.all(np.isfinite(kept.factor(np.zeros((2 + intercept, 1))).solve(kept.squares)))


@pytest.mark.parametrize(
    ("shape", "strength", "less"),
    [
        ((150, 1000), 1.0, 0.5),
        ((150, 1000), 0.01, 0.5),
        ((1000, 150), 1.0, 0.7),
        ((1000, 150), 0.01, 0.6),
    ],
)
def test_fewer_iterations_than_with_the_diagonal_itself(shape, strength, less):
    design = Design(counts(*shape), fit_intercept=True)
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.05, 0.25, (shape[0], 1, 1))
    ridge = np.append(np.full(shape[1], strength), 0.0)[:, None]
    right = design.pull(rng.normal(size=weights.shape))

    def hessian(v):
        return design.pull(weights * design.product(v)) + ridge[:, None] * v

    diagonal = design.squares(weights) + ridge[:, None]
    kept = CurvatureDiagonal.of(design, weights).factor(ridge)
    plain = conjugate_gradient(hessian, right, lambda v: v / diagonal, tol=1e-8, max_iter=2000)
    found = conjugate_gradient(hessian, right, kept.solve, tol=1e-8, max_iter=2000)
    assert found.n_iter <= less * plain.n_iter
    X = np.pad(counts(*shape).toarray(), ((0, 0), (0, 1)), constant_values=1)
    matrix = X.T @ (weights[:, 0] * X) + np.diag(ridge[:, 0])
    exact = np.linalg.solve(matrix, right[:, 0, 0])
    assert_allclose(found.x[:, 0, 0], exact, atol=1e-4 * np.abs(exact).max())
