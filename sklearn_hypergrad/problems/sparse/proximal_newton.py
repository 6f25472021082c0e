"""Newton's method for training losses with an elastic net penalty, for all splits at once.

At every point the loss is replaced by its quadratic, and the minimum of this quadratic with the
penalty is found exactly; a line search goes there (Lee, Sun, Saunders 2014, "Proximal Newton-type
methods for minimizing composite functions"). Only weights that are not zero, and those that the
slopes of the loss want to be, take part in a step: matrices are as small as the solution is sparse.
"""

import numpy as np

from sklearn_hypergrad.linalg.systems import ratio
from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.problems.linear.newton import SMALLEST, STUCK, halved
from sklearn_hypergrad.problems.sparse.exchange import EXCESS
from sklearn_hypergrad.problems.sparse.quadratics import minima

# Largest number of steps: a safeguard, chosen by hand.
MAX_STEPS = 100
# Share of the L1 penalty from which on the slope of a weight that is zero lets it take part.
NEAR = 0.8
# Fewest weights that are zero and may take part in a step; else as many as are not zero.
FEWEST = 100
# Largest number of weights that take part in a step. Measured on 500 rows of 5,000 words: a step
# between so many takes a second for every split, and models that need them predict worse.
MOST = 1000
# Number of weights up to which the Hessians of all splits are between the same ones and computed by
# one call. Chosen by hand: calls of functions take as long as a product of so many columns.
TOGETHER = 100
# Share of the diagonal that is added to the Hessian of a step. It holds directions in which the
# loss is flat; where a step ends does not depend on it.
HELD = 1e-10


