import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.linalg import Spectral, spectral

pytestmark = pytest.mark.portable


def stack(rank, n=6, n_stack=3):
    half = np.random.default_rng(0).normal(size=(n_stack, n, rank))
    return half @ half.transpose(0, 2, 1)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("rank", [6, 3])
@pytest.mark.parametrize("shift", [1e-2, 1e3, np.array([0.1, 10.0])])
def test_solves_for_any_shift(rank, shift, large, monkeypatch):
    monkeypatch.setattr(spectral, "LARGE", 1 if large else 100)
    matrices = stack(rank)
    right = np.random.default_rng(1).normal(size=(3, 6, 2))
    before = matrices.copy(), right.copy()
    inverse = Spectral(matrices)
    solution = inverse.solve(shift, inverse.to_basis(right))
    for column, one in enumerate(np.broadcast_to(shift, 2)):
        expected = np.linalg.solve(matrices + one * np.eye(6), right[:, :, [column]])
        assert_allclose(solution[:, :, [column]], expected, rtol=1e-9, atol=1e-12)
    assert_array_equal(matrices, before[0])
    assert_array_equal(right, before[1])


@pytest.mark.parametrize("scale", [1e-10, 1, 1e10])
def test_projection_keeps_the_shortest_solution_for_vanishing_shifts(scale):
    # Without it rounding errors outside the range, divided by the shift, take over.
    matrices = scale * stack(3)
    right = matrices @ np.random.default_rng(1).normal(size=(3, 6, 2))
    inverse = Spectral(matrices)
    solution = inverse.solve(1e-14 * scale, inverse.project(right))
    assert_allclose(solution, np.linalg.pinv(matrices, rcond=1e-10) @ right, rtol=1e-8)
    unprojected = inverse.solve(1e-14 * scale, inverse.to_basis(right))
    assert np.abs(unprojected - solution).max() > 1e-6


def test_projection_removes_nothing_from_a_matrix_of_full_rank():
    inverse = Spectral(stack(6))
    right = np.random.default_rng(1).normal(size=(3, 6, 2))
    assert_array_equal(inverse.project(right), inverse.to_basis(right))


@pytest.mark.parametrize("scale", [1e-10, 1, 1e10])
@pytest.mark.parametrize("share", [0.0, 1e-17])
def test_without_a_shift_the_shortest_least_squares_solution_is_found(scale, share):
    matrices = scale * stack(3)
    right = np.random.default_rng(1).normal(size=(3, 6, 2))
    inverse = Spectral(matrices)
    solution = inverse.solve(share * scale, inverse.to_basis(right))
    assert_allclose(solution, np.linalg.pinv(matrices, rcond=1e-10) @ right, rtol=1e-8)
