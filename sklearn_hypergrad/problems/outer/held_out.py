"""Outer objectives of a block: validation losses of predictions on held-out parts."""

import numpy as np


class HeldOutLoss:
    """Validation losses of all splits as functions of the predictions on their held-out parts.

    Parameters
    ----------
    block : SplitData
        Targets, held-out rows and their weights.
    validation_loss : ValidationLoss

    Attributes
    ----------
    rows, splits : ndarray of int of shape (n_held_out,)
        Row and split of every held-out sample, split after split.
    null : ndarray of shape (n_splits, n_outputs) or None
        The error of predicting the mean of the held-out targets; None if the loss is not relative
        to it.
    """

    def __init__(self, block, validation_loss):
        self._reduce = validation_loss.reduce
        self._factor = validation_loss.factor
        self._loss = pointwise_loss(validation_loss, block.y.shape[1])
        self._is_coupled = self._loss is validation_loss.pointwise_multi
        self.rows, self.splits = held_out_rows(block)
        sizes = [len(test) for test in block.tests]
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._y = block.y[self.rows]
        self._weights = sample_weights(block, validation_loss.balanced)[:, None]
        self.null = None
        if is_relative(validation_loss):
            means = self._average(self._y)[self.splits]
            self.null = self._factor * self._average(self._loss.value(self._y, means))

    def __call__(self, predictions):
        """Losses of all splits at predictions of shape (n_held_out, n_outputs).

        Returns
        -------
        values : ndarray of shape (n_splits,)
        gradient : ndarray of shape (n_held_out, n_outputs)
            Gradient of their sum in the predictions.
        """
        values, slopes = self._reduced(predictions)
        gradient = self._factor * slopes[self.splits] * self._weights
        return values, gradient * self._loss.gradient(self._y, predictions)

    @property
    def is_separable(self):
        """Whether the losses are means over outputs, each of its own predictions."""
        return self._reduce in MEANS and not self._is_coupled

    def by_output(self, predictions):
        """Losses of every output, of which the losses of splits are the means.

        Returns
        -------
        values : ndarray of shape (n_splits, n_outputs)
        gradient : ndarray of shape (n_held_out, n_outputs)
            Gradient of their sum in the predictions.
        factors : ndarray of shape (n_held_out, n_outputs)
            Factors from the derivatives of the pointwise loss to these.
        """
        errors = self._factor * self._average(self._loss.value(self._y, predictions))
        null = None if self.null is None else self.null[..., None]
        values, slopes = self._reduce(errors[..., None], null)
        factors = self._factor * slopes[self.splits, :, 0] * self._weights
        return values, factors * self._loss.gradient(self._y, predictions), factors

    def values(self, predictions):
        """The losses without their gradient."""
        return self._reduced(predictions)[0]

    def _reduced(self, predictions):
        errors = self._factor * self._average(self._loss.value(self._y, predictions))
        return self._reduce(errors, self.null)

    def samples(self, predictions):
        """Losses of held-out samples (means over outputs) and their weights, split after split."""
        losses = self._factor * self._loss.value(self._y, predictions).mean(axis=1)
        return losses, self._weights[:, 0]

    def _average(self, values):
        """Weighted mean over the held-out samples of each split."""
        return np.add.reduceat(self._weights * values, self._starts)


class WeightLoss:
    """Validation losses of all splits as functions of the weights.

    Parameters
    ----------
    predictions : callable
        ``predictions(w, h) -> (z, pull)``: predictions of the held-out rows, split after split, of
        shape (n_held_out, n_outputs); ``pull(g)`` returns the gradient of ``sum g z`` in ``w``, and
        a dict of its direct gradients in ``h``.
    held_out : HeldOutLoss
        The losses as functions of ``z``.
    """

    def __init__(self, predictions, held_out):
        self.predictions = predictions
        self.held_out = held_out
        self.null = held_out.null

    def __call__(self, w, h):
        """Values of shape (n_splits,), gradient of their sum in ``w``, dict of the direct ones."""
        z, pull = self.predictions(w, h)
        values, gradient = self.held_out(z)
        return values, *pull(gradient)


class LinearPredictions:
    """Predictions of held-out rows by a problem that predicts all rows for all splits.

    Parameters
    ----------
    problem : object
        Has ``predict(w)``, of shape (n_samples, n_splits, n_outputs), and its transposed product
        ``predict_vjp(v)``, shaped like ``w``.
    data : SplitData
        The held-out rows.
    """

    def __init__(self, problem, data):
        self._problem = problem
        # A row may be held out in several splits, but only once in each.
        self._where = held_out_rows(data)

    def __call__(self, w, h, known=None):
        """``(z, pull)`` as :class:`WeightLoss` takes it; ``known`` is ``predict(w)`` or None."""
        z = self._problem.predict(w) if known is None else known

        def pull(gradient):
            pulled = np.zeros_like(z)
            pulled[self._where] = gradient
            return self._problem.predict_vjp(pulled), {}

        return z[self._where], pull


