"""scikit-learn's own checks of estimators."""

import pytest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model

# The one check that GridSearchCV fails too: Ridge does not warn about y of shape (n, 1).
FAILS_FOR_GRID_SEARCH = {"check_supervised_y_2d": "Ridge takes y of shape (n, 1) as it is"}


def expected_failures(search):
    regressor = GridSearchCV(search.estimator, {}).__sklearn_tags__().estimator_type == "regressor"
    return FAILS_FOR_GRID_SEARCH if regressor else {}


pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # What scikit-learn's check of targets that are not finite warns of before it raises.
    pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning"),
]


# Whether a search has converged no check asks.
SHORT = {"cv": 2, "error_score": "raise", "max_iter": 3, "tol": 0.1}


# A regressor with a list, and a classifier with a range.
@parametrize_with_checks(
    [
        HypergradSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, **SHORT),
        HypergradSearchCV(RidgeClassifier(), {"alpha": Continuous(0.1, 10)}, **SHORT),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.thorough
@parametrize_with_checks(
    [
        HypergradSearchCV(linear_model.Ridge(), {"alpha": Continuous(per="feature")}, **SHORT),
        HypergradSearchCV(Ridge(), {"alpha": Continuous()}, cv=2, error_score="raise"),
        HypergradSearchCV(LogisticRegression(), {"C": [0.1, 10.0]}, cv=2, error_score="raise"),
        HypergradSearchCV(LogisticRegression(), {"C": Continuous()}, cv=2, error_score="raise"),
        HypergradSearchCV(
            make_pipeline(StandardScaler(), Ridge()),
            {"ridge__alpha": [0.1, 10.0]},
            cv=2,
            error_score="raise",
        ),
        *(
            HypergradSearchCV(model, {name: Continuous(per="feature")}, cv=2, error_score="raise")
            for model, name in (
                (linear_model.RidgeClassifier(), "alpha"),
                (linear_model.LogisticRegression(), "C"),
            )
        ),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks_of_more_searches(estimator, check):
    check(estimator)


@pytest.mark.parametrize("model", [Ridge(), LogisticRegression(), RidgeClassifier()])
def test_tags_are_those_of_grid_search(model):
    grid = {"alpha": [1]}
    ours = HypergradSearchCV(model, grid).__sklearn_tags__()
    assert ours == GridSearchCV(model, grid).__sklearn_tags__()
