"""Scikit-learn's linear models with an L2 penalty, with one penalty per feature or coefficient."""

from sklearn_hypergrad.linear_model.logistic import LogisticRegression
from sklearn_hypergrad.linear_model.ridge import Ridge
from sklearn_hypergrad.linear_model.ridge_classifier import RidgeClassifier

__all__ = ["LogisticRegression", "Ridge", "RidgeClassifier"]
