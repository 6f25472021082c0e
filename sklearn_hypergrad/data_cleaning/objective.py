"""The loss on clean rows as a function of the weights of the others."""

from sklearn_hypergrad.training import Storage


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
