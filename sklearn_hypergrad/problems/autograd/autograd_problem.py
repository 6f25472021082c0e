"""Inner problems with derivatives from autograd or JAX."""

import functools

import numpy as np

from sklearn_hypergrad.linalg import CG
from sklearn_hypergrad.problems.autograd.backends import derivatives_of, held_data
from sklearn_hypergrad.problems.autograd.gauss_newton import at_point
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.autograd.trust_region import Iterate, trust_region
from sklearn_hypergrad.problems.base import STATUSES, InnerProblem, InnerSolution, Status
from sklearn_hypergrad.spaces import flattened, nested

# Largest relative residual of the linear system of the hypergradient, however coarse the inner
# tolerance. Chosen by hand: a hypergradient that is wrong by 1 % still has the right direction.
MAX_ADJOINT = 1e-2


class AutogradProblem(InnerProblem):
    """Minimise ``loss(w, h)``, any smooth function written with autograd.numpy or jax.numpy.

    Losses that are not convex are minimised, too: descent from the start leads to one of their
    local minima. The methods take ``w`` as one flat array; the loss and closed forms take and
    return it nested as ``start`` is.

    Parameters
    ----------
    loss : callable
        ``loss(w, h)``, one number. ``h`` is a dict of floats and arrays.
    start : nested structure
        Initial weights of descent: dicts, lists and tuples of arrays and floats, nested to any
        depth.
    gradient, hvp, cross_vjp, cross_jvp : callable, default=None
        Closed forms that replace the derivatives of autograd: ``gradient(w, h)``,
        ``hvp(w, h, v)``, ``cross_vjp(w, h, v)``, which returns a dict shaped like ``h``, and
        ``cross_jvp(w, h, u)``; as in the base class. None is the backend's. An ``hvp`` with a
        method ``at(w, h)`` that returns a function of ``v`` prepares each point once.
    gauss_newton : callable, default=None
        ``gauss_newton(w, h, *data, v)``, such as a :class:`GaussNewton`. None: there are no such
        products.
    data : tuple, default=()
        Arrays that the loss takes, too: ``loss(w, h, *data)``. Problems with the same loss and
        arrays of the same shapes share what JAX has compiled.
    backend : {"auto", "autograd", "jax"}, default="auto"
        What the loss is written with: autograd.numpy or jax.numpy. "auto" sees at the first call
        which of them it is.

    Attributes
    ----------
    structure : Nested
        It can ``flatten`` and ``unflatten`` weights.
    backend : {"auto", "autograd", "jax"}
        As given.

    Raises
    ------
    TypeError
        If the loss is no function, or weights are not arrays of numbers.
    """

    def __init__(  # noqa: PLR0913
        self,
        loss,
        start,
        *,
        gradient=None,
        hvp=None,
        cross_vjp=None,
        cross_jvp=None,
        gauss_newton=None,
        data=(),
        backend="auto",
    ):
        if not callable(loss):
            raise TypeError(f"The loss must be a function of (w, h), got {loss!r}.")
        self.structure = Nested(start)
        self._start = self.structure.flatten(start)
        self._derivatives = derivatives_of(loss, self.structure, backend)
        self._data = held_data(data, backend)
        self.backend = backend
        self._gradient = gradient
        self._hvp = hvp
        self._cross_vjp = cross_vjp
        self._cross_jvp = cross_jvp
        self._gauss_newton = gauss_newton

    def start(self):
        return self._start.copy()

    def gradient(self, w, h):
        if self._gradient is None:
            return self._derivatives.gradient(w, h, *self._data)[1]
        return self._flat(self._gradient(self._nested(w), nested(h)))

    def hvp(self, w, h, v):
        return self.products(w, h)(v)

    def gauss_newton(self, w, h, v):
        return self.products(w, h, gauss_newton=True)(v)

    def products(self, w, h, *, gauss_newton=False):
        closed = self._gauss_newton if gauss_newton else self._hvp
        if closed is not None:
            return self._closed(closed, w, h, *(self._data if gauss_newton else ()))
        if gauss_newton:
            raise ValueError(
                "The outputs of a loss cannot be told from the rest of it. Give "
                "AutogradProblem gauss_newton=GaussNewton(outputs, loss_of_outputs, rest), or "
                "another callable of (w, h, v)."
            )
        return self._derivatives.hvp(w, h, *self._data)

    def cross_vjp(self, w, h, v):
        if self._cross_vjp is None:
            return self._derivatives.cross_vjp(w, h, *self._data)(v)
        return _like(h, flattened(self._cross_vjp(self._nested(w), nested(h), self._nested(v))))

    def cross_jvp(self, w, h, u):
        if self._cross_jvp is None:
            return self._derivatives.push(w, h, *self._data)(None, u)
        return self._flat(self._cross_jvp(self._nested(w), nested(h), nested(u)))

    def solve(self, h, warm_start, tol):
        """Minimise the loss by ``trust_region``; arguments are those of the base class.

        ``tol`` is the norm of the gradient at the end, relative to that at the start. ``n_solves``
        counts Newton systems and that of the hypergradient.

        Raises
        ------
        ValueError
            If the loss is not finite at the start.
        """
        evaluate = functools.partial(self._point, h=h)
        # Values that are not finite are reported below, or reject a step.
        with np.errstate(all="ignore"):
            first = evaluate(self._start)
        if not first.finite:
            raise ValueError(
                f"The loss is {first.value} at the start, with a gradient of norm "
                f"{first.steepness}. Give a start where both are finite: norms, roots and "
                f"logarithms have no derivative at zero."
            )
        begin = first
        if warm_start is not None:
            near = evaluate(warm_start.w)
            begin = near if near.finite else first
        found = trust_region(evaluate, functools.partial(self.products, h=h), first, begin, tol)

        def inverse_hvp(v, start):
            solved = CG().solve(found.hvp, v, start=start, tol=min(tol, MAX_ADJOINT))
            return solved.x, STATUSES[solved.status]

        status = Status.CONVERGED if found.converged else Status.INNER_NOT_CONVERGED
        return InnerSolution(found.w, inverse_hvp, status, found.n_steps + 1, slope=found.slope)

    def _point(self, w, h):
        if self._gradient is None:
            return Iterate(w, *self._derivatives.gradient(w, h, *self._data))
        value = self._derivatives.value(w, h, *self._data)
        return Iterate(w, value, self.gradient(w, h))

    def _closed(self, function, w, h, *data):
        """A callable of nested ``(w, h, *data, v)`` as one of flat ``v``."""
        product = at_point(function, self._nested(w), nested(h), *data)
        return lambda v: self._flat(product(self._nested(v)))

    def _nested(self, w):
        return self.structure.unflatten(w)

    def _flat(self, nested):
        return self.structure.flatten(nested)


def _like(h, slopes):
    """The result of a closed form ``cross_vjp``, after a check of its names and shapes."""
    shapes, expected = ({k: np.shape(x) for k, x in d.items()} for d in (slopes, h))
    if shapes != expected:
        raise ValueError(
            f"cross_vjp returns the shapes {shapes}; the hyperparameters' are {expected}."
        )
    return {name: np.asarray(slopes[name], np.float64)[()] for name in h}
