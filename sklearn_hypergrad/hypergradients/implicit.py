"""Implicit differentiation of a model at the minimum of its training objective."""

import numpy as np

from sklearn_hypergrad.hypergradients.base import (
    FittedWeights,
    Hypergradient,
    Pulled,
    Tangent,
    WarmStart,
)
from sklearn_hypergrad.linalg import CG, Direct, Identity, InverseHessian, Neumann, SolveStatus
from sklearn_hypergrad.problems import STATUSES, Status

AUTO = "auto"
# Error of the weights along the gradient of the outer objective, relative to the weights and how
# far they have moved, from which on they are not at the minimum. Chosen by hand: a hypergradient
# that is wrong by 1 % still has the right direction.
UNSOLVED = 1e-2
SOLVERS = {"cholesky": Direct(), "cg": CG(), "neumann": Neumann(), "identity": Identity()}


class Implicit(Hypergradient):
    """Differentiate the condition that the gradient of the inner objective vanishes.

    The model must minimise a smooth objective. The hypergradient is exact up to the accuracy of the
    inner solution and of one linear system with its Hessian, unless ``solver`` is approximate. See
    Lorraine, Vicol, Duvenaud (2019), equations 2 and 3, and section 3.

    Parameters
    ----------
    solver : {"auto", "cholesky", "cg", "neumann", "identity"} or InverseHessian, default="auto"
        How the linear system is solved. "auto" uses the factors, or the preconditioner, that the
        model was solved with, which is the fastest and most accurate way. The others use products
        with the Hessian only: ``Direct()``, ``CG()``, ``Neumann()`` and ``Identity()`` of
        ``sklearn_hypergrad.linalg``; give an instance to change their settings.
    gauss_newton : bool, default=False
        Whether the Gauss-Newton matrix replaces the Hessian. It is positive semi-definite for
        convex losses, even if a network is not at a minimum; for predictions that are linear in the
        weights it is the Hessian. "auto" is then "cg".

    Raises
    ------
    ValueError
        If ``solver`` is unknown.
    """

    def __init__(self, solver: str | InverseHessian = AUTO, *, gauss_newton: bool = False):
        if not isinstance(solver, InverseHessian) and solver not in (AUTO, *SOLVERS):
            raise ValueError(
                f"solver must be one of {', '.join(map(repr, (AUTO, *SOLVERS)))} or an "
                f"InverseHessian such as CG(tol=1e-8), got {solver!r}."
            )
        self.solver = solver
        self.gauss_newton = gauss_newton

    def __repr__(self):
        shown = [f"solver={self.solver!r}"] * (self.solver != AUTO)
        shown += ["gauss_newton=True"] * bool(self.gauss_newton)
        return f"Implicit({', '.join(shown)})"

    # The solution w(h) has gradient(w, h) = 0 for every h. Differentiating in h,
    #     H dw/dh + cross = 0    with    H = d gradient / dw,    cross = d gradient / dh,
    # so that, for an outer objective outer(w(h), h),
    #     d outer/dh = direct + (dw/dh)' grad_w = direct - cross' H^-1 grad_w.
    # H is symmetric: adjoint = H^-1 grad_w costs one linear system however long h is. If H is
    # singular, the pseudoinverse takes the place of the inverse: see linalg/singular.py.
    def fit(self, problem, h, warm_start, tol):
        """Solve the inner problem.

        Parameters
        ----------
        problem : InnerProblem
            The problem whose weights are trained.
        h : dict
            Hyperparameters in natural units.
        warm_start : WarmStart or None
            The state of an earlier fit or evaluation.
        tol : float
            Inner tolerance, and relative residual of the linear system.

        Returns
        -------
        FittedWeights
            The solution, and its pullback by implicit differentiation.
        """
        start, guess = (None, None)
        if warm_start is not None:
            start, guess = warm_start.solution, warm_start.adjoint
        solution = problem.solve(h, start, tol)

        def pull(grad_w):
            solved = self._adjoint(problem, h, solution, grad_w, guess, tol)
            adjoint, status, n_iter, residual = solved
            if status is Status.CONVERGED:
                status = self._doubts(problem, h, solution, grad_w, adjoint, tol)
            cross = problem.cross_vjp(solution.w, h, adjoint)
            return Pulled(
                {name: -term for name, term in cross.items()},
                WarmStart(solution, adjoint),
                (status,),
                linear_iterations=n_iter,
                linear_residual=residual,
            )

        return FittedWeights(
            solution.w,
            pull,
            WarmStart(solution, guess),
            (solution.status,),
            solution.n_solves,
            solution.predictions,
            self._along(problem, h, solution, warm_start),
        )

    # For a single h > 0, dw / dlog h = -H^-1 h cross is one linear system, too, and the derivative
    # of an outer objective is its product with grad_w. Unlike the adjoint it says where w goes.
    def _along(self, problem, h, solution, warm_start):
        """The ``along`` of FittedWeights."""
        (name, value), *others = h.items()
        usual = self._uses_factors and solution.slope is None
        if (
            not usual
            or others
            or not problem.follows
            or np.size(value) != 1
            or not np.all(value > 0)
        ):
            return None
        known = None if warm_start is None else warm_start.tangent
        place = float(np.log(np.ravel(value)[0]))

        def along(grad_w):
            right = -problem.cross_jvp(solution.w, h, {name: np.asarray(value)})
            slope, status = solution.inverse_hvp(right, None if known is None else known.slope)
            state = WarmStart(solution, None, Tangent(place, slope))
            return Pulled({name: np.vdot(grad_w, slope) / value}, state, (status,))

        return along

    @property
    def exact(self):
        solver = SOLVERS.get(self.solver) if isinstance(self.solver, str) else self.solver
        return not self.gauss_newton and (solver is None or solver.exact)

    @property
    def _uses_factors(self):
        """Whether linear systems are solved with what the model was solved with."""
        return self.solver == AUTO and not self.gauss_newton

    def _adjoint(self, problem, h, solution, right, start, tol):
        """``H^-1 right``, its Status, and iterations and residual, nan if unknown."""
        if self._uses_factors:
            return *solution.inverse_hvp(right, start), np.nan, np.nan
        products = problem.products(solution.w, h, gauss_newton=self.gauss_newton)
        solver = "cg" if self.solver == AUTO else self.solver
        # Instances need not be hashable.
        solver = solver if isinstance(solver, InverseHessian) else SOLVERS[solver]
        solved = solver.solve(products, right, start=start, tol=tol, axis=problem.split_axis)
        status = self._status(problem, solved.status)
        return solved.x, status, solved.n_iter, solved.residual

    # The system is solved, and still:
    # - To first order, the outer objective would change by grad_w H^-1 slope = adjoint slope if w
    #   went on to the minimum. An inner tolerance bounds the slope only, and in directions of
    #   hardly any curvature w may be far from the minimum.
    # - If H is singular where an entry of h is zero, such as a penalty, and regular beside it, the
    #   minimum is not unique there and jumps: no dw solves H dw = -cross. Elsewhere a singular H
    #   stays singular, and dw exists. Along one random direction chance hides nothing.
    def _doubts(self, problem, h, solution, right, adjoint, tol):
        """CONVERGED, or the Status of a minimum that is not unique, or not found."""
        w, slope, norm = solution.w, solution.slope, np.linalg.norm
        if slope is not None:
            reach = norm(w) + norm(w - problem.start())
            if abs(np.vdot(adjoint, slope)) > UNSOLVED * norm(right) * reach:
                return Status.INNER_NOT_CONVERGED
        if not all(map(np.all, h.values())):
            rng = np.random.default_rng(0)
            zero = {name: np.asarray(value) == 0 for name, value in h.items()}
            beside = {name: at * rng.uniform(1, 2, at.shape) for name, at in zero.items()}
            exact = self if self.solver == AUTO else Implicit("cg", gauss_newton=self.gauss_newton)
            moved = problem.cross_jvp(w, h, beside)
            if exact._adjoint(problem, h, solution, moved, None, tol)[1] is Status.UNDETERMINED:
                return Status.UNDETERMINED
        return Status.CONVERGED

    def _status(self, problem, solve_status):
        # A positive semi-definite matrix can only look negative because of rounding.
        semidefinite = self.gauss_newton or problem.linear_in_weights
        if semidefinite and solve_status is SolveStatus.NEGATIVE_CURVATURE:
            solve_status = SolveStatus.INEXACT
        return STATUSES[solve_status]


def is_exact(method):
    """Whether a method is Implicit itself and solves with what the model was solved with."""
    return type(method) is Implicit and method._uses_factors
