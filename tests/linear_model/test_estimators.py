"""What scikit-learn asks of estimators, with penalties that are arrays."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context, linear_model
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import _num_features

import sklearn_hypergrad.linear_model as ours

PENALTIES = {
    "scaled": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "solved": [1.0, 0.0, 3.0, np.inf, 5.0, 6.0],
}
NAMES = ours.__all__


def model_of(name, penalty, **params):
    cls = getattr(ours, name)
    return cls(**{cls._penalty_name: penalty}, **params)


@pytest.fixture
def problem(features, targets, labels):
    """``problem(name)``: X and y for the estimator of that name."""
    return lambda name: (features(), targets() if name == "Ridge" else labels(3))


def penalty_for(name, kind):
    """Per feature; for the classes of RidgeClassifier, which are targets, in two dimensions."""
    penalty = np.array(PENALTIES[kind])
    return penalty[None] if name == "RidgeClassifier" else penalty


class Varied:
    """An estimator with as many penalties as the data have features.

    The checks fit data of many shapes with one estimator; all else is that of the class.
    """

    def fit(self, X, y, sample_weight=None):
        try:
            n_features = _num_features(X)
        except TypeError:
            n_features = 1
        base = getattr(ours, self._plain_class.__name__)
        row = np.resize(self.row, n_features)
        row = row if base is ours.LogisticRegression else row[None]
        inner = base(**{**self.get_params(), self._penalty_name: row})
        fitted = vars(inner.fit(X, y, sample_weight))
        vars(self).update({k: v for k, v in fitted.items() if k not in inner.get_params()})
        return self


class ScaledRidge(Varied, ours.Ridge):
    row = (1.0, 0.8, 1.3)


class ScaledRidgeClassifier(Varied, ours.RidgeClassifier):
    row = ScaledRidge.row


class ScaledLogistic(Varied, ours.LogisticRegression):
    row = ScaledRidge.row


class SolvedRidge(Varied, ours.Ridge):
    row = (1.0, 0.0, *[2.0] * 18)


class SolvedRidgeClassifier(Varied, ours.RidgeClassifier):
    row = SolvedRidge.row


class SolvedLogistic(Varied, ours.LogisticRegression):
    # Without any penalty, the few rows of some checks could be separated.
    row = (1.0, 3e4, *[2.0] * 18)


def expected_failures(estimator):
    """What scikit-learn expects of its own Ridge too: not all of its solvers iterate."""
    iterates = hasattr(estimator, "C") or estimator.__class__.__name__.startswith("Solved")
    return {} if iterates else {"check_non_transformer_estimators_n_iter": "n_iter_ is None"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# What scikit-learn's check of targets that are not finite warns of before it raises.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
# A number, a scaling and Newton's method, of one estimator each.
@parametrize_with_checks(
    [ours.RidgeClassifier(), ScaledRidge(), SolvedLogistic()],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(
    [
        *(getattr(ours, name)() for name in NAMES if name != "RidgeClassifier"),
        *(kind() for kind in (ScaledRidgeClassifier, ScaledLogistic)),
        *(kind() for kind in (SolvedRidge, SolvedRidgeClassifier)),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks_of_other_estimators(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_to_sklearn(problem, name, kind):
    X, y = problem(name)
    model = model_of(name, penalty_for(name, kind), random_state=np.random.RandomState(0)).fit(X, y)
    plain = model.to_sklearn()
    assert type(plain) is getattr(linear_model, name)
    np.testing.assert_array_equal(plain.predict(X), model.predict(X))
    for method in {"decision_function", "predict_proba", "predict_log_proba"} & set(dir(model)):
        np.testing.assert_array_equal(getattr(plain, method)(X), getattr(model, method)(X))
    assert plain.score(X, y) == model.score(X, y)
    fitted = {key for key in vars(model) if key.endswith("_")}
    assert {key for key in vars(plain) if key.endswith("_")} == fitted
    assert getattr(plain, model._penalty_name) == 1.0
    expected = {**model.get_params(), model._penalty_name: 1.0, "random_state": None}
    assert {**plain.get_params(), "random_state": None} == expected
    assert plain.random_state is not model.random_state
    plain.coef_[:] = 0
    assert np.any(model.coef_ != 0)


def test_to_sklearn_is_free_of_this_package(features, labels):
    model = ours.RidgeClassifier([PENALTIES["solved"]]).fit(features(), labels(3))
    assert b"hypergrad" in pickle.dumps(model)
    assert b"hypergrad" not in pickle.dumps(model.to_sklearn())


def test_to_sklearn_keeps_a_number(features, targets, labels):
    assert ours.Ridge(3.0, fit_intercept=False).fit(features(), targets()).to_sklearn().alpha == 3.0
    assert ours.LogisticRegression(C=3.0).fit(features(), labels(2)).to_sklearn().C == 3.0


def test_to_sklearn_keeps_names(targets, features):
    X = pd.DataFrame(features(), columns=list("abcdef"))
    plain = ours.Ridge(PENALTIES["solved"]).fit(X, targets()).to_sklearn()
    assert plain.feature_names_in_.tolist() == list("abcdef")
    assert plain.n_features_in_ == 6


@pytest.mark.parametrize("name", NAMES)
def test_to_sklearn_needs_a_fit(name):
    with pytest.raises(NotFittedError):
        model_of(name, PENALTIES["scaled"]).to_sklearn()


@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_clone_pickle_and_parameters(problem, name, kind):
    X, y = problem(name)
    penalty = penalty_for(name, kind)
    model = model_of(name, penalty)
    assert model.get_params()[model._penalty_name] is penalty
    copied = clone(model)
    np.testing.assert_array_equal(copied.get_params()[model._penalty_name], penalty)
    assert copied.fit(X, y).get_params()[model._penalty_name] is not penalty
    model.fit(X, y)
    assert model.get_params()[model._penalty_name] is penalty
    np.testing.assert_array_equal(copied.coef_, model.coef_)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert "array([" in repr(model)
    assert name in model._repr_html_()
    model.set_params(**{model._penalty_name: 1.0}).fit(X, y)
    np.testing.assert_array_equal(model.coef_, getattr(linear_model, name)().fit(X, y).coef_)


@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_frames(problem, name, kind):
    X, y = problem(name)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = model_of(name, penalty_for(name, kind)).fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.n_features_in_ == 6
    bare = model_of(name, penalty_for(name, kind)).fit(X, y)
    np.testing.assert_allclose(model.coef_, bare.coef_, rtol=1e-9)
    assert len(model.predict(frame)) == 60
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")


def test_series_as_a_penalty(features, targets):
    alpha = pd.Series(PENALTIES["solved"], index=list("abcdef"))
    expected = ours.Ridge(PENALTIES["solved"]).fit(features(), targets())
    np.testing.assert_array_equal(
        ours.Ridge(alpha).fit(features(), targets()).coef_, expected.coef_
    )


@pytest.mark.parametrize("make", [np.array, np.asfortranarray, csr_matrix])
@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_unchanged(problem, weights, name, kind, make):
    X, y = problem(name)
    penalty, s = penalty_for(name, kind), weights()
    inputs = make(X), y.copy(), s.copy(), penalty.copy()
    model_of(name, inputs[3]).fit(inputs[0], inputs[1], sample_weight=inputs[2])
    assert (inputs[0] != X).sum() == 0
    for found, expected in zip(inputs[1:], (y, s, penalty), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_read_only_inputs(problem, name):
    X, y = problem(name)
    penalty = penalty_for(name, "solved")
    for array in (X, y, penalty):
        array.setflags(write=False)
    model_of(name, penalty).fit(X, y)


@pytest.mark.parametrize("name", NAMES)
def test_grid_search(problem, name):
    X, y = problem(name)
    key = model_of(name, 1.0)._penalty_name
    candidates = [penalty_for(name, kind) for kind in PENALTIES]
    search = GridSearchCV(getattr(ours, name)(), {key: [*candidates, 1.0]}, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 3
    assert search.cv_results_[f"param_{key}"][1] is candidates[1]
    for candidate, score in zip(candidates, search.cv_results_["mean_test_score"], strict=False):
        own = cross_validate(model_of(name, candidate), X, y, cv=3)["test_score"].mean()
        assert score == own
    piped = make_pipeline(StandardScaler(), getattr(ours, name)())
    grid = {f"{name.lower()}__{key}": candidates}
    assert np.isfinite(GridSearchCV(piped, grid, cv=3).fit(X, y).best_score_)


@pytest.mark.parametrize("name", NAMES)
def test_metadata_routing(problem, weights, name):
    X, y = problem(name)
    with config_context(enable_metadata_routing=True):
        model = model_of(name, penalty_for(name, "solved"))
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        assert clone(model).get_metadata_routing().fit.requests == {"sample_weight": True}
        done = cross_validate(
            model, X, y, cv=3, params={"sample_weight": weights()}, return_estimator=True
        )
        bare = cross_validate(model, X, y, cv=3, return_estimator=True)
    assert np.abs(done["estimator"][0].coef_ - bare["estimator"][0].coef_).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_one_number_as_sample_weight(problem, name):
    X, y = problem(name)
    for kind in PENALTIES:
        penalty = penalty_for(name, kind)
        one, array = (model_of(name, penalty).fit(X, y, s) for s in (2.0, np.full(60, 2.0)))
        np.testing.assert_allclose(one.coef_, array.coef_, atol=1e-12)
