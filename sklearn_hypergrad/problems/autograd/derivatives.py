"""First and second derivatives of a loss of nested weights and of hyperparameters."""

import autograd.numpy as anp
import numpy as np

from sklearn_hypergrad._autograd import getval
from sklearn_hypergrad.problems.autograd.trace import Trace, check_number, gradients
from sklearn_hypergrad.spaces import nested


class Derivatives:
    """Derivatives of ``loss(w, h, *data)`` by autograd, for flat weights.

    Methods of second derivatives return functions: the point is traced once, and each product with
    a vector only pulls back. ``data``, such as the arrays of a batch, may differ between calls.

    Parameters
    ----------
    loss : callable
        ``loss(w, h, *data)``, one number, with ``w`` nested as ``structure``, and ``h`` as its
        names say: methods take it flat, see ``spaces.flattened``.
    structure : Nested
    """

    def __init__(self, loss, structure):
        self._loss = loss
        self._structure = structure
        self._n_leaves = len(structure.shapes)

    def evaluate(self, w, h, *data):
        """What the function returns, where that is no number: an array."""
        return self._loss(self._structure.unflatten(w), nested(numbers(h)), *data)

    def reached(self, w, h, *data):
        """Names of the hyperparameters in ``h`` that the function depends on."""
        return set(self.gradients(w, h, *data)[2])

    def value(self, w, h, *data):
        """The loss."""
        value = self.evaluate(w, h, *data)
        check_number(value)
        return float(value)

    def gradient(self, w, h, *data):
        """Value and gradient in ``w``."""
        value, slopes = self._slopes(self._structure.split(w), numbers(h), data, self._n_leaves)
        return float(value), self._joined(slopes)

    def gradients(self, w, h, *data):
        """Value, gradient in ``w``, and a dict of gradients in ``h``, without zero ones."""
        h = numbers(h)
        value, slopes = self._slopes(self._structure.split(w), h, data, None)
        named = zip(h, slopes[self._n_leaves :], strict=True)
        direct = {name: np.array(slope)[()] for name, slope in named if slope is not None}
        return float(value), self._joined(slopes[: self._n_leaves]), direct

    def of_sum(self, w, h, *data):
        """As ``gradients``, for a function that returns an array: its values, and of their sum."""
        seen = []

        def total(w, h, *data):
            seen.append(self._loss(w, h, *data))
            return anp.sum(seen[-1])

        _, slope, direct = Derivatives(total, self._structure).gradients(w, h, *data)
        return getval(seen[-1]), slope, direct

    # The derivative of the gradient in (w, h) is symmetric,
    #     [ H       C ]        C = d gradient in w / dh,
    #     [ C'    ... ]
    # so that pulling v back from the gradient in w gives H v in w and C' v in h, and pulling u
    # back from the gradient in h gives C u in w. Only the needed part is traced: h may be long.

    def hvp(self, w, h, *data):
        """``v -> H v``."""
        h = numbers(h)
        leaves = self._structure.split(w)
        trace = Trace(lambda *moving: self._slopes(moving, h, data, len(moving))[1], leaves)
        return lambda v: self._joined(trace.pull(self._structure.split(v)))

    def cross_vjp(self, w, h, *data):
        """``v -> C' v``, a dict shaped like ``h``."""
        h = numbers(h)
        leaves = self._structure.split(w)

        def gradient(*values):
            values = dict(zip(h, values, strict=True))
            return self._slopes(leaves, values, data, self._n_leaves)[1]

        trace = Trace(gradient, list(h.values()))
        return lambda v: _named(h, trace.pull(self._structure.split(v)))

    def pull(self, w, h, *data):
        """``v -> (H v, C' v)``."""
        h = numbers(h)
        leaves, n_leaves = self._structure.split(w), self._n_leaves

        def gradient(*moving):
            values = dict(zip(h, moving[n_leaves:], strict=True))
            return self._slopes(moving[:n_leaves], values, data, n_leaves)[1]

        trace = Trace(gradient, (*leaves, *h.values()))

        def products(v):
            pulled = trace.pull(self._structure.split(v))
            return self._joined(pulled[:n_leaves]), _named(h, pulled[n_leaves:])

        return products

    def push(self, w, h, *data):
        """``(v, u) -> H v + C u``; ``v`` may be None, which is zero, as are names not in ``u``."""
        h = numbers(h)
        leaves = self._structure.split(w)
        trace = Trace(lambda *moving: self._slopes(moving, h, data, None)[1], leaves)

        def product(v, u):
            of_w = [None] * len(leaves) if v is None else self._structure.split(v)
            u = numbers(u)
            return self._joined(trace.pull([*of_w, *map(u.get, h)]))

        return product

    def _slopes(self, leaves, h, data, n):
        """Value of the loss and its derivatives in the first ``n`` of the leaves and ``h``."""
        inputs = (*leaves, *h.values())
        fixed = () if n is None else inputs[n:]

        def loss(*moving):
            values = moving + fixed
            named = nested(dict(zip(h, values[self._n_leaves :], strict=True)))
            return self._loss(self._structure.nest(values[: self._n_leaves]), named, *data)

        return gradients(loss, inputs[:n])

    def _joined(self, slopes):
        """Slopes of the leaves as a flat array; None is zero."""
        return self._structure.join(filled(slopes, self._structure.shapes))


def numbers(h):
    """Hyperparameters as floats and arrays of floats."""
    return {name: np.asarray(value, np.float64)[()] for name, value in h.items()}


def _named(h, slopes):
    """Slopes as a dict shaped like ``h``, copied; None is zero."""
    slopes = filled(slopes, map(np.shape, h.values()))
    return {name: np.array(slope)[()] for name, slope in zip(h, slopes, strict=True)}


def filled(slopes, shapes):
    """List of slopes, with arrays of zeros of these shapes in place of None."""
    pairs = zip(slopes, shapes, strict=True)
    return [np.zeros(shape) if slope is None else slope for slope, shape in pairs]
