"""The linear system that the free dual variables of a support vector machine solve.

Its unknowns are beta of the free variables F, and the offsets. With B the variables at their upper
bound, ::

    K_FF beta_F + offset = targets_F - K_FB beta_B,    sum of beta_F = total - sum of beta_B

with one equation on the right for the variables of each offset. An offset without a free variable
is bounded only, by rows on both sides. Libsvm takes the middle, so that the equation on the left,
as the mean over these two rows, takes the place of the one on the right.
"""

import dataclasses

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dgetrf, dgetrs

# Added to the diagonal of the factor, relative to it: repeated rows make the system singular.
JITTER = 1e-12
# Rounds of iterative refinement, which take the jitter out of solutions. Where a kernel is flat,
# errors of 1e-10 at the free rows are 1e-4 at other rows.
REFINEMENTS = 2


@dataclasses.dataclass(frozen=True)
class PulledBack:
    """Derivatives in the right side of a system.

    Attributes
    ----------
    of_right : ndarray of shape (n_equations,)
    of_targets : ndarray of shape (n_variables,)
        In the targets of variables; minus those in ``K beta`` of their rows.
    of_totals : ndarray of shape (n_offsets,)
    """

    of_right: np.ndarray
    of_targets: np.ndarray
    of_totals: np.ndarray


class FreeSystem:
    """A solved system.

    Parameters
    ----------
    duals : DualVariables
    K : ndarray of shape (n_rows, n_rows)
    free, at_cap : ndarray of bool of shape (n_variables,)
        Which variables are free, and which are at their upper bound.
    near : ndarray of shape (n_rows,)
        A beta near the solution: it tells which rows bound an offset.

    Attributes
    ----------
    a : ndarray of shape (n_variables,)
        The solution, which may be outside of the bounds.
    beta, Kbeta, fixed : ndarray of shape (n_rows,)
        Its beta, the kernel times it, and its part at upper bounds.
    offsets : ndarray of shape (n_offsets,)
    fixed_right : ndarray of shape (n_equations,)
        What the part at upper bounds has on the left side of each equation.

    Raises
    ------
    LinAlgError
        If the system is singular, or an offset has no bound on one side.
    """

    def __init__(self, duals, K, free, at_cap, near):
        self.duals, self._at_cap, self._free = duals, at_cap, np.flatnonzero(free)
        # From below if more weight of the variable would push its offset down.
        self._below, self._held = (duals.signs > 0) != at_cap, ~free
        self.fixed = duals.of_rows(np.where(at_cap, duals.signs * duals.caps, 0.0))
        rows = duals.rows[self._free]
        self._pairs = [self._pair(group, K, near) for group in duals.groups]
        self._M, right = self._equations(K, rows)
        self._factor = self._factorised(len(rows))
        x = self._solved(right - self.fixed_right)
        self.offsets = x[len(rows) :]
        self.a = np.where(at_cap, duals.caps, 0.0)
        self.a[free] = duals.signs[free] * x[: len(rows)]
        self.beta = duals.of_rows(duals.signs * self.a)
        self.Kbeta = K @ self.beta

    def _pair(self, group, K, near):
        """The two variables between whose rows an offset lies; None if it has free ones."""
        duals, held = self.duals, group & self._held
        if np.any(group & ~self._held):
            return None
        place = duals.targets - (K @ near)[duals.rows]
        below, above = np.flatnonzero(held & self._below), np.flatnonzero(held & ~self._below)
        if not (below.size and above.size):
            raise LinAlgError("nothing bounds the intercept on one side")
        return np.array([below[np.argmax(place[below])], above[np.argmin(place[above])]])

    def _equations(self, K, rows):
        """The matrix and the right side, but for the part at upper bounds."""
        duals, free, n_free = self.duals, self._free, len(rows)
        M = np.zeros((n_free + len(duals.groups),) * 2, order="F")
        right, self.fixed_right = np.empty((2, len(M)))
        of_rows = K[rows]
        M[:n_free, :n_free] = of_rows[:, rows]
        right[:n_free] = duals.targets[free]
        self.fixed_right[:n_free] = of_rows @ self.fixed
        at_cap = np.where(self._at_cap, duals.signs * duals.caps, 0.0)
        for number, (group, pair) in enumerate(zip(duals.groups, self._pairs, strict=True)):
            own = n_free + number
            M[:n_free, own] = group[free]
            if pair is None:
                M[own, :n_free] = group[free]
                right[own], self.fixed_right[own] = duals.totals[number], at_cap[group].sum()
            else:
                of_pair = K[duals.rows[pair]].mean(axis=0)
                M[own, :n_free], M[own, own] = of_pair[rows], 1.0
                right[own] = duals.targets[pair].mean()
                self.fixed_right[own] = of_pair @ self.fixed
        return M, right

    def _factorised(self, n_free):
        M = self._M.copy(order="F")
        if n_free:
            M[np.diag_indices(n_free)] += JITTER * np.mean(np.diagonal(M)[:n_free])
        factor, pivots, failed = dgetrf(M, overwrite_a=True)
        if failed:
            raise LinAlgError("the system of the free support vectors is singular")
        return factor, pivots

    def _solved(self, right, *, transposed=False):
        """The solution of the system, or of the transposed one."""
        M, x = self._M.T if transposed else self._M, 0.0
        for _ in range(1 + REFINEMENTS):
            rest = right - M @ x if np.ndim(x) else right
            x = x + dgetrs(*self._factor, rest, trans=int(transposed))[0]
        if not np.isfinite(x).all():
            raise LinAlgError("the system of the free support vectors is singular")
        return x

    def most_violated(self, allowed):
        """The variable at a bound that gains most by leaving it; None if none gains.

        Conditions may be violated by as much as ``allowed``.
        """
        duals = self.duals
        offsets = sum(
            np.where(group, offset, 0.0)
            for group, offset in zip(duals.groups, self.offsets, strict=True)
        )
        beyond = duals.targets - self.Kbeta[duals.rows] - offsets
        beyond = np.where(self._held, np.where(self._below, beyond, -beyond), -np.inf)
        worst = int(np.argmax(beyond))
        return worst if beyond[worst] > allowed else None

    def pull(self, of_Kbeta, of_offsets):
        """The PulledBack of a function of beta and the offsets.

        Parameters
        ----------
        of_Kbeta : ndarray of shape (n_rows,)
            Its derivatives in beta of the rows.
        of_offsets : ndarray of shape (n_offsets,)
        """
        duals, free = self.duals, self._free
        u = np.concatenate([of_Kbeta[duals.rows[free]], of_offsets])
        adjoint = self._solved(u, transposed=True)
        of_targets, of_totals = np.zeros(len(duals.rows)), np.zeros(len(of_offsets))
        of_targets[free] = adjoint[: len(free)]
        for number, pair in enumerate(self._pairs):
            value = adjoint[len(free) + number]
            if pair is None:
                of_totals[number] = value
            else:
                np.add.at(of_targets, pair, value / 2)
        return PulledBack(adjoint, of_targets, of_totals)
