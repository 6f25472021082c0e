"""What is tuned: hyperparameters, their bounds, and the vector the optimizer moves."""

from sklearn_hypergrad.spaces.continuous import Continuous
from sklearn_hypergrad.spaces.space import Dimension, Space
from sklearn_hypergrad.spaces.splitting import LevelAndDeviations, Unsplit

__all__ = ["Continuous", "Dimension", "LevelAndDeviations", "Space", "Unsplit"]
