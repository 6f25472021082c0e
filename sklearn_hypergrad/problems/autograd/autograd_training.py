"""Training problems with derivatives from autograd or JAX."""

import contextlib
import copy

import numpy as np

from sklearn_hypergrad.problems.autograd.backends import derivatives_of, held_data
from sklearn_hypergrad.problems.autograd.gauss_newton import at_point
from sklearn_hypergrad.problems.autograd.loaded_jax import doubles, loaded_jax
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.trainable import Linearization, StartedProblem
from sklearn_hypergrad.spaces import nested
from sklearn_hypergrad.threads import cached_property

DTYPES = np.float64, np.float32


class AutogradTraining(StartedProblem):
    """Descend ``loss(w, h, rows)``, any smooth function of autograd.numpy or jax.numpy.

    The parts of ``start`` at its top level are parameter groups, which may have their own learning
    rates: values of a dict in the order of its sorted keys, or items of a list or tuple. The
    hyperparameter "init_scale", one number or one for each group, multiplies the start.

    Parameters
    ----------
    loss : callable
        ``loss(w, h, rows)``, one number: the loss of the samples ``rows``, an array of indices or a
        slice, None for all. ``w`` is nested as ``start`` is, ``h`` a dict of floats and arrays.
        With ``data`` it is ``loss(w, h, *batch)``, and with ``seed`` two arguments more come last.
    start : nested structure
        Initial weights: dicts, lists and tuples of arrays and floats, nested to any depth.
    n_samples : int, default=None
        Number of training samples, from which batches are drawn. None if there are no batches.
    scheduled : dict of str -> tuple of int, default=None
        Hyperparameters of the loss that may differ between steps. The tuple has the numbers of
        values that are allowed at one step, besides a single one. Others are the same at all steps,
        of any shape.
    gauss_newton : callable, default=None
        ``gauss_newton(w, h, rows, v)``, with nested ``v`` and result, such as a
        :class:`GaussNewton`. None: there are no such products. With ``data`` it takes the arrays of
        the batch in the place of rows.
    data : tuple of ndarray or callable, default=None
        Arrays whose first axis counts the samples, such as ``(X, y)``: the loss then takes their
        rows in the place of row numbers. A function ``data(rows)`` returns what the loss takes.
        None: the loss takes row numbers. Give JAX data: it compiles what a loss reads from outside.
    backend : {"auto", "autograd", "jax"}, default="auto"
        What the loss is written with: autograd.numpy or jax.numpy. "auto" sees at the first call
        which of them it is.
    seed : int, default=None
        Gives a loss time and chance, for schedules, dropout and augmentation: ``loss(w, h, rows, t,
        rng)`` with the step ``t`` and a generator whose seed is ``(seed, t)``, so that every call
        for one step draws the same numbers, forwards and backwards. With ``backend="jax"``, ``rng``
        is a key of ``jax.random``. None: the loss takes neither.
    dtype : {"float64", "float32"}, default="float64"
        Type of weights and gradients, in which hyperparameters reach the loss, too. float32 takes
        half the memory; with ``data`` in float64 the loss is still computed in that.

    Attributes
    ----------
    structure : Nested
        It can ``flatten`` and ``unflatten`` weights.
    backend : {"auto", "autograd", "jax"}
        As given.

    Raises
    ------
    ValueError
        If ``dtype`` is neither float64 nor float32, or ``seed`` is negative.
    """

    def __init__(  # noqa: PLR0913
        self,
        loss,
        start,
        *,
        n_samples=None,
        scheduled=None,
        gauss_newton=None,
        data=None,
        backend="auto",
        seed=None,
        dtype=np.float64,
    ):
        if np.dtype(dtype) not in DTYPES:
            raise ValueError(f"dtype must be float64 or float32, got {dtype!r}.")
        if seed is not None and not seed >= 0:
            raise ValueError(f"seed must be an integer of at least 0, or None, got {seed!r}.")
        self.structure = Nested(start, dtype)
        super().__init__(self.structure.flatten(start))
        self.group_sizes = self.structure.group_sizes
        self.n_samples = (
            len(data[0]) if n_samples is None and isinstance(data, tuple) else n_samples
        )
        self.scheduled = dict(scheduled or {})
        self._derivatives = derivatives_of(loss, self.structure, backend)
        self._gauss_newton = gauss_newton
        self._data, self.backend = data, backend
        self._seed, self._t, self._pushed = seed, 0, False

    def at_step(self, t):
        if self._seed is None:
            return self
        problem = copy.copy(self)
        problem._t = t
        return problem

    def pushed(self):
        problem = copy.copy(self)
        problem._pushed = True
        return problem

    def many_calls(self):
        # JAX need not switch to double precision and back at every step.
        return contextlib.nullcontext() if self.backend == "autograd" else doubles()

    def linearize(self, w, h, rows):
        kind = PushedLinearization if self._pushed else AutogradLinearization
        return kind(
            self._derivatives,
            w,
            h,
            lambda: self._batch(rows),
            lambda: self._gauss_newton_at(w, h, rows),
        )

    def _batch(self, rows):
        """What the loss takes besides weights and hyperparameters."""
        return (*self._samples(rows), *self._chance())

    def _chance(self):
        """The step and what its random numbers are drawn with, if the loss takes these."""
        if self._seed is None:
            return ()
        if self.backend == "jax":
            return np.int64(self._t), np.array([self._seed, self._t], np.uint32)
        return self._t, np.random.default_rng((self._seed, self._t))

    def _samples(self, rows):
        if rows is None and self._data is not None:
            return self._all
        if callable(self._data):
            return self._data(rows)
        if self._data is not None:
            return tuple(array[rows] for array in self._data)
        return (self._row_numbers(rows) if isinstance(rows, slice) else rows,)

    @cached_property
    def _all(self):
        data = self._data(None) if callable(self._data) else self._data
        return held_data(data, self.backend)

    def _row_numbers(self, rows):
        """A slice as JAX takes it: it has no arguments that are slices."""
        if self.backend == "autograd" or self.n_samples is None or loaded_jax() is None:
            return rows
        return np.arange(self.n_samples)[rows]

    def _gauss_newton_at(self, w, h, rows):
        if self._gauss_newton is None:
            raise ValueError(
                "The outputs of a loss cannot be told from the rest of it. Give "
                "AutogradTraining gauss_newton=GaussNewton(outputs, loss_of_outputs, rest), or "
                "another callable of (w, h, rows, v)."
            )
        unflatten = self.structure.unflatten
        product = at_point(self._gauss_newton, unflatten(w), nested(h), *self._batch(rows))
        return lambda v: self.structure.flatten(product(unflatten(v)))


