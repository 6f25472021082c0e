import dataclasses

import numpy as np
import pytest

from sklearn_hypergrad import Continuous


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "Continuous()"),
        ({"low": 1e-3, "high": 1e3}, "Continuous(low=0.001, high=1000.0)"),
        ({"high": 2, "init": 1.0}, "Continuous(high=2, init=1.0)"),
        ({"low": 1, "scale": "log"}, "Continuous(low=1, scale='log')"),
        ({"per": "target"}, "Continuous(per='target')"),
        ({"per": "feature", "fixed": {"a": 0}}, "Continuous(per='feature', fixed={'a': 0})"),
    ],
)
def test_repr_shows_what_was_set_and_makes_it_again(arguments, text):
    continuous = Continuous(**arguments)
    assert repr(continuous) == text
    assert eval(text) == continuous


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2)])
def test_any_real_number_is_a_bound(value):
    assert Continuous(1, value) == Continuous(1, 2.0)


@pytest.mark.parametrize("name", ["low", "high", "init"])
@pytest.mark.parametrize("value", [True, "1", 1j, [1.0], np.array([1.0, 2.0])])
def test_what_is_not_a_number_is_refused(name, value):
    # A start may have several values.
    if name == "init" and np.ndim(value):
        value = [value, "1"]
    with pytest.raises(TypeError, match=rf"Continuous\({name}=...\) must be a number or None"):
        Continuous(**{name: value})


@pytest.mark.parametrize("name", ["low", "high", "init"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(name, value):
    with pytest.raises(ValueError, match=rf"Continuous\({name}=...\) must be finite.*no bound"):
        Continuous(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"low": 2, "high": 1}, "needs low < high, got low=2, high=1"),
        ({"low": 1, "high": 1}, "needs low < high"),
        ({"low": 1, "high": 2, "init": 3}, "needs init between low and high, got init=3"),
        ({"low": 1, "init": 0.5}, "needs init between"),
        ({"scale": "cubic"}, "scale.*must be one of .*'log'.*got 'cubic'"),
        ({"per": "row"}, "per.*must be one of .*'target'.*got 'row'"),
        ({"per": "features"}, "'features'. Did you mean 'feature'"),
        ({"scale": "logarithmic"}, "Did you mean 'log'"),
        ({"per": "group"}, "go together, got per='group' and groups=None"),
        ({"per": "feature", "groups": [0, 1]}, "go together, got per='feature' and groups=labels"),
        (
            {"per": "feature", "fixed": {"a": 1.0}},
            "at 0 or infinity, got 1.0 for 'a'",
        ),
        ({"scale": "linear"}, "needs both bounds"),
        ({"low": 1, "scale": "linear"}, "needs both bounds"),
        ({"high": 1, "scale": "linear"}, "needs both bounds"),
        ({"low": 0, "high": 1, "scale": "log"}, "needs low > 0, got 0"),
        ({"low": -1, "high": 1, "scale": "log"}, "needs low > 0, got -1"),
        ({"high": -1, "scale": "log"}, "needs high > 0, got -1"),
    ],
)
def test_contradictions_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        Continuous(**arguments)


@pytest.mark.parametrize("init", [1, 2])
def test_init_may_be_a_bound(init):
    assert Continuous(1, 2, init=init).init == init


def test_only_bounds_are_positional_and_nothing_can_be_changed():
    with pytest.raises(TypeError):
        Continuous(1, 2, "log")
    continuous = Continuous(1, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        continuous.low = 0
    assert hash(continuous) == hash(Continuous(1, 2))


@pytest.mark.parametrize("groups", [range(5000), {f"name {i}": i for i in range(5000)}])
def test_long_groups_are_abbreviated(groups):
    shown = repr(Continuous(per="group", groups=groups))
    assert len(shown) < 300
    assert "4999" in shown
