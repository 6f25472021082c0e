"""Labels as numbers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

from sklearn_hypergrad.adapters import family

LABELS = {
    "numbers": np.array([3, 1, 3, 1]),
    "text": np.array(["b", "a", "c", "a"]),
    "objects": np.array(["b", "a", "b"], dtype=object),
    "truths": np.array([True, False, True]),
    "several labels": np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0]]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_codes_of_classes_are_those_of_scikit_learn(kind):
    labels, several = LABELS[kind], kind == "several labels"
    codes = family(MLPClassifier() if several else LogisticRegression()).encode(labels)
    assert codes.dtype == np.float64
    assert_array_equal(codes, LabelBinarizer().fit_transform(labels))
    if not several:
        signs = LabelBinarizer(neg_label=-1, pos_label=1).fit_transform(labels)
        assert_array_equal(family(RidgeClassifier()).encode(labels), signs)
