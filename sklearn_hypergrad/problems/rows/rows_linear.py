"""LinearProblem of rows that are only seen part by part."""

import copy
import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.problems.linear import curvature
from sklearn_hypergrad.problems.linear.design import Design
from sklearn_hypergrad.problems.linear.linear_problem import LinearProblem, NewtonState

# The finest inner tolerance. Measured on 20,000 rows of 100 features: validation losses of two
# classes are 1e-8 off, relative, with 1e-4, and 4e-11 with 1e-5, for two passes more.
FINEST = 1e-5
# Relative residual of the adjoint, in units of the inner tolerance: 1e-2. The adjoint affects
# gradients alone; measured, with a tenth of it searches end at the same penalties.
ADJOINT = 1000


@dataclasses.dataclass(frozen=True)
class RowsState(NewtonState):
    """A NewtonState with the validation losses there, which the same pass has summed.

    Attributes
    ----------
    held_out : ndarray of shape (n_splits, n_outputs or 1)
        Mean validation losses of the held-out parts; without those of splits that hold out nothing.
    held_out_slope : ndarray like ``w``
        Gradient of their sum over outputs.
    """

    held_out: np.ndarray | None = None
    held_out_slope: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class RowWeights:
    """What a row counts in each split: by its bucket, its class and its own weight.

    Attributes
    ----------
    of_buckets : ndarray of shape (n_buckets, n_splits)
    of_classes : ndarray of shape (n_classes, n_splits) or None
    weighted : bool
        Whether the weights of rows count.
    """

    of_buckets: np.ndarray
    of_classes: np.ndarray | None = None
    weighted: bool = False

    def of(self, bucket, codes, weight):
        """An array of shape (n_rows, n_splits)."""
        found = self.of_buckets[bucket]
        if self.of_classes is not None:
            found = found * self.of_classes[codes]
        if self.weighted and weight is not None:
            found = found * np.asarray(weight, dtype=float)[:, None]
        return found


@dataclasses.dataclass(frozen=True)
class StatePass:
    """``function(part)``: losses and slopes of all splits, on training and on held-out rows.

    Attributes
    ----------
    reader : Reader
    buckets : object
    w : ndarray of shape (n_features + 1, n_splits, n_outputs)
        Coefficients of the rows as they are, and intercepts.
    train, test : RowWeights
    loss : object
        The training loss.
    judge : object or None
        The pointwise validation loss; None if it is the training loss.
    """

    reader: Any
    buckets: Any
    w: np.ndarray
    train: RowWeights
    test: RowWeights
    loss: Any
    judge: Any = None

    def __call__(self, part):
        bucket, totals = self.buckets.of(part), None
        for piece in self.reader.pieces(part):
            weight = None if part.weight is None else part.weight[piece.rows]
            of_row = bucket[piece.rows], piece.codes, weight
            own = self._of_piece(piece, self.train.of(*of_row), self.test.of(*of_row))
            if totals is None:
                totals = own
                continue
            for total, more in zip(totals, own, strict=True):
                np.add(total, more, out=total)
        return tuple(totals)

    def _of_piece(self, piece, train, test):
        z, y = piece.product(self.w), piece.y[:, None]
        value, slope, _ = self.loss.evaluate(y, z)
        if self.judge is None:
            judged, judged_slope = value, slope
        else:
            judged, judged_slope = self.judge.value(y, z), self.judge.gradient(y, z)
        both = np.concatenate([slope * train[:, :, None], judged_slope * test[:, :, None]], axis=1)
        pulled = piece.pull(both)
        n_splits = train.shape[1]
        return [
            np.einsum("isk,is->s", value, train),
            pulled[:, :n_splits],
            np.einsum("isk,is->sk", judged, test),
            pulled[:, n_splits:],
        ]


@dataclasses.dataclass(frozen=True)
class HessianPass:
    """``function(part)``: product of the Hessians of the training loss with ``v``.

    The factors of the Hessian are computed again from ``w``: nothing of the length of the rows is
    kept. The other attributes are those of StatePass.

    Attributes
    ----------
    v : ndarray like ``w``
    """

    reader: Any
    buckets: Any
    w: np.ndarray
    v: np.ndarray
    train: RowWeights
    loss: Any

    def __call__(self, part):
        bucket, total, n_splits = self.buckets.of(part), 0.0, self.w.shape[1]
        both = np.concatenate([self.w, self.v], axis=1)
        for piece in self.reader.pieces(part):
            z = piece.product(both)
            factor = self.loss.factor(*self._at(piece, z[:, :n_splits]))
            product = self.loss.hvp(factor, z[:, n_splits:].copy())
            weight = None if part.weight is None else part.weight[piece.rows]
            train = self.train.of(bucket[piece.rows], piece.codes, weight)
            total = total + piece.pull(product * train[:, :, None])
        return (total,)

    @staticmethod
    def _at(piece, z):
        return piece.y[:, None], z


