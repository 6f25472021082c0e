"""Implicit differentiation of weights that are still moving."""

import copy

import numpy as np

from sklearn_hypergrad.hypergradients.online.base import OnlineHypergradient, Session
from sklearn_hypergrad.hypergradients.online.series import Series
from sklearn_hypergrad.linalg import CG, Identity, InverseHessian
from sklearn_hypergrad.training import State

# Relative residual of "cg". Chosen by hand: Hessians of different batches differ by more.
TOL = 1e-3
SOLVERS = ("neumann", "identity", "cg")
RATES = (
    "it differentiates the training loss, which does not depend on how it is descended. Use "
    "hypergradient='real_time', or 'reverse'"
)


class Online(OnlineHypergradient):
    """Weights and hyperparameters updated in turn; implicit differentiation at the current weights.

    After every ``n_steps`` steps of training the hypergradient is ``direct - cross' H^-1 grad_w``
    as if the weights were at a minimum, with the training loss of the next batch and an approximate
    inverse of its Hessian. It costs about one training whatever the number of hyperparameters,
    which may be millions. It reaches hyperparameters of the training loss only, such as penalties,
    weights of samples and X: learning rates do not move the minimum. See Lorraine, Vicol, Duvenaud
    (2020), "Optimizing Millions of Hyperparameters by Implicit Differentiation", algorithm 1.

    Parameters
    ----------
    solver : {"neumann", "identity", "cg"} or InverseHessian, default="neumann"
        "neumann" sums the first 10 terms of the series, with a scale from the largest curvature,
        which is estimated at every tenth outer step. "identity" leaves the inverse out; the length
        of the hypergradient then has no meaning, which is harmless for Adam. "cg" solves to a
        relative residual of 1e-3, if the Hessian is positive definite.
    n_steps : int, default=None
        Steps of training between two outer steps. None divides the usual number of training steps
        by the number of outer steps, so that all together take about one training.
    gauss_newton : bool, default=False
        Whether the Gauss-Newton matrix replaces the Hessian. It is positive semi-definite far from
        a minimum, too, which is useful for networks.

    Raises
    ------
    ValueError
        If ``solver`` is unknown, or ``n_steps`` is not a positive integer or None.
    """

    def __init__(
        self,
        solver: str | InverseHessian = "neumann",
        n_steps: int | None = None,
        gauss_newton: bool = False,
    ):
        super().__init__(n_steps)
        if solver not in SOLVERS and not isinstance(solver, InverseHessian):
            names = ", ".join(map(repr, SOLVERS))
            raise ValueError(f"solver must be {names} or an InverseHessian, got {solver!r}.")
        self.solver = solver
        self.gauss_newton = gauss_newton

    def __repr__(self):
        shown = [f"solver={self.solver!r}"] * (self.solver != "neumann")
        shown += [f"n_steps={self.n_steps}"] * (self.n_steps is not None)
        shown += ["gauss_newton=True"] * self.gauss_newton
        return f"Online({', '.join(shown)})"

    def _obstacles(self, training):
        return ((training.dynamics.names, RATES),)

    def _session(self, training, h, n_steps):
        return ImplicitSession(self, training, h, n_steps)


class ImplicitSession(Session):
    """The session of Online: training in place, in memory for a state, a gradient and a solve."""

    def __init__(self, method, training, h, n_steps):
        super().__init__(method, training, h, n_steps)
        self._inverse = inverse_of(method.solver)

    def save(self):
        state = State(self._state.w.copy(), tuple(slot.copy() for slot in self._state.slots))
        return self.t, state, copy.copy(self._inverse)

    def restore(self, saved):
        self.t, state, inverse = saved
        for array, kept in zip(self._state.arrays, state.arrays, strict=True):
            array[...] = kept
        self._inverse = copy.copy(inverse)

    def _train(self, run, last):
        for t in range(self.t, last):
            run.move(self._state, t)
        linearization = run.linearize(self._state.w, last)
        # Products do not need the gradient: release its memory.
        linearization.gradient = None
        gauss_newton, n_products = self._method.gauss_newton, 0

        def product(v):
            nonlocal n_products
            n_products += 1
            return linearization.gauss_newton(v) if gauss_newton else linearization.push(v, {})

        # Prepared before the gradient of the outer objective exists, which saves an array.
        self._inverse.prepare(product, self._state.w)

        def pull(grad_w):
            solved = self._inverse.solve(product, grad_w)
            cross = linearization.cross(np.negative(solved.x, out=solved.x))
            return cross, solved, 2 + 2 * n_products

        return pull


class Ready:
    """An InverseHessian with the interface of Series; it needs no preparation."""

    def __init__(self, inverse):
        self.solve = inverse.solve

    def prepare(self, hvp, like):
        """Do nothing."""


def inverse_of(solver):
    """The object that a session solves linear systems with."""
    if solver == "neumann":
        return Series()
    named = {"identity": Identity(), "cg": CG(tol=TOL)}
    return Ready(named[solver] if isinstance(solver, str) else solver)
