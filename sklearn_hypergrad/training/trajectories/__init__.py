"""Trajectories: recover the states of a training run in reverse order."""

from sklearn_hypergrad.training.trajectories.base import Step, Trajectory
from sklearn_hypergrad.training.trajectories.checkpointed import Checkpointed
from sklearn_hypergrad.training.trajectories.reversed import NotReversed, Reversed
from sklearn_hypergrad.training.trajectories.stored import Stored

__all__ = ["Checkpointed", "NotReversed", "Reversed", "Step", "Stored", "Trajectory"]
