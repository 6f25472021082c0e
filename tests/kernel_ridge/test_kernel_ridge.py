"""KernelRidge with a gamma for each feature."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn import kernel_ridge
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_hypergrad.by_feature.gamma import scaled_columns
from sklearn_hypergrad.kernel_ridge import KernelRidge

RNG = np.random.default_rng(0)
X = np.abs(RNG.normal(size=(30, 3)))
Y = X[:, 0] ** 2 + RNG.normal(size=30)
GAMMA = np.array([0.3, 0.0, 1.5])
NAMED = pd.DataFrame(X, columns=["a", "b", "c"])


@pytest.mark.thorough
@parametrize_with_checks([KernelRidge()])
def test_it_is_an_estimator(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:Singular matrix in solving dual problem")
@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "poly", "sigmoid", "chi2"])
def test_it_is_that_of_scikit_learn_on_scaled_columns(kernel):
    params = {"kernel": kernel, "alpha": 0.5, "coef0": 0.3, "degree": 2}
    plain = kernel_ridge.KernelRidge(**params, gamma=1.0)
    scaled = scaled_columns(kernel, X, GAMMA)
    found = KernelRidge(**params, gamma=GAMMA).fit(X, Y)
    expected = plain.fit(scaled, Y)
    assert_allclose(found.dual_coef_, expected.dual_coef_, rtol=1e-10)
    assert_allclose(
        found.predict(X + 0.1), expected.predict(scaled_columns(kernel, X + 0.1, GAMMA))
    )
    assert_array_equal(found.X_fit_, X)


@pytest.mark.parametrize("gamma", [None, 0.4, np.array(0.4)])
def test_with_one_number_it_is_that_of_scikit_learn(gamma):
    params = {"kernel": "rbf", "gamma": None if gamma is None else float(gamma)}
    expected = kernel_ridge.KernelRidge(**params).fit(X, Y).predict(X)
    assert_array_equal(KernelRidge(kernel="rbf", gamma=gamma).fit(X, Y).predict(X), expected)
    equal = KernelRidge(kernel="rbf", gamma=[1 / 3 if gamma is None else gamma] * 3).fit(X, Y)
    assert_allclose(equal.predict(X), expected)


def test_sparse_features_are_the_same():
    model = KernelRidge(kernel="rbf", gamma=GAMMA)
    expected = clone(model).fit(X, Y).predict(X)
    assert_allclose(model.fit(csr_matrix(X), Y).predict(csr_matrix(X)), expected)


@pytest.mark.parametrize("gamma", [{"a": 0.3, "b": 0, "c": 1.5}, {"b": 0, "c": 1.5, None: 0.3}])
def test_a_dict_is_the_array_of_its_values(gamma):
    found = KernelRidge(kernel="rbf", gamma=gamma).fit(NAMED, Y).predict(NAMED)
    assert_array_equal(found, KernelRidge(kernel="rbf", gamma=GAMMA).fit(X, Y).predict(X))


@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({"gamma": [1, 2]}, X, r"gamma has shape \(2,\), but with 3 feature\(s\) it must be"),
        ({"gamma": [1, -2, 3]}, X, r"gamma\[1\] is -2.0, but values of gamma must not be negative"),
        ({"gamma": [1, np.inf, 3]}, X, "gamma has the value inf, but must be finite"),
        ({"gamma": {"a": 1}}, NAMED, "gamma has no value for the feature 'b'"),
        ({"gamma": {"a": 1, None: 1}}, X, "gamma is a dict from feature names, but X has none"),
        ({"gamma": GAMMA, "kernel": "linear"}, X, "no gamma for each feature if its kernel is 'li"),
        ({"gamma": GAMMA, "kernel": np.dot}, X, "no gamma for each feature if its kernel is a fun"),
        ({"gamma": "scale"}, X, "The 'gamma' parameter of KernelRidge must be"),
    ],
)
def test_what_cannot_be_used_is_refused(params, data, message):
    with pytest.raises(ValueError, match=message):
        KernelRidge(**{"kernel": "rbf", **params}).fit(data, Y)
