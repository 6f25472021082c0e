"""Newton's method for the training problems of all splits at once."""

import numpy as np

from sklearn_hypergrad.linalg import conjugate_gradient
from sklearn_hypergrad.problems.base import Status

MAX_NEWTON = 100
MAX_HALVINGS = 40
MAX_CG = 1000
# Newton systems are solved to this accuracy by CG; steps of the preconditioner alone are taken
# while the squares of their lengths shrink by this much.
INEXACT = 0.1
CONTRACTION = 0.1
# Accuracy of the adjoint over that of the weights, and at most: values do not depend on it.
ADJOINT = 100
GUESS = 1e-2
# Accuracy that does not justify more than a few iterations of CG.
LOOSE = 1e-2
FEW_CG = 8
# Rounding error of the objective, relative.
SLACK = 1e3 * np.finfo(float).eps
# Share of the objective of no features below which it counts as zero, as for classes that can be
# separated.
SMALLEST = 1e-3
# Accuracy that is good enough where rounding allows no better.
STUCK = 1e-6


class Newton:
    """One minimisation, for one penalty.

    A step ``d = P g`` with the gradient g and the preconditioner P, or by CG where P alone does not
    contract, changes the objective by about half its decrement ``g d``; ``tol`` is the root of the
    decrement that may be left, relative to the objective (that of no features, at most).

    Parameters
    ----------
    problem : LinearProblem
    ridge : ndarray of shape (n_weights, 1, n_outputs or 1)
    tol : float
    """

    def __init__(self, problem, ridge, tol):
        self._problem = problem
        self._ridge = ridge
        self._tol = tol
        self._direct = problem.factorises
        self._kept = self._precondition = None

    def run(self, state, kept):
        """From a state of another penalty to the minimum of this one.

        Returns
        -------
        state : State
        kept : object
            The curvature that preconditions.
        status : Status
        n_steps : int
        """
        # The first step starts from what another penalty has left, so it is never the last.
        previous, last = np.full(len(state.loss), np.inf), None
        for n_steps in range(1, MAX_NEWTON + 1):
            kept = self._renew(kept, state)
            gradient = state.slope + self._ridge * state.w
            step = self._step(state, gradient)
            decrement = np.einsum("isk,isk->s", gradient, step)
            target, stuck = self._allowed(state, self._tol), self._allowed(state, STUCK)
            if n_steps > 1 and np.all(self._left(decrement, previous) <= target):
                state = self._problem.arrived(state.w - step, self._ridge)
                return state, kept, Status.CONVERGED, n_steps
            if n_steps > 2 and np.all(previous <= stuck):
                if np.any(decrement > stuck):
                    # Rounding errors have grown, as where a Hessian is all but singular.
                    return last, kept, Status.CONVERGED, n_steps
                if not self._direct and np.all((decrement <= target) | (decrement >= previous)):
                    return state, kept, Status.CONVERGED, n_steps
            solved = (decrement <= target) & (n_steps > 1)
            self._direct &= np.all(solved | (decrement <= CONTRACTION * previous))
            moved = self._descend(state, np.where(solved[:, None], 0.0, step), decrement)
            if moved is state:
                # No step helps in floating point: as solved as it can be, if the step is small.
                exact = np.all(decrement <= stuck)
                return state, kept, _status(exact), n_steps
            state, last, previous = moved, state, decrement
        return state, kept, _status(False), n_steps

    def inverse_hvp(self, state, v, start):
        """``H^-1 v`` at a state, and how well it was solved."""
        # With a good preconditioner the first step is worth more than a near start.
        if start is not None:
            project = self._problem.projection(self._ridge)
            start = None if self._problem.factorises else project(start)
        tol = min(ADJOINT * self._tol, GUESS) if self._tol < LOOSE else INEXACT
        solution, residual = self._solve(state, v, start, tol)
        return solution, Status.CONVERGED if residual <= tol else Status.LINEAR_SOLVE_INEXACT

    def _renew(self, kept, state):
        renewed = self._problem.curvature(kept, state)
        if renewed is not self._kept:
            self._kept = renewed
            self._precondition = self._problem.preconditioner(renewed, self._ridge)
        return renewed

    def _step(self, state, gradient):
        if self._direct:
            return self._precondition(gradient)
        return self._solve(state, gradient, None, INEXACT)[0]

    def _allowed(self, state, tol):
        most = self._problem.scale
        scale = np.clip(state.objective(self._ridge), SMALLEST * most, most)
        return np.maximum(tol**2 * scale, self._problem.rounding)

    def _left(self, decrement, previous):
        """What a step leaves: as much less as the last one did, or as CG was asked for."""
        if not self._direct:
            return INEXACT**2 * decrement
        rate = np.divide(decrement, previous, out=np.ones_like(decrement), where=previous > 0)
        return np.minimum(1, rate) * decrement

    def _solve(self, state, right, start, tol):
        solution, residual, _ = conjugate_gradient(
            lambda v: self._problem.hessian(state, self._ridge, v),
            right,
            self._precondition,
            start=start,
            tol=tol,
            max_iter=MAX_CG if self._tol < LOOSE else FEW_CG,
        )
        return solution, residual

    def _descend(self, state, step, decrement):
        """Halve the step of each split until its objective falls (Armijo)."""
        length = np.ones(len(decrement))
        objective = state.objective(self._ridge)
        slack = SLACK * np.abs(objective)
        for _ in range(MAX_HALVINGS):
            moved = self._problem.state(state.w - length[:, None] * step)
            enough = objective - 1e-4 * length * decrement + slack
            failed = ~(moved.objective(self._ridge) <= enough) & step.any(axis=(0, 2))
            if not failed.any():
                return moved
            length = np.where(failed, 0.5 * length, length)
        if failed.all():
            return state
        return self._problem.state(state.w - np.where(failed, 0.0, length)[:, None] * step)


def _status(exact):
    return Status.CONVERGED if exact else Status.INNER_NOT_CONVERGED
