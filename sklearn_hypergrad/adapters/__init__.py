"""Which inner problem an estimator is: one registered family per file, open to third parties."""

from sklearn_hypergrad.adapters import logistic, ridge
from sklearn_hypergrad.adapters.base import Family, Hyperparameter, Term, family

__all__ = ["Family", "Hyperparameter", "Term", "family", "logistic", "ridge"]
