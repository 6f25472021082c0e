"""Minimisers of ``fun(z) -> (value, gradient)``: they see z, value and gradient, nothing else."""

from sklearn_hypergrad.optimizers.adam import Adam
from sklearn_hypergrad.optimizers.base import Minimum, Optimizer
from sklearn_hypergrad.optimizers.cubic import Cubic
from sklearn_hypergrad.optimizers.lbfgs import LBFGS
from sklearn_hypergrad.optimizers.scan import Point, brackets, hopeless, scan, turn, widen

__all__ = [
    "LBFGS",
    "Adam",
    "Cubic",
    "Minimum",
    "Optimizer",
    "Point",
    "brackets",
    "hopeless",
    "scan",
    "turn",
    "widen",
]
