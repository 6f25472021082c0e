"""Robust linear models with Huber's loss and its scale.

With training weights t, every split minimises over coefficients w, an intercept b and a scale
sigma > 0, ::

    sum_i t_i (sigma + sigma rho(r_i / sigma))  +  alpha ||w||^2,     r_i = x_i w + b - y_i

with ``rho(e) = e^2`` up to epsilon and ``2 epsilon |e| - epsilon^2`` beyond (Huber, Ronchetti,
"Robust Statistics", 2009, section 7.7). It is convex in all of them together. The best scale of
given weights is known exactly, so Newton's method moves weights only. With n rows, of which k are
fitted exactly, there is no scale but zero if ``epsilon^2 (n - k) < n``: the minimum is then that of
absolute errors.
"""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.linalg import Cholesky
from sklearn_hypergrad.linalg.systems import negligible, ratio
from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.problems.piecewise.active_rows import ActiveGram
from sklearn_hypergrad.problems.piecewise.newton import newton
from sklearn_hypergrad.problems.split_data import beside, column_means

# Largest number of steps to the best scale, which ends after finitely many. Chosen by hand.
MAX_SCALES = 200
# Side of the largest matrices that are inverted, all at once. Measured: on 400 rows of 10 features
# an evaluation takes three quarters of the time that factors take.
SMALL = 50
# Scale, relative to the deviation of the targets, below which it goes to zero, and the same where
# Newton's method has not ended. Chosen by hand.
NOTHING, NEARLY = 1e-8, 1e-3
# The same of the end of a step, which is no place to go to. Reason: there the scale is rounding.
NOWHERE = 1e-10
# Width from which on a problem that is not solved otherwise comes down to its own, in steps of this
# size: with few inliers, steps may lead to weights whose scale is almost zero, and hardly away from
# there. Measured for 31 weights on 68 rows: steps of 0.05 find minima that one of 0.25 does not.
WIDE, NARROWER = 2.0, 0.05
# Where a step leads to a scale of zero, shorter ones may not, down to this one. Measured for
# penalties 1e-3 to 0.2, relative, above the one from which on there is no minimum, of 30 weights on
# 48 rows: of 72 problems 72 are solved, and 55 without shorter steps. It takes a third more time
# where there is no minimum.
NARROWEST = NARROWER / 32
GOES_TO_ZERO = "the scale of the residuals goes to zero"


@dataclasses.dataclass(frozen=True)
class HuberPoint:
    """Weights and scales of all splits, and what follows from them.

    Attributes
    ----------
    u : ndarray of shape (n_weights, n_splits)
        Coefficients, and the intercept last if there is one.
    sigma : ndarray of shape (n_splits,)
    z : ndarray of shape (n_samples, n_splits)
        Predictions of all rows, less the level of the problem.
    clipped : ndarray like ``z``
        ``r / sigma``, or the nearer one of -epsilon and epsilon.
    inside : ndarray like ``z``
        Whether a row of the training part is not clipped: an inlier.
    value : ndarray of shape (n_splits,)
        The objectives.
    """

    u: np.ndarray
    sigma: np.ndarray
    z: np.ndarray
    clipped: np.ndarray
    inside: np.ndarray
    value: np.ndarray


@dataclasses.dataclass(frozen=True)
class HuberSolution:
    """The solutions of all splits, and a start for the next ones.

    Attributes
    ----------
    point : HuberPoint
    grams : list of ActiveGram
        Of the inliers of each split.
    inverse : callable
        The inverse of the Hessian, for ``V`` of shape (n_weights + 1, n_splits).
    status : Status
    n_steps : int
        Number of steps, of the split that took most.
    """

    point: HuberPoint
    grams: list
    inverse: object
    status: Status
    n_steps: int

    @property
    def size(self):
        """Number of floats in it."""
        matrices = 2 * sum(gram.matrix.size for gram in self.grams)
        return self.point.u.size + 3 * self.point.z.size + matrices


