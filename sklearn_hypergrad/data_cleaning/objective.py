"""The loss on clean rows as a function of the weights of the others."""

import numpy as np

from sklearn_hypergrad.training import Storage


class CleanLoss:
    """Mean loss of a network on clean rows, as an outer objective.

    Parameters
    ----------
    network : Network
    X : ndarray or CSR matrix of shape (n_clean, n_features)
    y : ndarray of shape (n_clean, n_outputs)
        As coded for the loss of the network.
    """

    def __init__(self, network, X, y):
        self._network, self._X, self._y = network, X, y

    def __call__(self, w, h):
        """Value of shape (1,), its gradient in ``w``, and directly in ``h``."""
        z, pullback = self._network.predictions(w, self._X)
        losses, residual, _ = self._network.loss.evaluate(self._y, z)
        gradient = (residual / len(z)).astype(w.dtype, copy=False)
        return np.array([losses.mean()]), pullback(gradient), {}


class WeightObjective:
    """``fun(weights) -> (value, gradient)``.

    Training divides losses by the number of samples. Weights are scaled to a mean of one where they
    use up the budget, so that one learning rate of the training suits all budgets.

    Parameters
    ----------
    method : TrainedHypergradient
    training : Training
        On the weighted rows.
    outer : callable
    scale : float
        Number of samples over the budget.
    """

    def __init__(self, method, training, outer, scale):
        self._method, self._training, self._outer = method, training, outer
        self._scale, self._storage = scale, Storage()

    def __call__(self, weights):
        h = {"sample_weight": self._scale * weights}
        evaluation = self._method.evaluate(
            self._training, self._outer, h, None, None, storage=self._storage
        )
        gradient = self._scale * evaluation.gradient["sample_weight"].astype(float)
        return float(evaluation.values[0]), gradient
