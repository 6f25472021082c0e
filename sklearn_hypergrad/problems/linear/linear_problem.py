"""Linear models with any smooth convex loss and an L2 penalty, by Newton's method."""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.linalg import CG
from sklearn_hypergrad.linalg.systems import negligible
from sklearn_hypergrad.problems.base import STATUSES, InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.linear import curvature
from sklearn_hypergrad.problems.linear.curvature import Secants
from sklearn_hypergrad.problems.linear.design import Design
from sklearn_hypergrad.problems.linear.newton import ADJOINT, MAX_ADJOINT, Newton
from sklearn_hypergrad.threads import cached_property

# Relative rounding error of predictions, below which decrements are not reduced. Chosen by hand: a
# sum of products has an error of some tens of units of rounding.
ROUNDING = 32 * np.finfo(float).eps
# Penalty relative to the curvature of the data from which on it counts: less is lost by rounding.
LEAST = negligible(float)


@dataclasses.dataclass(frozen=True)
class NewtonState:
    """A point of Newton's method, with the loss there; it does not depend on the penalty.

    Attributes
    ----------
    w : ndarray of shape (n_weights, n_splits, n_outputs)
    loss : ndarray of shape (n_splits,)
        Training loss without penalty.
    slope : ndarray like ``w``
        Gradient of the loss.
    factor : ndarray of shape (n_samples, n_splits, n_outputs)
        Factors of the Hessian of the loss in the predictions, as the loss defines them.
    z : ndarray like ``factor`` or None
        The predictions, of a minimum that a step has arrived at; None of other points, which need
        none and would take memory.
    """

    w: np.ndarray
    loss: np.ndarray
    slope: np.ndarray
    factor: np.ndarray
    z: np.ndarray | None = None

    def objective(self, ridge):
        """Loss plus penalty of every split, of shape (n_splits,)."""
        return self.loss + 0.5 * np.einsum("jsk,jsk->s", ridge * self.w, self.w)


@dataclasses.dataclass(frozen=True)
class Memory:
    """The start of the next solution.

    Attributes
    ----------
    state : NewtonState
    kept : CurvatureGram, CurvatureDiagonal or None
        The curvature that preconditions there.
    left : ndarray of shape (n_splits,) or None
        Largest Newton decrement that the state may have under its own penalty; None if it solves
        no problem.
    secants : Secants
        What is known of this curvature.
    """

    state: NewtonState
    kept: object
    left: np.ndarray | None
    secants: Secants = dataclasses.field(default_factory=Secants)

    @property
    def size(self):
        """Number of floats in it, without matrices, which several memories share."""
        return self.state.slope.size + self.state.factor.size + self.secants.size


