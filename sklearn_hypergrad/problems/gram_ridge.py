"""Ridge regression of all splits from their Gram matrices."""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linalg import Spectral
from sklearn_hypergrad.problems.base import InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.moments import Moments
from sklearn_hypergrad.problems.outer import PredictionLoss, sample_weights


class GramRidge(InnerProblem):
    """Least squares with an L2 penalty, in closed form.

    Inner objective, for each split, with training weights t, the means of its training part
    subtracted where there is an intercept (which is thereby eliminated):

        1/2 sum_i t_i ||y_i - x_i w||^2  +  strength / 2 ||w||^2

    Its gradient is ``gram w + strength w - cross``. ``w`` has shape (n_splits, n_features,
    n_outputs). Data enter through sums over rows, formed once, so that evaluations do not touch X;
    those of a training part are the total minus the held-out part.

    Parameters
    ----------
    block : Block
    penalty : L2Penalty
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        self._X = block.X
        self._penalty = penalty
        self._fit_intercept = fit_intercept
        self._origin = _origin(block, fit_intercept)
        self._common, self._tests, trains = _moments(block, self._origin)
        self._means = [self._mean(moments) for moments in trains]
        parts = [m.about(*mean) for m, mean in zip(trains, self._means, strict=True)]
        self._gram = np.stack([xx for xx, _, _ in parts])
        self._cross = np.stack([xy for _, xy, _ in parts])
        self._inverse = Spectral(self._gram)
        self._coordinates = self._inverse.project(self._cross)

    def gradient(self, w, h):
        return self._gram @ w + self._penalty.strength(h) * w - self._cross

    def hvp(self, w, h, v):
        return self._gram @ v + self._penalty.strength(h) * v

    def cross_vjp(self, w, h, v):
        return self._penalty.cross_vjp(w, h, v)

    def cross_jvp(self, w, h, u):
        return self._penalty.cross_jvp(w, h, u)

    def solve(self, h, warm_start, tol):
        strength = self._penalty.strength(h)

        def inverse_hvp(v, start):
            coordinates = self._inverse.to_basis(v)
            return self._inverse.solve(strength, coordinates), Status.CONVERGED

        w = self._inverse.solve(strength, self._coordinates)
        return InnerSolution(w, inverse_hvp, Status.CONVERGED, n_solves=len(w))

    @property
    def level(self):
        """The strength that matters: the mean diagonal of the Gram matrices."""
        return float(np.trace(self._gram, axis1=1, axis2=2).mean() / self._gram.shape[1])

    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""
        n_splits, n_features, n_outputs = w.shape
        z = self._X @ w.transpose(1, 0, 2).reshape(n_features, -1)
        return z.reshape(-1, n_splits, n_outputs) + self._intercept(w)

    def predict_vjp(self, v):
        """Transposed derivative of ``predict``."""
        n_samples, n_splits, n_outputs = v.shape
        pulled = (self._X.T @ v.reshape(n_samples, -1)).reshape(-1, n_splits, n_outputs)
        shift = self._offsets()[0][:, :, None] * v.sum(axis=0)[:, None, :]
        return pulled.transpose(1, 0, 2) - shift

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        return w.transpose(0, 2, 1), self._intercept(w)

    def held_out(self, block, weights):
        """``(xx, xy, yy)`` of every held-out part about the training means.

        ``weights`` are those of :func:`sample_weights`. Where they are the training weights up to a
        factor, the sums that were subtracted from the total are used again.
        """
        starts = np.cumsum([len(test) for test in block.tests])[:-1]
        weights = np.split(weights, starts)
        parts = []
        for split, (test, weight, mean) in enumerate(
            zip(block.tests, weights, self._means, strict=True)
        ):
            scale = 1.0
            if self._common is not None and _proportional(weight, self._common[test]):
                moments = self._tests[split]
                scale = weight.sum() / moments.weight
            else:
                moments = Moments.of(block.X, block.y, test, weight, self._origin)
            parts.append([scale * part for part in moments.about(*mean)])
        return tuple(np.stack(stack) for stack in zip(*parts, strict=True))

    def _mean(self, moments):
        if self._fit_intercept:
            return moments.x / moments.weight, moments.y / moments.weight
        return np.zeros_like(moments.x), np.zeros_like(moments.y)

    def _offsets(self):
        """Training means in the units of the data, of features and of outputs, a row per split."""
        means = zip(*self._means, strict=True)
        return [np.stack(m) + origin for m, origin in zip(means, self._origin, strict=True)]

    def _intercept(self, w):
        x, y = self._offsets()
        return y - np.einsum("sp,spk->sk", x, w)


class QuadraticLoss:
    """Losses that are functions of squared errors, from the Gram matrices of held-out parts.

    The squared error of a split is ``yy - 2 <xy, w> + <w, xx w>``. That difference has the rounding
    error of ``yy``: where it has lost more than ``LOST`` of it, residuals are formed instead.

    Parameters
    ----------
    problem : GramRidge
    block : Block
    validation_loss : ValidationLoss
        One whose pointwise loss is half the squared error.
    """

    LOST = 1e-6

    def __init__(self, problem, block, validation_loss):
        self._residual = PredictionLoss(problem, block, validation_loss)
        self._reduce = validation_loss.reduce
        self._variance = self._residual.variance
        weights = sample_weights(block, validation_loss.balanced)
        self._xx, self._xy, self._yy = problem.held_out(block, weights)

    def __call__(self, w, h):
        """Values of shape (n_splits,), gradient of their sum in ``w``, and directly in ``h``."""
        product = self._xx @ w
        errors = self._yy - np.sum((2 * self._xy - product) * w, axis=1)
        if np.any(errors < self.LOST * self._yy):
            return self._residual(w, h)
        values, slopes = self._reduce(errors, self._variance)
        return values, 2 * slopes[:, None, :] * (product - self._xy), {}


def _origin(block, fit_intercept):
    """What to subtract from x and y; sparse x stay, their zeros are worth more than digits."""
    if not fit_intercept:
        return 0.0, 0.0
    x = 0.0 if issparse(block.X) else block.X.mean(axis=0, dtype=float)
    return x, block.y.mean(axis=0)


def _moments(block, origin):
    """Common weights or None, moments of held-out parts with them, moments of training parts."""
    common = block.complementary()
    if common is None:
        trains = zip(block.trains, block.weights, strict=True)
        return None, None, [Moments.of(block.X, block.y, *train, origin) for train in trains]
    tests = [Moments.of(block.X, block.y, rows, common[rows], origin) for rows in block.tests]
    rows = np.arange(block.X.shape[0])
    if np.all(np.bincount(np.concatenate(block.tests), minlength=len(rows)) == 1):
        total = sum(tests[1:], start=tests[0])
    else:
        total = Moments.of(block.X, block.y, rows, common, origin)
    return common, tests, [total - test for test in tests]


def _proportional(a, b):
    return np.allclose(a * b.sum(), b * a.sum(), rtol=1e-14, atol=0)
