"""Outer objectives with derivatives from autograd or JAX."""

import numpy as np

from sklearn_hypergrad.problems.autograd.backends import derivatives_of


class AutogradLoss:
    """An outer objective ``outer(w, h)``, as hypergradients take it.

    Parameters
    ----------
    outer : callable
        Returns one number, or an array of shape (n_splits,). ``h`` is a dict. Written with
        autograd.numpy or jax.numpy.
    structure : Nested
        Structure of the weights that ``outer`` takes: the attribute ``structure`` of an
        AutogradProblem or AutogradTraining.
    backend : {"auto", "autograd", "jax"}, default="auto"
        Which of the two it is written with; "auto" sees that at the first call.
    data : tuple, default=()
        Arrays that ``outer`` takes, too: ``outer(w, h, *data)``.
    """

    def __init__(self, outer, structure, *, backend="auto", data=()):
        self._data = tuple(data)
        self._derivatives = derivatives_of(outer, structure, backend)

    def __call__(self, w, h):
        """Evaluate and differentiate.

        Parameters
        ----------
        w : ndarray
            Weights, flat.
        h : dict

        Returns
        -------
        values : ndarray of shape (n_splits,)
        gradient : ndarray of shape (n_weights,)
            Gradient of their sum in ``w``.
        direct : dict
            Gradients of their sum in the hyperparameters that ``outer`` depends on.

        Raises
        ------
        ValueError
            If ``outer`` returns an array of more than one axis.
        """
        values, slope, direct = self._derivatives.of_sum(w.ravel(), h, *self._data)
        values = np.atleast_1d(np.asarray(values, float))
        if values.ndim != 1:
            raise ValueError(
                f"An outer loss is one number or an array of shape (n_splits,), and this one "
                f"returns an array of shape {values.shape}."
            )
        return values, slope, direct
