"""Outer objectives with derivatives from autograd."""

import autograd.numpy as np

from sklearn_hypergrad._autograd import getval
from sklearn_hypergrad.problems.autograd.derivatives import Derivatives


class AutogradLoss:
    """An outer objective ``outer(w, h)`` written with autograd.numpy, as hypergradients take it.

    Parameters
    ----------
    outer : callable
        Returns one number, or an array of shape (n_splits,). ``h`` is a dict.
    structure : Nested
        Structure of the weights that ``outer`` takes: the attribute ``structure`` of an
        AutogradProblem or AutogradTraining.
    """

    def __init__(self, outer, structure):
        self._outer = outer
        self._structure = structure

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
        seen = []

        def total(w, h):
            seen.append(self._outer(w, h))
            return np.sum(seen[-1])

        _, slope, direct = Derivatives(total, self._structure).gradients(w.ravel(), h)
        return self._values(getval(seen[-1])), slope, direct

    def _values(self, values):
        values = np.atleast_1d(np.asarray(values, float))
        if values.ndim != 1:
            raise ValueError(
                f"An outer loss is one number or an array of shape (n_splits,), and this one "
                f"returns an array of shape {values.shape}."
            )
        return values
