"""Every state stored."""

import math

import numpy as np

from sklearn_hypergrad.training.dynamics import State
from sklearn_hypergrad.training.storage import Storage
from sklearn_hypergrad.training.trajectories.base import Step, Trajectory

# Bytes of linearizations that are kept, so that they need not be computed again. Chosen by hand:
# 1 GiB, half of the memory that stored states may take.
MOST_BYTES = 2**30


class Stored(Trajectory):
    """States of all steps in memory, and their linearizations while they fit.

    Parameters
    ----------
    run : Run
    state : State, default=None
        The state to begin with; None is the start of the run.
    first, last : int, default=None
        Steps ``first`` to ``last - 1`` are taken; None are the first and the last of the run.
    dtype : dtype, default=None
        Type of stored states: float32 halves the memory, at a relative error of about 1e-7 in each
        state. None keeps them as they are, and linearizations with them.
    storage : Storage, default=None
        Memory for the states; None is new memory.
    """

    def __init__(self, run, state=None, first=0, last=None, *, dtype=None, storage=None):
        self._run, self._first = run, first
        self._last = run.n_steps if last is None else last
        self._storage = storage or Storage()
        state = run.start() if state is None else state
        self._dtype = state.w.dtype
        self._stored = self._dtype if dtype is None else np.dtype(dtype)
        # A state and, where it is kept, the gradient there.
        exact = self._stored == self._dtype
        self._n_arrays = len(state.arrays)
        self._shape = self._n_arrays + exact, state.w.size
        self.n_gradients = self._last - first
        self.nbytes = (self.n_gradients + 1) * math.prod(self._shape) * self._stored.itemsize
        self._kept = []
        self._copy(state, first)
        self.final = self._train() if exact else self._train_beside(state)

    def backwards(self):
        after = self.final
        for t in reversed(range(self._first, self._last)):
            before = self._state(t)
            linearization = self._kept.pop()
            if linearization is None:
                linearization = self._run.linearize(before.w, t)
                self.n_gradients += 1
            rates = self._run.spread(self._run.rates(t), self._dtype)
            yield Step(t, before, after, linearization, rates)
            after = before

    def _train(self):
        """In the stored states themselves."""
        after = self._state(self._first)
        for t in range(self._first, self._last):
            before, after = after, self._state(t + 1)
            self._keep(self._run.advance(before, t, after), t)
        return after

    def _train_beside(self, state):
        """With copies, which are rounded."""
        for t, _, after, _ in self._run.walk(state, self._first, self._last):
            self._copy(after, t + 1)
            self._kept.append(None)
            state = after
        return state

    def _keep(self, linearization, t):
        gradient = self._rows(t)[-1]
        gradient[...] = linearization.gradient
        linearization.gradient = gradient
        linearization.shrink()
        fits = self.nbytes + linearization.nbytes <= MOST_BYTES
        self.nbytes += linearization.nbytes if fits else 0
        self._kept.append(linearization if fits else None)

    def _copy(self, state, t):
        for row, array in zip(self._state_rows(t), state.arrays, strict=True):
            row[...] = array

    def _state(self, t):
        return State.of_rows(self._state_rows(t).astype(self._dtype, copy=False))

    def _state_rows(self, t):
        return self._rows(t)[: self._n_arrays]

    def _rows(self, t):
        return self._storage.array(t - self._first, self._shape, self._stored)
