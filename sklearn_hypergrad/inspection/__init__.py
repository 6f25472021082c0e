"""Looking at searches: is the hypergradient right?"""

from sklearn_hypergrad.inspection.check import check_hypergradient

__all__ = ["check_hypergradient"]
