import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.linalg import SolveStatus, conjugate_gradient
from sklearn_hypergrad.linalg.systems import inner, scaled

pytestmark = pytest.mark.portable
N, N_SPLITS, N_OUTPUTS = 6, 3, 2


def systems(decades=1.0, seed=0):
    """A stack of positive definite matrices over (feature, output) and right-hand sides."""
    rng = np.random.default_rng(seed)
    size = N * N_OUTPUTS
    q, _ = np.linalg.qr(rng.normal(size=(N_SPLITS, size, size)))
    matrices = q * np.logspace(0, decades, size) @ q.transpose(0, 2, 1)
    return matrices, rng.normal(size=(N, N_SPLITS, N_OUTPUTS))


def flat(v):
    return v.transpose(1, 0, 2).reshape(len(v[0]), -1)


def stacked(v):
    return v.reshape(len(v), N, N_OUTPUTS).transpose(1, 0, 2)


def product(matrices):
    return lambda v: stacked(np.einsum("sij,sj->si", matrices, flat(v)))


def jacobi(matrices):
    diagonal = stacked(np.einsum("sii->si", matrices))
    return lambda v: v / diagonal


def nothing(v):
    return v


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("decades", [0.5, 3])
def test_solves_all_systems(decades, preconditioned):
    matrices, right = systems(decades)
    precondition = jacobi(matrices) if preconditioned else nothing
    solved = conjugate_gradient(product(matrices), right, precondition, tol=1e-12, max_iter=500)
    expected = stacked(np.linalg.solve(matrices, flat(right)[..., None])[..., 0])
    assert solved.residual <= 1e-12
    assert solved.status is SolveStatus.DONE
    assert_allclose(solved.x, expected, rtol=1e-8, atol=1e-10)


def test_a_tolerance_of_each_system():
    matrices, right = systems(3)
    tol = np.array([1e-1, 1e-10, 1e-3])
    solved = conjugate_gradient(product(matrices), right, nothing, tol=tol, max_iter=500)
    assert solved.status is SolveStatus.DONE
    left = np.linalg.norm(flat(right - product(matrices)(solved.x)), axis=1)
    left /= np.linalg.norm(flat(right), axis=1)
    assert np.all(left <= tol * (1 + 1e-6))
    assert left[0] > 1e-3


@pytest.mark.parametrize("n_rows", [3, 64, 150])
@pytest.mark.parametrize("n_systems", [1, 5])
def test_tall_tables_are_worked_on_in_pieces(n_rows, n_systems):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, n_rows, n_systems, 1))
    expected = np.sum(a * b, axis=0, keepdims=True)
    assert_allclose(inner(a, b, 1), expected, rtol=1e-12)
    # A table that is not in order in memory.
    assert_allclose(inner(a, np.asfortranarray(b), 1), expected, rtol=1e-12)
    factors = rng.normal(size=(1, n_systems, 1))
    assert_array_equal(scaled(factors, a, 1, np.empty_like(a)), factors * a)
    assert_array_equal(scaled(factors, np.asfortranarray(a), 1, np.empty_like(a)), factors * a)


def test_an_exact_preconditioner_needs_one_iteration():
    matrices, right = systems(4)
    inverse = product(np.linalg.inv(matrices))
    solved = conjugate_gradient(product(matrices), right, inverse, tol=1e-8, max_iter=50)
    assert solved.n_iter == 1


def test_a_start_at_the_solution_needs_no_iteration():
    matrices, right = systems()
    start = product(np.linalg.inv(matrices))(right)
    solved = conjugate_gradient(
        product(matrices), right, nothing, start=start, tol=1e-8, max_iter=50
    )
    assert solved.n_iter == 0
    assert_array_equal(solved.x, start)


def test_a_close_start_saves_iterations_and_changes_no_digits():
    matrices, right = systems(2)
    exact = product(np.linalg.inv(matrices))(right)
    options = {"tol": 1e-10, "max_iter": 200}
    cold = conjugate_gradient(product(matrices), right, nothing, **options)
    warm = conjugate_gradient(
        product(matrices), right, nothing, start=exact * (1 + 1e-6), **options
    )
    assert warm.n_iter < cold.n_iter
    assert_allclose(warm.x, exact, rtol=1e-7)


