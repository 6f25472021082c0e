"""Floats as integers, each in a unit of its own, so that sums can be taken back bit for bit."""

import sys

import numpy as np

from sklearn_hypergrad.exact.buffer import InformationBuffer
from sklearn_hypergrad.exact.stack import ElementStack

# Numbers and sums of this size: increments, their differences, are below 2**63, also where a decay
# has put a digit of up to 2**32 on top. So a look at sums is enough.
BITS = 62
LIMIT = 2.0**BITS - 2.0**34
# Bits that a number may grow by before its unit does. Chosen by hand: a number that nothing is
# known of begins with the 53 bits of a float, and few grow by more.
HEADROOM = 9
# The same for geometric sums, which grow by the reciprocal of 1 - decay: at most 2**12.
MOST_GROWTH = 12
# The exponent of numbers that are zero as yet. The smallest float is 2**-1074: any increment but
# zero is too large for this unit, and so it is the first one that sets the unit.
UNSET = -1074 - BITS


class LatticeOverflow(ArithmeticError):
    """A number is infinite or NaN, or too large to have been added."""


class ExactArray:
    """An array of floats that can be added to and decayed, and given back what it was.

    Every element is an integer times a power of two, its unit, which follows the data: it is set by
    the first value that is not zero, so that this has all the bits of a float, with room to grow.
    Where the room is used up the unit is enlarged, and what is lost is kept. Thus no data are too
    large or too small, and elements may differ by any factor.

    Parameters
    ----------
    values : ndarray of floats of shape (size,)
    sizes : tuple of int, default=()
        Lengths of the consecutive parts that have decays of their own; empty where nothing decays.
    """

    def __init__(self, values, sizes=()):
        self._exponents = np.full(values.shape, UNSET, np.int16)
        self._numbers = np.zeros(values.shape, np.int64)
        self._buffers = [InformationBuffer(size) for size in sizes]
        stops = np.cumsum((0, *sizes))
        self._parts = [slice(*ends) for ends in zip(stops[:-1], stops[1:], strict=True)]
        self._n_additions, self._rescaled, self._growth = 0, ElementStack(), 0
        self._add(values)

    @property
    def n_bits(self):
        """Information held so that numbers can be given back."""
        rescaled = 8 * self._rescaled.nbytes if self._rescaled else 0
        return rescaled + sum(buffer.n_bits for buffer in self._buffers)

    @property
    def nbytes(self):
        """Memory held."""
        own = sys.getsizeof(self._numbers) + sys.getsizeof(self._exponents)
        return own + self._rescaled.nbytes + sum(buffer.nbytes for buffer in self._buffers)

    @property
    def checksum(self):
        """The sum of the integers, modulo 2**64."""
        return int(self._numbers.sum()) % 2**64

    def values(self):
        """The array as float64: exact where integers have 53 bits, else rounded to these."""
        return np.ldexp(self._numbers, self._exponents)

    def began_with(self, values):
        """Whether these are the values that it was made of, and all that was done is taken back."""
        left = self._rescaled or not all(buffer.empty for buffer in self._buffers)
        return not left and np.array_equal(self.values(), values)

    def decay(self, decays):
        """Multiply every part by its own fraction, up to rounding, which is remembered.

        Parameters
        ----------
        decays : sequence of Decay
        """
        for part, buffer, decay in zip(self._parts, self._buffers, decays, strict=True):
            buffer.multiply(self._numbers[part], decay)
        self._growth = max(map(growth_bits, decays))

    def undo_decay(self):
        """Take back the last ``decay`` that is not taken back yet."""
        for part, buffer in zip(self._parts, self._buffers, strict=True):
            buffer.undo(self._numbers[part])

    def add(self, increments):
        """Add floats, each rounded to the unit of its element.

        Parameters
        ----------
        increments : ndarray of floats of shape (size,)

        Raises
        ------
        LatticeOverflow
            If one is infinite or NaN.
        """
        self._n_additions += 1
        self._add(increments)

    def take_back(self, increments):
        """Take back the last ``add`` that is not taken back yet, of the same floats.

        Parameters
        ----------
        increments : ndarray of floats of shape (size,)

        Raises
        ------
        LatticeOverflow
            If these were not added: they are too large for the units.
        """
        units = _rounded(increments, self._exponents)
        try:
            with np.errstate(invalid="raise"):
                self._numbers -= units.astype(np.int64)
        except FloatingPointError as error:
            raise LatticeOverflow("These numbers are not those that were added.") from error
        if self._rescaled.time == self._n_additions:
            indices, numbers, exponents = self._rescaled.pop()
            self._numbers[indices], self._exponents[indices] = numbers, exponents
        self._n_additions -= 1

    def _add(self, increments):
        units = _rounded(increments, self._exponents)
        total = units + self._numbers
        # NaN is not below anything, so that one look at both ends finds all.
        if not (-LIMIT < total.min(initial=0) and total.max(initial=0) < LIMIT):
            indices = np.flatnonzero(~(np.abs(total) < LIMIT))
            self._enlarge(increments[indices], indices)
            units[indices] = _rounded(increments[indices], self._exponents[indices])
        self._numbers += units.astype(np.int64)

    def _enlarge(self, increments, indices):
        """Larger units for some elements, which leave room for increments and more."""
        numbers, exponents = self._numbers[indices], self._exponents[indices]
        sizes = np.maximum(np.abs(increments), np.abs(np.ldexp(numbers, exponents)), dtype=float)
        if not np.isfinite(sizes).all():
            raise LatticeOverflow("A number is NaN or infinite: training diverged.")
        enlarged = np.frexp(sizes)[1] - (BITS - HEADROOM - self._growth)
        self._exponents[indices] = enlarged
        self._numbers[indices] >>= np.minimum(enlarged - exponents, 63)
        known = exponents != UNSET
        if known.any():
            kept = indices[known], numbers[known], exponents[known]
            self._rescaled.push(self._n_additions, *kept)


def _rounded(values, exponents):
    """Values in units of ``2**exponents``, rounded to the nearest, of ties to the even ones."""
    # Any value but zero is infinite in units that are not set.
    with np.errstate(over="ignore"):
        units = np.ldexp(values, np.negative(exponents), dtype=np.float64)
    return np.rint(units, out=units)


def growth_bits(decay):
    """Bits by which a sum grows whose terms decay, beyond the largest of them."""
    lost = decay.denominator - decay.numerator
    ratio = decay.denominator // lost if lost else 2**MOST_GROWTH
    return min(int(ratio).bit_length(), MOST_GROWTH)