class HuberProblem:
    """The problems of all splits, which share their features.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    t : ndarray of shape (n_samples, n_splits)
        Training weights: zero for rows that a split does not train on.
    fit_intercept : bool
    scales : ndarray of shape (n_features, n_splits), default=None
        Factors of the features of each split; None is one.
    """

    def __init__(self, X, y, t, *, fit_intercept, scales=None):
        X = X.astype(np.float64, copy=False)
        # The intercept absorbs the origin and the level, which would cost digits.
        self._level = float(np.mean(y)) if fit_intercept else 0.0
        centred = fit_intercept and isinstance(X, np.ndarray)
        self._origin = column_means(X) if centred else np.zeros(X.shape[1])
        X = X - self._origin if centred else X
        self._E = beside(X, np.ones((len(y), 1))) if fit_intercept else X
        self._fit_intercept, self._y, self._t = fit_intercept, (y - self._level)[:, None], t
        self._scales = np.ones((self._E.shape[1], t.shape[1]))
        if scales is not None:
            self._scales[: X.shape[1]] = scales
        self._penalised = np.ones(self._E.shape[1])
        self._penalised[X.shape[1] :] = 0.0
        self._total = t.sum(axis=0)
        self._mean = np.sum(t * self._y, axis=0) / self._total * fit_intercept
        square = np.sum(t * (self._y - self._mean) ** 2, axis=0) / self._total
        self._deviation = np.where(square > 0, np.sqrt(square), 1.0)

    def solve(self, alpha, epsilon, start=None):
        """Minimise.

        Parameters
        ----------
        alpha, epsilon : float
        start : HuberSolution, default=None

        Returns
        -------
        HuberSolution

        Raises
        ------
        LinAlgError
            If a scale goes to zero.
        """
        try:
            found = self._minimised(alpha, epsilon, start)
        except np.linalg.LinAlgError:
            if epsilon >= WIDE:
                raise
            found = None
        if found is None or (found.status is not Status.CONVERGED and epsilon < WIDE):
            return self._narrowed(alpha, epsilon)
        return found

    def _narrowed(self, alpha, epsilon):
        """The same from a wide problem down, in shorter steps where scales are almost zero."""
        found, width, step = self._minimised(alpha, WIDE, None, patient=True), WIDE, NARROWER
        while width > epsilon:
            narrower = max(width - step, epsilon)
            try:
                found = self._minimised(alpha, narrower, found, patient=True)
                width = narrower
            except np.linalg.LinAlgError:
                if step <= NARROWEST:
                    raise
                step /= 2
        return found

    def _minimised(self, alpha, epsilon, start, *, patient=False):
        """The same from one start, with shorter steps where scales are zero if it is patient."""
        at = functools.partial(self._point, alpha=alpha, epsilon=epsilon, patient=patient)
        if start is None:
            point, grams = at(*self._start()), [None] * self._t.shape[1]
        else:
            point, grams = at(start.point.u, start.point.z, start.point.sigma), start.grams
        if not np.isfinite(point.value).all():
            raise np.linalg.LinAlgError(GOES_TO_ZERO)
        # Steps from constants hardly leave a small scale again, and there is a better start.
        least = NOTHING if patient or start is not None or epsilon >= WIDE else NEARLY
        step_at, line = (
            functools.partial(self._step, alpha=alpha, least=least),
            functools.partial(self._line, at),
        )
        point, known, status, n_steps = newton(point, (grams, None), step_at, line)
        if status is not Status.CONVERGED and self._is_below(point.sigma, NEARLY).any():
            raise np.linalg.LinAlgError(GOES_TO_ZERO)
        return HuberSolution(point, *known, status, n_steps)

    def predictions(self, solution):
        """Predictions of all rows (n_samples, n_splits)."""
        return solution.point.z + self._level

    def coefficients(self, u):
        """Coefficients (n_splits, 1, n_features) and intercepts (n_splits, 1)."""
        coef = (self._scales * u)[: len(self._origin)].T
        own = u[-1] + self._level if self._fit_intercept else np.zeros(len(coef))
        intercept = own - coef @ self._origin
        return coef[:, None], intercept[:, None]

    def _product(self, u):
        """Predictions of all rows."""
        return self._E @ (self._scales * u)

    def _pull(self, v):
        """The transposed product."""
        return self._scales * (self._E.T @ v)

    def _start(self):
        """Weights, predictions and scales of constants."""
        u = np.zeros((self._E.shape[1], len(self._mean)))
        if self._fit_intercept:
            u[-1] = self._mean
        return u, np.tile(self._mean, (len(self._y), 1)), self._deviation

    # With e = r / sigma and its clipped value c, the loss sigma rho(e) is 2 c r - sigma c^2, since
    # inliers have c = e. Its derivatives are 2 c in z and -c^2 in sigma, and for inliers alone
    #     2 / sigma in z,   -2 c / sigma in z and sigma,   2 c^2 / sigma in sigma,
    # so that with the Gram matrix G of the inliers the Hessian is 2 / sigma times
    #     [G + alpha sigma R,  -E'tc]
    #     [-(E'tc)',           sum t c^2],   sums over inliers, R = 1 but for the intercept.
    def _point(self, u, z, sigma, *, alpha, epsilon, patient):
        """The HuberPoint at weights with these predictions; some scale is near its own one.

        Where the best scale is zero, the objective counts as infinite if it is ``patient``.
        """
        residual = z - self._y
        sigma = self._best_scales(residual**2, sigma, epsilon)
        vanished = self._is_below(sigma, NOWHERE)
        if vanished.any() and not patient:
            raise np.linalg.LinAlgError(GOES_TO_ZERO)
        sigma = np.where(vanished, self._deviation, sigma)
        scaled = residual / sigma
        clipped = np.clip(scaled, -epsilon, epsilon)
        losses = 2 * clipped * residual + sigma * (1 - clipped**2)
        value = np.einsum("ik,ik->k", self._t, losses)
        value += alpha * np.einsum("j,jk,jk->k", self._penalised, u, u)
        value[vanished] = np.inf
        inside = (scaled == clipped) & (self._t != 0)
        return HuberPoint(u, sigma, z, clipped, inside, value)

    # At the best scale, sum t min(s r^2, epsilon^2) = sum t, with s = 1 / sigma^2. The left side is
    # linear in s as long as the inliers stay the same, and concave: Newton's method comes from the
    # left, small s, in finitely many steps, and from the right goes to the left first. If as many
    # rows are fitted exactly that the left side stays below, s is infinite.
    def _best_scales(self, square, sigma, epsilon):
        everything = np.einsum("ik,ik->k", self._t, square)
        s, most, vanished = 1 / sigma**2, (NOWHERE * self._deviation) ** -2, everything == 0
        for _ in range(MAX_SCALES):
            weight = self._t * (s * square <= epsilon**2)
            inliers = np.einsum("ik,ik->k", weight, square)
            left = self._total - epsilon**2 * (self._total - weight.sum(axis=0))
            last, s = s, ratio(self._total, everything)
            s = np.where((left > 0) & (inliers > 0), ratio(left, inliers), s)
            vanished = vanished | (s > most)
            s = np.where(vanished, 4 * most, s)
            if np.all(np.abs(s - last) <= np.finfo(float).eps * s):
                break
        return s**-0.5

    def _is_below(self, sigma, share):
        """Whether the scale of each split is below this share of the deviation of the targets."""
        return sigma < share * self._deviation

    def _gradient(self, point, alpha):
        weighted = self._t * point.clipped
        of_u = 2 * (self._pull(weighted) + alpha * self._penalised[:, None] * point.u)
        of_sigma = self._total - np.einsum("ik,ik->k", weighted, point.clipped)
        return np.concatenate([of_u, of_sigma[None]])

    def _grams(self, point, known):
        columns = zip(self._t.T, point.inside.T, known, strict=True)
        return [ActiveGram.of(self._E, t, rows, last) for t, rows, last in columns]

    def _inverse(self, point, grams, alpha):
        """The inverse of the Hessian at a point."""
        weighted = self._t * point.inside * point.clipped
        cross = self._pull(weighted)
        n_weights, n_splits = point.u.shape
        matrices = np.empty((n_splits, n_weights + 1, n_weights + 1))
        for own, gram, scale in zip(matrices, grams, self._scales.T, strict=True):
            own[:-1, :-1] = gram.matrix * scale * scale[:, None]
        matrices[:, :-1, -1] = matrices[:, -1, :-1] = -cross.T
        matrices[:, -1, -1] = np.einsum("ik,ik->k", weighted, point.clipped)
        diagonal = np.einsum("kjj->kj", matrices)
        diagonal[:, :-1] += alpha * point.sigma[:, None] * self._penalised
        apply = _inverses(matrices)
        return lambda V: 0.5 * point.sigma * apply(V.T[:, :, None])[:, :, 0].T

    def _step(self, point, known, *, alpha, least):
        """The gradient, the step of Newton's method, and what is known of Hessians."""
        if self._is_below(point.sigma, least).any():
            raise np.linalg.LinAlgError(GOES_TO_ZERO)
        grams = self._grams(point, known[0])
        inverse, gradient = self._inverse(point, grams, alpha), self._gradient(point, alpha)
        return gradient, inverse(gradient), (grams, inverse)

    def _line(self, at, point, step):
        """The function from lengths of a step to HuberPoints."""
        step, of_scale = step[:-1], step[-1]
        change = self._product(point.u - step) - point.z

        def moved(length):
            near = np.maximum(point.sigma - length * of_scale, 0.5 * point.sigma)
            return at(point.u - length * step, point.z + length * change, near)

        return moved

    # With V = (v, s) = H^-1 (E'G, 0), the derivative of sum G z is -V' d(gradient). In the gradient
    #     2 E'tc + 2 alpha R u,    sum t (1 - c^2)
    # alpha has the factor 2 R u, and epsilon, which only outliers have as |c|, gives
    # dc = sign(r). Features of a row change e_i and, of inliers, dc = de_i u / sigma.
    def adjoint(self, solution, G):
        """``(V, E V)`` with ``V = H^-1 (E' G, 0)``, for G of shape (n_samples, n_splits)."""
        right = np.concatenate([self._pull(G), np.zeros((1, G.shape[1]))])
        V = solution.inverse(right)
        return V, self._product(V[:-1])

    def slope_in_penalty(self, solution, V):
        """The derivative of ``sum G z`` in alpha."""
        return -2 * np.einsum("j,jk,jk->", self._penalised, V[:-1], solution.point.u)

    def slope_in_width(self, solution, V, moved):
        """The derivative of ``sum G z`` in epsilon."""
        point = solution.point
        outside = self._t * ~point.inside
        return -2 * np.sum(outside * np.sign(point.clipped) * (moved - point.clipped * V[-1]))

    def slopes_in_rows(self, solution, G):
        """Derivatives of ``sum G z`` in X, of the shape of X."""
        (V, moved), point, p = self.adjoint(solution, G), solution.point, len(self._origin)
        u, v = (self._scales * own for own in (point.u, V[:-1]))
        through_u = self._through_weights(point, G, V, moved)
        return through_u @ u[:p].T - 2 * (self._t * point.clipped) @ v[:p].T

    # With a for what stands before u' there, alpha u = -E'tc and 2 alpha v = E'a.
    def slopes_in_wide_rows(self, solution, G, X, alpha):
        """The same for columns X of wide rows, of which the problem has a basis.

        The basis lacks directions in which rows differ by less than rounding, products of rows do
        not.
        """
        through_u = self._through_weights(solution.point, G, *self.adjoint(solution, G))
        weighted = self._t * solution.point.clipped
        u, v = (np.asarray(X.T @ own) for own in (weighted, through_u))
        return -(through_u @ u.T + weighted @ v.T) / alpha

    def _through_weights(self, point, G, V, moved):
        """The factors of weights in the derivatives in rows, of the shape of G."""
        inliers = self._t * point.inside / point.sigma
        return G - 2 * inliers * (moved - point.clipped * V[-1])


# The product of a diagonal entry of a matrix and of its inverse is one over the share of the
# curvature that is left once the other entries are known.
def _inverses(matrices):
    """A function that applies the inverses of a stack of positive semi-definite matrices."""
    side = matrices.shape[1]
    if side <= SMALL:
        try:
            inverses = np.linalg.inv(matrices)
        except np.linalg.LinAlgError:
            inverses = np.full_like(matrices, np.nan)
        known = np.einsum("kii,kii->ki", matrices, inverses)
        if np.all((known > 0) & (known * negligible(float) < 1)):
            return inverses.__matmul__
    return Cholesky(matrices, np.zeros((side, 1))).solve
