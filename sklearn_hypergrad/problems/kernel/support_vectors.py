"""Support vector machines, solved to rounding errors, and the derivatives of their predictions.

Libsvm tells roughly which dual variables (:mod:`~sklearn_hypergrad.problems.kernel.machines`) are
at a bound. The others solve a linear system, after which variables that are out of place change
sides. Derivatives are those of this system, so that no accuracy is asked of libsvm.
"""

import numpy as np
from scipy.linalg import LinAlgError

from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.problems.kernel.free_system import FreeSystem
from sklearn_hypergrad.problems.kernel.machines import DualVariables

# Tolerances of libsvm, in units of the targets, one after the other until all variables are in
# place. Measured on ten data sets: the first one is enough; 1e-5 takes up to twice as long.
TOLERANCES = 1e-3, 1e-6
# Changes of sides after libsvm. Measured: in nine of ten machines none is needed.
MOST_CHANGES = 1000
# A start is given up once its changes have taken half as long as libsvm did. Measured: a step takes
# 6.5 ns per row, a change 0.5 ms, and 1 ms more with 200 free variables. With C=100 and 370 rows
# ten per cent more C take 28 changes, of gamma 96.
ROWS_PER_CHANGE, MANY_FREE, FEWEST_CHANGES = 150_000, 200, 3
# Share of a bound by which a solution may exceed it.
SLACK = 1e-8
# Share of its upper bound from which on a variable counts as at it; libsvm sets it there.
AT_BOUND = 1 - 1e-8
# By how much the condition of a variable at a bound may be violated, relative to the targets, and
# what is rounding of ``K beta``, relative to the sum of its terms. Decision values count relative
# to each other: with a flat kernel they may be a millionth of the targets -1 and 1. Measured for
# SVC with gamma from 1e-6 to 1e-4 on 200 rows of haberman: relative to the targets, Platt's loss
# was up to 8 % off, and another one after a change of gamma by 1e-9; now it is constant to 1e-4. It
# takes up to five times as many changes there, and as many as before elsewhere.
VIOLATED, ROUNDING = 1e-8, 1e-15
# The smallest r, in units of the targets, that nu determines.
SMALLEST = 1e-9


