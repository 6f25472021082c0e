"""Which model an estimator is: one registered family per file, open to third parties."""

from sklearn_hypergrad.adapters import (
    differentiable,
    discriminant,
    glm,
    kernel_ridge,
    logistic,
    mlp,
    ridge,
)
from sklearn_hypergrad.adapters.base import (
    ClassifierFamily,
    Family,
    Hyperparameter,
    LinearFamily,
    ProbabilisticFamily,
    RegressorFamily,
    family,
)
from sklearn_hypergrad.adapters.differentiable import family_like
from sklearn_hypergrad.adapters.model import Fitted, LinearModel, Model, TrainedModel, WeightModel

__all__ = [
    "ClassifierFamily",
    "Family",
    "Fitted",
    "Hyperparameter",
    "LinearFamily",
    "LinearModel",
    "Model",
    "ProbabilisticFamily",
    "RegressorFamily",
    "TrainedModel",
    "WeightModel",
    "differentiable",
    "discriminant",
    "family",
    "family_like",
    "glm",
    "kernel_ridge",
    "logistic",
    "mlp",
    "ridge",
]
