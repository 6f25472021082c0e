"""Linear models with any smooth convex loss and an L2 penalty, by Newton's method."""

import numpy as np
from scipy.sparse import hstack, issparse

from sklearn_hypergrad.linalg import conjugate_gradient
from sklearn_hypergrad.problems.base import InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.curvature import renewed

MAX_NEWTON = 100
MAX_CG = 1000
# Newton steps are solved to a tenth: what the next step corrects anyway need not be exact.
FORCING = 0.1


class LinearProblem(InnerProblem):
    """Generalised linear models of all splits, advanced together.

    Inner objective, for each split, with training weights t (zero outside its training part):

        sum_i t_i loss(y_i, x_i w + b)  +  strength / 2 ||w||^2

    ``w`` has shape (n_features + fit_intercept, n_splits, n_outputs), intercepts last. All splits
    share X, so that their predictions are one matrix product. Newton systems and those of the
    hypergradient are solved by conjugate gradients, preconditioned by a factorised Hessian where it
    can be formed (each split's own for small data, one for all splits for larger data, blocks per
    output) and by its diagonal where it cannot. A Hessian is formed again only when the curvature
    of the loss has changed; a new penalty needs a new factor, not a new Hessian.

    Parameters
    ----------
    block : Block
    penalty : L2Penalty
    loss : object
        A loss of :mod:`sklearn_hypergrad.losses` with ``hvp`` and ``curvature``.
    fit_intercept : bool
    """

    def __init__(self, block, penalty, loss, *, fit_intercept):
        self._penalty = penalty
        self._loss = loss
        self._fit_intercept = fit_intercept
        self._n_features = block.X.shape[1]
        self._origin = _origin(block.X, fit_intercept)
        self._X = _design(block.X, self._origin, fit_intercept)
        self._y = block.y[:, None, :]
        self._t = np.zeros((block.X.shape[0], block.n_splits, 1))
        for split, (train, weight) in enumerate(zip(block.trains, block.weights, strict=True)):
            self._t[train, split, 0] = weight
        self._total = self._t.sum(axis=(0, 2))

    def gradient(self, w, h):
        return self._gradient(self.predict(w), w, self._penalty.strength(h))

    def hvp(self, w, h, v):
        return self._hvp(self.predict(w), self._penalty.strength(h), v)

    def cross_vjp(self, w, h, v):
        return self._penalty.cross_vjp(self._penalised(w), h, v)

    def cross_jvp(self, w, h, u):
        return self._penalty.cross_jvp(self._penalised(w), h, u)

    def solve(self, h, warm_start, tol):
        strength = self._penalty.strength(h)
        w, memory = self._start(warm_start)
        z = self.predict(w)
        objective = self._objective(z, w, strength)
        status = Status.INNER_NOT_CONVERGED
        for n_newton in range(MAX_NEWTON):
            memory = renewed(memory, self._X, self._t * self._loss.curvature(self._y, z))
            precondition = self._preconditioner(memory.factor(self._ridge(strength)), strength)
            gradient = self._gradient(z, w, strength)
            step, _, _ = conjugate_gradient(
                lambda v, z=z: self._hvp(z, strength, v),
                gradient,
                precondition,
                tol=FORCING,
                max_iter=MAX_CG,
            )
            decrement = np.einsum("isk,isk->s", gradient, step)
            if np.all(decrement <= tol**2 * self._total):
                status = Status.CONVERGED
                break
            length, w, z, objective = self._search_line(w, z, step, decrement, objective, strength)
            if not length.any():
                # No step improves any split in floating point: as solved as it can be.
                resolved = np.all(decrement <= 1e-12 * self._total)
                status = Status.CONVERGED if resolved else status
                break
        inverse_hvp = self._inverse_hvp(z, strength, precondition, tol)
        return InnerSolution(w, inverse_hvp, status, (n_newton + 2) * self._t.shape[1], memory)

    @property
    def level(self):
        """The strength that matters: the mean diagonal of the Hessian at zero weights."""
        n_outputs = self._y.shape[2]
        zero = np.zeros((1, 1, n_outputs))
        curvature = self._loss.curvature(zero, zero).mean()
        X = self._X[:, : self._n_features]
        squares = X.multiply(X) if issparse(X) else X**2
        sums = np.asarray(squares.sum(axis=1)).ravel() @ self._t[:, :, 0]
        return float(curvature * sums.mean() / self._n_features)

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        return (self._X @ w.reshape(w.shape[0], -1)).reshape(-1, *w.shape[1:])

    def predict_vjp(self, v):
        """Transposed product of ``predict``."""
        return (self._X.T @ v.reshape(v.shape[0], -1)).reshape(-1, *v.shape[1:])

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        coef = w[: self._n_features]
        if not self._fit_intercept:
            return coef.transpose(1, 2, 0), np.zeros(w.shape[1:])
        return coef.transpose(1, 2, 0), w[-1] - np.tensordot(self._origin, coef, 1)

    def _start(self, warm_start):
        if warm_start is not None:
            return warm_start.w, warm_start.memory
        shape = (self._X.shape[1], self._t.shape[1], self._y.shape[2])
        return np.zeros(shape), None

    def _penalised(self, w):
        """``w`` without intercepts."""
        if not self._fit_intercept:
            return w
        w = w.copy()
        w[-1] = 0
        return w

    def _ridge(self, strength):
        """Diagonal of the penalty's Hessian, of shape (n_features + fit_intercept, n_outputs)."""
        ridge = np.ones((self._X.shape[1], self._y.shape[2])) * strength
        ridge[self._n_features :] = 0
        return ridge

    # If a shift of all outputs changes neither loss nor penalty differences, weights and gradients
    # sum to zero over outputs and stay so. In that subspace blocks per output are a good
    # preconditioner; outside it, where the Hessian is all but singular, they are a bad one.
    def _preconditioner(self, factor, strength):
        if not self._loss.shift_invariant or np.size(strength) > 1:
            return factor.solve

        def solve(right):
            solution = factor.solve(right)
            return solution - solution.mean(axis=2, keepdims=True)

        return solve

    def _objective(self, z, w, strength):
        fitted = np.sum(self._t * self._loss.value(self._y, z), axis=(0, 2))
        return fitted + 0.5 * np.sum(strength * w[: self._n_features] ** 2, axis=(0, 2))

    def _gradient(self, z, w, strength):
        fitted = self.predict_vjp(self._t * self._loss.gradient(self._y, z))
        return fitted + strength * self._penalised(w)

    def _hvp(self, z, strength, v):
        fitted = self.predict_vjp(self._t * self._loss.hvp(self._y, z, self.predict(v)))
        return fitted + strength * self._penalised(v)

    def _inverse_hvp(self, z, strength, precondition, tol):
        def inverse_hvp(v, start):
            solution, residual, _ = conjugate_gradient(
                lambda u: self._hvp(z, strength, u),
                v,
                precondition,
                start=start,
                tol=tol,
                max_iter=MAX_CG,
            )
            exact = residual <= tol
            return solution, Status.CONVERGED if exact else Status.LINEAR_SOLVE_INEXACT

        return inverse_hvp

    def _search_line(self, w, z, step, decrement, objective, strength):
        """Halve the step of each split until its objective falls (Armijo)."""
        z_step = self.predict(step)
        length = np.ones(len(decrement))
        slack = 10 * np.finfo(float).eps * np.abs(objective)
        for _ in range(40):
            new_w, new_z = w - length[:, None] * step, z - length[:, None] * z_step
            new = self._objective(new_z, new_w, strength)
            failed = ~(new <= objective - 1e-4 * length * decrement + slack)
            if not failed.any():
                return length, new_w, new_z, new
            length = np.where(failed, 0.5 * length, length)
        length = np.where(failed, 0.0, length)
        new_w, new_z = w - length[:, None] * step, z - length[:, None] * z_step
        return length, new_w, new_z, self._objective(new_z, new_w, strength)


def _origin(X, fit_intercept):
    if fit_intercept and not issparse(X):
        return X.mean(axis=0, dtype=float)
    return np.zeros(X.shape[1])


def _design(X, origin, fit_intercept):
    """X in float64 with a column of ones for the intercept; dense X centred, for its digits."""
    if issparse(X):
        ones = np.ones((X.shape[0], 1))
        return hstack([X, ones], format="csr", dtype=float) if fit_intercept else X.astype(float)
    return np.column_stack([X - origin, np.ones(X.shape[0])]) if fit_intercept else X.astype(float)