class SupportVectors:
    """A machine of one training part.

    Parameters
    ----------
    machine : Machine
    K : ndarray of shape (n_rows, n_rows)
        The kernel of all rows, in the order of C.
    y : ndarray of shape (n_rows,)
        Targets of all rows.
    weight : ndarray of shape (n_rows,)
        Weights in the training part; those of other rows are zero.
    h : dict of str -> float
        The ``names`` of the machine.
    start : tuple of (ndarray of shape (n_rows,), int), default=None
        A beta within the bounds whose sum is zero, for example that of a nearby machine, and the
        ``n_steps`` of libsvm there. Not for machines by nu.

    Attributes
    ----------
    z : ndarray of shape (n_rows,)
        Predictions of all rows.
    beta : ndarray of shape (n_rows,)
    b : float
    r : float
        The margin, or the half-width of the tube.
    n_steps : int
        Steps that libsvm has taken, here or for the start.
    status : Status

    Raises
    ------
    LinAlgError
        If there is no machine with this nu, or nothing determines it.
    """

    def __init__(self, machine, K, y, weight, h, start=None):
        self._machine, self._h, self._weight = machine, h, weight
        self._unit, self._system = machine.unit(y[weight > 0]), None
        settled = start is not None and self._begun_from(*start, K, y)
        settled = settled or any(self._begun_cold(tol, K, y) for tol in TOLERANCES)
        self.status = Status.CONVERGED if settled else Status.INNER_NOT_CONVERGED
        self._name()

    def _begun_cold(self, tol, K, y):
        try:
            beta, self.n_steps = self._machine.solved(K, y, self._weight, self._h, tol * self._unit)
        except ValueError as error:
            raise LinAlgError(str(error)) from None
        return self._settled(K, y, beta, MOST_CHANGES)

    def _begun_from(self, beta, n_steps, K, y):
        self.n_steps, most = n_steps, _changes_worth(n_steps, beta, self._weight, self._h["C"])
        if most < FEWEST_CHANGES:
            return False
        try:
            return self._settled(K, y, beta, min(most, MOST_CHANGES))
        except LinAlgError:
            return False

    # An active set method. From variables within their bounds it goes towards the solution of the
    # free ones; one that reaches a bound on the way stays there. Once none does, the one at a bound
    # that gains most by leaving it becomes free. The dual objective rises with every step.
    def _settled(self, K, y, beta, most):
        """Let variables change sides until all are in place; whether they are."""
        self._given_r = self._machine.r(beta, self._weight, self._h)
        duals = DualVariables(self._machine, y, self._weight, self._h, self._given_r)
        a = np.clip(duals.signs * beta[duals.rows], 0.0, duals.caps)
        at_cap = a >= AT_BOUND * duals.caps
        free = (a > 0) & ~at_cap
        for _ in range(most):
            system = FreeSystem(duals, K, free, at_cap, beta)
            step, blocking = _longest_step(a, system.a, duals.caps)
            if blocking is not None:
                a = a + step * (system.a - a)
                at_cap[blocking] = system.a[blocking] > 0
                a[blocking] = duals.caps[blocking] if at_cap[blocking] else 0.0
                free[blocking] = False
                continue
            self._system, a = system, np.clip(system.a, 0.0, duals.caps)
            worst = system.most_violated(self._allowed(system, K))
            if worst is None:
                return True
            free[worst], at_cap[worst] = True, False
        return False

    def _allowed(self, system, K):
        """By how much conditions may be violated."""
        size = VIOLATED * (self._unit + np.abs(system.offsets).max())
        if not self._machine.classifies:
            return size
        apart = VIOLATED * np.ptp(system.Kbeta[system.duals.rows])
        largest = np.abs(np.diagonal(K)).max() * np.abs(system.beta).sum()
        return min(size, max(apart, ROUNDING * largest))

    def _name(self):
        """The intercept and r, from the offsets of the system."""
        if self._system is None:
            raise LinAlgError("no machine is found within bounds")
        system, offsets = self._system, self._system.offsets
        self.beta, self.r = system.beta, self._given_r
        self.b = float(np.mean(offsets))
        if self._given_r is None:
            self.r = self._machine.sigma * float(offsets[0] - offsets[1]) / 2
            if self.r <= SMALLEST * self._unit:
                raise LinAlgError("this nu leaves no margin")
        self._scale = 1 / self.r if self._machine.divides else 1.0
        self.z = self._scale * (system.Kbeta + self.b)

    # With the unknowns x of M x = right, any function of x with derivatives u changes by
    # lambda' (d right - dM x), where lambda = M^-T u.
    def pull(self, g, Kg):
        """Derivatives of ``sum g z``.

        Parameters
        ----------
        g, Kg : ndarray of shape (n_rows,)
            Derivatives in predictions of rows, and ``K g``.

        Returns
        -------
        A : ndarray of shape (n_rows,)
            The derivatives in the kernel are ``A beta'``.
        gradient : dict of str -> float
            Derivatives in ``h``.
        """
        machine, system, h = self._machine, self._system, self._h
        of_offsets = np.full(len(system.offsets), self._scale * g.sum() / len(system.offsets))
        if machine.divides:
            of_r = -(g @ self.z) / self.r
            of_offsets += machine.sigma * of_r / 2 * np.array([1, -1])
        pulled = system.pull(self._scale * Kg, of_offsets)
        # beta at bounds, and the sums that nu tells, are proportional to C.
        of_C = self._scale * (Kg @ system.fixed) - pulled.of_right @ system.fixed_right
        found = {"epsilon": -machine.sigma * pulled.of_targets @ system.duals.signs}
        if self._given_r is None:
            of_totals = pulled.of_totals @ system.duals.totals
            found["nu"] = of_totals / h["nu"]
            of_C += of_totals
        found["C"] = of_C / h.get("C", 1.0)
        A = self._scale * g - system.duals.of_rows(pulled.of_targets)
        return A, {name: found.get(name, 0.0) for name in machine.names}


def _changes_worth(n_steps, beta, weight, C):
    """How many changes from a start are worth while, as an int."""
    a = np.abs(beta)
    n_free = np.count_nonzero((a > 0) & (a < AT_BOUND * C * weight))
    dearer = 1 + 2 * (n_free / MANY_FREE) ** 3
    return int(n_steps * len(beta) / (ROWS_PER_CHANGE * dearer))


def _longest_step(a, solution, caps):
    """The share of the way to a solution within bounds, and the variable that ends it, or None."""
    way = solution - a
    beyond = np.where(solution > caps * (1 + SLACK), caps - a, np.inf)
    beyond = np.where(solution < -SLACK * caps, -a, beyond)
    shares = np.divide(beyond, way, out=np.full(len(a), np.inf), where=np.isfinite(beyond))
    first = int(np.argmin(shares))
    return (1.0, None) if np.isinf(shares[first]) else (float(shares[first]), first)
