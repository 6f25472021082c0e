"""The training problem of networks: losses of batches, with first and second derivatives."""

import math

import numpy as np
from scipy.linalg import get_blas_funcs
from scipy.sparse import csr_matrix

from sklearn_hypergrad.problems.trainable import Linearization, StartedProblem

# Number of coefficients that are penalised at a time if each has its own strength. Chosen by hand:
# temporary arrays of 256 KiB stay in the cache, and use no memory of the size of the weights.
PIECE = 2**15


class LayerPenalty:
    """``1/2 sum_j strength_j w_j^2`` over the W of a network; its biases are not penalised.

    Strengths are one number, one for each layer, or one for each coefficient: the entries of the W
    of all layers, in their order.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network):
        self._network = network
        self._ends = np.cumsum([n_in * n_out for n_in, n_out in network.shapes])
        self._axpy = get_blas_funcs("axpy", dtype=network.dtype)

    def value(self, strength, w):
        """The penalty of weights ``w``, a float."""
        if self._for_each(strength):
            parts = zip(self._factors(strength), self._network.layers(w), strict=True)
            pieces = (piece for factor, (W, _) in parts for piece in _pieces(factor, W))
            return 0.5 * float(sum(np.dot(factor * W, W) for factor, W in pieces))
        return 0.5 * float(np.sum(strength * self.cross(strength, w, w)))

    def add(self, strength, w, out):
        """Add the gradient ``strength * w`` of the penalty to ``out``; biases are left out."""
        layers = zip(*map(self._network.layers, (w, out)), strict=True)
        for factor, ((W, _), (total, _)) in zip(self._factors(strength), layers, strict=True):
            if np.ndim(factor):
                for some, entries, sums in _pieces(factor, W, total):
                    sums += some * entries
            else:
                # BLAS adds in place: a temporary array would cost more than the arithmetic.
                self._axpy(W.ravel(), total.ravel(), a=factor)

    def cross(self, strength, w, v):
        """Derivative of ``sum_j strength_j w_j v_j`` in the strength, shaped like it."""
        layers = zip(*map(self._network.layers, (w, v)), strict=True)
        pairs = [(W.ravel(), V.ravel()) for (W, _), (V, _) in layers]
        if self._for_each(strength):
            slopes = np.empty(self._ends[-1], self._network.dtype)
            for (W, V), part in zip(pairs, np.split(slopes, self._ends[:-1]), strict=True):
                np.multiply(W, V, out=part)
            return slopes
        products = np.array([W @ V for W, V in pairs])
        return products if np.ndim(strength) else products.sum()

    def _factors(self, strength):
        """The strength for the W of each layer: a number, or an array shaped like W."""
        strength, shapes = np.asarray(strength, self._network.dtype), self._network.shapes
        if not self._for_each(strength):
            return np.broadcast_to(strength, len(shapes))
        parts = np.split(strength, self._ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def _for_each(self, strength):
        """Whether there is one strength for each coefficient."""
        return np.size(strength) > len(self._network.shapes)


class NetworkProblem(StartedProblem):
    """Training of a network on weighted samples, with an L2 penalty that may be tuned.

    The loss of a batch of samples i, with sample weights s and raw outputs z, is

        sum_i s_i loss(y_i, z_i) / sum_i s_i  +  1/2 sum_j strength_j w_j^2

    with the loss of a sample summed over outputs, or averaged for squared errors. Hyperparameters,
    all of them optional:

    - "alpha", or the name given as ``penalty``: the strength, as one number, of shape (n_layers,)
      or (n_coefficients,); biases are not penalised. Without it there is no penalty.
    - "sample_weight" of shape (n_samples,): replaces s; the loss is then divided by the number of
      samples in the batch, not by the sum of their weights.
    - "X", dense, of the shape of X: replaces X.
    - "init_scale": factor of the initial weights, as one number or of shape (n_layers,).

    Parameters
    ----------
    network : Network
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Floats: targets, or classes as they are coded for the loss.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of samples; None is ones.
    start : ndarray of shape (n_weights,)
        Initial weights, which "init_scale" multiplies.
    penalty : str, default="alpha"
        Key in ``h`` of the strength of the penalty.
    """

    def __init__(self, network, X, y, sample_weight=None, *, start, penalty="alpha"):
        self.network = network
        self.group_sizes = network.group_sizes
        self.n_samples = X.shape[0]
        weights = np.ones(self.n_samples) if sample_weight is None else sample_weight
        super().__init__(start.astype(network.dtype, copy=False))
        self._X, self._y, self._sample_weight = (
            a.astype(network.dtype, copy=False) for a in (X, y, weights)
        )
        self.penalty = LayerPenalty(network)
        self.penalty_name = penalty
        n_coefficients = sum(map(math.prod, network.shapes))
        self.scheduled = {penalty: (len(network.shapes), n_coefficients)}

    def linearize(self, w, h, rows):
        return NetworkLinearization(self, w, h, slice(None) if rows is None else rows)

    def inputs(self, h, rows):
        """X of the samples ``rows``."""
        return np.asarray(h["X"][rows], self.network.dtype) if "X" in h else self._X[rows]

    def batch(self, h, rows):
        """X, y and the factors of the losses, of shape (n_rows, 1), of the samples ``rows``."""
        X, y = self.inputs(h, rows), self._y[rows]
        if "sample_weight" in h:
            return X, y, self.shares(h["sample_weight"], rows)
        weights = self._sample_weight[rows]
        return X, y, weights[:, None] * (self.network.loss_scale / weights.sum())

    def shares(self, sample_weight, rows):
        """The factors of the losses if "sample_weight" is a hyperparameter."""
        weights = np.asarray(sample_weight[rows], self.network.dtype)
        return weights[:, None] * (self.network.loss_scale / len(weights))

    def over_samples(self, array, rows):
        """Scatter an array with a line for each of ``rows`` to all samples; other lines are 0."""
        chosen = np.arange(self.n_samples)[rows]
        entries = np.ones(len(chosen), array.dtype), chosen, np.arange(len(chosen) + 1)
        return csr_matrix(entries, (len(chosen), self.n_samples)).T @ array


# The R-operator (Pearlmutter 1994): a dot marks the tangent, the derivative along a change of the
# weights by v, which is (V, c) for a layer. The inputs of a layer are a, of the first one X, its
# sums z = a W + b, and ' marks the next layer:
#
#     z.      = a V + c + a. W
#     a.'     = slope z.
#     delta.  = slope (delta.' W'^T + delta' V'^T) + bend z. delta
#
# The last follows from delta = slope (delta' W'^T), whose slope changes by bend slope z. ; in the
# raw outputs, delta. is hvp(z.). The gradient in W is a^T delta, so that H v is a^T delta. plus
# a.^T delta. As X does not change, the first layer only has a V and a^T delta. : H v takes as many
# products with X as the gradient does.
class NetworkLinearization(Linearization):
    """The loss of a batch around ``w``, with the results of the forward and backward pass.

    See Pearlmutter (1994), "Fast exact multiplication by the Hessian", for the products.

    Parameters
    ----------
    problem : NetworkProblem
    w : ndarray of shape (n_weights,)
    h : dict
    rows : slice or ndarray of int
    """

    def __init__(self, problem, w, h, rows):
        self._problem, self._w, self._h, self._rows = problem, w, h, rows
        network, name = problem.network, problem.penalty_name
        X, y, self._shares = problem.batch(h, rows)
        values = network.values(w, X)
        losses, self._residual, self._factor = network.loss.evaluate(y, values[-1])
        self._deltas = network.deltas(w, network.slopes(values), self._shares * self._residual)
        self.value = float(np.sum(self._shares * losses))
        self.gradient = network.gradient(values, self._deltas)
        self._inputs, self._hidden = X, values[1:-1]
        if name in h:
            self.value += problem.penalty.value(h[name], w)
            problem.penalty.add(h[name], w, out=self.gradient)

    @property
    def nbytes(self):
        held = (self._shares, self._residual, self._factor)
        return sum(array.nbytes for array in (*held, *self._deltas, *self._hidden))

    def shrink(self):
        self._inputs = None

    def pull(self, v):
        X = self._X()
        sums, values = self._tangents(v, X)
        deltas = self._delta_tangents(v, sums, self._curvature(sums[-1]))
        return self._product(v, X, values, deltas), self._cross(v, sums[-1], deltas[0])

    def cross(self, v):
        if self._h.keys().isdisjoint(("sample_weight", "X")):
            return self._cross(v, None, None)
        sums, _ = self._tangents(v, self._X())
        deltas = self._delta_tangents(v, sums, self._curvature(sums[-1]))
        return self._cross(v, sums[-1], deltas[0])

    # Without second derivatives of the outputs in the weights, V' and bend drop out of delta., and
    # a.' drops out of the product.
    def gauss_newton(self, v):
        network, X = self._problem.network, self._X()
        sums, values = self._tangents(v, X)
        slopes = network.slopes((X, *self._hidden, None))
        deltas = network.deltas(self._w, slopes, self._curvature(sums[-1]))
        return self._product(v, X, [None] * len(values), deltas)

    def push(self, v, u):
        problem, name = self._problem, self._problem.penalty_name
        X = self._X()
        change = problem.inputs(u, self._rows) if "X" in u else None
        sums, values = self._tangents(v, X, change)
        dz = self._curvature(sums[-1])
        if "sample_weight" in u:
            dz += problem.shares(u["sample_weight"], self._rows) * self._residual
        product = self._product(v, X, values, self._delta_tangents(v, sums, dz))
        if name in u:
            problem.penalty.add(u[name], self._w, out=product)
        return product

    def _X(self):
        if self._inputs is None:
            return self._problem.inputs(self._h, self._rows)
        return self._inputs

    def _tangents(self, v, X, change=None):
        """``z.`` and ``a.`` of every layer; ``change`` is the change of X, None is zero."""
        network, sums, values = self._problem.network, [], [change]
        layers = zip(*map(network.layers, (self._w, v)), strict=True)
        slopes = [*map(network.activation.slope, self._hidden), 1.0]
        for ((W, _), (V, c)), a, slope in zip(layers, (X, *self._hidden), slopes, strict=True):
            z = a @ V
            z += c
            if values[-1] is not None:
                z += values[-1] @ W
            sums.append(z)
            values.append(slope * z)
        return sums, values[:-1]

    def _curvature(self, z):
        """``delta.`` in the raw outputs, from their tangent ``z.``."""
        return self._shares * self._problem.network.loss.hvp(self._factor, z)

    def _delta_tangents(self, v, sums, dz):
        """``delta.`` of every layer, from ``dz`` in the raw outputs."""
        activation = self._problem.network.activation
        layers = zip(*map(self._problem.network.layers, (self._w, v)), strict=True)
        tangents = [dz]
        for i, ((W, _), (V, _)) in reversed(list(enumerate(layers))[1:]):
            delta = tangents[-1] @ W.T
            delta += self._deltas[i] @ V.T
            delta *= activation.slope(self._hidden[i - 1])
            if activation.curved:
                bend = activation.bend(self._hidden[i - 1])
                delta += bend * sums[i - 1] * self._deltas[i - 1]
            tangents.append(delta)
        return tangents[::-1]

    def _product(self, v, X, values, deltas):
        """Tangent of the gradient, from ``a.`` and ``delta.`` of every layer."""
        network, name = self._problem.network, self._problem.penalty_name
        inputs, slopes = [X, *self._hidden], list(deltas)
        for i, a in enumerate(values):
            if a is not None:
                # One product instead of two and their sum: [a; a.]^T [delta.; delta].
                inputs[i] = np.concatenate([inputs[i], a])
                slopes[i] = np.concatenate([deltas[i], self._deltas[i]])
        product = network.gradient(inputs, slopes)
        for (_, b), delta in zip(network.layers(product), deltas, strict=True):
            delta.sum(axis=0, out=b)
        if name in self._h:
            self._problem.penalty.add(self._h[name], v, out=product)
        return product

    # The derivative of gradient @ v in h is the tangent of the derivative of the loss in h. That
    # derivative is the loss of a sample for its weight, and delta W^T of the first layer for X.
    def _cross(self, v, z, delta):
        problem, h, rows, cross = self._problem, self._h, self._rows, {}
        name, network = problem.penalty_name, problem.network
        if name in h:
            cross[name] = problem.penalty.cross(h[name], self._w, v)
        if "sample_weight" in h:
            tangents = np.einsum("ik,ik->i", self._residual, z)
            tangents *= network.loss_scale / len(tangents)
            cross["sample_weight"] = problem.over_samples(tangents, rows)
        if "X" in h:
            (W, _), (V, _) = network.layers(self._w)[0], network.layers(v)[0]
            cross["X"] = problem.over_samples(delta @ W.T + self._deltas[0] @ V.T, rows)
        return cross


def _pieces(*arrays):
    """Views of contiguous arrays of the same shape, piece by piece."""
    flat = [array.reshape(-1) for array in arrays]
    for first in range(0, flat[0].size, PIECE):
        yield [array[first : first + PIECE] for array in flat]
