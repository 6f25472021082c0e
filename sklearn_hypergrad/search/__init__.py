"""The search: the estimator ``HypergradSearchCV`` and the parts that it is made of."""

from sklearn_hypergrad.search.reporting.params_json import params_from_json
from sklearn_hypergrad.search.search_cv import HypergradSearchCV

__all__ = ["HypergradSearchCV", "params_from_json"]
