"""Forward mode: derivatives that are carried along with a training run."""

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient
from sklearn_hypergrad.training import Tangents
from sklearn_hypergrad.training.adjoint import pushed


class Forward(TrainedHypergradient):
    """Forward mode: exact, without stored states, at the cost of a training for every entry.

    The derivative of the state in each entry of the hyperparameters is updated with the state, by a
    product with second derivatives at every step. See Franceschi, Donini, Frasconi, Pontil (2017),
    "Forward and Reverse Gradient-Based Hyperparameter Optimization", section 3.2.

    Parameters
    ----------
    descent : GradientDescent, default=None
        How to train models that are otherwise solved, such as ridge and logistic regression. None
        is ``GradientDescent()``.
    """

    def __repr__(self):
        return "Forward()"

    def _training(self, problem, h):
        return pushed(super()._training(problem, h))

    def _train(self, run, storage):
        tangents = Tangents(run)
        for t, before, state, linearization in run.walk():
            tangents.advance(before, state, linearization, t)
            w = state.w
        n_gradients = run.n_steps * (1 + 2 * len(tangents.entries))
        return w, lambda grad_w: (tangents.gradient(grad_w), n_gradients)
