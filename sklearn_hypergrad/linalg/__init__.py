"""Inverses of stacks of symmetric operators, given as matrices or by products with vectors."""

from sklearn_hypergrad.linalg.cg import CG, conjugate_gradient
from sklearn_hypergrad.linalg.cholesky import (
    Cholesky,
    CholeskyBlocks,
    distinct_columns,
    factor,
    inverse_of_triangle,
    solve_factored,
)
from sklearn_hypergrad.linalg.direct import Direct
from sklearn_hypergrad.linalg.identity import Identity
from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved, SolveStatus
from sklearn_hypergrad.linalg.neumann import Neumann
from sklearn_hypergrad.linalg.spectral import Spectral
from sklearn_hypergrad.linalg.spectral_norm import curvature_bound

__all__ = [
    "CG",
    "Cholesky",
    "CholeskyBlocks",
    "Direct",
    "Identity",
    "InverseHessian",
    "Neumann",
    "SolveStatus",
    "Solved",
    "Spectral",
    "conjugate_gradient",
    "curvature_bound",
    "distinct_columns",
    "factor",
    "inverse_of_triangle",
    "solve_factored",
]
