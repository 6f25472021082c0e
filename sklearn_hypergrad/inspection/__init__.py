"""Looking at searches: whether their hypergradient is right."""

from sklearn_hypergrad.inspection.check import check_hypergradient
from sklearn_hypergrad.inspection.convergence import ConvergenceDisplay
from sklearn_hypergrad.inspection.curve import CurveDisplay
from sklearn_hypergrad.inspection.held_out import HeldOutDisplay
from sklearn_hypergrad.inspection.nested import nested_score
from sklearn_hypergrad.inspection.nested_result import NestedScore, PairedDifference
from sklearn_hypergrad.inspection.paths import PathsDisplay
from sklearn_hypergrad.inspection.penalties import PenaltiesDisplay
from sklearn_hypergrad.inspection.schedules import SchedulesDisplay

__all__ = [
    "ConvergenceDisplay",
    "CurveDisplay",
    "HeldOutDisplay",
    "NestedScore",
    "PairedDifference",
    "PathsDisplay",
    "PenaltiesDisplay",
    "SchedulesDisplay",
    "check_hypergradient",
    "nested_score",
]
