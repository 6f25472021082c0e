"""Momenta as exact fractions."""

import dataclasses
import fractions
import math

# Smallest distance of a momentum from 0 and 1 that its fraction must resolve, with a denominator up
# to the inverse. Chosen by hand: the precision of float32; denominators must stay below 2**32.
CLOSEST = 2**-24


@dataclasses.dataclass(frozen=True)
class Decay:
    """The fraction ``numerator / denominator``, from 0 to 1, that velocities are multiplied by.

    A multiplication rounds a velocity to within ``numerator`` units of the lattice, and so small
    fractions are the best ones: 9/10 disturbs a run less than 58982/65536.

    Parameters
    ----------
    numerator : int
    denominator : int
        At most 2**32, what the accumulators of an InformationBuffer have room for.
    """

    # Denominators that are powers of two would save 1 ns of 7 per weight with NumPy 2.4 and nothing
    # with 1.24. But after 100 steps with 9/10 weights are within 3e-14 of those of floats, and with
    # 58982/65536 within 2e-10 of those with that momentum and 7e-6 of those with 0.9.
    numerator: int
    denominator: int

    def __post_init__(self):
        if not (0 <= self.numerator <= self.denominator <= 2**32 and self.denominator > 0):
            raise ValueError(
                f"{self.numerator}/{self.denominator} is no decay: it must be a fraction from 0 to "
                "1 with a denominator of at most 2**32."
            )

    @classmethod
    def of(cls, momentum, max_bits=16):
        """The fraction nearest to a momentum, which is exact for those with few digits.

        Parameters
        ----------
        momentum : float
            From 0 to 1.
        max_bits : int, default=16
            Denominators are at most ``2**max_bits``. Next to 0 and 1 they may be as large as the
            reciprocal of the distance, up to 2**24, so that momenta do not become 0 or 1 unless
            they are within about 2**-25 of these.

        Returns
        -------
        Decay
            With a ``value`` that differs from ``momentum`` by at most ``2**-max_bits``.
        """
        if not 0 <= momentum <= 1:
            raise ValueError(
                f"A momentum must be from 0 to 1, got {momentum}. A larger one makes velocities "
                "grow without end, and a negative one makes them alternate."
            )
        distance = max(min(momentum, 1 - momentum), CLOSEST)
        largest = max(2**max_bits, math.ceil(1 / distance))
        nearest = fractions.Fraction(float(momentum)).limit_denominator(largest)
        return cls(nearest.numerator, nearest.denominator)

    @property
    def value(self):
        """The momentum that is really used, for formulas such as ``(1 - momentum) * gradient``."""
        return self.numerator / self.denominator
