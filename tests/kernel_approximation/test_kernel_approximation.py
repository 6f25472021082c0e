"""Nystroem and RBFSampler with a gamma for each feature."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn import kernel_approximation
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_hypergrad.by_feature.gamma import scaled_columns
from sklearn_hypergrad.kernel_approximation import Nystroem, RBFSampler

X = np.abs(np.random.default_rng(0).normal(size=(30, 3)))
GAMMA = np.array([0.3, 0.0, 1.5])
NAMED = pd.DataFrame(X, columns=["a", "b", "c"])
OPTIONS = {"n_components": 5, "random_state": 0}
BOTH = [Nystroem(**OPTIONS), RBFSampler(**OPTIONS)]


@pytest.mark.thorough
@parametrize_with_checks([Nystroem(n_components=3), RBFSampler(n_components=3)])
def test_they_are_transformers(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "poly", "sigmoid", "chi2"])
def test_nystroem_is_that_of_scikit_learn_on_scaled_columns(kernel):
    found = Nystroem(kernel, gamma=GAMMA, **OPTIONS).fit(X)
    expected = kernel_approximation.Nystroem(kernel, gamma=1.0, **OPTIONS)
    expected.fit(scaled_columns(kernel, X, GAMMA))
    columns = scaled_columns(kernel, X + 0.1, GAMMA)
    assert_allclose(found.transform(X + 0.1), expected.transform(columns))
    assert_array_equal(found.component_indices_, expected.component_indices_)
    assert found.get_feature_names_out().tolist() == [f"nystroem{n}" for n in range(5)]


def test_an_rbf_sampler_is_that_of_scikit_learn_on_scaled_columns():
    found = RBFSampler(gamma=GAMMA, **OPTIONS).fit(X)
    expected = kernel_approximation.RBFSampler(gamma=1.0, **OPTIONS)
    expected.fit(scaled_columns("rbf", X, GAMMA))
    assert_allclose(found.transform(X), expected.transform(scaled_columns("rbf", X, GAMMA)))
    assert found.get_feature_names_out().tolist() == [f"rbfsampler{n}" for n in range(5)]


@pytest.mark.parametrize("model", BOTH)
def test_with_one_number_they_are_those_of_scikit_learn(model):
    plain = getattr(kernel_approximation, type(model).__name__)
    expected = plain(gamma=0.4, **OPTIONS).fit_transform(X)
    assert_array_equal(clone(model).set_params(gamma=0.4).fit_transform(X), expected)
    equal = clone(model).set_params(gamma=[0.4] * 3)
    assert_allclose(equal.fit_transform(X), expected)
    assert_allclose(equal.fit_transform(csr_matrix(X)), expected)


@pytest.mark.parametrize("model", BOTH)
@pytest.mark.parametrize("gamma", [{"a": 0.3, "b": 0, "c": 1.5}, {"b": 0, "c": 1.5, None: 0.3}])
def test_a_dict_is_the_array_of_its_values(model, gamma):
    found = clone(model).set_params(gamma=gamma).fit_transform(NAMED)
    assert_array_equal(found, clone(model).set_params(gamma=GAMMA).fit_transform(X))


@pytest.mark.parametrize("model", BOTH)
@pytest.mark.parametrize(
    ("gamma", "data", "message"),
    [
        ([1, 2], X, r"gamma has shape \(2,\), but with 3 feature\(s\) it must be"),
        ([1, -2, 3], X, r"gamma\[1\] is -2.0, but values of gamma must not be negative"),
        ({"a": 1}, NAMED, "gamma has no value for the feature 'b'"),
        ({"a": 1, None: 1}, X, "gamma is a dict from feature names, but X has none"),
        ("far", X, "The 'gamma' parameter of .* must be"),
    ],
)
def test_what_cannot_be_used_is_refused(model, gamma, data, message):
    with pytest.raises(ValueError, match=message):
        clone(model).set_params(gamma=gamma).fit(data)
