"""Looking at searches: whether their hypergradient is right."""

from sklearn_hypergrad.inspection.check import check_hypergradient

__all__ = ["check_hypergradient"]
