"""Feedforward networks, with all weights in one array."""

import itertools

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems.network.activations import ACTIVATIONS


class Network:
    """Layers of a feedforward network, whose weights are one flat array.

    The array holds layer by layer the matrix W of shape (n_in, n_out), row by row, and then the
    bias b of shape (n_out,). All layers but the last apply the activation to ``a W + b``; the
    function of the output layer, such as softmax, is a part of the loss.

    Parameters
    ----------
    layer_sizes : sequence of int
        Numbers of features, of units of each hidden layer, and of outputs.
    activation : {"identity", "relu", "tanh", "logistic"}
        Activation of the hidden layers.
    loss : object
        A loss of :mod:`sklearn_hypergrad.losses` that can be trained.
    dtype : dtype, default=float64
        Type of weights and of all computations; data must have it, too.

    Attributes
    ----------
    shapes : list of (int, int)
        Shapes of the W of all layers.
    group_sizes : tuple of int
        Number of weights of each layer, with its biases.
    n_weights : int
        Number of all weights.
    """

    def __init__(self, layer_sizes, activation, loss, dtype=np.float64):
        self.activation = ACTIVATIONS[activation]()
        self.loss = loss
        self.dtype = np.dtype(dtype)
        self.shapes = list(itertools.pairwise(layer_sizes))
        self.group_sizes = tuple((n_in + 1) * n_out for n_in, n_out in self.shapes)
        self.n_weights = sum(self.group_sizes)

    @property
    def loss_scale(self):
        """Factor of the loss of a sample, summed over outputs.

        Squared errors are averaged over outputs, as in the loss that scikit-learn reports, although
        it descends their sum. Other losses have the factor 1.
        """
        return 1 / self.shapes[-1][1] if isinstance(self.loss, HalfSquaredError) else 1.0

    def layers(self, w):
        """``(W, b)`` of every layer, as views of ``w``."""
        pairs, start = [], 0
        for n_in, n_out in self.shapes:
            stop = start + n_in * n_out
            pairs.append((w[start:stop].reshape(n_in, n_out), w[stop : stop + n_out]))
            start = stop + n_out
        return pairs

    def outputs(self, w, X):
        """Raw outputs, of shape (n_samples, n_outputs)."""
        return self.values(w, X)[-1]

    def predictions(self, w, X):
        """Raw outputs ``z``, and ``pullback(dz)``: the gradient in ``w`` of ``sum dz z``."""
        values = self.values(w, X)

        def pullback(dz):
            return self.gradient(values, self.deltas(w, self.slopes(values), dz))

        return values[-1], pullback

    def values(self, w, X):
        """The inputs of every layer, X first, and the raw outputs."""
        values = [X]
        for W, b in self.layers(w):
            z = values[-1] @ W
            z += b
            is_output = len(values) == len(self.shapes)
            values.append(z if is_output else self.activation.apply(z))
        return values

    def slopes(self, values):
        """Derivatives of the outputs of layers in their sums ``a W + b``; the last layer has 1."""
        return [*map(self.activation.slope, values[1:-1]), 1.0]

    def deltas(self, w, slopes, dz):
        """Derivatives of a loss in the sums ``a W + b`` of every layer, from ``dz`` in the last."""
        deltas = [dz]
        for (W, _), slope in zip(self.layers(w)[:0:-1], slopes[-2::-1], strict=True):
            delta = deltas[-1] @ W.T
            delta *= slope
            deltas.append(delta)
        return deltas[::-1]

    def gradient(self, values, deltas):
        """Derivatives of a loss in the weights, of shape (n_weights,)."""
        gradient = np.empty(self.n_weights, self.dtype)
        for (W, b), a, delta in zip(self.layers(gradient), values, deltas, strict=False):
            if issparse(a):
                W[...] = a.T @ delta
            else:
                np.matmul(a.T, delta, out=W)
            delta.sum(axis=0, out=b)
        return gradient


def glorot(network, random_state):
    """Initial weights as scikit-learn draws them: uniform within a bound for each layer.

    The bound is that of Glorot, Bengio (2010), equation 16: ``sqrt(6 / (n_in + n_out))``, with 2 in
    place of 6 for the logistic activation.

    Parameters
    ----------
    network : Network
    random_state : RandomState
        Its state advances as in scikit-learn, so that the same seed gives the same weights.

    Returns
    -------
    w : ndarray of shape (n_weights,)
    """
    start = np.empty(network.n_weights, network.dtype)
    for W, b in network.layers(start):
        bound = np.sqrt(network.activation.glorot_factor / sum(W.shape))
        W[...] = random_state.uniform(-bound, bound, W.shape)
        b[...] = random_state.uniform(-bound, bound, b.shape)
    return start
