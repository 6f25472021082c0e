"""The four machines of libsvm, by their dual variables.

With K the kernel of the rows and w their weights, a machine has dual variables a, one for each row
of a class and two for each row with a number as target: with the sign s = 1 they pull the
prediction up, with s = -1 down. They are between 0 and C w, and with ``beta = s a`` predictions are
``f = K beta + b``. All four machines are minima at which ::

    K beta + b + sigma s r = t    for all a that are strictly between 0 and C w

where classes (sigma = -1, t = 0) keep a margin r, and numbers (sigma = 1, t = y) have a tube of
half-width r. Either r is given (1 for classes, epsilon for numbers) and ``sum beta = 0``. Or nu is:
then the sums of beta of both signs are ``+- nu C sum(w) / 2`` and r follows; C is 1 for classes,
whose decision values are ``f / r``.
"""

import dataclasses

import numpy as np
from scipy.linalg import LinAlgError

from sklearn_hypergrad._sklearn import libsvm_dual

# Steps of libsvm, at least and per row, after which it is stopped: machines with a large C and a
# flat kernel take minutes. Chosen by hand: usual ones need fewer than ten per row.
MOST_STEPS, STEPS_PER_ROW = 100_000, 500
# Steps per row after which a rough solution is given up, of classes and of numbers. Measured for
# SVC on nine data sets: beyond are 2 to 8 of 49 points of a grid, on three of them, which take 31
# to 84 % of the time of all; the best accuracy was among them once, by 0.005.
ROUGH_STEPS_PER_ROW = {True: 30, False: 100}
# Share of the sum of dual variables that nu allows for. If less is used, there is no tube.
USED = 1 - 1e-6


@dataclasses.dataclass(frozen=True)
class Machine:
    """One of the four machines.

    Attributes
    ----------
    classifies : bool
        Whether targets are classes, coded as -1 and 1.
    by_nu : bool
        Whether nu is given in place of r.
    """

    classifies: bool
    by_nu: bool

    @property
    def names(self):
        """The hyperparameters besides those of the kernel."""
        if self.classifies:
            return ("nu",) if self.by_nu else ("C",)
        return ("nu", "C") if self.by_nu else ("C", "epsilon")

    @property
    def sigma(self):
        """The sign of r."""
        return -1 if self.classifies else 1

    @property
    def divides(self):
        """Whether decision values are divided by r."""
        return self.classifies and self.by_nu

    def unit(self, y):
        """What numbers are measured by: the spread of the targets."""
        return 1.0 if self.classifies else float(np.std(y)) or 1.0

    def solved(self, K, y, weight, h, tol):
        """The beta that libsvm finds, of shape (n_rows,), and how many steps it has taken.

        Raises
        ------
        ValueError
            If there is no machine with this nu.
        """
        most = max(MOST_STEPS, STEPS_PER_ROW * len(y))
        beta, _, n_steps = self._of_libsvm(K, y, weight, h, tol, most)
        if self.divides:
            # Libsvm has divided by r.
            beta *= h["nu"] * weight.sum() / np.abs(beta).sum()
        return beta, n_steps

    def rough(self, K, y, weight, h, tol):
        """The same with the intercept in between, for predictions ``K beta + b``.

        Raises
        ------
        ValueError
            If there is no machine with this nu.
        LinAlgError
            If it takes many steps.
        """
        per_row = ROUGH_STEPS_PER_ROW[self.classifies]
        most = per_row * len(y)
        beta, b, n_steps = self._of_libsvm(K, y, weight, h, tol, most)
        if n_steps >= most:
            raise LinAlgError(f"libsvm takes more than {per_row} steps per row")
        return beta, b, n_steps

    def _of_libsvm(self, K, y, weight, h, tol, most):
        kind = {(True, False): 0, (True, True): 1, (False, False): 3, (False, True): 4}
        machine = kind[self.classifies, self.by_nu]
        return libsvm_dual(K, y, weight, kind=machine, tol=tol, max_iter=most, **h)

    def r(self, beta, weight, h):
        """The r that is given, or None if it follows from nu."""
        if not self.by_nu:
            return h.get("epsilon", 1.0)
        if self.classifies:
            return None
        # With a large nu there is no tube, and nu has no effect.
        used = np.abs(beta).sum() / (h["nu"] * h["C"] * weight.sum())
        return None if used > USED else 0.0


class DualVariables:
    """The dual variables of a machine.

    Parameters
    ----------
    machine : Machine
    y, weight : ndarray of shape (n_rows,)
        Targets and weights; rows without weight have no variables.
    h : dict of str -> float
    r : float or None
        As ``Machine.r`` returns it.

    Attributes
    ----------
    rows, signs : ndarray of shape (n_variables,)
    targets : ndarray of shape (n_variables,)
        What ``K beta`` and an offset are together where a variable is free. The offset is b if r is
        given, else ``b + sigma s r``.
    weights, caps : ndarray of shape (n_variables,)
        Weights, and upper bounds.
    groups : list of ndarray of bool of shape (n_variables,)
        For every offset, which variables have it.
    totals : list of float
        For every offset, the sum of the beta of its variables.
    """

    def __init__(self, machine, y, weight, h, r):
        rows = np.flatnonzero(weight > 0)
        self.n_rows = len(y)
        self.rows = rows if machine.classifies else np.concatenate([rows, rows])
        self.signs = y[rows] if machine.classifies else np.repeat([1.0, -1.0], len(rows))
        self.weights = weight[self.rows]
        self.caps = h.get("C", 1.0) * self.weights
        targets = np.zeros(len(self.rows)) if machine.classifies else y[self.rows]
        if r is None:
            half = h["nu"] * h.get("C", 1.0) * weight.sum() / 2
            self.groups, self.totals = [self.signs > 0, self.signs < 0], [half, -half]
            self.targets = targets
        else:
            self.groups, self.totals = [np.ones(len(self.rows), dtype=bool)], [0.0]
            self.targets = targets - machine.sigma * self.signs * r

    def of_rows(self, values):
        """Sums of values of variables over those of each row."""
        return np.bincount(self.rows, values, minlength=self.n_rows)
