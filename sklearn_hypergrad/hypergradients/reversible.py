"""Backwards through a training run that is undone."""

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient, along
from sklearn_hypergrad.training import Reversed


class Reversible(TrainedHypergradient):
    """Reverse mode that stores no states: momentum SGD undone exactly, bit by bit.

    Training runs in fixed-point numbers. What multiplication by the momentum would lose, log2(1 /
    momentum) bits per weight and step, is kept; that the way back leads to the start is verified.
    See Maclaurin, Duvenaud, Adams (2015), algorithms 2 and 3.

    Parameters
    ----------
    descent : GradientDescent, default=None
        How models are trained that are otherwise solved, as ridge and logistic regression.
    """

    def __repr__(self):
        return "Reversible()"

    def obstacle(self, dynamics):
        reason = dynamics.irreversible
        return None if reason is None else f"{reason}. Use hypergradient='reverse'"

    def _train(self, run, storage):
        return along(run, Reversed(run))
