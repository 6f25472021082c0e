"""Linear models with any smooth convex loss and an L2 penalty, by Newton's method."""

import dataclasses

import numpy as np
from scipy.sparse import hstack, issparse

from sklearn_hypergrad.linalg import conjugate_gradient
from sklearn_hypergrad.problems.base import InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.curvature import renewed

MAX_NEWTON = 100
MAX_HALVINGS = 40
MAX_CG = 1000
# A step that is not exact is taken while it shortens the next one by this much.
CONTRACTION = 0.1
# Accuracy that is good enough where rounding allows no better, and rounding itself.
STUCK = 1e-6
ROUNDING = 32 * np.finfo(float).eps
# Numbers of X that are worked on together, so that they are read from memory once.
CHUNK = 2**17


@dataclasses.dataclass(frozen=True)
class State:
    """A point of Newton's method: weights, objective per split, gradient, Hessian factors."""

    w: np.ndarray
    objective: np.ndarray
    gradient: np.ndarray
    factor: np.ndarray


class LinearProblem(InnerProblem):
    """Generalised linear models of all splits, advanced together.

    Inner objective, for each split, with training weights t (zero outside its training part):

        sum_i t_i loss(y_i, x_i w + b)  +  strength / 2 ||w||^2

    ``w`` has shape (n_features + fit_intercept, n_splits, n_outputs), intercepts last. All splits
    share X, so that their predictions are one matrix product. Newton systems and those of the
    hypergradient are solved with a factorised Hessian where it can be formed (each split's own for
    small data, one for all splits for larger data, blocks per output) and its diagonal where it
    cannot; what these leave is solved by conjugate gradients. A Hessian is formed again only when
    the curvature of the loss has changed; a new penalty needs a new factor, not a new Hessian.

    Parameters
    ----------
    block : Block
    penalty : L2Penalty
    loss : object
        A loss of :mod:`sklearn_hypergrad.losses` that can be trained.
    fit_intercept : bool
    """

    def __init__(self, block, penalty, loss, *, fit_intercept):
        self._penalty = penalty
        self._loss = loss
        self._fit_intercept = fit_intercept
        self._n_features = block.X.shape[1]
        self._origin = _origin(block.X, fit_intercept)
        self._X = _design(block.X, self._origin, fit_intercept)
        self._chunks = _chunks(self._X)
        self._y = block.y[:, None, :]
        self._t = np.zeros((block.X.shape[0], block.n_splits, 1))
        for split, (train, weight) in enumerate(zip(block.trains, block.weights, strict=True)):
            np.add.at(self._t[:, split, 0], train, weight)
        self._scale, self._rounding = self._scales()

    def gradient(self, w, h):
        return self._state(w, self._penalty.strength(h)).gradient

    def hvp(self, w, h, v):
        strength = self._penalty.strength(h)
        return self._hvp(self._state(w, strength).factor, strength, v)

    def cross_vjp(self, w, h, v):
        return self._penalty.cross_vjp(self._penalised(w), h, v)

    def cross_jvp(self, w, h, u):
        return self._penalty.cross_jvp(self._penalised(w), h, u)

    def solve(self, h, warm_start, tol):
        strength = self._penalty.strength(h)
        w, curvature = self._zero() if warm_start is None else (warm_start.w, warm_start.memory)
        state = self._state(w, strength)
        previous, status, direct = np.inf, Status.INNER_NOT_CONVERGED, True
        for n_newton in range(1, MAX_NEWTON + 1):  # noqa: B007
            curvature = renewed(curvature, self._X, self._t * self._loss.diagonal(state.factor))
            precondition = self._preconditioner(curvature, strength)
            step = self._step(state, strength, precondition, direct)
            decrement = np.einsum("isk,isk->s", state.gradient, step)
            if np.all(decrement <= np.maximum(tol**2 * self._scale, self._rounding)):
                status = Status.CONVERGED
                break
            direct = direct and np.all(decrement <= CONTRACTION * previous)
            previous = decrement
            moved = self._descend(state, step, decrement, strength)
            if moved is state:
                # No step helps in floating point: as solved as it can be, if the step is small.
                exact = np.all(decrement <= np.maximum(STUCK**2 * self._scale, self._rounding))
                status = Status.CONVERGED if exact else status
                break
            state = moved

        def inverse_hvp(v, start):
            return self._solve_linear(state.factor, strength, precondition, v, start, tol)

        n_solves = (n_newton + 1) * self._t.shape[1]  # Newton systems and the adjoint
        return InnerSolution(state.w, inverse_hvp, status, n_solves, curvature)

    @property
    def level(self):
        """The strength that matters: the mean diagonal of the Hessian at zero weights."""
        diagonal = self._curvature_at_zero().mean()
        X = self._X[:, : self._n_features]
        squares = X.multiply(X).sum(axis=1) if issparse(X) else np.einsum("ij,ij->i", X, X)
        sums = np.asarray(squares).ravel() @ self._t[:, :, 0]
        return float(diagonal * sums.mean() / self._n_features)

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        return _product(self._X, w)

    def predict_vjp(self, v):
        """Transposed product of ``predict``."""
        return _product(self._X.T, v)

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        coef = w[: self._n_features]
        if not self._fit_intercept:
            return coef.transpose(1, 2, 0), np.zeros(w.shape[1:])
        return coef.transpose(1, 2, 0), w[-1] - np.tensordot(self._origin, coef, 1)

    def _curvature_at_zero(self):
        zero = np.zeros((1, 1, self._y.shape[2]))
        return self._loss.diagonal(self._loss.factor(zero))

    def _scales(self):
        """What decrements are compared with, per split: the spread of the targets, and rounding.

        In units of the objective, so that neither the unit of the target nor its mean matters.
        """
        weights = self._t * self._curvature_at_zero()
        mean = (self._t * self._y).sum(axis=0) / self._t.sum(axis=0)
        spread = np.sum(weights * (self._y - mean) ** 2, axis=(0, 2))
        return spread, ROUNDING**2 * np.sum(weights * self._y**2, axis=(0, 2))

    def _zero(self):
        return np.zeros((self._X.shape[1], self._t.shape[1], self._y.shape[2])), None

    def _penalised(self, w):
        """``w`` without intercepts."""
        if not self._fit_intercept:
            return w
        w = w.copy()
        w[-1] = 0
        return w

    def _state(self, w, strength):
        penalised = self._penalised(w)
        objective = 0.5 * np.sum(strength * penalised**2, axis=(0, 2))
        gradient = strength * penalised
        factor = np.empty((self._X.shape[0], *w.shape[1:]))
        for rows, X in self._chunks:
            z, y, t = _product(X, w), self._y[rows], self._t[rows]
            objective += np.sum(t * self._loss.value(y, z), axis=(0, 2))
            gradient += _product(X.T, t * self._loss.gradient(y, z))
            factor[rows] = self._loss.factor(z)
        return State(w, objective, gradient, factor)

    def _hvp(self, factor, strength, v):
        product = strength * self._penalised(v)
        for rows, X in self._chunks:
            z = self._loss.hvp(factor[rows], _product(X, v))
            product += _product(X.T, self._t[rows] * z)
        return product

    def _step(self, state, strength, precondition, direct):
        """Newton's step: by the preconditioner alone while that converges, else by CG."""
        if direct:
            return precondition(state.gradient)
        arguments = state.factor, strength, precondition, state.gradient
        return self._solve_linear(*arguments, None, CONTRACTION)[0]

    def _solve_linear(self, factor, strength, precondition, right, start, tol):
        solution, residual, _ = conjugate_gradient(
            lambda v: self._hvp(factor, strength, v),
            right,
            precondition,
            start=start,
            tol=tol,
            max_iter=MAX_CG,
        )
        return solution, Status.CONVERGED if residual <= tol else Status.LINEAR_SOLVE_INEXACT

    # If a shift of all outputs changes the loss in nothing, weights and gradients sum to zero over
    # outputs and stay so. In that subspace blocks per output are a good preconditioner; outside it,
    # where the Hessian is all but singular, they are a bad one.
    def _preconditioner(self, curvature, strength):
        ridge = np.ones((self._X.shape[1], self._y.shape[2])) * strength
        ridge[self._n_features :] = 0
        factor = curvature.factor(ridge)
        if not self._loss.shift_invariant or np.size(strength) > 1:
            return factor.solve

        def solve(right):
            solution = factor.solve(right)
            return solution - solution.mean(axis=2, keepdims=True)

        return solve

    def _descend(self, state, step, decrement, strength):
        """Halve the step of each split until its objective falls (Armijo)."""
        length = np.ones(len(decrement))
        slack = 10 * np.finfo(float).eps * np.abs(state.objective)
        for _ in range(MAX_HALVINGS):
            moved = self._state(state.w - length[:, None] * step, strength)
            enough = state.objective - 1e-4 * length * decrement + slack
            failed = ~(moved.objective <= enough)
            if not failed.any():
                return moved
            length = np.where(failed, 0.5 * length, length)
        if failed.all():
            return state
        return self._state(state.w - np.where(failed, 0.0, length)[:, None] * step, strength)


def _product(X, v):
    """``X v`` for a stack of vectors on the trailing axes."""
    return (X @ v.reshape(v.shape[0], -1)).reshape(-1, *v.shape[1:])


def _chunks(X):
    """``(rows, X[rows])``; dense X in views that fit the cache, sparse X whole."""
    n_samples, n_weights = X.shape
    size = n_samples if issparse(X) else max(1, CHUNK // n_weights)
    starts = range(0, n_samples, size)
    if len(starts) == 1:
        return [(slice(None), X)]
    return [(slice(start, start + size), X[start : start + size]) for start in starts]


def _origin(X, fit_intercept):
    if fit_intercept and not issparse(X):
        return X.mean(axis=0, dtype=float)
    return np.zeros(X.shape[1])


def _design(X, origin, fit_intercept):
    """X in float64 with a column of ones for the intercept; dense X centred, for its digits."""
    if not fit_intercept:
        return X.astype(float, copy=False)
    if issparse(X):
        return hstack([X, np.ones((X.shape[0], 1))], format="csr", dtype=float)
    design = np.ones((X.shape[0], X.shape[1] + 1))
    np.subtract(X, origin, out=design[:, :-1])
    return design
