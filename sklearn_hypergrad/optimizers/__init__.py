"""Minimisers of functions ``fun(z) -> (value, gradient)``; they know nothing else about them."""

from sklearn_hypergrad.optimizers.adam import Adam
from sklearn_hypergrad.optimizers.base import Minimum, Optimizer
from sklearn_hypergrad.optimizers.cubic import Cubic
from sklearn_hypergrad.optimizers.lbfgs import LBFGS
from sklearn_hypergrad.optimizers.line import (
    Point,
    explore,
    fill,
    hopeless,
    places,
    polished,
    scan,
    sweep,
    widen,
)

__all__ = [
    "LBFGS",
    "Adam",
    "Cubic",
    "Minimum",
    "Optimizer",
    "Point",
    "explore",
    "fill",
    "hopeless",
    "places",
    "polished",
    "scan",
    "sweep",
    "widen",
]
