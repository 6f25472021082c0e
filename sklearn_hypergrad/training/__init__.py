"""Training runs: dynamics on batches of samples, from the first step to the last and back."""

from sklearn_hypergrad.training.adjoint import Tangents, pull_back
from sklearn_hypergrad.training.batches import Among, Epochs, Listed, seed_of
from sklearn_hypergrad.training.descent import GradientDescent, training_of
from sklearn_hypergrad.training.dynamics import (
    Adam,
    Dynamics,
    Momentum,
    Nesterov,
    RMSprop,
    State,
)
from sklearn_hypergrad.training.hyperparameters import OF_TRAINING, SCHEDULES
from sklearn_hypergrad.training.run import Diverged, NotRepeated, Run, Training, explained
from sklearn_hypergrad.training.storage import Storage
from sklearn_hypergrad.training.trajectories import Checkpointed, NotReversed, Reversed, Stored

__all__ = [
    "OF_TRAINING",
    "SCHEDULES",
    "Adam",
    "Among",
    "Checkpointed",
    "Diverged",
    "Dynamics",
    "Epochs",
    "GradientDescent",
    "Listed",
    "Momentum",
    "Nesterov",
    "NotRepeated",
    "NotReversed",
    "RMSprop",
    "Reversed",
    "Run",
    "State",
    "Storage",
    "Stored",
    "Tangents",
    "Training",
    "explained",
    "pull_back",
    "seed_of",
    "training_of",
]
