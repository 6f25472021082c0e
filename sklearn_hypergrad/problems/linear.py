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

        sum_i t_i loss(y_i, x_i w + b)  +  1/2 sum_jk strength_jk w_jk^2

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
        self._t = block.row_weights()[:, :, None]
        self._scale, self._rounding = self._scales()

    def gradient(self, w, h):
        return self._state(w, self._ridge(h)).gradient

    def hvp(self, w, h, v):
        ridge = self._ridge(h)
        return self._hvp(self._state(w, ridge).factor, ridge, v)

    def cross_vjp(self, w, h, v):
        penalised = slice(0, self._n_features)
        product = np.einsum("jsk,jsk->jk", w[penalised], v[penalised])
        return self._penalty.cross_vjp(h, product)

    def cross_jvp(self, w, h, u):
        return self._with_intercept(self._penalty.cross_jvp(h, u)) * w

    def solve(self, h, warm_start, tol):
        ridge = self._ridge(h)
        w, curvature = self._zero() if warm_start is None else (warm_start.w, warm_start.memory)
        project = self._projection(ridge)
        state = self._state(project(w), ridge)
        previous, status, direct = np.inf, Status.INNER_NOT_CONVERGED, True
        for n_newton in range(1, MAX_NEWTON + 1):  # noqa: B007
            curvature = renewed(curvature, self._X, self._t * self._loss.diagonal(state.factor))
            precondition = self._preconditioner(curvature, ridge)
            step = self._step(state, ridge, precondition, direct)
            decrement = np.einsum("isk,isk->s", state.gradient, step)
            if np.all(decrement <= np.maximum(tol**2 * self._scale, self._rounding)):
                status = Status.CONVERGED
                break
            direct = direct and np.all(decrement <= CONTRACTION * previous)
            previous = decrement
            moved = self._descend(state, step, decrement, ridge)
            if moved is state:
                # No step helps in floating point: as solved as it can be, if the step is small.
                exact = np.all(decrement <= np.maximum(STUCK**2 * self._scale, self._rounding))
                status = Status.CONVERGED if exact else status
                break
            state = moved

        def inverse_hvp(v, start):
            start = None if start is None else project(start)
            return self._solve_linear(state.factor, ridge, precondition, v, start, tol)

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

    def _ridge(self, h):
        """Penalty strength of every weight, of shape (n_weights, 1, n_outputs or 1)."""
        return self._with_intercept(self._penalty.strength(h))

    def _with_intercept(self, strength):
        ridge = np.zeros((self._X.shape[1], 1, strength.shape[1]))
        ridge[: self._n_features, 0] = strength
        return ridge

    def _state(self, w, ridge):
        gradient = ridge * w
        objective = 0.5 * np.einsum("jsk,jsk->s", gradient, w)
        factor = np.empty((self._X.shape[0], *w.shape[1:]))
        for rows, X in self._chunks:
            z, y, t = _product(X, w), self._y[rows], self._t[rows]
            objective += np.sum(t * self._loss.value(y, z), axis=(0, 2))
            gradient += _product(X.T, t * self._loss.gradient(y, z))
            factor[rows] = self._loss.factor(z)
        return State(w, objective, gradient, factor)

    def _hvp(self, factor, ridge, v):
        product = ridge * v
        for rows, X in self._chunks:
            z = self._loss.hvp(factor[rows], _product(X, v))
            product += _product(X.T, self._t[rows] * z)
        return product

    def _step(self, state, ridge, precondition, direct):
        """Newton's step: by the preconditioner alone while that converges, else by CG."""
        if direct:
            return precondition(state.gradient)
        arguments = state.factor, ridge, precondition, state.gradient
        return self._solve_linear(*arguments, None, CONTRACTION)[0]

    def _solve_linear(self, factor, ridge, precondition, right, start, tol):
        solution, residual, _ = conjugate_gradient(
            lambda v: self._hvp(factor, ridge, v),
            right,
            precondition,
            start=start,
            tol=tol,
            max_iter=MAX_CG,
        )
        return solution, Status.CONVERGED if residual <= tol else Status.LINEAR_SOLVE_INEXACT

    def _preconditioner(self, curvature, ridge):
        shape = len(ridge), self._y.shape[2]
        factor = curvature.factor(np.broadcast_to(ridge[:, 0], shape))
        project = self._projection(ridge)
        return lambda right: project(factor.solve(right))

    # If a shift of all outputs changes the loss in nothing, the gradients of the loss sum to zero
    # over outputs, and so do penalised weights, ridge * w, at the minimum along such a shift. In
    # that subspace blocks per output are a good preconditioner; outside it, where the Hessian is
    # all but singular, they are a bad one.
    def _projection(self, ridge):
        """Moves weights, along the shift only, to where ``ridge * w`` sums to zero."""
        if not self._loss.shift_invariant:
            return lambda w: w
        share = np.where(ridge.sum(axis=2, keepdims=True) > 0, ridge, 1.0)
        share = np.broadcast_to(share, (len(ridge), 1, self._y.shape[2]))
        share = share / share.sum(axis=2, keepdims=True)
        return lambda w: w - np.sum(share * w, axis=2, keepdims=True)

    def _descend(self, state, step, decrement, ridge):
        """Halve the step of each split until its objective falls (Armijo)."""
        length = np.ones(len(decrement))
        slack = 10 * np.finfo(float).eps * np.abs(state.objective)
        for _ in range(MAX_HALVINGS):
            moved = self._state(state.w - length[:, None] * step, ridge)
            enough = state.objective - 1e-4 * length * decrement + slack
            failed = ~(moved.objective <= enough)
            if not failed.any():
                return moved
            length = np.where(failed, 0.5 * length, length)
        if failed.all():
            return state
        return self._state(state.w - np.where(failed, 0.0, length)[:, None] * step, ridge)


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
