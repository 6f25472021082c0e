"""Integer arithmetic that loses nothing, so that training can be run backwards bit for bit."""

from sklearn_hypergrad.exact.buffer import InformationBuffer
from sklearn_hypergrad.exact.decay import Decay
from sklearn_hypergrad.exact.exact_array import ExactArray, LatticeOverflow

__all__ = ["Decay", "ExactArray", "InformationBuffer", "LatticeOverflow"]