class AutogradLinearization(Linearization):
    """The loss of a batch around ``w``: value and gradient; products are traced on demand.

    The trace of ``pull`` is used once per step, on the way back, and is not kept: there is a
    linearization for every step. The traces of other products are kept.
    """

    def __init__(self, derivatives, w, h, batch, gauss_newton):
        self._derivatives, self._w, self._h = derivatives, w, h
        # Rows are gathered again when they are needed: there is a linearization for every step.
        self._batch = batch
        self._gauss_newton_at = gauss_newton
        self.value, self.gradient = self._first(w, h, *batch())

    def pull(self, v):
        return self._derivatives.pull(self._w, self._h, *self._batch())(v)

    def cross(self, v):
        return self._derivatives.cross_vjp(self._w, self._h, *self._batch())(v)

    def _first(self, w, h, *batch):
        return self._derivatives.gradient(w, h, *batch)

    def push(self, v, u):
        return self._push(v, u) if u else self._hvp(v)

    def gauss_newton(self, v):
        return self._gauss_newton(v)

    @cached_property
    def _hvp(self):
        return self._derivatives.hvp(self._w, self._h, *self._batch())

    @cached_property
    def _push(self):
        return self._derivatives.push(self._w, self._h, *self._batch())

    @cached_property
    def _gauss_newton(self):
        return self._gauss_newton_at()


class PushedLinearization(AutogradLinearization):
    """The same for forward mode: one trace gives the gradient and all products with directions."""

    def _first(self, w, h, *batch):
        value, gradient, self._push = self._derivatives.gradient_and_push(w, h, *batch)
        return value, gradient

    def push(self, v, u):
        return self._push(v, u)
