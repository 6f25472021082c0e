"""Feedforward networks whose training can be differentiated."""

from sklearn_hypergrad.neural_network.classifier import MLPClassifier
from sklearn_hypergrad.neural_network.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
