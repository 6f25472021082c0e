"""Scikit-learn's SVC and SVR, with one gamma per feature."""

from sklearn_hypergrad.svm.svc import SVC
from sklearn_hypergrad.svm.svr import SVR

__all__ = ["SVC", "SVR"]
