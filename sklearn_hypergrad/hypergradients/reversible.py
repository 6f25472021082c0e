"""Backwards through a training run that is undone."""

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient
from sklearn_hypergrad.training import Reversed, pull_back


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

    def _train(self, run, storage):
        obstacle = run.dynamics.irreversible
        if obstacle is not None:
            raise ValueError(
                f"Cannot reverse {run.dynamics!r} exactly: {obstacle}. Use hypergradient='reverse'."
            )
        trajectory = Reversed(run)

        def pull(grad_w):
            gradient = pull_back(run, trajectory.backwards(), grad_w)
            return gradient, trajectory.n_gradients + 2 * run.n_steps

        return trajectory.final.w, pull
