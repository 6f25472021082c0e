"""First and second derivatives of a loss of nested weights and of hyperparameters."""

import copy

import autograd.numpy as anp
import numpy as np

from sklearn_hypergrad._autograd import getval
from sklearn_hypergrad.problems.autograd.trace import Trace, check_number, gradients
from sklearn_hypergrad.spaces import nested
from sklearn_hypergrad.wording import suggestion


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
        return called(self._loss, self._structure.unflatten(w), self._numbers(h), data)

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
        leaves, h = self._structure.split(w), self._numbers(h)
        value, slopes = self._slopes(leaves, h, data, self._n_leaves)
        return float(value), self._joined(slopes)

    def gradients(self, w, h, *data):
        """Value, gradient in ``w``, and a dict of gradients in ``h``, without zero ones."""
        h = self._numbers(h)
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
        h = self._numbers(h)
        leaves = self._structure.split(w)
        trace = Trace(lambda *moving: self._slopes(moving, h, data, len(moving))[1], leaves)
        return lambda v: self._joined(trace.pull(self._structure.split(v)))

    def cross_vjp(self, w, h, *data):
        """``v -> C' v``, a dict shaped like ``h``, without names that the loss never reads."""
        h = self._numbers(h)
        leaves = self._structure.split(w)

        def gradient(*values):
            values = dict(zip(h, values, strict=True))
            return self._slopes(leaves, values, data, self._n_leaves)[1]

        trace = Trace(gradient, list(h.values()))

        def product(v):
            return self._named(w, h, data, trace.pull(self._structure.split(v)))

        return product

    def pull(self, w, h, *data):
        """``v -> (H v, C' v)``, without names that the loss never reads."""
        h = self._numbers(h)
        leaves, n_leaves = self._structure.split(w), self._n_leaves

        def gradient(*moving):
            values = dict(zip(h, moving[n_leaves:], strict=True))
            return self._slopes(moving[:n_leaves], values, data, n_leaves)[1]

        trace = Trace(gradient, (*leaves, *h.values()))

        def products(v):
            pulled = trace.pull(self._structure.split(v))
            return self._joined(pulled[:n_leaves]), self._named(w, h, data, pulled[n_leaves:])

        return products

    def push(self, w, h, *data):
        """``(v, u) -> H v + C u``; ``v`` may be None, which is zero, as are names not in ``u``."""
        return self.gradient_and_push(w, h, *data)[2]

    def gradient_and_push(self, w, h, *data):
        """Value, gradient in ``w``, and ``push``, at the price of the last alone."""
        h, values = self._numbers(h), []
        leaves = self._structure.split(w)

        def gradient(*moving):
            value, slopes = self._slopes(moving, h, data, None)
            values.append(getval(value))
            return slopes

        trace = Trace(gradient, leaves)

        def product(v, u):
            of_w = [None] * len(leaves) if v is None else self._structure.split(v)
            u = self._numbers(u)
            return self._joined(trace.pull([*of_w, *map(u.get, h)]))

        return float(values[-1]), self._joined(trace.values[: self._n_leaves]), product

    def _slopes(self, leaves, h, data, n):
        """Value of the loss and its derivatives in the first ``n`` of the leaves and ``h``."""
        inputs = (*leaves, *h.values())
        fixed = () if n is None else inputs[n:]

        def loss(*moving):
            values = moving + fixed
            named = dict(zip(h, values[self._n_leaves :], strict=True))
            return called(self._loss, self._structure.nest(values[: self._n_leaves]), named, data)

        return gradients(loss, inputs[:n])

    def _joined(self, slopes):
        """Slopes of the leaves as a flat array; None is zero."""
        return self._structure.join(filled(slopes, self._structure.shapes))

    def _numbers(self, h):
        return numbers(h, self._structure.dtype)

    # A slope of None is zero whatever the weights. It may be that of a term without weights, or of
    # what the loss never reads, such as a name that is misspelt.
    def _named(self, w, h, data, slopes):
        """Slopes as a dict shaped like ``h``, copied; without names that the loss never reads."""
        read = h if all(slope is not None for slope in slopes) else self.gradients(w, h, *data)[2]
        slopes = filled(slopes, map(np.shape, h.values()))
        named = zip(h, slopes, strict=True)
        return {name: np.array(slope)[()] for name, slope in named if name in read}


def numbers(h, dtype=np.float64):
    """Hyperparameters as floats and arrays of floats."""
    return {name: np.asarray(value, dtype)[()] for name, value in h.items()}


def called(loss, w, h, data):
    """A loss of nested weights, flat hyperparameters, and data.

    Raises
    ------
    ValueError
        If it reads a hyperparameter that is not there, but a similar one is.
    """
    try:
        return loss(w, nested(h), *fresh(data))
    except KeyError as error:
        missing = str(error.args[0]) if error.args else ""
        alike = suggestion(missing, [str(name).split(".")[-1] for name in h])
        if not (missing.isidentifier() and alike) or missing in h:
            raise
        raise ValueError(
            f"The loss reads {missing!r} from a dict that does not have it.{alike}"
        ) from error


def fresh(data):
    """The same data with copies of generators, which give every call the same numbers."""
    return [copy.deepcopy(x) if isinstance(x, np.random.Generator) else x for x in data]


def filled(slopes, shapes):
    """List of slopes, with arrays of zeros of these shapes in place of None."""
    pairs = zip(slopes, shapes, strict=True)
    return [np.zeros(shape) if slope is None else slope for slope, shape in pairs]
