"""Products with the Gauss-Newton matrix of a loss of outputs."""

import functools

import numpy as np

from sklearn_hypergrad.problems.autograd.backends import check_backend, detected, jax_gauss_newton
from sklearn_hypergrad.problems.autograd.derivatives import Derivatives, filled, fresh, numbers
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.autograd.trace import Trace, gradients
from sklearn_hypergrad.spaces import flattened, nested


class GaussNewton:
    """``J' L'' J v + rest'' v``: the Hessian without the curvature of the outputs.

    J is the derivative of the outputs in the weights, L'' the Hessian of the loss in the outputs.
    If the loss is convex in the outputs and the rest is convex in the weights, the matrix is
    positive semi-definite; the Hessian of a network is not. See Schraudolph (2002), "Fast curvature
    matrix-vector products for second-order gradient descent", section 3.

    Parameters
    ----------
    outputs : callable
        ``outputs(w, h)``, an array. For a training all three functions take ``rows``, too:
        ``outputs(w, h, rows)``; or the arrays of a batch, as its loss does.
    loss : callable
        ``loss(z, h)`` of such an array, one number.
    rest : callable, default=None
        ``rest(w, h)``, one number: other terms of the training loss, such as penalties. None is
        zero.
    backend : {"auto", "autograd", "jax"}, default="auto"
        What the functions are written with: autograd.numpy or jax.numpy. "auto" sees which.

    Raises
    ------
    ValueError
        If the backend is unknown.
    """

    def __init__(self, outputs, loss, rest=None, *, backend="auto"):
        check_backend(backend)
        self._backend = backend
        self._outputs = outputs
        self._loss = loss
        self._rest = rest

    def __call__(self, w, h, *rows_and_v):
        *rows, v = rows_and_v
        return self.at(w, h, *rows)(v)

    def at(self, w, h, *rows):
        """A function ``v -> product`` at one point, which is traced once; ``v`` is nested as w."""
        named, structure = numbers(flattened(h)), Nested(w)
        h, leaves = nested(named), structure.leaves(w)
        if self._backend_at(leaves, structure, named, rows) == "jax":
            parts = self._outputs, self._loss, self._rest
            flat = jax_gauss_newton(parts, structure).at(structure.join(leaves), named, *rows)
            return lambda v: structure.unflatten(flat(structure.flatten(v)))

        def outputs(*moving):
            return [self._outputs(structure.nest(moving), h, *fresh(rows))]

        trace = Trace(outputs, leaves)
        (z,) = trace.values
        # Pulling g back gives J' g, which is linear in g: pulling v back through that gives J v.
        push = Trace(lambda g: trace.pull([g]), [np.zeros_like(z)])
        bend = Trace(lambda z: gradients(lambda z: self._loss(z, h, *fresh(rows)), [z])[1], [z])
        rest = self._rest_at(w, named, rows, structure)

        def product(v):
            v = structure.leaves(v)
            (change,) = push.pull(v)
            (curved,) = (None,) if change is None else bend.pull([change])
            total = structure.join(filled(trace.pull([curved]), structure.shapes))
            return structure.unflatten(total + rest(structure.join(v)))

        return product

    def _backend_at(self, leaves, structure, h, rows):
        if self._backend == "auto":
            return detected(self._outputs, leaves, structure, h, rows)
        return self._backend

    def _rest_at(self, w, h, rows, structure):
        if self._rest is None:
            return np.zeros_like
        return Derivatives(self._rest, structure).hvp(structure.flatten(w), h, *rows)


def at_point(product, *point):
    """``product(*point, v)`` as a function of ``v``; ``product.at``, if any, traces once."""
    at = getattr(product, "at", None)
    return functools.partial(product, *point) if at is None else at(*point)
