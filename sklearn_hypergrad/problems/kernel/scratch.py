"""Work arrays that are used again."""

import numpy as np

# Entries of arrays that are kept. Chosen by hand: 32 MB each, of kernels of 2,000 rows; for larger
# ones the factorisation takes ten times as long as the memory.
MOST_NUMBERS = 2**22


class Scratch:
    """Arrays by their shapes, which evaluations take and give back.

    Memory that is fresh from the system is filled with zeros first. Measured: for kernels of 400 to
    1000 rows that takes as long as all that is then done with it.
    """

    def __init__(self):
        self._free = {}

    def take(self, shape):
        """An array of any contents."""
        free = self._free.setdefault(shape, [])
        # Another thread may be faster.
        try:
            return free.pop()
        except IndexError:
            return np.empty(shape)

    def give_back(self, *arrays):
        """Let others use arrays that nobody refers to any longer."""
        for array in arrays:
            if array.size <= MOST_NUMBERS:
                self._free.setdefault(array.shape, []).append(array)
