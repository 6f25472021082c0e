"""Tables of searches, whichever library for data frames there is."""

import importlib.util

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.neural_network import MLPRegressor

NETWORK = MLPRegressor((3,), n_steps=3, random_state=0)
SEARCHES = [
    HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=2),
    HypergradSearchCV(linear_model.Ridge(), {"alpha": Continuous(per="feature")}, cv=2),
    HypergradSearchCV(NETWORK, {"alpha": Continuous(), "momentum": [0.5, 0.9]}, cv=2, max_iter=2),
]


@pytest.fixture
def only(monkeypatch):
    """``only(name)`` hides the other libraries."""
    found = importlib.util.find_spec

    def hide(kept):
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name: found(name) if name not in {"pandas", "polars"} - {kept} else None,
        )

    return hide


@pytest.mark.parametrize("search", SEARCHES, ids=["number", "vector", "several"])
@pytest.mark.parametrize("library", ["pandas", "polars", "none"])
def test_the_same_columns(data, only, library, search):
    if library != "none":
        pytest.importorskip(library)
    X, y = data("diabetes")
    X, y = X[:100], (y[:100] - y.mean()) / y.std()
    only("pandas")
    expected = search.fit(X, y)
    expected = expected.history_.copy(), expected.hyperparameters_.copy()
    only(library)
    search.fit(X, y)
    for table, reference in zip((search.history_, search.hyperparameters_), expected, strict=True):
        kind = dict if library == "none" else vars(pytest.importorskip(library))["DataFrame"]
        assert isinstance(table, kind)
        for name in set(reference) - {"seconds"}:
            np.testing.assert_equal(list(table[name]), list(reference[name]))
