"""Search spaces: hyperparameters, their bounds, and the vector that an optimizer moves."""

from sklearn_hypergrad.spaces.continuous import Continuous
from sklearn_hypergrad.spaces.hyperparameter import Hyperparameter
from sklearn_hypergrad.spaces.paths import Path, flattened, nested
from sklearn_hypergrad.spaces.space import Dimension, Space
from sklearn_hypergrad.spaces.splitting import (
    MOST_DEVIATION,
    Beside,
    LevelAndDeviations,
    Unsplit,
    l1,
    log_penalty,
    minimax_concave,
)

__all__ = [
    "MOST_DEVIATION",
    "Beside",
    "Continuous",
    "Dimension",
    "Hyperparameter",
    "LevelAndDeviations",
    "Path",
    "Space",
    "Unsplit",
    "flattened",
    "l1",
    "log_penalty",
    "minimax_concave",
    "nested",
]
