"""A user's script, which mypy checks: what is typed, and what mistakes are noticed."""

import numpy as np
from sklearn.linear_model import Ridge

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.hypergradients import Reverse
from sklearn_hypergrad.inspection import NestedScore, nested_score

X, y = np.eye(3), np.arange(3.0)
search = HypergradSearchCV(
    Ridge(), {"alpha": Continuous(1e-3, 1e3)}, cv=5, max_iter=20, hypergradient=Reverse()
)
search.fit(X, y)
score: NestedScore = nested_score(search, X, y, cv=3)
largest: float = check_hypergradient(search, X, y, n_points=2).max()
text: str = str(search.report())
HypergradSearchCV(Ridge(), {}, max_iter="many")  # type: ignore[arg-type]
Continuous(low="small")  # type: ignore[arg-type]