class NetworkPredictions:
    """Predictions of the held-out rows of one split by a network.

    Parameters
    ----------
    network : Network
    data : SplitData
        The data of one split.
    """

    def __init__(self, network, data):
        self._network = network
        self._X = data.X[held_out_rows(data)[0]]

    def __call__(self, w, h):
        """``(z, pull)`` as :class:`WeightLoss` takes it."""
        z, pullback = self._network.predictions(w, self._X)
        return z, lambda gradient: (pullback(gradient.astype(w.dtype, copy=False)), {})

    def x_vjp(self, w, gradient):
        """Gradient of ``sum g z`` in the held-out rows, of shape (n_held_out, n_features)."""
        network = self._network
        slopes = network.slopes(network.values(w, self._X))
        (first, _), *_ = network.layers(w)
        return network.deltas(w, slopes, gradient.astype(w.dtype, copy=False))[0] @ first.T


class PredictionLoss(WeightLoss):
    """The WeightLoss of LinearPredictions.

    Parameters
    ----------
    problem : object
        As for LinearPredictions.
    block : SplitData
    validation_loss : ValidationLoss
    """

    def __init__(self, problem, block, validation_loss):
        super().__init__(LinearPredictions(problem, block), on_held_out(block, validation_loss))


class NetworkLoss(WeightLoss):
    """The WeightLoss of NetworkPredictions.

    Parameters
    ----------
    network : Network
    block : SplitData
        The data of one split.
    validation_loss : ValidationLoss
    """

    def __init__(self, network, block, validation_loss):
        super().__init__(NetworkPredictions(network, block), on_held_out(block, validation_loss))


class MeanLoss:
    """Mean loss of a network on given samples, as an outer objective.

    Parameters
    ----------
    network : Network
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Targets, as coded for the loss of the network.
    """

    def __init__(self, network, X, y):
        self._network, self._X, self._y = network, X, y

    def __call__(self, w, h):
        """Value of shape (1,), its gradient in ``w``, and its direct gradient in ``h``: {}."""
        z, pullback = self._network.predictions(w, self._X)
        losses, residual, _ = self._network.loss.evaluate(self._y, z)
        gradient = (residual / len(z)).astype(w.dtype, copy=False)
        return np.array([losses.mean()]), pullback(gradient), {}


def on_held_out(block, validation_loss):
    """A loss on the held-out parts of some data, as a function of ``z``: a HeldOutLoss."""
    return validation_loss.held_out(block, validation_loss)


def pointwise_loss(validation_loss, n_outputs):
    """The loss of a sample: the coupled one for several outputs, if the loss has one."""
    coupled = n_outputs > 1 and validation_loss.pointwise_multi is not None
    return validation_loss.pointwise_multi if coupled else validation_loss.pointwise


def is_relative(validation_loss):
    """Whether a loss is relative to the error of the mean of the held-out targets."""
    return validation_loss.reduce is relative_mean


def held_out_rows(data):
    """Arrays of the row and the split of every held-out sample, split after split."""
    sizes = [len(test) for test in data.tests]
    return np.concatenate(data.tests), np.repeat(np.arange(data.n_splits), sizes)


def sample_weights(block, balanced):
    """Weights of held-out samples, split after split; the weights of a split sum to one."""
    return np.concatenate([_split_weights(block, test, balanced) for test in block.tests])


def _split_weights(block, test, balanced):
    weight = block.score_weight[test]
    if balanced:
        # Of several labels per row, by their product.
        factors = [_one_by_size(column, weight) for column in np.atleast_2d(block.labels[test].T)]
        weight = weight * np.prod(factors, axis=0)
    return weight / weight.sum()


def _one_by_size(labels, weight):
    """The inverse of the weight of its class, for every sample."""
    _, member = np.unique(labels, return_inverse=True)
    return 1 / np.maximum(np.bincount(member, weight), np.finfo(float).tiny)[member]


# Reductions of a validation loss: from the errors of outputs to one value per split, and its
# derivative in the errors.


def mean(errors, null):
    """Mean over outputs."""
    return errors.mean(axis=-1), np.full(errors.shape, 1 / errors.shape[-1])


def root_mean(errors, null):
    """Mean over outputs of the root of each."""
    roots = np.sqrt(np.maximum(errors, np.finfo(float).tiny))
    return roots.mean(axis=-1), 0.5 / roots / errors.shape[-1]


def relative_mean(errors, null):
    """Mean over outputs of the error relative to that of the mean of the target."""
    return (errors / null).mean(axis=-1), 1 / null / errors.shape[-1]


# Those that take the mean over outputs last.
MEANS = mean, root_mean, relative_mean