class RowsLinear(LinearProblem):
    """LinearProblem whose losses, slopes and Hessian products are sums over parts.

    What preconditions is the curvature of a sample of rows in memory, scaled up; it has the same
    coordinates: features about the origin of the reader, times the scales of each split. With m
    sampled rows and p weights, a step of it contracts the error by about sqrt(p / m).

    Parameters
    ----------
    data : RowsData
        The splits; one that holds nothing out is trained, and not judged.
    sample : SampledSplits
        The sample, and what its rows count.
    weights : tuple of RowWeights
        Those of training rows, and those of held-out rows, whose sums are one for each split.
    penalty : L2Penalty
    loss : object
    fit_intercept : bool
    """

    follows = False
    adjoint = ADJOINT

    def __init__(self, data, sample, weights, penalty, loss, *, fit_intercept):
        self.penalty, self.loss = penalty, loss
        self._data, (self._train, self._test) = data, weights
        scales = None if data.scales is None else data.scales.T
        self._design = Design(sample.X, fit_intercept=fit_intercept, scales=scales)
        self._design.origin = None
        self._y, self._t = sample.y[:, None, :], sample.t[:, :, None]
        self.factorises = self._design.shape[1] <= curvature.MAX_SIZE
        trained = self._t[:, :, 0] != 0
        self._patterns = curvature.Patterns.of(trained) if self.factorises else None
        self._mean = ((self._t * self._y).sum(axis=0) / self._t.sum(axis=0))[None]
        self.scale, self.rounding = self._scales()
        self._judge = None

    def judged_by(self, pointwise):
        """A copy whose states have the values of this validation loss."""
        problem = copy.copy(self)
        problem._judge = None if type(pointwise) is type(self.loss) else pointwise
        return problem

    @property
    def n_judged(self):
        """Number of splits that hold rows out; they are the first ones."""
        return sum(len(test) > 0 for test in self._data.tests)

    def solve(self, h, warm_start, tol):
        return super().solve(h, warm_start, max(tol, FINEST))

    def state(self, w, *, predicted=False):
        data = self._data
        parts = data.reader, data.buckets, self.raw(w), self._train, self._test
        loss, slope, judged, judged_slope = data.sums(StatePass(*parts, self.loss, self._judge))
        factor = self.loss.factor(*self._at_sample(w))
        return RowsState(
            w,
            loss,
            self._pulled(slope),
            factor,
            held_out=judged[: self.n_judged],
            held_out_slope=self._pulled(judged_slope),
        )

    def _at_sample(self, w):
        return self._y, self._design.product(w)

    def arrived(self, w, ridge):
        return self.state(w)

    def hessian(self, state, ridge, v):
        data = self._data
        run = HessianPass(
            data.reader, data.buckets, self.raw(state.w), self.raw(v), self._train, self.loss
        )
        (product,) = data.sums(run)
        return self._pulled(product) + ridge * v

    def raw(self, w):
        """Weights of the rows minus the origin, and intercepts, of shape (n_features + 1, ...)."""
        own = w[: self._design.n_features]
        if self._data.scales is not None:
            own = self._data.scales.T[:, :, None] * own
        if self._design.fit_intercept:
            return np.concatenate([own, w[-1:]])
        return np.concatenate([own, -self._shift(own)[None]])

    def _shift(self, own):
        offsets = self._data.offsets
        if offsets is None:
            return np.zeros(own.shape[1:])
        if self._data.reader.origin is not None:
            offsets = offsets - self._data.reader.origin
        return np.einsum("sp,psk->sk", offsets, own)

    def _pulled(self, g):
        """The transposed map of ``raw``."""
        own, bias = g[:-1], g[-1:]
        if not self._design.fit_intercept and self._data.offsets is not None:
            origin = self._data.reader.origin
            offsets = self._data.offsets - (0.0 if origin is None else origin)
            own = own - offsets.T[:, :, None] * bias
        if self._data.scales is not None:
            own = self._data.scales.T[:, :, None] * own
        return np.concatenate([own, bias]) if self._design.fit_intercept else own

    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts of the rows as they are."""
        raw, origin = self.raw(w), self._data.reader.origin
        intercept = raw[-1] if origin is None else raw[-1] - np.tensordot(origin, raw[:-1], 1)
        return raw[:-1].transpose(1, 2, 0), intercept

    def final_coefficients(self, w):
        """The same of the features that each split has itself."""
        own = w[: self._design.n_features].transpose(1, 2, 0)
        if not self._design.fit_intercept:
            return own, np.zeros(own.shape[:2])
        coef, intercept = self.coefficients(w)
        offsets = self._data.offsets
        return own, intercept if offsets is None else intercept + np.einsum(
            "sp,skp->sk", offsets, coef
        )

    def approximate_inverse(self, w, h):
        """A function that multiplies with the inverse Hessian of the sample, scaled up."""
        ridge, z = self._ridge(h), self._design.product(w)
        weights = self._t * self.loss.diagonal(self.loss.factor(self._y, z))
        kept = curvature.renewed(None, self._design, weights, self._patterns)
        return self.factored(kept, ridge).solve


@dataclasses.dataclass(frozen=True)
class SampledSplits:
    """A sample of rows for all splits.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Minus the origin of the reader.
    y : ndarray of shape (n_rows, n_outputs)
    t : ndarray of shape (n_rows, n_splits)
        Training weights times the ratio of all rows to those of the sample.
    """

    X: Any
    y: np.ndarray
    t: np.ndarray


class HeldOutSums:
    """A validation loss as a function of a RowsState: the pass of the state has summed it.

    Parameters
    ----------
    validation_loss : ValidationLoss
    """

    def __init__(self, validation_loss):
        self._loss = validation_loss

    def __call__(self, state):
        """Values of shape (n_splits,), and the gradient of their sum in ``w``."""
        errors = self._loss.factor * state.held_out
        values, slopes = self._loss.reduce(errors, None)
        shares = np.zeros((state.w.shape[1], errors.shape[1]))
        shares[: len(slopes)] = self._loss.factor * slopes
        return values, state.held_out_slope * shares
