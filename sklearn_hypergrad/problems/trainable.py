"""Contracts of training problems: losses that are descended step by step, on batches."""

import abc
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
        Its gradient in the weights. Whoever has a linearization may take it away: products do
        without it.
    nbytes : int
        What it holds besides ``w``, the gradient and the data.
    """

    value: float
    nbytes = 0

    def shrink(self):  # noqa: B027
        """Forget what is much and quickly had again: it is to be kept for a while."""

    @abc.abstractmethod
    def pull(self, v):
        """``(H v, cross)``: Hessian times ``v``, and ``v`` times the gradient's derivative in h.

        Parameters
        ----------
        v : ndarray like ``w``

        Returns
        -------
        product : ndarray like ``w``
        cross : dict
            For every hyperparameter of the loss, shaped like its value at this step.
        """

    def cross(self, v):
        """The second part of ``pull`` alone, which may be had for less."""
        return self.pull(v)[1]

    def gauss_newton(self, v):
        """``v`` times the Gauss-Newton matrix: H without second derivatives of the model.

        Raises
        ------
        ValueError
            Unless the problem has this product.
        """
        raise ValueError(
            f"{type(self).__name__} has no Gauss-Newton products. Leave gauss_newton=False."
        )

    @abc.abstractmethod
    def push(self, v, u):
        """``H v`` plus the derivative of the gradient along ``u``, a dict shaped like ``h``.

        Hyperparameters that ``u`` does not name do not move.
        """


class TrainableProblem(abc.ABC):
    """What is trained: where it starts, and the loss of a batch.

    ``w`` is one flat array. ``h`` is a dict of hyperparameters in natural units, at one step of the
    training where they are schedules. Nothing is kept on the instance between calls.

    Attributes
    ----------
    group_sizes : tuple of int
        Numbers of weights of the parameter groups (layers), which are consecutive in ``w``.
    n_samples : int
        Training samples, of which batches have some.
    scheduled : dict of str -> tuple of int
        Hyperparameters of the loss that may differ between steps, and how many values they may
        have at one: one, or one of these numbers.
    """

    group_sizes: tuple
    n_samples: int
    scheduled = types.MappingProxyType({})

    def shaped(self, w):
        """The weights as the outer objective takes them."""
        return w

    def status(self, w, h):
        """How training has ended; by default as it was meant to."""
        return Status.CONVERGED

    @abc.abstractmethod
    def initial(self, h):
        """The weights that training starts from."""

    @abc.abstractmethod
    def initial_vjp(self, h, v):
        """``v`` times the derivative of ``initial`` in ``h``: a dict, without those it ignores."""

    @abc.abstractmethod
    def initial_jvp(self, h, u):
        """Derivative of ``initial`` along ``u``, a dict shaped like some of ``h``; None is zero."""

    @abc.abstractmethod
    def linearize(self, w, h, rows):
        """The Linearization of the loss of the samples ``rows``; None is all.

        It may keep a reference to ``w``, which the caller does not change as long as it is used.
        """


class StartedProblem(TrainableProblem):
    """Training from given weights, which the hyperparameter "init_scale" multiplies if it is there.

    That is one number, or one for each parameter group.

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
