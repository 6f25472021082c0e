"""Which inner problem an estimator is: one registered family per file, open to third parties."""

from sklearn_hypergrad.adapters import logistic, mlp, ridge
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
    "family",
    "logistic",
    "mlp",
    "ridge",
]
