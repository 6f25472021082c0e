"""Estimators of your own in autograd.numpy, with all their hyperparameters tunable."""

from sklearn_hypergrad.differentiable.base import DifferentiableModel
from sklearn_hypergrad.differentiable.classifier import DifferentiableClassifier
from sklearn_hypergrad.differentiable.regressor import DifferentiableRegressor
from sklearn_hypergrad.differentiable.transformer import DifferentiableTransformer
from sklearn_hypergrad.problems.autograd.backends import flat
from sklearn_hypergrad.spaces import Hyperparameter

__all__ = [
    "DifferentiableClassifier",
    "DifferentiableModel",
    "DifferentiableRegressor",
    "DifferentiableTransformer",
    "Hyperparameter",
    "flat",
]
