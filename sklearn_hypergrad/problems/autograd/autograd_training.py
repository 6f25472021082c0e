"""Training problems with derivatives from autograd."""

from sklearn_hypergrad.problems.autograd.derivatives import Derivatives
from sklearn_hypergrad.problems.autograd.gauss_newton import at_point
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.trainable import Linearization, StartedProblem
from sklearn_hypergrad.threads import cached_property


class AutogradTraining(StartedProblem):
    """Descend ``loss(w, h, rows)``, any smooth function written with autograd.numpy.

    The parts of ``start`` at its top level are parameter groups, which may have their own learning
    rates: values of a dict in the order of its sorted keys, or items of a list or tuple. The
    hyperparameter "init_scale", one number or one for each group, multiplies the start.

    Parameters
    ----------
    loss : callable
        ``loss(w, h, rows)``, one number: the loss of the samples ``rows``, an array of indices or a
        slice, None for all. ``w`` is nested as ``start`` is, ``h`` a dict of floats and arrays.
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
        :class:`GaussNewton`. None: there are no such products.

    Attributes
    ----------
    structure : Nested
        It can ``flatten`` and ``unflatten`` weights.
    """

    def __init__(self, loss, start, *, n_samples=None, scheduled=None, gauss_newton=None):
        self.structure = Nested(start)
        super().__init__(self.structure.flatten(start))
        self.group_sizes = self.structure.group_sizes
        self.n_samples = n_samples
        self.scheduled = dict(scheduled or {})
        self._loss = loss
        self._gauss_newton = gauss_newton

    def linearize(self, w, h, rows):
        derivatives = Derivatives(lambda w, h: self._loss(w, h, rows), self.structure)
        return AutogradLinearization(derivatives, w, h, lambda: self._gauss_newton_at(w, h, rows))

    def _gauss_newton_at(self, w, h, rows):
        if self._gauss_newton is None:
            raise ValueError(
                "Autograd cannot tell the outputs of a loss from the rest of it. Give "
                "AutogradTraining gauss_newton=GaussNewton(outputs, loss_of_outputs, rest), or "
                "another callable of (w, h, rows, v)."
            )
        nested = self.structure.unflatten
        product = at_point(self._gauss_newton, nested(w), h, rows)
        return lambda v: self.structure.flatten(product(nested(v)))


class AutogradLinearization(Linearization):
    """The loss of a batch around ``w``: value and gradient; products are traced on demand.

    The trace of ``pull`` is used once per step, on the way back, and is not kept: there is a
    linearization for every step. The traces of other products are kept.
    """

    def __init__(self, derivatives, w, h, gauss_newton):
        self._derivatives, self._w, self._h = derivatives, w, h
        self._gauss_newton_at = gauss_newton
        self.value, self.gradient = derivatives.gradient(w, h)

    def pull(self, v):
        return self._derivatives.pull(self._w, self._h)(v)

    def cross(self, v):
        return self._derivatives.cross_vjp(self._w, self._h)(v)

    def push(self, v, u):
        return self._push(v, u) if u else self._hvp(v)

    def gauss_newton(self, v):
        return self._gauss_newton(v)

    @cached_property
    def _hvp(self):
        return self._derivatives.hvp(self._w, self._h)

    @cached_property
    def _push(self):
        return self._derivatives.push(self._w, self._h)

    @cached_property
    def _gauss_newton(self):
        return self._gauss_newton_at()
