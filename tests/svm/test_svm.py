"""SVC and SVR with a gamma for each feature."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn import svm
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_hypergrad.by_feature.gamma import scaled_columns
from sklearn_hypergrad.svm import SVC, SVR

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
NUMBERS = X[:, 0] ** 2 + RNG.normal(size=40)
CLASSES = np.array(["a", "b", "c"])[np.argsort(np.argsort(NUMBERS)) // 14]
GAMMA = np.array([0.3, 0.0, 1.5])
NAMED = pd.DataFrame(X, columns=["a", "b", "c"])
MACHINES = [(SVC, svm.SVC, CLASSES), (SVR, svm.SVR, NUMBERS)]


def outputs(model, X):
    found = [model.predict(X)]
    return [*found, model.decision_function(X)] if hasattr(model, "decision_function") else found


@pytest.mark.thorough
# A row twice is a row with the weight 2 if gamma does not depend on rows, and up to the tolerance.
@parametrize_with_checks([SVC(gamma=0.1, tol=1e-9), SVR(gamma=0.1, tol=1e-9)])
def test_it_is_an_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kernel", ["rbf", "poly", "sigmoid"])
@pytest.mark.parametrize(("cls", "plain", "y"), MACHINES)
def test_it_is_that_of_scikit_learn_on_scaled_columns(cls, plain, y, kernel):
    params = {"kernel": kernel, "C": 2.0, "coef0": 0.3, "degree": 2}
    found = cls(**params, gamma=GAMMA).fit(X, y)
    expected = plain(**params, gamma=1.0).fit(scaled_columns(kernel, X, GAMMA), y)
    pairs = zip(
        outputs(found, X + 0.1),
        outputs(expected, scaled_columns(kernel, X + 0.1, GAMMA)),
        strict=True,
    )
    for own, scaled in pairs:
        assert_array_equal(own, scaled)


@pytest.mark.parametrize("gamma", ["scale", "auto", 0.4])
@pytest.mark.parametrize(("cls", "plain", "y"), MACHINES)
def test_with_one_number_it_is_that_of_scikit_learn(cls, plain, y, gamma):
    expected = plain(gamma=gamma).fit(X, y).predict(X)
    assert_array_equal(cls(gamma=gamma).fit(X, y).predict(X), expected)


@pytest.mark.parametrize(("cls", "plain", "y"), MACHINES)
def test_sparse_features_are_the_same(cls, plain, y):
    model = cls(gamma=GAMMA)
    expected = clone(model).fit(X, y)
    model.fit(csr_matrix(X), y)
    for rows in (X, csr_matrix(X)):
        assert_array_equal(model.predict(rows), expected.predict(X)) if cls is SVC else (
            assert_allclose(model.predict(rows), expected.predict(X), rtol=1e-5)
        )


@pytest.mark.parametrize("gamma", [{"a": 0.3, "b": 0, "c": 1.5}, {"b": 0, "c": 1.5, None: 0.3}])
def test_a_dict_is_the_array_of_its_values(gamma):
    found = SVR(gamma=gamma).fit(NAMED, NUMBERS).predict(NAMED)
    assert_array_equal(found, SVR(gamma=GAMMA).fit(X, NUMBERS).predict(X))


@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({"gamma": [1, 2]}, X, r"gamma has shape \(2,\), but with 3 feature\(s\) it must be"),
        ({"gamma": [1, -2, 3]}, X, r"gamma\[1\] is -2.0, but values of gamma must not be negative"),
        ({"gamma": {"a": 1}}, NAMED, "gamma has no value for the feature 'b'"),
        ({"gamma": GAMMA, "kernel": "linear"}, X, "no gamma for each feature if its kernel is 'li"),
        ({"gamma": "other"}, X, "The 'gamma' parameter of SVR must be"),
    ],
)
def test_what_cannot_be_used_is_refused(params, data, message):
    with pytest.raises(ValueError, match=message):
        SVR(**params).fit(data, NUMBERS)
