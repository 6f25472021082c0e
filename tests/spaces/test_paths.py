"""Nested hyperparameters and their names."""

import pickle

import numpy as np
import pytest

from sklearn_hypergrad.spaces import Path, flattened, nested


def test_there_and_back():
    v = np.arange(3.0)
    h = {"a": 1.0, "net": {"W": v, "layers": [v, {"rate": 2.0}, [v, v]]}, "list": [1.0, 2.0]}
    flat = flattened(h)
    names = ["a", "net.W", "net.layers.0", "net.layers.1.rate"]
    assert list(flat) == [*names, "net.layers.2.0", "net.layers.2.1", "list"]
    assert flat["net.W"] is v
    back = nested(flat)
    assert back == h
    assert nested(flattened(back)) == h


def test_flat_ones_stay_as_they_are():
    h = {"a": 1.0, "b": [[1.0, 2.0], [3.0, 4.0]], "c": (1, 2)}
    assert flattened(h) == h
    assert nested(h) is h


def test_a_path_is_its_name():
    path = Path(("net", 0))
    assert (path, repr(path)) == ("net.0", "'net.0'")
    again = pickle.loads(pickle.dumps(path))
    assert (type(again), again.keys) == (Path, ("net", 0))


def test_names_are_not_ambiguous():
    with pytest.raises(ValueError, match="two hyperparameters of the name 'a.b'"):
        flattened({"a.b": 1.0, "a": {"b": 2.0}})
