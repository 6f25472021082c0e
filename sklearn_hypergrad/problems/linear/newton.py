"""Newton's method for the training problems of all splits at once.

The tolerance is one of the Newton decrement ``g' H^-1 g``, twice the distance to the minimum in the
objective (Boyd, Vandenberghe, "Convex Optimization", 2004, section 9.5.1).
"""

import weakref

import numpy as np

from sklearn_hypergrad.linalg import conjugate_gradient
from sklearn_hypergrad.linalg.systems import ratio
from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.problems.linear.curvature import Secants, inner_by_split

# Largest numbers of steps, of halvings of a step, and of CG iterations. Chosen by hand as
# safeguards: convex problems that are scaled sensibly do not reach them.
MAX_NEWTON = 100
MAX_HALVINGS = 40
MAX_CG = 1000
# Largest relative residual to which CG solves Newton systems: linear convergence by a factor of ten
# per step (Nocedal, Wright 2006, section 7.1).
INEXACT = 0.1
# Relative residual in units of the relative error of the state. Measured on sparse data: exact
# steps leave less than a fifth of the square of the error.
FORCING = 0.2
# Steps of the preconditioner alone are taken as long as decrements shrink by this factor per step;
# otherwise CG takes over. Chosen by hand, equal to INEXACT.
CONTRACTION = 0.1
# Ratio of the first decrement to that left at the start from which on the first step predicts the
# next one. Chosen by hand: below it the rest of the last solution dominates.
TELLING = 100
# Relative difference of a curvature from the expected one up to which it corrects the matrix.
# Chosen by hand: matrices are 5 % off.
AGREES = 0.5
# Relative residual of the adjoint: a multiple of the inner tolerance, usually this one, but at most
# MAX_ADJOINT. Chosen by hand: the adjoint affects gradients only, not values, so it may be less
# accurate.
ADJOINT = 100
MAX_ADJOINT = 1e-2
# Inner tolerance from which on the adjoint is that of the preconditioner alone, if its steps have
# contracted: slopes of a scan only say where to look. Measured: with slopes that are a few per cent
# off, 0 of 117 searches missed a minimum.
UNCHECKED = 2e-3
# Inner tolerance from which on a system gets at most FEW_CG iterations of CG. Chosen by hand, for
# the points of a scan that are far above its minimum.
LOOSE = 1e-2
FEW_CG = 8
# Relative rounding error of the objective. Chosen by hand: sums over a million samples have a
# relative error of about 1000 units of rounding.
SLACK = 1e3 * np.finfo(float).eps
# Smallest scale of the tolerance, as a share of the objective without features. Chosen by hand: on
# separable classes the objective goes to zero, and a tolerance relative to it is never reached.
SMALLEST = 1e-3
# Tolerance that counts as converged if rounding prevents a smaller decrement. Chosen by hand: it is
# the fine tolerance of a search.
STUCK = 1e-6


