"""Tables of searches, whichever library for data frames there is."""

import copy
import gc
import importlib.util
import pickle
import weakref

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
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


def made(search):
    """Which tables a search has made."""
    return {"history_", "hyperparameters_"} & vars(search).keys()


@pytest.mark.parametrize(
    "passed",
    [
        pytest.param(lambda search: pickle.loads(pickle.dumps(search)), id="pickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(copy.copy, id="copy"),
        # Its processes pickle, too.
        pytest.param(
            lambda search: Parallel(2, backend="loky")([delayed(copy.copy)(search)])[0],
            id="joblib",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_tables_are_made_when_they_are_asked_for(data, passed):
    pd = pytest.importorskip("pandas")
    X, y = data("diabetes")
    search = clone(SEARCHES[0]).fit(X, y)
    assert not made(search)
    before = passed(search)
    assert hasattr(search, "history_")
    assert made(search) == {"history_"}
    assert search.history_ is search.history_
    after = passed(search)
    for other in (before, after):
        for name in ("history_", "hyperparameters_"):
            pd.testing.assert_frame_equal(getattr(other, name), getattr(search, name))


def test_fits_before_leave_no_tables(data):
    X, y = data("diabetes")
    search = clone(SEARCHES[0])
    for name in ("history_", "hyperparameters_"):
        assert not hasattr(search, name)
        with pytest.raises(AttributeError, match=f"'HypergradSearchCV' object .*'{name}'"):
            getattr(search, name)
    old = search.fit(X, y).history_
    assert search.fit(X[:50], y[:50]).history_ is not old
    search.param_grid = {"alpha": [1.0]}
    assert not hasattr(search.fit(X, y), "history_")
    assert not made(search)


def test_tables_hold_no_data_and_no_models(data):
    X, y = (array.copy() for array in data("diabetes"))
    search = clone(SEARCHES[1]).set_params(refit=False).fit(X, y)
    X, reference = None, weakref.ref(X)
    gc.collect()
    assert reference() is None
    assert len(search.history_)
