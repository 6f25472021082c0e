"""What is tuned: hyperparameters, their bounds, and the vector the optimizer moves."""

from sklearn_hypergrad.spaces.continuous import Continuous
from sklearn_hypergrad.spaces.space import Dimension, Space

__all__ = ["Continuous", "Dimension", "Space"]
