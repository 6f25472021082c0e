"""Some states stored, the others computed again from them."""

import math

import numpy as np

from sklearn_hypergrad.training.dynamics import State
from sklearn_hypergrad.training.trajectories.base import Trajectory
from sklearn_hypergrad.training.trajectories.stored import Stored


class Checkpointed(Trajectory):
    """States at the starts of stretches of equal length; each stretch is run again on the way back.

    Parameters
    ----------
    run : Run
    n_checkpoints : int, default=None
        Number of stretches. None is the root of the number of steps, for which checkpoints and the
        states of a stretch together need the least memory.
    storage : Storage, default=None
        Memory for the states of a stretch; None is new memory.
    """

    def __init__(self, run, n_checkpoints=None, *, storage=None):
        self._storage = storage
        n_checkpoints = n_checkpoints or math.ceil(math.sqrt(run.n_steps))
        ends = np.linspace(0, run.n_steps, min(n_checkpoints, run.n_steps) + 1).round()
        self._ends = [int(end) for end in ends]
        self._run, self._checkpoints = run, []
        for t, before, after, _ in run.walk():
            if t == self._ends[len(self._checkpoints)]:
                self._checkpoints.append(State.of_rows(np.stack(before.arrays)))
            self.final = after
        self.n_gradients = run.n_steps
        self.nbytes = sum(array.nbytes for state in self._checkpoints for array in state.arrays)

    def backwards(self):
        held = self.nbytes
        while self._checkpoints:
            first, last = self._ends[-2:]
            state = self._checkpoints.pop()
            stretch = Stored(self._run, state, first, last, storage=self._storage)
            self.nbytes = max(self.nbytes, held + stretch.nbytes)
            yield from stretch.backwards()
            self.n_gradients += stretch.n_gradients
            self._ends.pop()
