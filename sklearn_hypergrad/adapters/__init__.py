"""Families of estimators: each file describes how one family is tuned, and registers it.

A family states the hyperparameters of its estimators, the configurations that it refuses, the model
of some data (predictions with derivatives), and how a solution is installed in a fitted estimator.
Third parties register families of their own with ``@family.register``.
"""

from sklearn_hypergrad.adapters import (
    chain,
    differentiable,
    discrete_bayes,
    discriminant,
    elastic_net,
    gaussian_bayes,
    gaussian_process,
    glm,
    huber,
    kernel_ridge,
    linear_svm,
    logistic,
    mlp,
    multi_output,
    one_vs_rest,
    quadratic,
    ridge,
    svm,
    transformed_target,
)
from sklearn_hypergrad.adapters.base import (
    ClassifierFamily,
    Family,
    Hyperparameter,
    LinearFamily,
    MarginFamily,
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
    "MarginFamily",
    "Model",
    "ProbabilisticFamily",
    "RegressorFamily",
    "TrainedModel",
    "WeightModel",
    "chain",
    "differentiable",
    "discrete_bayes",
    "discriminant",
    "elastic_net",
    "family",
    "family_like",
    "gaussian_bayes",
    "gaussian_process",
    "glm",
    "huber",
    "kernel_ridge",
    "linear_svm",
    "logistic",
    "mlp",
    "multi_output",
    "one_vs_rest",
    "quadratic",
    "ridge",
    "svm",
    "transformed_target",
]
