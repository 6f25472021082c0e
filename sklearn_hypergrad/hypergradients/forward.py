"""Forwards with a training run."""

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient
from sklearn_hypergrad.training import Tangents


class Forward(TrainedHypergradient):
    """Forward mode: exact, no memory of the past, one more training per entry that is tuned.

    See Franceschi et al. (2017), section 3.2.

    Parameters
    ----------
    descent : GradientDescent, default=None
        How models are trained that are otherwise solved, as ridge and logistic regression.
    """

    def __repr__(self):
        return "Forward()"

    def _train(self, run, storage):
        tangents = Tangents(run)
        for t, before, state, linearization in run.walk():
            tangents.advance(before, state, linearization, t)
            w = state.w
        n_gradients = run.n_steps * (1 + 2 * len(tangents.entries))
        return w, lambda grad_w: (tangents.gradient(grad_w), n_gradients)
