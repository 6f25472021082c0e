"""What is refused: values, and shapes that do not fit the data."""

import numpy as np
import pytest

from sklearn_hypergrad.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn_hypergrad.linear_model.penalties import alpha_array, c_array


@pytest.mark.parametrize(
    ("alpha", "k", "message"),
    [
        ([1, 2, -3, 4, -5, 6], None, r"alpha\[2\] is -3.0, but penalties must not be negative"),
        ([1, 2, 3, np.nan, 5, 6], None, r"alpha\[3\] is nan"),
        ([[1, 2, 3, 4, -np.inf, 6]], None, r"alpha\[0, 4\] is -inf"),
        ([1.0, -1.0], 2, r"alpha\[1\] is -1.0"),
        ([[1.0] * 6, [1.0] * 5 + [-0.5]], 2, r"alpha\[1, 5\] is -0.5"),
    ],
)
def test_values_of_alpha(features, targets, alpha, k, message):
    with pytest.raises(ValueError, match=message):
        Ridge(alpha).fit(features(), targets(k))


@pytest.mark.parametrize(
    ("C", "n_classes", "message"),
    [
        ([1, 2, -3, 4, 5, 6], 2, r"C\[2\] is -3.0"),
        ([[np.nan, 2, 3, 4, 5, 6]], 2, r"C\[0, 0\] is nan"),
        (np.vstack([np.ones((2, 6)), -np.ones(6)]), 3, r"C\[2, 0\] is -1.0"),
    ],
)
def test_values_of_c(features, labels, C, n_classes, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(C=C).fit(features(), labels(n_classes))


@pytest.mark.parametrize("shape", [(5,), (2,), (0,), (6, 1), (2, 6), (1, 5), (1, 1, 6), (1, 1)])
def test_shapes_of_one_target(features, targets, shape):
    with pytest.raises(ValueError, match=r"alpha has shape .*\(6,\) for one per feature, \(1, 6\)"):
        Ridge(np.ones(shape)).fit(features(), targets())


@pytest.mark.parametrize("shape", [(6,), (2,), (3, 1), (2, 6), (6, 3), (1, 3)])
def test_shapes_of_several_targets(features, targets, labels, shape):
    message = r"3 target\(s\) and 6 .* \(1, 6\) for one per feature, \(3, 6\) .* \(3,\) for"
    with pytest.raises(ValueError, match=message):
        Ridge(np.ones(shape)).fit(features(), targets(3))
    with pytest.raises(ValueError, match=message):
        RidgeClassifier(np.ones(shape)).fit(features(), labels(3))


@pytest.mark.parametrize("shape", [(5,), (2, 6), (6, 1), (0,), (1,)])
def test_shapes_of_two_classes(features, labels, shape):
    message = r"C has shape .* with 2 class\(es\) .* \(6,\) for one per feature, \(1, 6\) for"
    with pytest.raises(ValueError, match=message):
        LogisticRegression(C=np.ones(shape)).fit(features(), labels(2))


@pytest.mark.parametrize("shape", [(3,), (1, 6), (6, 3), (3, 1)])
def test_shapes_of_three_classes(features, labels, shape):
    message = r"C has shape .* with 3 class\(es\) .* \(6,\) for one per feature, \(3, 6\) for"
    with pytest.raises(ValueError, match=message):
        LogisticRegression(C=np.ones(shape)).fit(features(), labels(3))


@pytest.mark.parametrize("penalty", [["much"] * 6, [[1.0], [2.0, 3.0]], [None] * 6])
def test_what_is_not_an_array_of_numbers(features, targets, labels, penalty):
    with pytest.raises((ValueError, TypeError)):
        Ridge(penalty).fit(features(), targets())
    with pytest.raises((ValueError, TypeError)):
        LogisticRegression(C=penalty).fit(features(), labels(2))


def test_a_single_feature_is_not_ambiguous():
    assert alpha_array([2.0], 1, 1).tolist() == [[2.0]]
    assert alpha_array([2.0, 3.0], 2, 1).tolist() == [[2.0], [3.0]]
    assert alpha_array([[2.0]], 2, 1).tolist() == [[2.0]]
    assert alpha_array([[2.0], [3.0]], 2, 1).tolist() == [[2.0], [3.0]]


def test_one_dimension_is_per_target_for_several_targets_and_else_per_feature():
    assert alpha_array([1.0, 2.0], 2, 2).tolist() == [[1.0], [2.0]]
    assert alpha_array([1.0, 2.0], 1, 2).tolist() == [[1.0, 2.0]]
    assert c_array([1.0, 2.0, 3.0], 3, 3).tolist() == [[1.0, 2.0, 3.0]]
