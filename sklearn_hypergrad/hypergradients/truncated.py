"""Truncated reverse mode: backwards through the last steps of a training run."""

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient, along
from sklearn_hypergrad.training import GradientDescent, Stored


class Truncated(TrainedHypergradient):
    """Reverse mode through the last steps only: biased, and cheap in memory and time.

    The state before these steps counts as fixed: initial scales and early steps of a schedule have
    no gradient. If training has converged, k steps give the first k terms of a Neumann series for
    the inverse Hessian (Lorraine, Vicol, Duvenaud 2019, theorem 1).

    Parameters
    ----------
    n_steps : int, default=100
        Number of steps to go back. Chosen by hand: at a minimum, directions are inverted down to
        about a hundredth of the largest curvature; more steps reduce the bias and cost more.
    descent : GradientDescent, default=None
        How to train models that are otherwise solved, such as ridge and logistic regression. None
        is ``GradientDescent()``.

    Raises
    ------
    ValueError
        If ``n_steps`` is below 1.
    """

    exact = False

    def __init__(self, n_steps: int = 100, *, descent: GradientDescent | None = None):
        super().__init__(descent=descent)
        if n_steps < 1:
            raise ValueError(f"n_steps must be at least 1, got {n_steps!r}.")
        self.n_steps = n_steps

    def __repr__(self):
        return f"Truncated(n_steps={self.n_steps})"

    def _train(self, run, storage):
        state, first = run.start(), max(0, run.n_steps - self.n_steps)
        for _, _, after, _ in run.walk(state, last=first):
            state = after
        return along(run, Stored(run, state, first, storage=storage), n_before=first)
