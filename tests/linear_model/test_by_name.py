"""Penalties by the names of features."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_hypergrad.linear_model import LogisticRegression, Ridge, RidgeClassifier

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["a", "b", "c"])
Y = RNG.normal(size=60) + X["a"]
CLASSES = np.digitize(Y, [-0.5, 0.5])
CASES = [
    (Ridge(), "alpha", Y, (3,)),
    (Ridge(), "alpha", np.c_[Y, -Y], (1, 3)),
    (RidgeClassifier(), "alpha", CLASSES, (1, 3)),
    (LogisticRegression(), "C", CLASSES, (3,)),
]


@pytest.mark.parametrize(("model", "name", "y", "shape"), CASES)
@pytest.mark.parametrize(
    "by_name", [{"c": 5.0, "a": 2.0, "b": 0.3}, {"b": 0.3, "c": 5.0, None: 2.0}]
)
def test_a_dict_is_the_array_of_its_values(model, name, y, shape, by_name):
    vector = np.array([2.0, 0.3, 5.0]).reshape(shape)
    found = clone(model).set_params(**{name: by_name}).fit(X, y)
    expected = clone(model).set_params(**{name: vector}).fit(X, y)
    assert_array_equal(found.coef_, expected.coef_)
    assert_allclose(found.to_sklearn().predict(X), found.predict(X))


@pytest.mark.parametrize(
    ("model", "name", "y"),
    [
        (Ridge(), "alpha", np.c_[Y, -Y]),
        (RidgeClassifier(), "alpha", CLASSES),
        (LogisticRegression(), "C", CLASSES),
    ],
)
def test_a_dict_may_have_an_array_for_the_outputs(model, name, y):
    matrix = np.random.default_rng(0).uniform(0.5, 2, size=(2 if np.ndim(y) == 2 else 3, 3))
    matrix[:, 1] = 0.3
    named = {"a": matrix[:, 0], None: 0.3, "c": matrix[:, 2]}
    found = clone(model).set_params(**{name: named}).fit(X, y)
    expected = clone(model).set_params(**{name: matrix}).fit(X, y)
    assert_array_equal(found.coef_, expected.coef_)


def test_a_feature_without_a_penalty():
    with pytest.raises(ValueError, match="alpha has no value for the feature 'b'"):
        Ridge(alpha={"a": 1.0, "c": 1.0}).fit(X, Y)


def test_one_feature():
    found, expected = Ridge(alpha={"a": 3.0}), Ridge(alpha=3.0)
    assert_allclose(found.fit(X[["a"]], Y).coef_, expected.fit(X[["a"]], Y).coef_)


def test_features_without_names():
    with pytest.raises(ValueError, match=r"set_output\(transform='pandas'\)"):
        Ridge(alpha={"a": 1.0, None: 1.0}).fit(X.to_numpy(), Y)