class LinearProblem(InnerProblem):
    """Generalised linear models of all splits, advanced together.

    Inner objective, for each split, with training weights t (zero outside its training part):

        sum_i t_i loss(y_i, x_i w + b)  +  1/2 sum_jk strength_jk w_jk^2

    ``w`` has shape (n_features + fit_intercept, n_splits, n_outputs), intercepts last. All splits
    share X, so that their predictions are one matrix product. Linear systems (of Newton's method
    and of the hypergradient) are solved by conjugate gradients. The preconditioner is a factorised
    Hessian (blocks per output) up to 2000 weights, and its diagonal beyond. The Hessian is computed
    again only if the curvature of the loss has changed; a new penalty needs a new factor, not a new
    Hessian, and its first step needs no pass over X: the gradient of the loss is known from the
    last solution.

    Parameters
    ----------
    block : SplitData
        The data of the splits.
    penalty : L2Penalty
    loss : object
        A loss of :mod:`sklearn_hypergrad.losses` that can be trained.
    fit_intercept : bool

    Attributes
    ----------
    adjoint : float
        Relative residual of the adjoint, as a multiple of the inner tolerance.
    """

    linear_in_weights = True
    split_axis = 1
    adjoint = ADJOINT

    def __init__(self, block, penalty, loss, *, fit_intercept):
        self.penalty = penalty
        self.loss = loss
        self._design = Design(block.X, fit_intercept=fit_intercept, scales=block.scales)
        self._y = block.y[:, None, :]
        self._t = block.row_weights()[:, :, None]
        by_features = self._design.shape[1] <= curvature.MAX_SIZE
        self.factorises = by_features or curvature.rows_pay(self._design, block.n_splits)
        # Factors of the last Hessian predict the next solution as well, and at no price.
        self.follows = not self.factorises
        trained = self._t[:, :, 0] != 0
        self._patterns = curvature.Patterns.of(trained) if by_features else None
        self._mean = ((self._t * self._y).sum(axis=0) / self._t.sum(axis=0))[None]
        self.scale, self.rounding = self._scales()

    def start(self):
        w = np.zeros((self._design.shape[1], self._t.shape[1], self._y.shape[2]))
        if self._design.fit_intercept:
            w[-1] = self.loss.base(self._mean)[0]
        return w

    def gradient(self, w, h):
        return self.state(w).slope + self._ridge(h) * w

    # Features that are shifted by constants c have slopes that are c times that in the intercept
    # larger.
    def steepest(self, w, h, offsets):
        """The largest slope of each split's mean objective in a weight of ``X * scales + offsets``.

        Parameters
        ----------
        w : ndarray
        h : dict
        offsets : ndarray of shape (n_features, n_splits) or None
            None is zero.

        Returns
        -------
        ndarray of shape (n_splits,)
        """
        slopes, design = self.gradient(w, h), self._design
        shifts = np.zeros(slopes[: design.n_features, :, 0].shape) if offsets is None else offsets
        if design.origin is not None:
            scales = 1.0 if design.scales is None else design.scales
            shifts = shifts + design.origin[:, None] * scales
        if design.fit_intercept:
            slopes[:-1] += shifts[:, :, None] * slopes[-1]
        return np.abs(slopes).max(axis=(0, 2)) / self._t.sum(axis=(0, 2))

    def hvp(self, w, h, v):
        return self.hessian(self.state(w), self._ridge(h), v)

    def products(self, w, h, *, gauss_newton=False):
        return functools.partial(self.hessian, self.state(w), self._ridge(h))

    def cross_vjp(self, w, h, v):
        penalised = slice(0, self._design.n_features)
        product = np.einsum("jsk,jsk->jk", w[penalised], v[penalised])
        return self.penalty.cross_vjp(h, product)

    def cross_jvp(self, w, h, u):
        return self._with_intercept(self.penalty.cross_jvp(h, u)) * w

    def solve(self, h, warm_start, tol):
        ridge = self._ridge(h)
        memory = self._begun(warm_start)
        newton = Newton(self, ridge, tol, memory.secants)
        state = memory.state
        # The loss is invariant under the projection: only the weights change.
        state = dataclasses.replace(state, w=self.projection(ridge)(state.w))
        state, kept, left, status, n_steps = newton.run(state, memory.kept, memory.left)
        inverse_hvp = functools.partial(newton.inverse_hvp, state)
        # A penalty below rounding leaves weights to the data, which may not determine them.
        if np.any(ridge[: self._design.n_features] <= LEAST * self.level):
            inverse_hvp = functools.partial(self._shortest, state, ridge, tol)
        n_solves = (n_steps + 1) * self._t.shape[1]  # Newton systems and the adjoint
        memory = Memory(dataclasses.replace(state, z=None), kept, left, newton.secants)
        return InnerSolution(state.w, inverse_hvp, status, n_solves, memory, predictions=state.z)

    def _shortest(self, state, ridge, tol, v, start):
        """``H^-1 v``, or the shortest least squares solution in units of the curvature; Status."""
        diagonal = self._design.squares(self._t * self.loss.diagonal(state.factor)) + ridge
        scale = np.where(diagonal > 0, np.maximum(diagonal, np.finfo(float).tiny), 1) ** -0.5
        solved = CG().solve(
            lambda u: scale * self.hessian(state, ridge, scale * u),
            scale * v,
            tol=min(tol, MAX_ADJOINT),
            axis=self.split_axis,
        )
        return scale * solved.x, STATUSES[solved.status]

    @cached_property
    def _sums(self):
        """The method of the loss that sums its values over rows, or None."""
        counts = ((self._t == 0) | (self._t == 1)).all()
        return getattr(self.loss, "evaluate_sums", None) if counts else None

    @cached_property
    def level(self):
        """The strength that matters: the mean diagonal of the Hessian where no feature has weight.

        It is the mean diagonal of the Hessian at zero weights, with the intercept eliminated.
        """
        return float(self._curvature_at_base().mean() * self._design.spreads(self._t).mean())

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        return self._design.product(w)

    def predict_vjp(self, v):
        """Transposed product of ``predict``."""
        return self._design.pull(v)

    def penalised(self, w):
        """The penalised weights of the first split, of shape (n_features, n_outputs)."""
        return w[: self._design.n_features, 0]

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        coef = self._design.rescaled(w)[: self._design.n_features]
        return coef.transpose(1, 2, 0), self._design.intercept_at_origin(w)

    def weights(self, coef, intercept):
        """Weights of coefficients and intercepts, where splits have no scales of their own."""
        w = np.zeros((self._design.shape[1], *intercept.shape))
        w[: self._design.n_features] = coef.transpose(2, 0, 1)
        if self._design.fit_intercept:
            w[-1] = intercept - self._design.intercept_at_origin(w)
        return w

    def adjoint_coefficients(self, v, h, G):
        """The adjoint ``v = H^-1 predict_vjp(G)`` as coefficients and intercepts of X."""
        return self.coefficients(v)

    def _curvature_at_base(self):
        base = self.loss.base(self._mean)
        return self.loss.diagonal(self.loss.factor(self._mean, base))

    def _scales(self):
        """Scales of decrements, per split: the spread of the targets, and the rounding error.

        In units of the objective, so that neither the unit of the target nor its mean matters.
        """
        weights = self._t * self.loss.precision(self._mean)
        spread = np.sum(weights * (self._y - self._mean) ** 2, axis=(0, 2))
        return spread, ROUNDING**2 * np.sum(weights * self._y**2, axis=(0, 2))

    def _begun(self, warm_start):
        """The Memory of a solution; of bare weights, or of the start, it is made anew.

        Weights that solve nothing say nothing of how far they are from a solution.
        """
        if warm_start is not None and warm_start.memory is not None:
            memory = warm_start.memory
            if memory.state.w is warm_start.w:
                return memory
            return Memory(self.state(warm_start.w), memory.kept, None, memory.secants)
        if warm_start is not None and warm_start.status is not Status.CONVERGED:
            return Memory(self.state(warm_start.w), None, None)
        w = self.start() if warm_start is None else warm_start.w
        return Memory(self.state(w), None, np.zeros(w.shape[1]))

    def curvature(self, kept, state):
        """The curvature for a state: ``kept`` if it is still accurate enough."""
        weights = self._t * self.loss.diagonal(state.factor)
        stale = curvature.STALE_BLOCKS if self.loss.shift_invariant else curvature.STALE
        return curvature.renewed(kept, self._design, weights, self._patterns, stale)

    def _ridge(self, h):
        """Penalty strength of every weight, of shape (n_weights, 1, n_outputs or 1)."""
        return self._with_intercept(self.penalty.strength(h))

    def _with_intercept(self, strength):
        ridge = np.zeros((self._design.shape[1], 1, strength.shape[1]))
        ridge[: self._design.n_features, 0] = strength
        return ridge

    def state(self, w, *, predicted=False):
        """The NewtonState of weights ``w``, with predictions if asked: one pass over X."""
        z = np.empty((self._design.shape[0], *w.shape[1:])) if predicted else None
        evaluated, factor = self._evaluated(w, z)

        def summands(rows, part):
            value, gradient = evaluated(rows, part)
            gradient *= self._t[rows]
            return value, part.pull(gradient)

        loss, slope = self._design.sums(summands)
        return NewtonState(w, loss, self._design.rescaled(slope), factor, z)

    def arrived(self, w, ridge):
        """The NewtonState at a minimum, where the gradient of the loss is ``-ridge * w``."""
        z = np.empty((self._design.shape[0], *w.shape[1:]))
        evaluated, factor = self._evaluated(w, z)

        def summands(rows, part):
            value, _ = evaluated(rows, part)
            return (value,)

        (loss,) = self._design.sums(summands)
        return NewtonState(w, loss, -ridge * w, factor, z)

    def _evaluated(self, w, z=None):
        """``(function, factor)``: ``function(rows, part)`` returns sums of values, and gradients.

        It writes the factors of these rows, and predictions into ``z`` if they are asked for.
        """
        shared = self._design.rescaled(w)
        factor = np.empty((self._design.shape[0], *w.shape[1:]))

        def function(rows, part):
            predicted = part.product(shared)
            if z is not None:
                z[rows] = predicted
            y, t = self._y[rows], self._t[rows]
            if self._sums is not None:
                value, gradient, factor[rows] = self._sums(y, predicted, t)
                return value, gradient
            value, gradient, factor[rows] = self.loss.evaluate(y, predicted)
            return np.einsum("isk,isl->s", value, t), gradient

        return function, factor

    def hessian(self, state, ridge, v):
        """Product of the Hessian at a state with ``v``."""
        factor, shared = state.factor, self._design.rescaled(v)

        def summands(rows, part):
            z = self.loss.hvp(factor[rows], part.product(shared))
            z *= self._t[rows]
            return (part.pull(z),)

        product = self._design.rescaled(*self._design.sums(summands))
        product += ridge * v
        return product

    def expanded(self, w, h):
        """What the expansion of the only split's objective at its minimiser ``w`` consists of.

        Returns
        -------
        objective : float
        hessian : ndarray of shape (n_weights, n_weights)
        strength : ndarray of shape (n_weights,)
            Strengths of the penalty; 1 for an intercept, which has none.
        slopes : ndarray of shape (n_samples,)
            Derivatives of the weighted second derivatives of the loss in the predictions.
        """
        ridge, state = self._ridge(h), self.state(w, predicted=True)
        weights = (self._t * self.loss.diagonal(state.factor))[:, 0, 0]
        rows = np.flatnonzero(weights > 0)
        gram = self._design.gram(weights[rows], rows)
        hessian = self._design.grams(gram[None, None])[0, 0]
        strength = np.broadcast_to(ridge[:, 0], (len(w), 1))[:, 0].copy()
        hessian[np.diag_indices_from(hessian)] += strength
        strength[self._design.n_features :] = 1.0
        slopes = (self._t * self.loss.third(state.z))[:, 0, 0]
        return float(state.objective(ridge)[0]), hessian, strength, slopes

    def spread(self, left, n_columns):
        """``|x_i' left|^2`` of every row of the only split, some columns of ``left`` at a time."""
        total = np.zeros(self._design.shape[0])
        for start in range(0, left.shape[1], n_columns):
            part = self._design.product(left[:, None, start : start + n_columns])
            total += np.einsum("isk,isk->i", part, part)
        return total

    def pulled(self, v):
        """``X' v`` of the only split, of shape (n_weights,)."""
        return self._design.pull(v[:, None, None])[:, 0, 0]

    def factored(self, kept, ridge):
        """The factors of a curvature and a ridge; their ``solve`` nearly inverts the Hessians."""
        return kept.factor(np.broadcast_to(ridge[:, 0], (len(ridge), self._y.shape[2])))

    # If a common shift of all outputs does not change the loss (softmax), the gradients of the loss
    # sum to zero over outputs, and so does ridge * w at a minimum. In that subspace blocks per
    # output are a good preconditioner; outside it the Hessian is nearly singular, and they are not.
    def projection(self, ridge):
        """A function that shifts the weights of all outputs alike until ``ridge * w`` sums to 0."""
        if not self.loss.shift_invariant:
            return lambda w: w
        share = self._shares(ridge)
        return lambda w: w - np.einsum("jsk,jsk->js", share, w)[:, :, None]

    def _shares(self, ridge):
        """Shares of the outputs in the ridge of each feature."""
        share = np.where(ridge.sum(axis=2, keepdims=True) > 0, ridge, 1.0)
        share = np.broadcast_to(share, (len(ridge), 1, self._y.shape[2]))
        return share / share.sum(axis=2, keepdims=True)

    # Of a common shift x the Hessian is ridge * x. So v = ridge * x + u with u that sums to zero
    # over outputs, and H^-1 v = x + H^-1 u.
    def inverse_of_any(self, inverse_hvp, strength):
        """The ``inverse_hvp`` of a solution, for vectors that need not sum to zero over outputs.

        Shifts that have no penalty, those of an intercept, are left out.
        """
        if not self.loss.shift_invariant:
            return inverse_hvp
        ridge = self._with_intercept(strength)
        share = self._shares(ridge)
        total = np.broadcast_to(ridge, share.shape).sum(axis=2, keepdims=True)

        def inverse(v, start):
            shift = v.sum(axis=2, keepdims=True)
            x, status = inverse_hvp(v - share * shift, start)
            return x + np.divide(shift, total, out=np.zeros_like(shift), where=total > 0), status

        return inverse
