"""Inverses of stacks of symmetric positive definite operators: factorise once, solve many times."""

from sklearn_hypergrad.linalg.cg import conjugate_gradient
from sklearn_hypergrad.linalg.cholesky import CholeskyBlocks
from sklearn_hypergrad.linalg.spectral import Spectral

__all__ = ["CholeskyBlocks", "Spectral", "conjugate_gradient"]
