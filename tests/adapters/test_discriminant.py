"""LinearDiscriminantAnalysis: what the table of families does not show."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import discriminant, family
from sklearn_hypergrad.problems import SplitData

SPLITS = StratifiedKFold(3, shuffle=True, random_state=0)


def block_of(X, labels, estimator):
    trains, tests = zip(*SPLITS.split(X, labels), strict=True)
    return SplitData(
        X=X,
        y=family(estimator).encode(labels),
        trains=list(trains),
        tests=list(tests),
        weights=[np.ones(len(train)) for train in trains],
        score_weight=np.ones(len(X)),
        labels=labels,
    )


def model_of(estimator, n_classes=3, X=None):
    own_X, labels = load_iris(return_X_y=True)
    keep = labels < n_classes
    block = block_of((own_X if X is None else X)[keep], labels[keep], estimator)
    return family(estimator).model(estimator, block, {"shrinkage": None}, 0)


ESTIMATORS = [
    LinearDiscriminantAnalysis(solver="lsqr"),
    LinearDiscriminantAnalysis(solver="eigen", priors=[0.2, 0.3, 0.5]),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=["lsqr", "eigen"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_path_has_the_decisions_of_fits(estimator, n_classes):
    if n_classes == 2 and estimator.priors is not None:
        # Priors that do not sum to one are scaled, with a warning of scikit-learn.
        estimator = LinearDiscriminantAnalysis(solver="eigen", priors=[0.25, 0.75])
    model, values = model_of(estimator, n_classes), [0.0, 1e-3, 0.4, 1.0]
    data = model.data
    for value, z in zip(values, model.path(values), strict=True):
        own = type(estimator)(**{**estimator.get_params(), "shrinkage": value})
        expected = np.concatenate(
            [
                own.fit(data.X[train], data.labels[train]).decision_function(data.X[test])
                for train, test in zip(data.trains, data.tests, strict=True)
            ]
        )
        assert_allclose(z, expected.reshape(len(z), -1), rtol=1e-9, atol=1e-9)
        assert_allclose(model.fit({"shrinkage": value}, None, 0).z, z)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("value", [1e-3, 0.3, 0.99])
def test_the_pullback_is_exact(five_point, n_classes, value):
    model = model_of(LinearDiscriminantAnalysis(solver="lsqr"), n_classes)
    fitted = model.fit({"shrinkage": value}, None, 0)
    g = np.random.default_rng(0).normal(size=fitted.z.shape)

    def along(step):
        return np.sum(g * model.fit({"shrinkage": value + step}, None, 0).z)

    gradient = fitted.pullback(g).gradient["shrinkage"]
    assert_allclose(gradient, five_point(along, 1e-3 * value), rtol=1e-8)


def test_directions_without_variance_do_not_count():
    """As for the least squares of scikit-learn, without shrinkage."""
    X, labels = load_iris(return_X_y=True)
    X = np.column_stack([X, X[:, :2].sum(axis=1)])
    model = model_of(LinearDiscriminantAnalysis(solver="lsqr"), X=X)
    fit = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.0)
    train, test = model.data.trains[0], model.data.tests[0]
    expected = fit.fit(X[train], labels[train]).decision_function(X[test])
    (z,) = model.path([0.0])
    assert_allclose(z[: len(test)], expected, rtol=1e-6, atol=1e-6)


def test_obstacles():
    known = family(ESTIMATORS[0])
    assert known.obstacle(ESTIMATORS[0]) is None
    assert "no shrinkage" in known.obstacle(LinearDiscriminantAnalysis())
    other = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=LedoitWolf())
    assert "takes the place" in known.obstacle(other)


def test_too_many_features_are_enumerated(monkeypatch):
    monkeypatch.setattr(discriminant, "MAX_FEATURES", 3)
    search = HypergradSearchCV(ESTIMATORS[0], {"shrinkage": [0.1, 0.9]}, cv=2)
    search.fit(*load_iris(return_X_y=True))
    assert "4 features is too large" in search.hypergradient_


def test_a_value_beyond_what_scikit_learn_takes_is_refused():
    search = HypergradSearchCV(ESTIMATORS[0], {"shrinkage": Continuous(-1, 1)})
    with pytest.raises(ValueError, match=r"values between 0.0 and 1.0, got low=-1"):
        search.fit(*load_iris(return_X_y=True))
