"""Which inner problem an estimator is: one registered family per file, open to third parties."""

from sklearn_hypergrad.adapters import logistic, ridge
from sklearn_hypergrad.adapters.base import ClassifierFamily, Family, Hyperparameter, Term, family

__all__ = ["ClassifierFamily", "Family", "Hyperparameter", "Term", "family", "logistic", "ridge"]
