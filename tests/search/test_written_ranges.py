"""Ranges as users of scipy, Optuna and scikit-optimize write them."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import expon, loguniform, norm, randint, reciprocal, uniform
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import ElasticNet, Ridge

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.neural_network import MLPRegressor
from sklearn_hypergrad.search.candidates.expand import expand

FOREST = RandomForestRegressor(2)


class IntDistribution(SimpleNamespace):
    """The attributes of Optuna's."""


class Drawn:
    """What RandomizedSearchCV takes: anything with ``rvs``."""

    def rvs(self, random_state=None):
        return 1.0


def found(values, name="alpha", model=None):
    (candidate,) = expand({name: values}, Ridge() if model is None else model)
    return candidate.range


RANGES = {
    "loguniform": (loguniform(1e-3, 1e3), 1e-3, 1e3, "log"),
    "loguniform by names": (loguniform(a=0.1, b=2), 0.1, 2, "log"),
    "loguniform, scaled": (loguniform(1, 2, scale=10), 10, 20, "log"),
    "reciprocal": (reciprocal(0.1, 2), 0.1, 2, "log"),
    "uniform": (uniform(0.01, 1), 0.01, 1.01, "log"),
    "uniform, narrow": (uniform(loc=1, scale=2), 1, 3, "linear"),
    "uniform from zero": (uniform(0, 1), None, 1, "log"),
    "log": (SimpleNamespace(low=0.5, high=2, log=True), 0.5, 2, "log"),
    "not log": (SimpleNamespace(low=0.5, high=2, log=False, step=None), 0.5, 2, "linear"),
    "prior": (SimpleNamespace(low=0.5, high=2.0, prior="log-uniform"), 0.5, 2, "log"),
    "prior, uniform": (SimpleNamespace(low=0.5, high=2.0, prior="uniform"), 0.5, 2, "linear"),
    "words": ((1e-3, 1e3, "log-uniform"), 1e-3, 1e3, "log"),
    "words and base": ((1, 2, "log-uniform", 2), 1, 2, "log"),
    "words, uniform": ((1, 2, "uniform"), 1, 2, "linear"),
}


@pytest.mark.parametrize("case", RANGES)
@pytest.mark.parametrize("in_list", [False, True])
def test_distributions_are_ranges(case, in_list):
    values, low, high, scale = RANGES[case]
    span = found([values] if in_list else values)
    ends = span.continuous.low, span.continuous.high
    assert [end and round(end, 12) for end in ends] == [low, high]
    assert span.scale == scale
    assert span.listed == ()


def test_those_of_the_packages_are_read():
    distributions = pytest.importorskip("optuna.distributions")
    space = pytest.importorskip("skopt.space")
    for values in (
        distributions.FloatDistribution(1e-3, 1e3, log=True),
        space.Real(1e-3, 1e3, "log-uniform"),
    ):
        span = found(values)
        assert (span.continuous.low, span.continuous.high, span.scale) == (1e-3, 1e3, "log")
    for whole in (distributions.IntDistribution(1, 9), space.Integer(1, 9)):
        with pytest.raises(TypeError, match=r"such as range\(1, 10\)"):
            found(whole)
    for choices in (distributions.CategoricalDistribution([1, 9]), space.Categorical([1, 9])):
        with pytest.raises(TypeError, match=r"write the list \[1, 9\]"):
            found(choices)
    with pytest.raises(TypeError, match=r"or write np.linspace\(0.1, 1, 10\)"):
        found(distributions.FloatDistribution(0.1, 1.0, step=0.1))


def test_ends_on_the_limits_of_other_hyperparameters_are_no_bounds():
    span = found(uniform(0, 1), "l1_ratio", ElasticNet())
    assert (span.continuous.low, span.continuous.high) == (None, 1)
    span = found(uniform(0, 1), "momentum", MLPRegressor())
    assert (span.continuous.low, span.continuous.high) == (None, None)


@pytest.mark.parametrize(
    ("values", "name", "model", "error", "match"),
    [
        (uniform(-1, 3), "alpha", Ridge(), ValueError, r"uniform\(-1, 3\).*got low=-1.0. Leave"),
        (uniform(1, -3), "alpha", Ridge(), TypeError, "uniform.* is the range from loc to loc"),
        (loguniform(2, 1), "alpha", Ridge(), TypeError, "range from a to b, with 0 < a < b"),
        ((3, 2, "uniform"), "alpha", Ridge(), ValueError, "low < high"),
        ((0, 2, "log-uniform"), "alpha", Ridge(), ValueError, r"\(0, 2.*needs low > 0"),
        (norm(), "alpha", Ridge(), TypeError, r"norm\(\).*samples nothing.*Continuous\(\)"),
        (expon(scale=2), "alpha", Ridge(), TypeError, r"expon\(scale=2\).*samples nothing"),
        (Drawn(), "alpha", Ridge(), TypeError, "samples nothing"),
        (randint(1, 4), "max_depth", FOREST, TypeError, r"such as range\(1, 4\)"),
        (IntDistribution(low=1, high=4, log=False), "max_depth", FOREST, TypeError, "whole"),
        ([loguniform(1, 2), 3.0], "alpha", Ridge(), ValueError, "mixes Continuous"),
        ([loguniform(1, 2), loguniform(3, 4)], "alpha", Ridge(), ValueError, "mixes Continuous"),
        (
            loguniform(0.01, 1),
            "max_features",
            FOREST,
            ValueError,
            r"loguniform\(0.01, 1\).*trees.*instead, such as np.geomspace\(0.01, 1, 3\)",
        ),
        (
            (0.5, 0.9, "uniform"),
            "max_features",
            FOREST,
            ValueError,
            r"\(0.5, 0.9, 'uniform'\).*trees.*such as np.linspace\(0.5, 0.9, 5\)",
        ),
    ],
)
def test_what_is_sampled_is_refused_with_a_remedy(values, name, model, error, match):
    with pytest.raises(error, match=match):
        found(values, name, model)


def test_what_grid_search_enumerates_stays_enumerated():
    values = [uniform(0, 1)]
    (candidate,) = expand({"max_features": values}, FOREST)
    assert candidate.settings == {"max_features": values[0]}


def test_a_range_is_a_value_like_any_other():
    continuous = found(loguniform(1, 10)).continuous
    assert repr(continuous) == "loguniform(1, 10)"
    assert continuous == pickle.loads(pickle.dumps(continuous)) == copy.deepcopy(continuous)
    assert hash(continuous) == hash(copy.deepcopy(continuous))


def test_a_search_of_a_distribution_is_that_of_its_range(data):
    X, y = data("diabetes")
    values = [loguniform(1e-3, 1e3), Continuous(1e-3, 1e3)]
    one, other = (HypergradSearchCV(Ridge(), {"alpha": each}).fit(X, y) for each in values)
    assert one.best_params_ == other.best_params_
    assert np.array_equal(one.history_["loss"], other.history_["loss"])
    assert one.hypergradient_ == other.hypergradient_
