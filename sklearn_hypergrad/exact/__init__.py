"""Integer arithmetic that loses nothing, so that training can be run backwards bit for bit."""

from sklearn_hypergrad.exact.buffer import InformationBuffer
from sklearn_hypergrad.exact.decay import Decay
from sklearn_hypergrad.exact.fixed_point import FixedPoint, LatticeOverflow

__all__ = ["Decay", "FixedPoint", "InformationBuffer", "LatticeOverflow"]