class Newton:
    """One minimisation, for one penalty.

    A step ``d = P g`` with the gradient g and the preconditioner P (or by CG, if steps of P alone
    do not contract) changes the objective by about half its decrement ``g d``. ``tol`` is the root
    of the decrement at the end, relative to the objective, or to that without features if it is
    smaller.

    Parameters
    ----------
    problem : LinearProblem
    ridge : ndarray of shape (n_weights, 1, n_outputs or 1)
    tol : float
    secants : Secants
        What is known of the curvature that preconditions at the start.

    Attributes
    ----------
    secants : Secants
        The same at the end; it learns from adjoints, too.
    """

    def __init__(self, problem, ridge, tol, secants):
        self._problem = problem
        self._ridge = ridge
        self._tol = tol
        # Where the loss couples the outputs, blocks per output are not the Hessian.
        self._direct = problem.factorises and not problem.loss.shift_invariant
        self._kept = self._solve_factored = self._precondition = None
        self._project = problem.projection(ridge)
        self._valued = lambda: None, None
        self.secants = secants.copy()

    def run(self, state, kept, left):
        """Minimise, starting from a state of another penalty.

        Parameters
        ----------
        state : NewtonState
        kept : CurvatureGram, CurvatureDiagonal or None
            The curvature that preconditioned there.
        left : ndarray of shape (n_splits,) or None
            Largest decrement that the state may have under its own penalty; None if it solves no
            problem.

        Returns
        -------
        state : NewtonState
        kept : CurvatureGram or CurvatureDiagonal
        left : ndarray of shape (n_splits,)
        status : Status
        n_steps : int
        """
        last, previous, rates = None, np.full(state.w.shape[1], np.inf), [0.0]
        if left is not None:
            state, kept, previous = self._predicted(state, kept, left)
        for n_steps in range(1 if left is None else 2, MAX_NEWTON + 1):
            kept = self._renew(kept, state)
            target, stuck = self._allowed(state, self._tol), self._allowed(state, STUCK)
            step, decrement, residual = self._step(state, target)
            rates = [rates[-1], _rate(decrement, previous)]
            if (self._left(state, decrement, np.maximum(*rates), residual) <= target).all():
                state = self._problem.arrived(state.w - step, self._ridge)
                return state, kept, target, Status.CONVERGED, n_steps
            if last is not None and (previous <= stuck).all():
                if (decrement > stuck).any():
                    # Rounding errors have grown, as with a nearly singular Hessian: go back.
                    return last, kept, previous, Status.CONVERGED, n_steps
                if not self._direct and ((decrement <= target) | (decrement >= previous)).all():
                    return state, kept, decrement, Status.CONVERGED, n_steps
            solved = decrement <= target
            self._direct &= (solved | (decrement <= CONTRACTION * previous)).all()
            moved = self._descend(state, np.where(solved[:, None], 0.0, step), decrement)
            if moved is state:
                # No step lowers the objective in floating point: solved if the step is small.
                exact = (decrement <= stuck).all()
                return state, kept, decrement, _status(exact), n_steps
            self._learn(moved.w - state.w, moved.slope - state.slope, decrement)
            # Only from near the minimum is there a way back; a state takes as much as its solution.
            last = state if (decrement <= stuck).all() else None
            state, previous = moved, decrement
        return state, kept, previous, _status(False), MAX_NEWTON

    def _predicted(self, state, kept, left):
        """The state after the first step, which needs no pass over X, and its decrement.

        The gradient is that of another penalty's solution, with the error which that left. A step
        that does not lower the objective is not taken; one that is not much longer than the error
        has the decrement inf: it does not predict the next one.
        """
        kept = self._renew(kept, state)
        step, decrement, _ = self._step(state, self._allowed(state, self._tol))
        moved = self._problem.state(state.w - step)
        before = self._objective(state)
        if not (self._objective(moved) <= before + SLACK * np.abs(before)).all():
            return self._problem.state(state.w), kept, np.full_like(decrement, np.inf)
        self._learn(moved.w - state.w, moved.slope - state.slope, decrement)
        return moved, kept, np.where(decrement > TELLING * left, decrement, np.inf)

    def inverse_hvp(self, state, v, start):
        """``H^-1 v`` at a state, and its Status."""
        if self._direct and self._tol >= UNCHECKED:
            return self._precondition(v), Status.CONVERGED
        tol = (
            min(self._problem.adjoint * self._tol, MAX_ADJOINT)
            if self._tol < UNCHECKED
            else INEXACT
        )
        # With a factorised preconditioner the first step is better than the start of a neighbour.
        if self._problem.factorises:
            solution, start = self._refined(state, v, tol), None
            if solution is not None:
                return solution, Status.CONVERGED
        if start is not None:
            start = self._project(start)
        solution, residual = self._solve(state, v, start, tol)
        return solution, Status.CONVERGED if residual <= tol else Status.LINEAR_SOLVE_INEXACT

    # Every product corrects the inverse, so that the next step is better. The last step needs no
    # product: what it leaves is at most the largest share of a step that was left before.
    def _refined(self, state, right, tol):
        """``H^-1 right`` by steps of the corrected inverse; None if they contract slowly."""
        step = solution = self._precondition(right)
        first = last = inner_by_split(right, step)
        residual, rate = right, 0.0
        while True:
            product = self._problem.hessian(state, self._ridge, step)
            self._learn(step, product - self._ridge * step, last)
            residual = residual - product
            step = self._precondition(residual)
            size, solution = inner_by_split(residual, step), solution + step
            rate = np.maximum(rate, _rate(size, last))
            if (rate * size <= tol**2 * first).all():
                return solution
            if not (rate <= CONTRACTION).all():
                return None
            last = size

    def _renew(self, kept, state):
        renewed = self._problem.curvature(kept, state)
        if renewed is not kept:
            self.secants = Secants()
        if renewed is not self._kept:
            self._kept = renewed
            self._solve_factored = self._problem.factored(renewed, self._ridge).solve
            self._correct()
        return renewed

    # Along a step of P the curvature that P expects is the decrement. Where another one is found,
    # rounding errors prevail, as along flat directions, or D has changed on the way.
    def _learn(self, step, product, decrement):
        """Correct the inverse by a step and its product with the Hessian of the loss."""
        if not self._problem.factorises:
            return
        curvature = inner_by_split(step, product + self._ridge * step)
        agrees = np.abs(curvature - decrement) <= AGREES * decrement
        if not agrees.all():
            step, product = agrees[:, None] * step, agrees[:, None] * product
        self.secants.learn(step, product)
        self._correct()

    def _correct(self):
        corrected = self.secants.corrected(self._solve_factored, self._ridge)
        # Through a function that knows Newton itself, its memory would wait for Python's collector.
        project = self._project
        self._precondition = lambda right: project(corrected(right))

    # Exact steps of Newton's method would leave about the square of the error, and more accuracy
    # than is asked for is no use either: so much CG may leave, too (Eisenstat, Walker 1996,
    # "Choosing the forcing terms in an inexact Newton method").
    def _step(self, state, target):
        """The step, its decrement for every split, and the relative residual of its system."""
        gradient = state.slope + self._ridge * state.w
        step, residual = self._precondition(gradient), 0.0
        if not self._direct:
            # The decrement of the preconditioner's step is good enough for this.
            size = np.maximum(inner_by_split(gradient, step), np.finfo(float).tiny)
            error, asked = np.sqrt(self._share(state, size)), np.sqrt(target / size)
            residual = np.minimum(INEXACT, np.maximum(FORCING * error, 0.5 * asked))
            step, _ = self._solve(state, gradient, None, residual)
        return step, inner_by_split(gradient, step), residual

    def _objective(self, state):
        """The objective at a state, by split; several questions are asked about each state."""
        valued, objective = self._valued
        if valued() is not state:
            objective = state.objective(self._ridge)
            # The memory of a state is free as soon as no step needs it.
            self._valued = weakref.ref(state), objective
        return objective

    def _allowed(self, state, tol):
        most = self._problem.scale
        scale = np.minimum(np.maximum(self._objective(state), SMALLEST * most), most)
        return np.maximum(tol**2 * scale, self._problem.rounding)

    # Where classes are separated, losses and their curvatures fall to next to nothing, and steps
    # that are small in other units are not small there.
    def _share(self, state, decrement):
        """The square of the relative error: decrements as a share of the objective."""
        return ratio(decrement, np.maximum(decrement, self._objective(state)))

    def _left(self, state, decrement, rate, residual):
        """The predicted decrement after a step, from contractions or the residual of CG."""
        share = self._share(state, decrement)
        return (np.maximum(rate, share) if self._direct else residual**2 + share) * decrement

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
        """The state after a step, halved for each split until its objective falls enough."""
        moving = step.any(axis=(0, 2))

        def at(length):
            return self._problem.state(state.w - length[:, None] * step)

        def reach(length):
            moved = at(length)
            return moved, self._objective(moved)

        moved, _, length, failed = halved(reach, self._objective(state), decrement, ~moving)
        if moved is not None:
            return moved
        return state if np.array_equal(failed, moving) else at(length)


