"""Methods that move hyperparameters while the weights are trained, in one training run."""

from sklearn_hypergrad.hypergradients.online.base import OnlineHypergradient, Session
from sklearn_hypergrad.hypergradients.online.online import Online
from sklearn_hypergrad.hypergradients.online.real_time import RealTime

__all__ = ["Online", "OnlineHypergradient", "RealTime", "Session"]
