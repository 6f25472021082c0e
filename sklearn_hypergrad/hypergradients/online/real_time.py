"""Real-time forward mode: hyperparameters move while training runs."""

from sklearn_hypergrad.hypergradients.online.base import OnlineHypergradient, Session
from sklearn_hypergrad.linalg import Solved
from sklearn_hypergrad.training import Run, Tangents
from sklearn_hypergrad.training.adjoint import pushed

# Largest number of entries that are tuned. Chosen by hand: each costs a training of its own, so
# that more are better served by another method.
MOST_ENTRIES = 100


class RealTime(OnlineHypergradient):
    """Forward mode that moves learning rates, momenta and others every few steps of training.

    The derivatives of the state in the hyperparameters are carried on across updates of these: the
    hypergradient is that of all steps since the start, as if one value had been used for all of
    them. Every entry costs a training of its own, with two gradients per step; at most 100 entries
    are allowed. See Franceschi, Donini, Frasconi, Pontil (2017), "Forward and Reverse
    Gradient-Based Hyperparameter Optimization", section 3.3.

    Parameters
    ----------
    n_steps : int, default=None
        Steps of training between two outer steps. None divides the usual number of training steps
        by the number of outer steps, so that all together take about one training.
    discount : float, default=1.0
        Factor from 0 to 1 of the derivatives so far, at every outer step. 1 is the published
        method. Below 1 recent steps count more: learning rates can fall again at the end of
        training, and derivatives do not grow without bound where training is chaotic. 0 leaves the
        steps since the last outer step.

    Raises
    ------
    ValueError
        If ``n_steps`` is not a positive integer or None, or ``discount`` is not from 0 to 1.
    """

    def __init__(self, n_steps: int | None = None, *, discount: float = 1.0):
        super().__init__(n_steps)
        if not 0 <= discount <= 1:
            raise ValueError(f"discount must be a number from 0 to 1, got {discount!r}.")
        self.discount = discount

    def __repr__(self):
        shown = [f"n_steps={self.n_steps}"] * (self.n_steps is not None)
        shown += [f"discount={self.discount}"] * (self.discount != 1)
        return f"RealTime({', '.join(shown)})"

    def check(self, training, h):
        super().check(training, h)
        n_entries = len(Run(training, h).entries())
        if n_entries > MOST_ENTRIES:
            raise ValueError(
                f"Cannot tune {n_entries} entries with {self!r}, which trains once more for each "
                f"of them and is meant for {MOST_ENTRIES} at most. Use hypergradient='online' for "
                f"hyperparameters of the training loss, or 'reverse'."
            )

    def _session(self, training, h, n_steps):
        return ForwardSession(self, training, h, n_steps)


class ForwardSession(Session):
    """The session of RealTime: training, and the derivatives (tangents) of its state."""

    def __init__(self, method, training, h, n_steps):
        super().__init__(method, pushed(training), h, n_steps)
        self._tangents, self._discount = Tangents(training.run(h)), method.discount

    def save(self):
        # States and tangents are replaced at every step, not changed in place: no copy is needed.
        return self.t, self._state, tuple(self._tangents.states)

    def restore(self, saved):
        self.t, self._state, tangents = saved
        self._tangents.states[:] = tangents

    def _train(self, run, last):
        self._tangents.follow(run)
        if self._discount < 1:
            self._tangents.discount(self._discount)
        for t, before, state, linearization in run.walk(self._state, self.t, last):
            self._tangents.advance(before, state, linearization, t)
        self._state = state

        def pull(grad_w):
            gradient = self._tangents.gradient(grad_w)
            # Its arrays are written to again at the next step.
            gradient = {name: part.copy() for name, part in gradient.items()}
            # There is no linear system.
            return gradient, Solved(None), 2 * self.n_steps * len(self._tangents.entries)

        return pull