def halved(reach, value, decrement, sure=False):
    """Halve the step of each problem until its objective falls enough.

    The condition is Armijo's with the constant 1e-4 of Nocedal, Wright (2006), section 3.1.

    Parameters
    ----------
    reach : callable
        ``reach(length) -> (moved, values)``: where steps of these lengths lead, an array of shape
        (n_problems,), and the objectives there.
    value : ndarray of shape (n_problems,)
        The objectives.
    decrement : ndarray of shape (n_problems,)
        Newton decrements of the whole steps.
    sure : bool or ndarray of bool of shape (n_problems,), default=False
        Which problems take whole steps, whatever their objectives are.

    Returns
    -------
    moved : object or None
        Where the steps lead; None if some of them have failed.
    values : ndarray of shape (n_problems,) or None
        The objectives there.
    length : ndarray of shape (n_problems,)
        Zero for steps that have failed.
    failed : ndarray of bool of shape (n_problems,)
    """
    length, slack = np.ones(len(decrement)), SLACK * np.abs(value)
    failed = np.ones(len(decrement), bool) & ~np.asarray(sure)
    for _ in range(MAX_HALVINGS):
        moved, reached = reach(length)
        failed = ~(reached <= value - 1e-4 * length * decrement + slack) & ~np.asarray(sure)
        if not failed.any():
            return moved, reached, length, failed
        length = np.where(failed, 0.5 * length, length)
    return None, None, np.where(failed, 0.0, length), failed


def _rate(decrement, previous):
    """The factor by which a step has reduced the decrement, at most one, which is no reduction."""
    known = (previous > 0) & np.isfinite(previous)
    return np.minimum(1, np.divide(decrement, previous, out=np.ones_like(decrement), where=known))


def _status(exact):
    return Status.CONVERGED if exact else Status.INNER_NOT_CONVERGED
