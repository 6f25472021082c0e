"""Reverse mode without stored states: backwards through a training run that is undone exactly."""

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient, along
from sklearn_hypergrad.training import Reversed


class Reversible(TrainedHypergradient):
    """Reverse mode that stores no states: training undone exactly, bit by bit.

    SGD with momentum, Adam and RMSprop run in integers, in units that follow the size of every
    weight. The bits that multiplication by the momentum would lose, log2(1 / momentum) per weight
    and step, are kept, and so are those of other decays: 0.15 at a momentum of 0.9, and with the
    usual two decays of Adam. At the end it is verified that the way back has led to the start. See
    Maclaurin, Duvenaud, Adams (2015), "Gradient-based Hyperparameter Optimization through
    Reversible Learning", algorithms 2 and 3.

    Parameters
    ----------
    descent : GradientDescent, default=None
        How to train models that are otherwise solved, such as ridge and logistic regression. None
        is ``GradientDescent()``.
    """

    def __repr__(self):
        return "Reversible()"

    def obstacle(self, dynamics):
        reason = dynamics.irreversible
        return None if reason is None else f"{reason}. Use hypergradient='reverse'"

    def _train(self, run, storage):
        return along(run, Reversed(run))
