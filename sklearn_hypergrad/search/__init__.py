"""The search: a scikit-learn estimator around the floors below."""

from sklearn_hypergrad.search.search_cv import HypergradSearchCV

__all__ = ["HypergradSearchCV"]
