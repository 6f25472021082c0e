"""Numbers whose sums are exact: multiples of a power of two, as integers."""

import dataclasses
import math

import numpy as np

# Numbers below 2**62 have sums below 2**63: they can be added once before they are checked.
BITS = 62


class LatticeOverflow(ArithmeticError):
    """A number is too large for the lattice, infinite or NaN."""


@dataclasses.dataclass(frozen=True)
class FixedPoint:
    """The lattice of the multiples of ``2**-fraction_bits``, of absolute value below ``limit``.

    Additions of lattice numbers are exact, and so they can be taken back. Weights and velocities
    share one lattice. The default has numbers below 4096 with 15 decimals.

    Parameters
    ----------
    fraction_bits : int, default=50
        From 0 to 62.
    """

    fraction_bits: int = 50

    def __post_init__(self):
        if not 0 <= self.fraction_bits <= BITS:
            raise ValueError(f"fraction_bits must be from 0 to {BITS}, got {self.fraction_bits}.")

    @property
    def limit(self):
        """The power of two that absolute values stay below."""
        return 2.0 ** (BITS - self.fraction_bits)

    def encode(self, values):
        """The nearest lattice numbers, of ties the even ones.

        Parameters
        ----------
        values : ndarray of float64
            Weights, or increments of weights or velocities.

        Returns
        -------
        ndarray of int64 like ``values``

        Raises
        ------
        LatticeOverflow
            If a value is NaN, infinite or too large.
        """
        self._require(values, self.limit)
        scaled = values * 2.0**self.fraction_bits
        np.rint(scaled, out=scaled)
        # Adding 1.5 * 2**52, to read the integer off the bits, is not faster than this.
        return scaled.astype(np.int64)

    def decode(self, numbers, out=None):
        """Lattice numbers as floats: exact below 2**53 units, else rounded to 53 bits.

        Parameters
        ----------
        numbers : ndarray of int64
        out : ndarray of float64, default=None
            Where to write them; None is a new array.
        """
        return np.multiply(numbers, 2.0**-self.fraction_bits, out=out)

    def check(self, numbers):
        """Raise LatticeOverflow unless all numbers, sums of two of the lattice, belong to it.

        Parameters
        ----------
        numbers : ndarray of int64
        """
        self._require(numbers, 2**BITS)

    def _require(self, values, limit):
        """NaN is not below anything, so that one look at both ends finds all."""
        low, high = values.min(initial=0), values.max(initial=0)
        if -limit < low and high < limit:
            return
        if not (math.isfinite(low) and math.isfinite(high)):
            raise LatticeOverflow("A number is NaN or infinite: training diverged.")
        largest = max(-float(low), float(high)) * (self.limit / limit)
        raise LatticeOverflow(
            f"A number of absolute value {largest:.3g} exceeds the lattice, which ends at "
            f"{self.limit:g}. Training diverges, or needs a lattice of fewer fraction_bits."
        )
