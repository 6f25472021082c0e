"""Every continuous hyperparameter of scikit-learn is searched, or a reason says why it is not."""

import sys
from pathlib import Path

import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import Lars, QuantileRegressor, SGDClassifier, TweedieRegressor
from sklearn.utils import all_estimators

from sklearn_hypergrad import Continuous
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.adapters.reasons import CLASSES, NAMES, NO_FAMILY, NOT_DIFFERENTIABLE
from sklearn_hypergrad.adapters.wrapped import WRAPPERS
from sklearn_hypergrad.search.candidates.expand import expand

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def table():
    """The module that makes the tables of the documentation."""
    if not DOCS.exists():
        pytest.skip("needs the repository")
    sys.path.insert(0, str(DOCS))
    try:
        import coverage_table
    finally:
        sys.path.remove(str(DOCS))
    return coverage_table


def test_no_reason_is_missing(table):
    """State it in ``Family.enumerated``, or in ``adapters/reasons.py`` for other classes."""
    reasons = table.reasons()
    unknown = {
        f"{cls.__name__}.{name}"
        for reason in (NO_FAMILY, NOT_DIFFERENTIABLE)
        for cls, names in reasons.get(reason, {}).items()
        for name in names
    }
    assert unknown == set()


def test_reasons_are_those_of_classes_without_a_family():
    listed = {name for names in CLASSES.values() for name in names}
    others = {name for name, cls in all_estimators() if cls not in family.registry}
    assert listed - others == set()


def test_all_of_it_is_in_the_page(table):
    page = (DOCS / "choosing.rst").read_text("utf-8")
    text = table.filled(page)
    _, searched, enumerated, *_ = text.split(".. list-table::")
    for cls, found in table.families().items():
        assert f"``{cls.__name__}``" in searched
        names = {name.partition("__")[0] for name in found.hyperparameters}
        assert all(f"``{name}``" in searched for name in names)
    assert all(f"``{cls.__name__}``" in searched for cls in WRAPPERS)
    for reason, of_classes in table.reasons().items():
        assert f"   * - it {reason}\n" in enumerated
        names = {name for names in of_classes.values() for name in names}
        classes = {cls.__name__ for cls in of_classes if reason not in NAMES}
        assert {each for each in names | classes if f"``{each}``" not in enumerated} == set()


@pytest.mark.parametrize(
    ("model", "name", "reason"),
    [
        (SGDClassifier(), "alpha", "SGDClassifier ends after some passes over the rows in random"),
        (HistGradientBoostingRegressor(), "l2_regularization", "Regressor predicts by trees"),
        (QuantileRegressor(), "alpha", "QuantileRegressor solves a linear program"),
        (TweedieRegressor(), "power", "power of TweedieRegressor changes squared errors by a per"),
        (VarianceThreshold(), "threshold", "VarianceThreshold is a transformer: put it into a Pip"),
        (Lars(), "eps", "eps of Lars says how accurately"),
    ],
)
def test_the_search_says_why(model, name, reason):
    (candidate, _) = expand({name: [0.1, 0.2]}, model)
    assert candidate.reason.startswith(f"{name}: ")
    assert reason in candidate.reason
    with pytest.raises(ValueError, match=f"This is because .*{reason}"):
        expand({name: Continuous()}, model)
