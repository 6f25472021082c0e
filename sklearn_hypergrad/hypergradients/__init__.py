"""Methods that differentiate a trained model with respect to its hyperparameters."""

from sklearn_hypergrad.hypergradients.base import (
    Evaluation,
    FittedWeights,
    Hypergradient,
    Pulled,
    TrainedHypergradient,
    WarmStart,
)
from sklearn_hypergrad.hypergradients.forward import Forward
from sklearn_hypergrad.hypergradients.functional import hypergradient
from sklearn_hypergrad.hypergradients.implicit import Implicit
from sklearn_hypergrad.hypergradients.online import (
    Online,
    OnlineHypergradient,
    RealTime,
    Session,
)
from sklearn_hypergrad.hypergradients.reverse import Reverse
from sklearn_hypergrad.hypergradients.reversible import Reversible
from sklearn_hypergrad.hypergradients.truncated import Truncated

__all__ = [
    "Evaluation",
    "FittedWeights",
    "Forward",
    "Hypergradient",
    "Implicit",
    "Online",
    "OnlineHypergradient",
    "Pulled",
    "RealTime",
    "Reverse",
    "Reversible",
    "Session",
    "TrainedHypergradient",
    "Truncated",
    "WarmStart",
    "hypergradient",
]
