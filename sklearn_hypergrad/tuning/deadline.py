"""The deadline of a search: ``max_time``."""

import time

import numpy as np

from sklearn_hypergrad.tuning.events import Stopped


class Deadline:
    """Stops a search some seconds after this object was made.

    It is a listener, which must be the first, and ``check`` is the watch of an objective. Before
    the first finite evaluation it stops nothing: there would be nothing to return.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds):
        self.reason = f"max_time={seconds:g} s reached"
        self._end = time.perf_counter() + seconds
        self._has_result = False

    # Clocks of processes have different origins; only that of the wall is common to all.
    def __getstate__(self):
        left = self._end - time.perf_counter()
        return {**self.__dict__, "_end": time.time() + left}

    def __setstate__(self, state):
        left = state["_end"] - time.time()
        self.__dict__ = {**state, "_end": time.perf_counter() + left}

    def __call__(self, stage, record, settings):
        self._has_result = self._has_result or bool(np.isfinite(record.value))

    @property
    def has_passed(self):
        """Whether the time is over, whatever was evaluated."""
        return time.perf_counter() >= self._end

    def check(self):
        """Raise Stopped if the time is over and there is something to return."""
        if self._has_result and self.has_passed:
            raise Stopped(self.reason)
