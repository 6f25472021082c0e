"""Linear models with any smooth convex loss and an elastic net penalty."""

import numpy as np

from sklearn_hypergrad.linalg import factor, solve_factored
from sklearn_hypergrad.problems.base import InnerSolution, Status
from sklearn_hypergrad.problems.linear.linear_problem import LinearProblem, Memory
from sklearn_hypergrad.problems.sparse.columns import Columns
from sklearn_hypergrad.problems.sparse.proximal_newton import ProximalNewton, groups, held
from sklearn_hypergrad.threads import cached_property

# An L1 penalty that no weight leaves zero for.
PROHIBITIVE = 1e100


class SparseLinearProblem(LinearProblem):
    """Generalised linear models of all splits with weights that are zero.

    Inner objective, for each split, with training weights t (zero outside its training part): ::

        sum_i t_i loss(y_i, x_i w + b)  +  l1 sum_jk |w_jk|  +  l2 / 2 sum_jk w_jk^2

    Weights that are zero stay zero for nearby hyperparameters, almost everywhere: derivatives are
    those of the others, on whose support the objective is smooth.

    Parameters
    ----------
    block : SplitData
        The data of the splits.
    penalty : ElasticNetPenalty
    loss : object
        A loss of :mod:`sklearn_hypergrad.losses` that can be trained.
    fit_intercept : bool
    """

    def __init__(self, block, penalty, loss, *, fit_intercept):
        super().__init__(block, penalty, loss, fit_intercept=fit_intercept)
        self.follows = False
        self._columns = Columns(self._design, block.X)

    @property
    def penalised_weights(self):
        """Which weights are those of features, of shape (n_weights, 1)."""
        return np.arange(self._design.shape[1])[:, None] < self._design.n_features

    def gradient(self, w, h):
        l1, _ = self.penalty.strengths(h)
        return self._on_support(w, super().gradient(w, h) + l1 * self._signs(w))

    def hvp(self, w, h, v):
        return self.products(w, h)(v)

    # Outside of the support it is the identity, so that it can be inverted.
    def products(self, w, h, *, gauss_newton=False):
        product = super().products(w, h)

        def hvp(v):
            inside = self._on_support(w, v)
            return self._on_support(w, product(inside)) + v - inside

        return hvp

    def cross_vjp(self, w, h, v):
        return self.penalty.cross_vjp(h, np.vdot(self._signs(w), v), np.vdot(self._features(w), v))

    def cross_jvp(self, w, h, u):
        l1, l2 = self.penalty.cross_jvp(h, u)
        return l1 * self._signs(w) + l2 * self._features(w)

    def solve(self, h, warm_start, tol):
        l1, _ = self.penalty.strengths(h)
        start = self._null if warm_start is None else self._begun(warm_start).state
        ridge = self._ridge(h)
        state, status, n_steps = ProximalNewton(self, l1, ridge, tol).run(start)
        support = SupportHessian(self, state, ridge)
        n_solves = (n_steps + 1) * state.w.shape[1]
        memory = Memory(state, None, None)
        predictions = state.z
        return InnerSolution(
            state.w, support.solve, status, n_solves, memory, predictions=predictions
        )

    @cached_property
    def largest(self):
        """The smallest L1 penalty that leaves no weight, the mean over splits."""
        slopes = np.abs(self._null.slope[: self._design.n_features])
        return float(slopes.max(axis=(0, 2)).mean())

    @cached_property
    def _null(self):
        """The state without features."""
        state = self.state(self.start(), predicted=True)
        if self._design.fit_intercept:
            ridge = self._with_intercept(np.zeros((1, 1)))
            state, *_ = ProximalNewton(self, PROHIBITIVE, ridge, 0.0).run(state)
        return state

    def hessians(self, state, chosen, splits):
        """Hessians of the loss of some splits between chosen weights, at a state.

        Weights are ordered by output and then by number. Where the same number for all outputs
        changes nothing, slopes say nothing about the sum of intercepts, and steps leave it as it
        is, whatever curvature it gets here.
        """
        factor, t = state.factor[:, splits, None], self._t[:, splits, None]
        curvature = t * self.loss.hvp(factor, np.eye(self._y.shape[2]))
        curvature = np.ascontiguousarray(curvature.transpose(1, 2, 3, 0))
        found = self._columns.hessians(chosen, splits, curvature)
        if self.loss.shift_invariant and self._design.fit_intercept:
            last = np.cumsum(chosen.sum(axis=0)) - 1
            means = np.einsum("skk->sk", found[:, last[:, None], last]).mean(axis=1)
            found[:, last[:, None], last] += means[:, None, None]
        return found

    def support(self, w):
        """Which weights are not zero, or intercepts."""
        return (w != 0) | ~self.penalised_weights[:, None]

    def _on_support(self, w, v):
        return np.where(self.support(w), v, 0.0)

    def _features(self, w):
        return np.where(self.penalised_weights[:, None], w, 0.0)

    def _signs(self, w):
        return np.sign(self._features(w))


class SupportHessian:
    """The Hessians of all splits between weights that are not zero, and their inverses.

    Parameters
    ----------
    problem : SparseLinearProblem
    state : NewtonState
    ridge : ndarray of shape (n_weights, 1, 1)
    """

    def __init__(self, problem, state, ridge):
        self._problem, self._state, self._ridge = problem, state, ridge
        self._support = problem.support(state.w)

    def solve(self, v, start):
        """``H^-1 v`` on the support and zero elsewhere, and its Status."""
        solved = np.zeros_like(v)
        for split, (at, matrix, triangle) in enumerate(self._factors):
            right = v[:, split][at]
            x = solve_factored(triangle, right)
            # What holds flat directions is left out again.
            x += solve_factored(triangle, right - matrix @ x)
            solved[:, split][at] = x
        return solved, Status.CONVERGED

    @cached_property
    def _factors(self):
        """Of every split the places of its support, the Hessian and its factor."""
        n_splits, found = self._state.w.shape[1], []
        for splits in groups(np.arange(n_splits), self._state.w[:, 0].size):
            chosen = self._support[:, splits].any(axis=1)
            numbers, outputs = np.nonzero(chosen.T)[::-1]
            hessians = self._problem.hessians(self._state, chosen, splits)
            np.einsum("sii->si", hessians)[...] += self._ridge[numbers, 0, 0]
            for split, hessian in zip(splits, hessians, strict=True):
                own = np.flatnonzero(self._support[numbers, split, outputs])
                matrix = hessian[own[:, None], own]
                triangle = factor(held(matrix[None])[0])
                found.append(((numbers[own], outputs[own]), matrix, triangle))
        return found
