"""Rows with several labels: y has a column of zeros and ones for each."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import compute_sample_weight

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.problems.outer.held_out import sample_weights
from sklearn_hypergrad.problems.split_data import SplitData

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
LISTED = [0.01, 1.0, 100.0]


@pytest.fixture(scope="module")
def data():
    """120 rows with 8 features and 4 labels."""
    return make_multilabel_classification(120, 8, n_classes=4, random_state=0)


@pytest.mark.parametrize("scoring", [None, "f1_macro", "roc_auc", "jaccard_micro"])
def test_the_asked_score_judges(data, scoring):
    X, y = data
    grid = GridSearchCV(RidgeClassifier(), {"alpha": LISTED}, scoring=scoring).fit(X, y)
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": LISTED}, scoring=scoring).fit(X, y)
    assert search.hypergradient_.startswith("alpha: Implicit()")
    assert search.best_score_ >= grid.best_score_
    own = RidgeClassifier(**search.best_params_)
    assert_allclose(search.best_score_, cross_val_score(own, X, y, scoring=scoring).mean())
    assert_array_equal(search.predict(X), own.fit(X, y).predict(X))


def test_balanced_classes_behind_a_scaler_with_weights(data):
    X, y = data
    pipeline = make_pipeline(StandardScaler(), RidgeClassifier(class_weight="balanced"))
    weight = {"ridgeclassifier__sample_weight": np.arange(len(X)) % 3 + 1.0}
    span = {"ridgeclassifier__alpha": Continuous()}
    search = HypergradSearchCV(pipeline, span, scoring="f1_samples").fit(X, y, **weight)
    own = pipeline.set_params(**search.best_params_)
    scores = cross_val_score(own, X, y, scoring="f1_samples", params=weight)
    assert_allclose(search.best_score_, scores.mean())


def test_sparse_labels_are_the_same(data):
    X, y = data
    values = [
        HypergradSearchCV(RidgeClassifier(), {"alpha": Continuous()}).fit(X, labels).best_params_
        for labels in (y, sparse.csr_array(y))
    ]
    assert values[0] == values[1]


def test_half_splits_of_vectors_are_not_stratified(data):
    X, y = data
    search = HypergradSearchCV(
        linear_model.RidgeClassifier(), {"alpha": Continuous(per="feature")}, random_state=0
    ).fit(X, y)
    assert "20 splits of search_cv" in str(search.report())
    assert "no half splits" not in str(search.report())


def test_other_codes_are_refused(data):
    X, y = data
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": LISTED}).fit(X, y + 1)
    assert "must be coded as 0 and 1" in search.hypergradient_


def test_balanced_weights_are_products_over_labels(data):
    X, y = data
    rows = np.arange(60)
    block = SplitData(X, y, [rows], [rows], [np.ones(60)], np.ones(len(y)), labels=y)
    expected = compute_sample_weight("balanced", y[:60])
    assert_allclose(sample_weights(block, True), expected / expected.sum())
