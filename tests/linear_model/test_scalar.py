"""Penalties that scikit-learn takes give its results, to the last digit."""

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.base import clone

import sklearn_hypergrad.linear_model as ours


def assert_same_model(model, plain):
    fitted = {name for name in vars(plain) if name.endswith("_")}
    assert {name for name in vars(model) if name.endswith("_")} == fitted
    for name in fitted:
        value, expected = getattr(model, name), getattr(plain, name)
        assert type(value) is type(expected), name
        np.testing.assert_array_equal(value, expected)


def assert_same_fit(name, params, X, y, sample_weight=None):
    model, plain = (getattr(module, name)(**params) for module in (ours, linear_model))
    model.fit(X, y, sample_weight), plain.fit(X, y, sample_weight)
    assert_same_model(model, plain)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"alpha": 3, "fit_intercept": False},
        {"alpha": np.float32(0.1), "solver": "sag", "random_state": 0},
        {"alpha": 0.5, "positive": True},
    ],
)
def test_ridge(features, targets, weights, params, weighted):
    for k in (None, 1, 3):
        assert_same_fit("Ridge", params, features(), targets(k), weights(weighted))


@pytest.mark.parametrize("alpha", [[0.1, 2.0, 30.0], (1, 0, 2), np.full(3, 5.0)])
def test_ridge_alpha_per_target(features, targets, alpha):
    assert_same_fit("Ridge", {"alpha": alpha}, features(), targets(3))


def test_ridge_alpha_of_one_number(features, targets):
    assert_same_fit("Ridge", {"alpha": [2.0]}, features(), targets())


def test_one_dimension_is_per_target_when_shapes_coincide(features, targets):
    """As many targets as features change nothing."""
    assert_same_fit("Ridge", {"alpha": np.arange(1.0, 7)}, features(), targets(6))
    assert_same_fit("Ridge", {"alpha": [[2.0], [3.0]]}, features()[:, :1], targets(2))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("params", [{}, {"alpha": 10, "class_weight": "balanced"}])
def test_ridge_classifier(features, labels, weights, params, n_classes):
    assert_same_fit("RidgeClassifier", params, features(), labels(n_classes), weights())


def test_ridge_classifier_alpha_per_target(features, labels):
    assert_same_fit("RidgeClassifier", {"alpha": [1.0, 10.0, 100.0]}, features(), labels(3))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"C": 0.1, "solver": "newton-cholesky"},
        {"C": np.inf},
        {"C": 3, "l1_ratio": 0.5, "solver": "saga", "random_state": 0, "tol": 0.1},
        {"class_weight": "balanced", "fit_intercept": False},
    ],
)
def test_logistic(features, labels, weights, params, n_classes):
    assert_same_fit("LogisticRegression", params, features(), labels(n_classes), weights())


@pytest.mark.parametrize("name", ours.__all__)
def test_equal_numbers_are_one_number(features, targets, labels, name):
    """The scaling of equal penalties is none, so that not even rounding differs."""
    y = targets() if name == "Ridge" else labels(2)
    model = getattr(ours, name)()
    plain = getattr(linear_model, name)(**{model._penalty_name: 3.0}).fit(features(), y)
    model.set_params(**{model._penalty_name: np.full(6, 3.0)}).fit(features(), y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.intercept_, plain.intercept_)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("Ridge", {"alpha": -1.0}),
        ("Ridge", {"alpha": np.nan}),
        ("Ridge", {"alpha": "strong"}),
        ("Ridge", {"alpha": [1.0] * 6, "solver": "newton"}),
        ("LogisticRegression", {"C": 0.0}),
        ("LogisticRegression", {"C": None}),
        ("RidgeClassifier", {"alpha": [1.0] * 6, "class_weight": 3}),
    ],
)
def test_parameters_are_validated_as_in_scikit_learn(features, targets, labels, name, params):
    y = targets() if name == "Ridge" else labels(2)
    with pytest.raises(ValueError, match="must be") as raised:
        getattr(ours, name)(**params).fit(features(), y)
    assert type(raised.value).__name__ == "InvalidParameterError"


@pytest.mark.parametrize("name", ours.__all__)
def test_constructor_and_tags(name):
    model, plain = getattr(ours, name)(), getattr(linear_model, name)()
    assert model.get_params() == plain.get_params()
    assert model.__sklearn_tags__() == plain.__sklearn_tags__()
    assert isinstance(clone(model), type(plain))


@pytest.mark.parametrize("alpha", [np.array(2.0), [2.0], np.array([2.0])])
def test_one_number_in_an_array(alpha):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    found = ours.Ridge(alpha=alpha).fit(X, Y)
    np.testing.assert_allclose(found.coef_, linear_model.Ridge(alpha=2.0).fit(X, Y).coef_)
