"""Scikit-learn's KernelRidge, with one gamma per feature."""

from sklearn_hypergrad.kernel_ridge.kernel_ridge import KernelRidge

__all__ = ["KernelRidge"]
