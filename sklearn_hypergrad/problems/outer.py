"""The outer objective of a block: a validation loss of the predictions on held-out parts."""

import numpy as np


class PredictionLoss:
    """Validation losses of all splits as functions of the inner variable.

    Parameters
    ----------
    problem : object
        Has ``predict(w)``, of shape (n_samples, n_splits, n_outputs), and its transposed product
        ``predict_vjp(v)``, shaped like ``w``.
    block : Block
    validation_loss : ValidationLoss
    """

    def __init__(self, problem, block, validation_loss):
        self._problem = problem
        self._reduce = validation_loss.reduce
        self._factor = validation_loss.factor
        self._loss = validation_loss.loss(block.y.shape[1])
        self._rows = np.concatenate(block.tests)
        sizes = [len(test) for test in block.tests]
        self._splits = np.repeat(np.arange(block.n_splits), sizes)
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._y = block.y[self._rows]
        self._weights = sample_weights(block, validation_loss.balanced)[:, None]
        self.variance = self._average((self._y - self._average(self._y)[self._splits]) ** 2)

    def __call__(self, w, h):
        """Values of shape (n_splits,), gradient of their sum in ``w``, and directly in ``h``."""
        z = self._problem.predict(w)
        held_out = z[self._rows, self._splits]
        errors = self._factor * self._average(self._loss.value(self._y, held_out))
        values, slopes = self._reduce(errors, self.variance)
        pulled = np.zeros_like(z)
        # A row may be held out in several splits, but only once in each.
        pulled[self._rows, self._splits] = (
            self._factor
            * slopes[self._splits]
            * self._weights
            * self._loss.gradient(self._y, held_out)
        )
        return values, self._problem.predict_vjp(pulled), {}

    def samples(self, w):
        """Loss of every held-out sample, split after split, the mean over outputs; its weight."""
        held_out = self._problem.predict(w)[self._rows, self._splits]
        losses = self._factor * self._loss.value(self._y, held_out).mean(axis=1)
        return losses, self._weights[:, 0]

    def _average(self, values):
        """Weighted mean over the held-out samples of each split."""
        return np.add.reduceat(self._weights * values, self._starts)


def sample_weights(block, balanced):
    """Weight of every held-out sample, split after split; those of a split sum to one."""
    return np.concatenate([_split_weights(block, test, balanced) for test in block.tests])


def _split_weights(block, test, balanced):
    weight = block.score_weight[test]
    if balanced:
        _, member = np.unique(block.labels[test], return_inverse=True)
        weight = weight / np.maximum(np.bincount(member, weight), np.finfo(float).tiny)[member]
    return weight / weight.sum()
