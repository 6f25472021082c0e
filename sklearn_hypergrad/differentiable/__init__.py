"""Estimators of your own from a loss in autograd.numpy, with all their hyperparameters tunable."""

from sklearn_hypergrad.differentiable.base import DifferentiableModel
from sklearn_hypergrad.differentiable.classifier import DifferentiableClassifier
from sklearn_hypergrad.differentiable.regressor import DifferentiableRegressor
from sklearn_hypergrad.problems.autograd.nested import flat
from sklearn_hypergrad.spaces import Hyperparameter

__all__ = [
    "DifferentiableClassifier",
    "DifferentiableModel",
    "DifferentiableRegressor",
    "Hyperparameter",
    "flat",
]
