"""Tune continuous hyperparameters by following the gradient of the cross-validation loss."""

from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.inspection import check_hypergradient
from sklearn_hypergrad.search import HypergradSearchCV, params_from_json
from sklearn_hypergrad.spaces import Continuous

__all__ = [
    "Continuous",
    "HypergradSearchCV",
    "HypergradWarning",
    "check_hypergradient",
    "params_from_json",
]
__version__ = "0.1.0"
