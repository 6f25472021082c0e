"""Reversible multiplication of integers by fractions: digits that are lost go to a buffer.

See Maclaurin, Duvenaud, Adams (2015), "Gradient-based Hyperparameter Optimization through
Reversible Learning", algorithm 3.
"""

import array
import math
import sys

import numpy as np

# The largest value of an accumulator, an unsigned integer of 64 bits.
FULL = 2**64 - 1
# Number of entries of a block. Chosen by hand: its arrays of 128 KiB stay in the cache.
BLOCK = 2**14


class InformationBuffer:
    """Bits that velocities lose when they decay, kept to be given back in reverse order.

    Invariant: ``undo`` after ``multiply`` leaves the velocities and the buffer as they were, bit
    for bit, whatever happens to both in pairs in between.

    Every weight has an accumulator, an integer whose digits are the remainders of the divisions.
    Taking a digit of base d and giving back one of base n, for a decay n/d, makes it grow by
    log2(d/n) bits, which is the entropy that is lost. A full accumulator spills its low half.

    Parameters
    ----------
    size : int
        Number of weights.

    Notes
    -----
    Section 3 and algorithm 3 of Maclaurin, Duvenaud and Adams, "Gradient-based Hyperparameter
    Optimization through Reversible Learning", ICML 2015. Instead of integers of any length, there
    is a machine word per weight and a stack of the halves that were spilled, as in ranged
    asymmetric numeral systems. One bound holds for all words, so that no weight is looked at.
    """

    def __init__(self, size):
        self._accumulators = np.zeros(size, dtype=np.uint64)
        self._largest = 0
        self._stored = []
        self._bounds, self._decays = array.array("Q"), Runs()

    @property
    def empty(self):
        """Whether every multiplication was undone, with the velocities that it left."""
        # With the log go the bound and all that was stored, but digits only if they are right.
        return not self._bounds and not self._accumulators.any()

    @property
    def n_bits(self):
        """Information held: what is stored, and the accumulators up to their bound."""
        stored = 8 * sum(part.nbytes for part in self._stored)
        return stored + self._accumulators.size * math.log2(self._largest + 1)

    @property
    def nbytes(self):
        """Memory held, with the log and the headers of all arrays."""
        parts = (self._accumulators, self._bounds, self._stored, *self._stored)
        return self._decays.nbytes + sum(map(sys.getsizeof, parts))

    def multiply(self, v, decay):
        """``v <- v * decay``, in place and up to rounding, which is remembered.

        Parameters
        ----------
        v : ndarray of int64 of shape (size,)
            It may be a view.
        decay : Decay
            0 stores all of ``v``, 64 bits per weight; 1 stores nothing.
        """
        self._require(v)
        n, d = int(decay.numerator), int(decay.denominator)
        self._bounds.append(self._largest)
        self._decays.push(n, d)
        if n == 0:
            self._stored.append(v.copy())
            v[:] = 0
            return
        if _overflows(self._largest, d):
            self._stored.append(self._accumulators.astype(np.uint32))
            self._accumulators >>= 32
            self._largest >>= 32
        exchange(v, self._accumulators, d, n)
        self._largest = _pushed(self._largest, d) // n

    def undo(self, v):
        """Take back the last multiplication that is not undone yet.

        Parameters
        ----------
        v : ndarray of int64 of shape (size,)
            The velocities that it left, which become those that it was given.
        """
        self._require(v)
        if not self._bounds:
            raise ValueError("Every multiplication of this buffer is undone already.")
        self._largest = self._bounds.pop()
        n, d = self._decays.pop()
        if n == 0:
            v[:] = self._stored.pop()
            return
        exchange(v, self._accumulators, n, d)
        if _overflows(self._largest, d):
            self._accumulators <<= 32
            self._accumulators |= self._stored.pop()

    def _require(self, v):
        if v.dtype != np.int64 or v.shape != self._accumulators.shape:
            raise ValueError(
                f"Velocities must be int64 of shape {self._accumulators.shape}, "
                f"got {v.dtype} of shape {v.shape}."
            )


class Runs:
    """A stack of pairs of integers, of which equal ones in a row take the room of one."""

    def __init__(self):
        self._flat = array.array("Q")

    @property
    def nbytes(self):
        return sys.getsizeof(self._flat)

    def push(self, a, b):
        if len(self._flat) == 0 or (self._flat[-3], self._flat[-2]) != (a, b):
            self._flat.extend((a, b, 0))
        self._flat[-1] += 1

    def pop(self):
        a, b, count = self._flat[-3:]
        self._flat[-1] -= 1
        if count == 1:
            del self._flat[-3:]
        return a, b


def _pushed(largest, base):
    """The largest number that an accumulator can be with one more digit."""
    return largest * base + base - 1


def _overflows(largest, base):
    """Whether there is no room for a digit; half of the bits leave room for any."""
    return _pushed(largest, base) > FULL


def exchange(v, accumulators, take, give):
    """Move a digit of base ``take`` out of each ``v`` and one of base ``give`` into it, in place.

    With ``v = q take + r`` and ``accumulator take + r = u give + s``, where q and u are floors,
    ``v <- q give + s`` and ``accumulator <- u``. The same with bases swapped is the inverse.

    Parameters
    ----------
    v : ndarray of int64
    accumulators : ndarray of uint64 like ``v``
        With room for a digit of base ``take``.
    take, give : int
    """
    if take == give:
        return
    scratch = np.empty((3, min(v.size, BLOCK)), dtype=np.int64)
    for start in range(0, v.size, BLOCK):
        block = slice(start, start + BLOCK)
        _exchange(v[block], accumulators[block], take, give, scratch[:, : v.size - start])


def _exchange(v, accumulators, take, give, scratch):
    # NumPy divides by a scalar much faster than it finds remainders.
    q, product, u = scratch
    np.floor_divide(v, take, out=q)
    np.multiply(q, take, out=product)
    v -= product
    accumulators *= take
    accumulators += v.view(np.uint64)
    u, product = u.view(np.uint64), product.view(np.uint64)
    np.floor_divide(accumulators, give, out=u)
    np.multiply(u, give, out=product)
    accumulators -= product
    q *= give
    np.add(q, accumulators.view(np.int64), out=v)
    accumulators[:] = u
