"""Inverses of stacks of symmetric positive definite operators: factorise once, solve many times."""

from sklearn_hypergrad.linalg.cg import conjugate_gradient
from sklearn_hypergrad.linalg.cholesky import Cholesky, CholeskyBlocks, factor, solve_factored
from sklearn_hypergrad.linalg.spectral import Spectral

__all__ = [
    "Cholesky",
    "CholeskyBlocks",
    "Spectral",
    "conjugate_gradient",
    "factor",
    "solve_factored",
]
