"""How to differentiate a trained model with respect to its hyperparameters."""

from sklearn_hypergrad.hypergradients.base import Evaluation, Hypergradient, WarmStart
from sklearn_hypergrad.hypergradients.implicit import Implicit

__all__ = ["Evaluation", "Hypergradient", "Implicit", "WarmStart"]
