"""Elements of arrays as they were before they were changed, to be given back in reverse order."""

import array
import sys

import numpy as np

DTYPES = np.uint32, np.int64, np.int16


class ElementStack:
    """Indices, integers and exponents, pushed a few at a time, in 14 bytes for each."""

    def __init__(self):
        self._columns = [array.array(np.dtype(dtype).char) for dtype in DTYPES]
        # When they were pushed, and how many.
        self._times, self._counts = array.array("q"), array.array("q")

    def __len__(self):
        return len(self._columns[0])

    @property
    def nbytes(self):
        """Memory held."""
        return sum(map(sys.getsizeof, (*self._columns, self._times, self._counts)))

    @property
    def time(self):
        """The time of the last push that is not popped yet; None without one."""
        return self._times[-1] if self._times else None

    def push(self, time, *columns):
        """Remember elements: arrays of their indices, integers and exponents."""
        for column, dtype, values in zip(self._columns, DTYPES, columns, strict=True):
            column.frombytes(values.astype(dtype).tobytes())
        self._times.append(time)
        self._counts.append(len(columns[0]))

    def pop(self):
        """The last three arrays that were pushed."""
        self._times.pop()
        first = len(self) - self._counts.pop()
        last = [column[first:] for column in self._columns]
        for column in self._columns:
            del column[first:]
        return [np.asarray(part) for part in last]
