"""Inverses of Hessians to which only some rows contribute: those that are active.

With features E, training weights t and the active rows A of a problem, its Hessian is ::

    strength * sum_(i in A) t_i e_i e_i'  +  I

Newton's method moves few rows in or out at a step, and other hyperparameters leave most of them
where they are. So nothing is computed again for a problem whose active rows are the same, and its
Gram matrix is corrected by the rows that have changed. Several problems share E: their vectors are
columns of one matrix.
"""

import abc
import dataclasses

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linalg import factor, solve_factored


@dataclasses.dataclass(frozen=True)
class ActiveGram:
    """The Gram matrix ``E' diag(t) E`` of the active rows of one problem.

    Attributes
    ----------
    rows : ndarray of bool of shape (n_samples,)
    matrix : ndarray of shape (n_weights, n_weights)
    """

    rows: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, E, t, rows, last=None):
        """It is computed from that of other rows, if fewer rows differ than are active."""
        if last is not None:
            changed = np.flatnonzero(last.rows != rows)
            if not changed.size:
                return last
            if 2 * len(changed) < np.count_nonzero(rows):
                entered = np.where(rows[changed], t[changed], -t[changed])
                return cls(rows, last.matrix + weighted_gram(E[changed], entered))
        inside = np.flatnonzero(rows)
        return cls(rows, weighted_gram(E[inside], t[inside]))


@dataclasses.dataclass(frozen=True)
class Active:
    """The active rows of one problem, and what is known of its Hessian.

    Attributes
    ----------
    rows : ndarray of bool of shape (n_samples,)
    strength : float
    triangle : ndarray
        The factor of the Hessian, or of its form in rows.
    gram : ActiveGram, default=None
        None if the Hessian has its form in rows.
    """

    rows: np.ndarray
    strength: float
    triangle: np.ndarray
    gram: ActiveGram | None = None

    @property
    def size(self):
        """Number of floats in it."""
        return self.triangle.size * (1 if self.gram is None else 2)


class Hessians(abc.ABC):
    """Hessians of several problems on the same features.

    Parameters
    ----------
    features : Features
    t : ndarray of shape (n_samples, n_problems)
        Training weights: zero for rows that a problem does not train on.
    """

    def __init__(self, features, t):
        self._features, self._t = features, t

    @abc.abstractmethod
    def at(self, active, strength, known=None):
        """What is known once these rows are active: a list of Active, one for every problem.

        Parameters
        ----------
        active : ndarray of bool of shape (n_samples, n_problems)
        strength : float
        known : list of Active, default=None
            Of other active rows, or another strength.
        """

    @abc.abstractmethod
    def solve(self, known, V):
        """The inverses times the columns of V, of shape (n_weights, n_problems)."""

    @staticmethod
    def _same(last, rows, strength):
        """Whether the factor of these rows is known."""
        return last is not None and last.strength == strength and (last.rows == rows).all()


class HessiansByFeatures(Hessians):
    """Hessians as they are: for at most as many features as active rows."""

    def at(self, active, strength, known=None):
        known = [None] * active.shape[1] if known is None else known
        return [
            last if self._same(last, rows, strength) else self._moved(last, rows, strength, number)
            for number, (last, rows) in enumerate(zip(known, active.T, strict=True))
        ]

    def _moved(self, last, rows, strength, number):
        last = None if last is None else last.gram
        gram = ActiveGram.of(self._features.shared, self._t[:, number], rows, last)
        own = self._features.gram(gram.matrix, number)
        return Active(rows, strength, factor(strength * own, 1.0), gram)

    def solve(self, known, V):
        solved = np.empty_like(V)
        for column, own in enumerate(known):
            solved[:, column] = solve_factored(own.triangle, V[:, column])
        return solved


# With c = strength, W = diag(t) of the active rows and their kernel K = E_A E_A', by Woodbury's
# formula,
#     (c E_A' W E_A + I)^-1 = I - E_A' (W^-1 / c + K)^-1 E_A.
class HessiansByRows(Hessians):
    """Hessians in the space of the active rows: for more features than rows."""

    def __init__(self, features, t):
        super().__init__(features, t)
        kernel = features.shared @ features.shared.T
        self._kernel = kernel.toarray() if issparse(kernel) else kernel

    def at(self, active, strength, known=None):
        known = [None] * active.shape[1] if known is None else known
        return [
            last if self._same(last, rows, strength) else self._factored(rows, strength, t)
            for last, rows, t in zip(known, active.T, self._t.T, strict=True)
        ]

    def _factored(self, rows, strength, t):
        inside = np.flatnonzero(rows)
        kernel = self._kernel[np.ix_(inside, inside)]
        return Active(rows, strength, factor(kernel, 1 / (strength * t[inside])))

    def solve(self, known, V):
        of_rows = self._features.product(V)
        solved = np.zeros_like(of_rows)
        for column, own in enumerate(known):
            right = of_rows[own.rows, column]
            solved[own.rows, column] = solve_factored(own.triangle, right)
        return V - self._features.pull(solved)


def weighted_gram(E, weights):
    """``E' diag(weights) E`` of some rows, for weights of any sign."""
    if issparse(E):
        scaled = E.copy()
        scaled.data = scaled.data * np.repeat(weights, np.diff(E.indptr))
        return (E.T @ scaled).toarray()
    return E.T @ (weights[:, None] * E)


def hessians_of(features, t):
    """The Hessians in the form with the smaller matrices; kernels are those of all problems."""
    most = np.count_nonzero(t, axis=0).max()
    by_rows = features.are_shared and features.shared.shape[1] > most
    return (HessiansByRows if by_rows else HessiansByFeatures)(features, t)