class ProximalNewton:
    """One minimisation, for one penalty.

    Parameters
    ----------
    problem : SparseLinearProblem
    l1 : float
        Factor of the absolute values of weights.
    ridge : ndarray of shape (n_weights, 1, 1)
        Factors of half their squares.
    tol : float
        Root of the squared length of a step in the norm of the Hessian, relative to the objective,
        that ends the search.
    """

    def __init__(self, problem, l1, ridge, tol):
        self._problem, self._tol = problem, tol
        self._ridge = ridge
        self._l1 = np.where(problem.penalised_weights, l1, 0.0)

    def run(self, state):
        """Minimise.

        Parameters
        ----------
        state : NewtonState
            Where to start.

        Returns
        -------
        state : NewtonState
            The minimum, with its predictions.
        status : Status
        n_steps : int
        """
        n_splits, value = state.w.shape[1], self._objective(state)
        settled, exact = np.zeros(n_splits, bool), np.ones(n_splits, bool)
        for n_steps in range(1, MAX_STEPS + 1):
            step, length, whole = self._step(state, ~settled)
            ready = whole & (_left(value, length) <= self._allowed(value))
            state, value, failed = self._descend(state, value, step, length, settled | ready)
            ready &= self._is_whole(state)
            if failed.any():
                # No step lowers the objective in floating point: solved if the step is small.
                exact &= ~failed | (length <= self._allowed(value, STUCK))
            settled |= ready | failed
            if settled.all():
                return state, _status(exact.all()), n_steps
        return state, _status(False), MAX_STEPS

    def _step(self, state, active):
        """Steps to the minima of the quadratics with the penalty, of the splits that are active.

        Returns
        -------
        step : ndarray like the weights
        length : ndarray of shape (n_splits,)
            Squared lengths in the norm of the Hessian: twice the distance to the minimum of the
            objective, at a minimum.
        whole : ndarray of bool of shape (n_splits,)
            Whether all weights that are to leave zero have taken part.
        """
        step, length = np.zeros_like(state.w), np.zeros(len(active))
        whole = np.ones(len(active), bool)
        for splits in groups(np.flatnonzero(active), state.w[:, 0].size):
            at, moved, length[splits], whole[splits] = self._steps(state, splits)
            step[at] = moved.T
        return step, length, whole

    def _steps(self, state, splits):
        """The same for some splits, between the weights that take part in one of them.

        Returns
        -------
        places : tuple
            Where these weights are.
        step : ndarray of shape (n_splits, n_chosen)
        length, whole : ndarray of shape (n_splits,)
        """
        chosen, whole = self._chosen(state.w[:, splits], state.slope[:, splits])
        numbers, outputs = np.nonzero(chosen.T)[::-1]
        if len(numbers) > MOST:
            raise np.linalg.LinAlgError(f"more than {MOST} weights of a split may not be zero")
        places = numbers[:, None], splits, outputs[:, None]
        w, slope = state.w[places].T, state.slope[places].T
        l1, ridge = self._l1[numbers, 0], self._ridge[numbers, 0, 0]
        hessians = held(self._problem.hessians(state, chosen, splits))
        right = np.einsum("sij,sj->si", hessians, w) - slope
        lowest, converged = minima(hessians, right, l1, ridge, w)
        step = lowest - w
        curved = np.einsum("sij,sj->si", hessians, step) + ridge * step
        return places, step, np.einsum("si,si->s", step, curved), whole & converged

    def _chosen(self, w, slope):
        """Which weights take part, and for every split whether all that are to leave zero do."""
        l1 = self._l1[:, None]
        inside = ((w != 0) | (l1 == 0)).any(axis=1)
        size = np.where(inside, 0.0, np.abs(slope).max(axis=1))
        near = size > NEAR * self._l1
        most = max(FEWEST, np.count_nonzero(inside))
        if np.count_nonzero(near) > most:
            near &= size >= np.partition(size, -most, axis=None)[-most]
        chosen = inside | near
        over = np.abs(slope) > l1 * (1 + EXCESS)
        return chosen, ~np.any(over & ~chosen[:, None], axis=(0, 2))

    def _objective(self, state):
        """The objective of every split, of shape (n_splits,)."""
        return state.objective(self._ridge) + np.einsum("jsk,jl->s", np.abs(state.w), self._l1)

    def _allowed(self, value, tol=None):
        most = self._problem.scale
        scale = np.clip(value, SMALLEST * most, most)
        tol = self._tol if tol is None else tol
        return np.maximum(tol**2 * scale, self._problem.rounding)

    def _is_whole(self, state):
        """Whether no weight that is zero is to leave it, up to the tolerance."""
        over = np.abs(state.slope) > self._l1[:, None] * (1 + max(EXCESS, self._tol))
        return ~np.any(over & (state.w == 0) & (self._l1[:, None] > 0), axis=(0, 2))

    def _descend(self, state, value, step, length, sure):
        """Halve the step of each split until its objective falls enough, unless it is sure to.

        Returns
        -------
        state : NewtonState
        value : ndarray of shape (n_splits,)
        failed : ndarray of bool of shape (n_splits,)
            Which splits have not moved.
        """

        def reach(share):
            moved = self._problem.state(state.w + share[:, None] * step, predicted=True)
            return moved, self._objective(moved)

        moved, reached, share, failed = halved(reach, value, length, sure)
        if moved is None:
            moved, reached = reach(share)
        return moved, reached, failed


# Newton's method squares the relative error, whether weights leave zero or not: the quadratic with
# the penalty is minimised, and only the quadratic is not exact.
def _left(value, length):
    """The squared length that is expected of the step after one of this length."""
    return ratio(length, np.maximum(length, value)) * length


def groups(splits, n_weights):
    """Numbers of splits in groups whose Hessians are computed together: all of them, or each."""
    together = n_weights <= TOGETHER
    return [splits] if together else splits[:, None]


def held(hessians):
    """Hessians that are held in the directions in which the loss is flat."""
    found = hessians.copy()
    diagonals = np.einsum("sii->si", found)
    diagonals *= 1 + HELD
    return found


def _status(exact):
    return Status.CONVERGED if exact else Status.INNER_NOT_CONVERGED
