"""Ridge regression of all splits from one kernel of the rows, with one penalty for all features."""

import functools

import numpy as np

from sklearn_hypergrad.problems.linear.centred_splits import origin_of, totals_of
from sklearn_hypergrad.problems.linear.row_kernels import TrainingRows, row_kernel
from sklearn_hypergrad.problems.ridge.hat_trace import trace_of
from sklearn_hypergrad.problems.ridge.left_out_kernel import LeftOut, LeftOutKernel
from sklearn_hypergrad.problems.ridge.ridge_problem import NormalEquations
from sklearn_hypergrad.threads import cached_property


class KernelRidge(NormalEquations):
    """Ridge regression on data with more features than rows, in the space of the rows.

    With Z the weighted and centred rows of a training part, the coefficients are ``Z' w``, and
    ``w`` minimises

        1/2 w' (Z Z' + strength) w  -  w' y.

    Evaluations need the kernel ``X X'`` of all rows, and not X. Where splits leave out few rows,
    its eigenvectors serve them all; otherwise, and for penalties that are close to rounding errors,
    ``Z Z'`` is cut out of it for every split. The shape of ``w`` is (n_splits, n_rows, n_outputs);
    shorter training parts are filled with zeros.

    Parameters
    ----------
    block : SplitData
        The data of the splits, without scales.
    penalty : L2Penalty
        A penalty that all features share (``uniform``).
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        super().__init__(penalty)
        self._totals = totals_of(block, fit_intercept)
        self._X, self._block = block.X, block
        self._rows = rows = TrainingRows(block.row_weights(), fit_intercept=fit_intercept)
        self._origin, y_origin = origin_of(block, fit_intercept)
        y_mean = rows.average.T @ (block.y - y_origin)
        self._y_mean = y_mean + y_origin
        self._tests = block.tests
        self._kernel = row_kernel(block.X, self._origin)
        self._fit_intercept = fit_intercept
        self._longest = max(map(len, rows.numbers))
        y = block.y[:, None, :] - y_origin - y_mean
        self._cross = self._gathered(rows.root[:, :, None] * y)

    @cached_property
    def _gram(self):
        gram = np.zeros((len(self._cross), self._longest, self._longest))
        for split, numbers in enumerate(self._rows.numbers):
            own = slice(0, len(numbers))
            part = self._kernel[np.ix_(numbers, numbers)]
            gram[split, own, own] = self._rows.kernel(split, part)
        return gram

    @cached_property
    def _diagonal(self):
        return self._gathered(self._rows.diagonals(self._kernel)[:, :, None])[:, :, 0]

    @cached_property
    def _shared(self):
        """The LeftOutKernel, or None if splits have to be decomposed one by one."""
        if self._graded or not LeftOutKernel.pays(self._rows):
            return None
        target = self._scattered(self._cross)
        return LeftOutKernel(self._kernel, self._rows, target, fit_intercept=self._fit_intercept)

    def _shares(self, strength):
        return self._shared is not None and self._shared.determines(strength)

    def inverse(self, strength):
        if not self._shares(strength):
            return super().inverse(strength)
        left_out = LeftOut(self._shared, strength[0])
        return functools.partial(self._left_out_inverse, left_out, strength)

    # If means are subtracted, Z Z' maps the roots of the weights to zero.
    def _left_out_inverse(self, left_out, strength, v):
        v, root = self._scattered(v), self._rows.root
        share = np.divide(self._rows.average, root, out=np.zeros_like(root), where=root > 0)
        along = root[:, :, None] * np.einsum("is,isk->sk", share, v)
        v = self._shared.coordinates(v - along)
        x = self._shared.vector(left_out.solution(v, left_out.left_out(v)))
        return self._gathered(x + along / strength)

    def _minimiser(self, inverse, strength):
        if self._shares(strength):
            return inverse(self._cross)
        return super()._minimiser(inverse, strength)

    def held_out(self, h):
        """Predictions of the held-out rows, which need no weights, and their pullback.

        Parameters
        ----------
        h : dict
            Hyperparameters in natural units.

        Returns
        -------
        tuple or None
            ``(z, pullback)``: predictions of shape (n_held_out, n_outputs), split after split, and
            a function from the gradient in them to a dict of those in ``h``. None if splits have to
            be solved one by one.
        """
        strength = self.penalty.strength(h)
        if not self._shares(strength) or (places := self._shared.places(self._tests)) is None:
            return None
        left_out, target = LeftOut(self._shared, strength[0]), self._shared.target
        g, sizes = left_out.left_out(target), [len(test) for test in self._tests]
        root = self._shared.root[np.concatenate(self._tests), None]
        z = np.repeat(self._y_mean, sizes, axis=0)
        z -= np.concatenate([each[at] for each, at in zip(g, places, strict=True)]) / root

        def pullback(slope):
            weights, starts = [np.zeros_like(each) for each in g], np.cumsum(sizes)[:-1]
            parts = np.split(-slope / root, starts)
            for weight, at, part in zip(weights, places, parts, strict=True):
                weight[at] = part
            x = left_out.solution(target, g)
            return self.penalty.cross_vjp(h, left_out.slopes(x, weights)[None])

        return z, pullback

    def hat_trace(self, strength):
        """The trace of the hat matrix of all rows, for one penalty; None if it is not known."""
        weights = self._block.partition_weights()
        if weights is None:
            return None
        rows = TrainingRows(weights[:, None], fit_intercept=self._fit_intercept)
        (used,) = rows.numbers
        return trace_of(rows.kernel(0, self._kernel[np.ix_(used, used)]), strength)

    def predict(self, w):
        products = self._products(self._spread(w))
        return products + self._y_mean - np.einsum("is,isk->sk", self._rows.average, products)

    def predict_vjp(self, v):
        pulled = self._products(self._rows.centred(v))
        pulled -= np.einsum("is,isk->sk", self._rows.average, pulled)
        pulled *= self._rows.root[:, :, None]
        return self._gathered(pulled)

    def coefficients(self, w):
        spread = self._spread(w)
        coef = self._X.T @ spread.reshape(len(spread), -1)
        coef = coef.reshape(-1, *spread.shape[1:])
        coef -= self._origin[:, None, None] * spread.sum(axis=0)
        offset = np.einsum("is,isk->sk", self._rows.average, self._products(spread))
        intercept = self._y_mean - offset - np.einsum("p,psk->sk", self._origin, coef)
        return coef.transpose(1, 2, 0), intercept

    # (Z'Z + a) V = X_te' G has the solution V = (X_te' G - Z' v) / a, which is not in the space of
    # the training rows, with v = (ZZ' + a)^-1 Z X_te' G.
    def adjoint_coefficients(self, v, h, G):
        spread = self._rows.centred(G) - self._spread(v)
        coef = self._X.T @ spread.reshape(len(spread), -1)
        coef = coef.reshape(-1, *spread.shape[1:])
        coef -= self._origin[:, None, None] * spread.sum(axis=0)
        coef /= self.penalty.strength(h)[:, None]
        coef = coef.transpose(1, 2, 0)
        if not self._totals.any():
            return coef, np.zeros(coef.shape[:2])
        mean = self._X.T @ self._rows.average
        intercept = G.sum(axis=0) / self._totals[:, None] - np.einsum("ps,skp->sk", mean, coef)
        return coef, intercept

    def _spread(self, w):
        """Factor of every row in the coefficients ``X' factors``: (n_samples, n_splits, k)."""
        return self._rows.centred(self._scattered(w) * self._rows.root[:, :, None])

    def _scattered(self, w):
        """Weights of shape (n_samples, n_splits, k), zero in rows that a split leaves out."""
        v = np.zeros((*self._rows.root.shape, w.shape[2]))
        for split, numbers in enumerate(self._rows.numbers):
            v[numbers, split] = w[split, : len(numbers)]
        return v

    def _gathered(self, v):
        """The weights of the training rows of every split, of the shape of ``w``."""
        w = np.zeros((v.shape[1], self._longest, v.shape[2]))
        for split, numbers in enumerate(self._rows.numbers):
            w[split, : len(numbers)] = v[numbers, split]
        return w

    def _products(self, v):
        return (self._kernel @ v.reshape(len(v), -1)).reshape(v.shape)
