"""Outer objectives of a block: a validation loss of the predictions on held-out parts."""

import numpy as np


class HeldOutLoss:
    """Validation losses of all splits as functions of the predictions on their held-out parts.

    Parameters
    ----------
    block : SplitData
    validation_loss : ValidationLoss

    Attributes
    ----------
    rows, splits : ndarray of int of shape (n_held_out,)
        Row and split of every held-out sample, split after split.
    """

    def __init__(self, block, validation_loss):
        self._reduce = validation_loss.reduce
        self._factor = validation_loss.factor
        self._loss = validation_loss.loss(block.y.shape[1])
        self.rows = np.concatenate(block.tests)
        sizes = [len(test) for test in block.tests]
        self.splits = np.repeat(np.arange(block.n_splits), sizes)
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._y = block.y[self.rows]
        self._weights = sample_weights(block, validation_loss.balanced)[:, None]
        self.variance = self._average((self._y - self._average(self._y)[self.splits]) ** 2)

    def __call__(self, predictions):
        """Values of shape (n_splits,), and the gradient of their sum in the predictions."""
        errors = self._factor * self._average(self._loss.value(self._y, predictions))
        values, slopes = self._reduce(errors, self.variance)
        gradient = self._factor * slopes[self.splits] * self._weights
        return values, gradient * self._loss.gradient(self._y, predictions)

    def samples(self, predictions):
        """Loss of every held-out sample, split after split, the mean over outputs; its weight."""
        losses = self._factor * self._loss.value(self._y, predictions).mean(axis=1)
        return losses, self._weights[:, 0]

    def _average(self, values):
        """Weighted mean over the held-out samples of each split."""
        return np.add.reduceat(self._weights * values, self._starts)


class PredictionLoss:
    """Validation losses of all splits as functions of the inner variable.

    Parameters
    ----------
    problem : object
        Has ``predict(w)``, of shape (n_samples, n_splits, n_outputs), and its transposed product
        ``predict_vjp(v)``, shaped like ``w``.
    block : SplitData
    validation_loss : ValidationLoss
    """

    def __init__(self, problem, block, validation_loss):
        self._problem = problem
        self._held_out = HeldOutLoss(block, validation_loss)
        self.variance = self._held_out.variance

    def __call__(self, w, h):
        """Values of shape (n_splits,), gradient of their sum in ``w``, and directly in ``h``."""
        z = self._problem.predict(w)
        # A row may be held out in several splits, but only once in each.
        where = self._held_out.rows, self._held_out.splits
        values, gradient = self._held_out(z[where])
        pulled = np.zeros_like(z)
        pulled[where] = gradient
        return values, self._problem.predict_vjp(pulled), {}

    def samples(self, w):
        """Loss of every held-out sample, split after split, the mean over outputs; its weight."""
        z = self._problem.predict(w)
        return self._held_out.samples(z[self._held_out.rows, self._held_out.splits])


class NetworkLoss:
    """The validation loss of one split as a function of the weights of a network.

    Parameters
    ----------
    network : Network
    block : SplitData
        Of one split.
    validation_loss : ValidationLoss
    """

    def __init__(self, network, block, validation_loss):
        self._network = network
        self._held_out = HeldOutLoss(block, validation_loss)
        self._X = block.X[self._held_out.rows]

    def __call__(self, w, h):
        """Value of shape (1,), its gradient in ``w``, and directly in ``h``."""
        z, pullback = self._network.predictions(w, self._X)
        values, gradient = self._held_out(z)
        return values, pullback(gradient.astype(w.dtype, copy=False)), {}


class MeanLoss:
    """Mean loss of a network on given samples, as an outer objective.

    Parameters
    ----------
    network : Network
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        As coded for the loss of the network.
    """

    def __init__(self, network, X, y):
        self._network, self._X, self._y = network, X, y

    def __call__(self, w, h):
        """Value of shape (1,), its gradient in ``w``, and directly in ``h``."""
        z, pullback = self._network.predictions(w, self._X)
        losses, residual, _ = self._network.loss.evaluate(self._y, z)
        gradient = (residual / len(z)).astype(w.dtype, copy=False)
        return np.array([losses.mean()]), pullback(gradient), {}


def sample_weights(block, balanced):
    """Weight of every held-out sample, split after split; those of a split sum to one."""
    return np.concatenate([_split_weights(block, test, balanced) for test in block.tests])


def _split_weights(block, test, balanced):
    weight = block.score_weight[test]
    if balanced:
        _, member = np.unique(block.labels[test], return_inverse=True)
        weight = weight / np.maximum(np.bincount(member, weight), np.finfo(float).tiny)[member]
    return weight / weight.sum()
