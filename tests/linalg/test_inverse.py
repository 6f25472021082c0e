"""Inverse Hessians from products: against dense matrices, and where they must complain."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.linalg import CG, Direct, Identity, Neumann, SolveStatus, curvature_bound

pytestmark = pytest.mark.portable
N_SYSTEMS = 3
# Axis that counts the systems, and shape of the arrays.
LAYOUTS = {
    "flat": (None, (6,)),
    "one": (None, (2, 3)),
    "first": (0, (N_SYSTEMS, 2, 3)),
    "second": (1, (2, N_SYSTEMS, 3)),
    "last": (2, (3, 2, N_SYSTEMS)),
}
SINGULAR = 0.0, 0.0, 1.0, 2.0, 3.0, 4.0
EXACT = [Direct(), CG(), Neumann(5000)]


class Stack:
    """Symmetric matrices of one to three systems, as a product with arrays of some layout."""

    def __init__(self, layout="second", eigenvalues=(0.5, 3.0), seed=0):
        self.axis, self.shape = LAYOUTS[layout]
        n_systems = 1 if self.axis is None else N_SYSTEMS
        size = int(np.prod(self.shape)) // n_systems
        rng = np.random.default_rng(seed)
        basis, _ = np.linalg.qr(rng.normal(size=(n_systems, size, size)))
        spread = np.linspace(*eigenvalues, size) if len(eigenvalues) == 2 else eigenvalues
        self.matrices = basis * np.asarray(spread) @ basis.transpose(0, 2, 1)
        self.right = rng.normal(size=self.shape)
        self.n_products = 0

    def hvp(self, v):
        self.n_products += 1
        return self.times(self.matrices, v)

    def times(self, matrices, v):
        """The product of one matrix for each system."""
        if self.axis is None:
            return (matrices[0] @ v.ravel()).reshape(v.shape)
        first = np.moveaxis(v, self.axis, 0)
        rows = np.einsum("sij,sj->si", matrices, first.reshape(N_SYSTEMS, -1))
        return np.moveaxis(rows.reshape(first.shape), 0, self.axis)

    def solve(self, solver, tol=1e-12, **more):
        return solver.solve(self.hvp, self.right, tol=tol, axis=self.axis, **more)

    def system(self, array, number):
        return np.take(array, number, axis=self.axis)

    @property
    def expected(self):
        return self.times(np.linalg.inv(self.matrices), self.right)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("solver", EXACT, ids=repr)
def test_exact_solvers_agree_with_dense_inverses(solver, layout):
    stack = Stack(layout)
    solved = stack.solve(solver)
    assert solved.status is SolveStatus.DONE
    assert solved.residual <= 1e-12
    assert_allclose(solved.x, stack.expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("solver", EXACT, ids=repr)
def test_a_wrong_matrix_is_noticed(solver):
    stack = Stack()
    expected = stack.expected
    stack.matrices[1, 0, 0] *= 1.001
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_allclose(stack.solve(solver).x, expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("n_terms", [1, 2, 3, 10])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_neumann_is_its_first_terms(layout, n_terms):
    stack, scale = Stack(layout), 0.4
    solved = stack.solve(Neumann(n_terms, scale))
    contraction = np.eye(stack.matrices.shape[-1]) - scale * stack.matrices
    powers = [np.linalg.matrix_power(contraction, j) for j in range(n_terms + 1)]
    assert_allclose(solved.x, scale * stack.times(sum(powers[:-1]), stack.right), rtol=1e-12)
    assert solved.n_iter == stack.n_products == n_terms
    # The residual is the next term, and that of its own definition.
    left = stack.right - stack.times(stack.matrices, solved.x)
    assert_allclose(left, stack.times(powers[-1], stack.right), rtol=1e-10, atol=1e-12)
    axes = tuple(i for i in range(left.ndim) if i != stack.axis)
    norms = [np.sqrt(np.sum(part**2, axis=axes)) for part in (left, stack.right)]
    assert_allclose(solved.residual, np.max(norms[0] / norms[1]), rtol=1e-10)


def test_neumann_stops_where_the_residual_is_small():
    stack = Stack("flat")
    solved = stack.solve(Neumann(5000, 0.4), tol=1e-3)
    assert solved.n_iter < 100
    assert 1e-4 < solved.residual <= 1e-3
    assert stack.solve(Neumann(200, 0.4), tol=0).n_iter == 200


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_identity_returns_a_copy_of_what_it_is_given(layout):
    stack = Stack(layout)
    solved = stack.solve(Identity())
    assert_array_equal(solved.x, stack.right)
    assert not np.shares_memory(solved.x, stack.right)
    assert stack.n_products == 0
    assert np.isnan(solved.n_iter)
    assert np.isnan(solved.residual)


@pytest.mark.parametrize("solver", [CG(), Neumann(30), Neumann(30, 0.3), Direct()], ids=repr)
def test_systems_are_solved_as_if_they_were_alone(solver):
    stack = Stack("second")
    # Of very different sizes and difficulty.
    stack.matrices[0] *= 100 if solver != Neumann(30, 0.3) else 1
    stack.matrices[2] = np.eye(6)
    together = stack.solve(solver, tol=1e-6)
    for number in range(N_SYSTEMS):
        matrix, right = stack.matrices[number], stack.system(stack.right, number)
        alone = solver.solve(
            lambda v, matrix=matrix: (matrix @ v.ravel()).reshape(v.shape), right, tol=1e-6
        )
        # Scales are estimated from different random vectors.
        rtol = 1e-4 if solver == Neumann(30) else 1e-9
        assert_allclose(stack.system(together.x, number), alone.x, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("solver", [CG(), Neumann(400, 0.3)], ids=repr)
def test_a_solved_system_stands_still(solver):
    stack = Stack("second")
    stack.matrices[1] = np.eye(6)
    early, late = stack.solve(solver, tol=1e-3), stack.solve(solver, tol=1e-3)
    right = stack.right.copy()
    stack.right = right[:, [1]]
    alone = solver.solve(lambda v: v, stack.right, tol=1e-3, axis=1)
    assert late.n_iter > alone.n_iter
    assert_array_equal(early.x[:, 1], alone.x[:, 0])


@pytest.mark.parametrize("solver", [CG(), Neumann(), Direct()], ids=repr)
def test_zeros_are_solved_by_zeros(solver):
    stack = Stack("second")
    expected = stack.solve(solver).x
    stack.right[:, 0] = 0
    solved = stack.solve(solver)
    assert_array_equal(solved.x[:, 0], 0)
    assert_allclose(solved.x[:, 1:], expected[:, 1:], rtol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("solver", [CG(), Neumann(), Direct()], ids=repr)
def test_a_right_hand_side_that_is_not_finite_is_not_solved(solver, value):
    stack, alone = Stack("second"), Stack("flat")
    expected = stack.solve(solver).x
    stack.right[1, 0, 2] = alone.right[2] = value
    for solved in (stack.solve(solver), alone.solve(solver)):
        assert solved.status is not SolveStatus.DONE
        assert np.isnan(solved.residual)
    assert np.isnan(solved.x).all()
    solved = stack.solve(solver)
    assert np.isnan(solved.x[:, 0]).all()
    assert_allclose(solved.x[:, 1:], expected[:, 1:], rtol=1e-9)


@pytest.mark.parametrize("solver", [CG(), Neumann(4), Direct(), Identity()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept_and_inputs_not_changed(solver, dtype):
    stack = Stack("flat")
    stack.matrices, right = stack.matrices.astype(dtype), stack.right.astype(dtype)
    start = np.ones_like(right)
    given, guess = right.copy(), start.copy()
    given.flags.writeable = guess.flags.writeable = False
    solved = solver.solve(stack.hvp, given, start=guess, tol=1e-4)
    assert solved.x.dtype == dtype
    assert solved.x.flags.writeable
    assert_array_equal(given, right)


@pytest.mark.parametrize("solver", [CG(), Neumann(4), Direct(), Identity()], ids=repr)
def test_products_may_return_what_they_are_given(solver):
    right = np.arange(1.0, 5)
    solved = solver.solve(lambda v: v, right, tol=1e-10)
    share = 1 - (1 - 1 / 1.1) ** 4 if solver == Neumann(4) else 1
    assert_allclose(solved.x, share * right, rtol=1e-12)


def test_a_near_start_saves_iterations_of_cg():
    stack = Stack("flat")
    cold = stack.solve(CG(), tol=1e-3)
    warm = stack.solve(CG(), tol=1e-3, start=stack.expected * 1.01)
    assert 0 < warm.n_iter < cold.n_iter
    assert_allclose(warm.x, stack.expected, rtol=1e-2)


def test_the_tolerance_is_that_of_the_caller_or_its_own():
    stack = Stack("flat")
    loose, tight = (stack.solve(CG(), tol=tol) for tol in (1e-1, 1e-10))
    assert loose.n_iter < tight.n_iter
    assert stack.solve(CG(tol=1e-10), tol=1e-1).n_iter == tight.n_iter


def test_cg_says_when_it_has_not_arrived():
    solved = Stack("flat", (1e-3, 10)).solve(CG(max_iter=2))
    assert (solved.status, solved.n_iter) == (SolveStatus.INEXACT, 2)
    assert solved.residual > 1e-12


INDEFINITE = (-1.0, 1.0, 2.0, 3.0, 4.0, 5.0)


@pytest.mark.parametrize("layout", ["flat", "second"])
@pytest.mark.parametrize("solver", [CG(), Direct(), CG(max_iter=3)], ids=repr)
def test_negative_curvature_is_reported(solver, layout):
    solved = Stack(layout, INDEFINITE).solve(solver)
    assert solved.status is SolveStatus.NEGATIVE_CURVATURE
    assert np.isfinite(solved.x).all()


@pytest.mark.parametrize("negative", [-1e-6, -1.0, -1e6])
def test_direct_reports_also_what_jitter_would_hide_and_eliminates(negative):
    stack = Stack("second", (negative, 1.0, 2.0, 3.0, 4.0, 5.0))
    solved = stack.solve(Direct())
    assert solved.status is SolveStatus.NEGATIVE_CURVATURE
    assert_allclose(solved.x, stack.expected, rtol=1e-6, atol=1e-6)


def test_negative_curvature_of_one_system_leaves_the_others_alone():
    stack, other = Stack("second"), Stack("second", INDEFINITE)
    stack.matrices[1] = other.matrices[1]
    solved = stack.solve(CG())
    assert solved.status is SolveStatus.NEGATIVE_CURVATURE
    assert_allclose(solved.x[:, [0, 2]], stack.expected[:, [0, 2]], rtol=1e-10)


@pytest.mark.parametrize("solver", [CG(), Direct()], ids=repr)
def test_a_singular_consistent_system_is_solved(solver):
    stack = Stack("second", SINGULAR)
    stack.right = stack.times(stack.matrices, stack.right)
    solved = stack.solve(solver)
    assert solved.status is SolveStatus.DONE
    assert_allclose(stack.times(stack.matrices, solved.x), stack.right, atol=1e-10)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("solver", [CG(), Direct()], ids=repr)
def test_without_a_solution_the_shortest_of_least_squares_is_found(solver, layout):
    stack = Stack(layout, SINGULAR)
    solved = stack.solve(solver)
    assert solved.status is SolveStatus.UNDETERMINED
    assert solved.residual > 0.1
    assert_allclose(solved.x, stack.times(np.linalg.pinv(stack.matrices), stack.right), atol=1e-7)


@pytest.mark.parametrize("n_terms", [10, 1000])
def test_a_series_is_right_in_the_range_of_a_singular_matrix(n_terms):
    stack = Stack("second", SINGULAR)
    solved = stack.solve(Neumann(n_terms))
    along = stack.times(stack.matrices, np.random.default_rng(1).normal(size=stack.shape))
    stack.right = stack.times(stack.matrices @ np.linalg.pinv(stack.matrices), stack.right)
    assert_allclose(np.vdot(along, solved.x), np.vdot(along, stack.solve(Neumann(n_terms)).x))
    # Few terms leave too much to be sure that nothing else is left.
    expected = SolveStatus.UNDETERMINED if n_terms == 1000 else SolveStatus.DONE
    assert solved.status is expected


def test_small_units_are_not_taken_for_undetermined():
    """Systems of which each is nearly singular only because of the units of its weights."""
    units = np.array([1e-8, 1.0, 1e8])
    half = np.random.default_rng(0).normal(size=(3, 5)) * units[:, None]
    matrix = half @ half.T
    solved = Direct().solve(lambda v: matrix @ v, matrix @ (1 / units))
    assert solved.status is SolveStatus.DONE
    assert_allclose(solved.x, 1 / units, rtol=1e-9)


@pytest.mark.parametrize("layout", ["flat", "second"])
@pytest.mark.parametrize(("scale", "diverges"), [(0.6, False), (0.7, True), (5.0, True)])
def test_too_large_a_scale_is_reported(layout, scale, diverges):
    # The series converges below 2 / 3.
    solved = Stack(layout).solve(Neumann(200, scale))
    assert solved.status is (SolveStatus.DIVERGED if diverges else SolveStatus.DONE)
    assert np.isfinite(solved.x).all()


def test_a_series_stops_at_its_shortest_term():
    stack = Stack("flat")
    solved = stack.solve(Neumann(200, 0.7))
    contraction = np.eye(6) - 0.7 * stack.matrices[0]
    terms = [stack.right]
    for _ in range(200):
        terms.append(contraction @ terms[-1])
    shortest = int(np.argmin([np.linalg.norm(term) for term in terms]))
    assert 0 < shortest < 199
    assert_allclose(solved.x, 0.7 * np.sum(terms[: shortest + 1], axis=0), rtol=1e-10)


def test_a_diverging_system_leaves_the_others_alone():
    stack = Stack("second")
    stack.matrices[1] *= 3
    solved = stack.solve(Neumann(200, 0.6))
    assert solved.status is SolveStatus.DIVERGED
    assert_allclose(solved.x[:, [0, 2]], stack.expected[:, [0, 2]], rtol=1e-10)


def test_negative_curvature_makes_a_series_diverge():
    assert Stack("flat", INDEFINITE).solve(Neumann(300)).status is SolveStatus.DIVERGED


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_products_that_are_not_finite(value):
    stack = Stack("second")
    stack.matrices[1] = value
    solved = stack.solve(Neumann(20, 0.5))
    assert solved.status is SolveStatus.DIVERGED
    stack.matrices[1] = 1.5 * np.eye(6)
    assert_array_equal(solved.x[:, [0, 2]], stack.solve(Neumann(20, 0.5)).x[:, [0, 2]])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("eigenvalues", [(0.5, 3.0), (-7.0, 1.0)])
def test_the_bound_is_a_little_above_the_norm(layout, eigenvalues):
    stack = Stack(layout, eigenvalues)
    bound = curvature_bound(stack.hvp, stack.right, stack.axis)
    norms = np.abs(np.linalg.eigvalsh(stack.matrices)).max(axis=1)
    ratios = np.ravel(bound) / norms
    assert np.broadcast_shapes(bound.shape, stack.shape) == stack.shape
    assert np.all((ratios > 1) & (ratios <= 1.1 * (1 + 1e-12)))
    assert_array_equal(bound, curvature_bound(stack.hvp, stack.right, stack.axis))


def test_the_bound_of_nothing_is_zero_and_a_series_ends():
    zeros = np.zeros((6, 3, 1))
    assert_array_equal(curvature_bound(lambda v: 0 * v, zeros, 1), 0)
    solved = Neumann(3).solve(lambda v: 0 * v, zeros + 1, axis=1)
    assert_array_equal(solved.x, 1)
    assert solved.status is SolveStatus.UNDETERMINED


def test_too_large_a_matrix_is_refused_with_numbers_and_a_way_out():
    right = np.zeros((3000, 5, 1))
    message = r"max_size=2000.* 5 matrices of 3,000 by 3,000 .* 0\.4 GB\. Use CG\(\)"
    with pytest.raises(ValueError, match=message):
        Direct().solve(lambda v: v, right, axis=1)
    assert Direct(12).solve(lambda v: v, np.ones(12)).status is SolveStatus.DONE


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Neumann(0), "n_terms must be at least 1, got 0"),
        (lambda: Neumann(scale=-1.0), "scale must be positive and finite, or None, got -1.0"),
        (lambda: Neumann(scale=np.nan), "scale must be positive and finite"),
        (lambda: CG(max_iter=0), "max_iter must be at least 1, got 0"),
        (lambda: CG(tol=0.0), "tol must be between 0 and 1, or None, got 0.0"),
    ],
)
def test_wrong_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_reprs_are_settings():
    assert repr(CG(1e-8)) == "CG(tol=1e-08, max_iter=1000)"
    assert repr(Neumann(5, 0.1)) == "Neumann(n_terms=5, scale=0.1)"
    assert (repr(Identity()), repr(Direct())) == ("Identity()", "Direct(max_size=2000)")
    assert CG() == CG(None, 1000) != CG(1e-3)
