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
# Ratio of decrements from which on one is not made of what another solution has left.
TELLING = 100
# Accuracy of the adjoint over that of the weights, and at most: values do not depend on it.
ADJOINT = 100
MAX_ADJOINT = 1e-2
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

    def run(self, state, kept, left):
        """From a state of another penalty to the minimum of this one.

        Parameters
        ----------
        state : NewtonState
        kept : object
            The curvature that preconditioned there.
        left : ndarray of shape (n_splits,)
            The decrement that the state may have under its own penalty.

        Returns
        -------
        state : NewtonState
        kept : object
        left : ndarray
        status : Status
        n_steps : int
        """
        state, kept, previous = self._predicted(state, kept, left)
        last = None
        for n_steps in range(2, MAX_NEWTON + 1):
            kept = self._renew(kept, state)
            step, decrement = self._step(state)
            target, stuck = self._allowed(state, self._tol), self._allowed(state, STUCK)
            if np.all(self._left(decrement, previous) <= target):
                state = self._problem.arrived(state.w - step, self._ridge)
                return state, kept, target, Status.CONVERGED, n_steps
            if last is not None and np.all(previous <= stuck):
                if np.any(decrement > stuck):
                    # Rounding errors have grown, as where a Hessian is all but singular.
                    return last, kept, previous, Status.CONVERGED, n_steps
                if not self._direct and np.all((decrement <= target) | (decrement >= previous)):
                    return state, kept, decrement, Status.CONVERGED, n_steps
            solved = decrement <= target
            self._direct &= np.all(solved | (decrement <= CONTRACTION * previous))
            moved = self._descend(state, np.where(solved[:, None], 0.0, step), decrement)
            if moved is state:
                # No step helps in floating point: as solved as it can be, if the step is small.
                exact = np.all(decrement <= stuck)
                return state, kept, decrement, _status(exact), n_steps
            state, last, previous = moved, state, decrement
        return state, kept, previous, _status(False), MAX_NEWTON

    def _predicted(self, state, kept, left):
        """The state after the first step, which needs no look at the data; what it was worth.

        The gradient is that of another penalty's solution, known up to what that left: a step that
        does not lead down is not taken, and one that is not much longer tells nothing of the next.
        """
        kept = self._renew(kept, state)
        step, decrement = self._step(state)
        moved = self._problem.state(state.w - step)
        before = state.objective(self._ridge)
        if not np.all(moved.objective(self._ridge) <= before + SLACK * np.abs(before)):
            return self._problem.state(state.w), kept, np.full_like(decrement, np.inf)
        return moved, kept, np.where(decrement > TELLING * left, decrement, np.inf)

    def inverse_hvp(self, state, v, start):
        """``H^-1 v`` at a state, and how well it was solved."""
        # With a good preconditioner the first step is worth more than a near start.
        if start is not None:
            project = self._problem.projection(self._ridge)
            start = None if self._problem.factorises else project(start)
        tol = min(ADJOINT * self._tol, MAX_ADJOINT) if self._tol < LOOSE else INEXACT
        solution, residual = self._solve(state, v, start, tol)
        return solution, Status.CONVERGED if residual <= tol else Status.LINEAR_SOLVE_INEXACT

    def _renew(self, kept, state):
        renewed = self._problem.curvature(kept, state)
        if renewed is not self._kept:
            self._kept = renewed
            self._precondition = self._problem.preconditioner(renewed, self._ridge)
        return renewed

    def _step(self, state):
        """The step and its decrement for every split."""
        gradient = state.slope + self._ridge * state.w
        if self._direct:
            step = self._precondition(gradient)
        else:
            step, _ = self._solve(state, gradient, None, INEXACT)
        return step, np.einsum("isk,isk->s", gradient, step)

    def _allowed(self, state, tol):
        most = self._problem.scale
        scale = np.clip(state.objective(self._ridge), SMALLEST * most, most)
        return np.maximum(tol**2 * scale, self._problem.rounding)

    def _left(self, decrement, previous):
        """What a step leaves: as much less as the last one did, or as CG was asked for."""
        if not self._direct:
            return INEXACT**2 * decrement
        known = (previous > 0) & np.isfinite(previous)
        rate = np.divide(decrement, previous, out=np.ones_like(decrement), where=known)
        return np.minimum(1, rate) * decrement

    def _solve(self, state, right, start, tol):
        solved = conjugate_gradient(
            lambda v: self._problem.hessian(state, self._ridge, v),
            right,
            self._precondition,
            start=start,
            tol=tol,
            max_iter=MAX_CG if self._tol < LOOSE else FEW_CG,
        )
        return solved.x, solved.residual

    def _descend(self, state, step, decrement):
        """Halve the step of each split until its objective falls (Armijo)."""
        length, moving = np.ones(len(decrement)), step.any(axis=(0, 2))
        objective = state.objective(self._ridge)
        slack = SLACK * np.abs(objective)
        for _ in range(MAX_HALVINGS):
            moved = self._problem.state(state.w - length[:, None] * step)
            enough = objective - 1e-4 * length * decrement + slack
            failed = ~(moved.objective(self._ridge) <= enough) & moving
            if not failed.any():
                return moved
            length = np.where(failed, 0.5 * length, length)
        if np.array_equal(failed, moving):
            return state
        return self._problem.state(state.w - np.where(failed, 0.0, length)[:, None] * step)


def _status(exact):
    return Status.CONVERGED if exact else Status.INNER_NOT_CONVERGED
