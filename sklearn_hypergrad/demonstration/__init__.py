"""The search beside a grid and the untouched model, on bundled data or a table of one's own."""

from sklearn_hypergrad.demonstration.comparison import compare, grid_of, printed
from sklearn_hypergrad.demonstration.models import MODELS, default_model
from sklearn_hypergrad.demonstration.table import TableError, preprocessing, read

__all__ = [
    "MODELS",
    "TableError",
    "compare",
    "default_model",
    "grid_of",
    "preprocessing",
    "printed",
    "read",
]
