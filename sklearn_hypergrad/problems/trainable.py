"""The contracts of training problems: losses that are descended step by step, on batches."""

import abc
import contextlib
import types

import numpy as np

from sklearn_hypergrad.problems.base import Status


class Linearization(abc.ABC):
    """A training loss to first order in the gradient, around one point and on one batch.

    Attributes
    ----------
    value : float
        The training loss.
    gradient : ndarray like ``w``
        Its gradient in the weights. Users may replace it by None: products do not need it.
    nbytes : int
        Bytes that it holds besides ``w``, the gradient and the data.
    """

    value: float
    nbytes = 0

    def shrink(self):  # noqa: B027
        """Drop large buffers that are cheap to recompute, before the object is stored."""

    @abc.abstractmethod
    def pull(self, v):
        """Products of ``v`` with the derivatives of the gradient in ``w`` and in ``h``.

        Parameters
        ----------
        v : ndarray like ``w``

        Returns
        -------
        product : ndarray like ``w``
            The Hessian times ``v``.
        cross : dict
            ``v`` times the derivative in every hyperparameter of the loss, shaped like its value at
            this step.
        """

    def cross(self, v):
        """The second part of ``pull`` alone, which may be cheaper."""
        return self.pull(v)[1]

    def gauss_newton(self, v):
        """The Gauss-Newton matrix times ``v``: H without second derivatives of the predictions.

        Raises
        ------
        ValueError
            If the problem does not define this product.
        """
        raise ValueError(
            f"{type(self).__name__} has no Gauss-Newton products. Leave gauss_newton=False."
        )

    @abc.abstractmethod
    def push(self, v, u):
        """Derivative of the gradient along a change of the weights and hyperparameters.

        Parameters
        ----------
        v : ndarray like ``w``
            Change of the weights.
        u : dict
            Changes of hyperparameters, shaped like them; missing ones do not change.

        Returns
        -------
        ndarray like ``w``
            ``H v`` plus the derivative along ``u``.
        """


class TrainableProblem(abc.ABC):
    """A training problem: initial weights, and the loss of a batch.

    ``w`` is one flat array. ``h`` is a dict of hyperparameters in natural units; those that are
    schedules have their values at one step of the training. Nothing is kept on the instance between
    calls.

    Attributes
    ----------
    group_sizes : tuple of int
        Numbers of weights of the parameter groups (layers), which are consecutive in ``w``.
    n_samples : int
        Number of training samples, from which batches are drawn.
    scheduled : dict of str -> tuple of int
        Hyperparameters of the loss that may differ between steps. The tuple has the numbers of
        values that are allowed at one step, besides a single one.
    """

    group_sizes: tuple
    n_samples: int
    scheduled = types.MappingProxyType({})

    def many_calls(self):
        """A context around many calls, which may make each of them cheaper."""
        return contextlib.nullcontext()

    def shaped(self, w):
        """Flat weights in the shape that the outer objective takes; by default unchanged."""
        return w

    def status(self, w, h):
        """The Status of the last weights; by default CONVERGED."""
        return Status.CONVERGED

    def at_step(self, t):
        """The problem at one step of a training: itself, unless its loss depends on the step."""
        return self

    def pushed(self):
        """The problem for whoever pushes each linearization several times; by default itself."""
        return self

    @abc.abstractmethod
    def initial(self, h):
        """Initial weights of training, of shape (n_weights,)."""

    @abc.abstractmethod
    def initial_vjp(self, h, v):
        """``v`` times the derivative of ``initial`` in ``h``: a dict without zero derivatives."""

    @abc.abstractmethod
    def initial_jvp(self, h, u):
        """Derivative of ``initial`` along ``u``, a dict of changes of ``h``; None if it is zero."""

    @abc.abstractmethod
    def linearize(self, w, h, rows):
        """The Linearization of the loss of a batch.

        Parameters
        ----------
        w : ndarray of shape (n_weights,)
            The result may keep a reference to it, so the caller must not change it in place.
        h : dict
        rows : ndarray of int, slice or None
            The samples of the batch; None is all.

        Returns
        -------
        Linearization
        """


class StartedProblem(TrainableProblem):
    """Training from given weights, times the optional hyperparameter "init_scale".

    The scale is one number, or one for each parameter group.

    Parameters
    ----------
    start : ndarray of shape (n_weights,)
    """

    def __init__(self, start):
        self._start = start

    def initial(self, h):
        return self._scaled_start(h.get("init_scale", 1.0))

    def initial_vjp(self, h, v):
        if "init_scale" not in h:
            return {}
        firsts = np.cumsum((0, *self.group_sizes[:-1]))
        slopes = np.add.reduceat(self._start * v, firsts)
        return {"init_scale": slopes if np.ndim(h["init_scale"]) else slopes.sum()}

    def initial_jvp(self, h, u):
        return self._scaled_start(u["init_scale"]) if "init_scale" in u else None

    def _scaled_start(self, scale):
        scale = np.asarray(scale, self._start.dtype)
        return self._start * (np.repeat(scale, self.group_sizes) if scale.ndim else scale)
