"""Which inner problem an estimator is: one registered family per file, open to third parties."""

from sklearn_hypergrad.adapters import differentiable, logistic, mlp, ridge
from sklearn_hypergrad.adapters.base import (
    ClassifierFamily,
    Family,
    Hyperparameter,
    JointFamily,
    ProbabilisticFamily,
    RegressorFamily,
    SolvedFamily,
    Term,
    TrainedFamily,
    family,
)
from sklearn_hypergrad.adapters.differentiable import family_like

__all__ = [
    "ClassifierFamily",
    "Family",
    "Hyperparameter",
    "JointFamily",
    "ProbabilisticFamily",
    "RegressorFamily",
    "SolvedFamily",
    "Term",
    "TrainedFamily",
    "differentiable",
    "family",
    "family_like",
    "logistic",
    "mlp",
    "ridge",
]
