"""How weights move along gradients, and what of it can be differentiated and undone."""

from sklearn_hypergrad.training.dynamics.adam import Adam
from sklearn_hypergrad.training.dynamics.base import Dynamics, State
from sklearn_hypergrad.training.dynamics.momentum import Momentum
from sklearn_hypergrad.training.dynamics.nesterov import Nesterov
from sklearn_hypergrad.training.dynamics.rmsprop import RMSprop

__all__ = ["Adam", "Dynamics", "Momentum", "Nesterov", "RMSprop", "State"]