@pytest.mark.parametrize("preconditioned", [False, True])
def test_a_far_start_is_dropped_and_a_near_one_of_another_system_is_not(preconditioned):
    # Its rounding errors would stay in the solution, with a residual that does not show them.
    matrices, right = systems(4)
    precondition = jacobi(matrices) if preconditioned else nothing
    start = product(np.linalg.inv(matrices))(right)
    start[:, 0] = 1e12
    solved = conjugate_gradient(
        product(matrices), right, precondition, start=start, tol=1e-8, max_iter=500
    )
    assert solved.status is SolveStatus.DONE
    left = right - product(matrices)(solved.x)
    norms = [np.sqrt(np.sum(r * precondition(r), axis=(0, 2))) for r in (left, right)]
    assert np.all(norms[0] <= 1.1e-8 * norms[1])
    assert_array_equal(solved.x[:, 1:], start[:, 1:])
    cold = conjugate_gradient(product(matrices), right, precondition, tol=1e-8, max_iter=500)
    assert_array_equal(solved.x[:, 0], cold.x[:, 0])


def test_a_right_hand_side_of_zeros_needs_no_iteration_from_any_start():
    matrices, right = systems(4)
    solved = conjugate_gradient(
        product(matrices), 0 * right, nothing, start=right, tol=1e-8, max_iter=500
    )
    assert solved.n_iter == 0
    assert_array_equal(solved.x, 0)


@pytest.mark.parametrize("max_iter", [0, 1, 4])
def test_reports_the_largest_relative_residual_in_the_norm_of_the_preconditioner(max_iter):
    matrices, right = systems(3)
    precondition = jacobi(matrices)
    solved = conjugate_gradient(
        product(matrices), right, precondition, tol=1e-12, max_iter=max_iter
    )
    left = right - product(matrices)(solved.x)
    norms = [np.sqrt(np.sum(r * precondition(r), axis=(0, 2))) for r in (left, right)]
    assert solved.n_iter == max_iter
    assert solved.status is SolveStatus.INEXACT
    assert_allclose(solved.residual, np.max(norms[0] / norms[1]), rtol=1e-10)


def test_solved_systems_stand_still():
    # More steps on a system that is solved would add rounding errors, and in the end diverge.
    matrices, right = systems(3)
    matrices[1] = systems(0.5)[0][1]
    alone = matrices[[1]], right[:, [1]]
    single = conjugate_gradient(product(alone[0]), alone[1], nothing, tol=1e-4, max_iter=99)
    early, late = (
        conjugate_gradient(product(matrices), right, nothing, tol=1e-4, max_iter=most)
        for most in (single.n_iter, 99)
    )
    assert late.n_iter > single.n_iter
    assert_array_equal(late.x[:, 1], early.x[:, 1])


def test_a_right_hand_side_of_zeros_is_solved_by_zeros_and_disturbs_no_other():
    matrices, right = systems()
    options = {"tol": 1e-10, "max_iter": 100}
    expected = conjugate_gradient(product(matrices), right, nothing, **options).x
    right[:, 1] = 0
    solved = conjugate_gradient(product(matrices), right, nothing, **options)
    assert solved.residual <= 1e-10
    assert_array_equal(solved.x[:, 1], 0)
    assert_allclose(solved.x[:, [0, 2]], expected[:, [0, 2]], rtol=1e-8)


def test_a_singular_but_consistent_system_gets_its_shortest_solution():
    matrices, right = systems()
    eigenvalues, vectors = np.linalg.eigh(matrices)
    eigenvalues[:, :3] = 0
    matrices = vectors * eigenvalues[:, None] @ vectors.transpose(0, 2, 1)
    right = product(matrices)(right)
    solved = conjugate_gradient(product(matrices), right, nothing, tol=1e-12, max_iter=100)
    expected = product(np.linalg.pinv(matrices, rcond=1e-10))(right)
    assert solved.status is SolveStatus.DONE
    assert_allclose(solved.x, expected, rtol=1e-8, atol=1e-10)


def test_inputs_are_not_changed():
    matrices, right = systems()
    start = np.ones_like(right)
    before = right.copy()
    conjugate_gradient(product(matrices), right, nothing, start=start, tol=1e-6, max_iter=9)
    assert_array_equal(right, before)
    assert_array_equal(start, 1)
