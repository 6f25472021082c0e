"""What scikit-learn asks of estimators, with parameters that are arrays."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor

KINDS = ("classes", "squared")
LEARNED = {
    "alpha": [np.full((4, 5), 0.1), np.full((5, 3), 0.2)],
    "learning_rate_init": np.linspace(0.1, 0.01, 14).reshape(7, 2),
    "momentum": np.linspace(0.5, 0.9, 7),
    "init_scale": np.array([0.9, 1.1]),
}


def learned(kind):
    alpha = [LEARNED["alpha"][0], LEARNED["alpha"][1][:, : 3 if kind == "classes" else 1]]
    return {**LEARNED, "alpha": alpha}


# What scikit-learn's check of targets that are not finite warns of before it raises.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(
    [
        MLPClassifier(10, n_steps=20, random_state=0),
        MLPRegressor(10, n_steps=40, random_state=0),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(
    [
        MLPClassifier(20, "logistic", learning_rate_init=[0.2, 0.1], n_steps=100, random_state=0),
        MLPRegressor(
            (10, 5),
            "tanh",
            alpha=[0, 1e-3, 0],
            momentum=[0.5, 0.9, 0.9],
            n_steps=200,
            random_state=0,
        ),
    ]
)
def test_estimator_checks_of_other_networks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", KINDS)
def test_clone_pickle_and_parameters(features, targets, model_of, kind):
    X, y, params = features(), targets(kind), learned(kind)
    model = model_of(kind, **params).fit(X, y)
    copied = clone(model)
    for name, value in params.items():
        assert model.get_params()[name] is value
        for own, original in zip(copied.get_params()[name], value, strict=True):
            np.testing.assert_array_equal(own, original)
    copied.fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    for other in (copied, loaded):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        np.testing.assert_array_equal(other.coefs_[0], model.coefs_[0])
    assert "array([" in repr(model)
    assert type(model).__name__ in model._repr_html_()
    other = model_of(kind).set_params(**params).fit(X, y)
    np.testing.assert_array_equal(other.coefs_[0], model.coefs_[0])


@pytest.mark.parametrize("kind", KINDS)
def test_searches_and_pipelines(features, targets, model_of, kind):
    X, y, params = features(), targets(kind), learned(kind)
    model = model_of(kind, **params)
    scores = cross_val_score(model, X, y, cv=3)
    grid = {"momentum": [params["momentum"], 0.5], "alpha": [params["alpha"]]}
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.cv_results_["mean_test_score"][0] == scores.mean()
    piped = make_pipeline(StandardScaler(), model_of(kind))
    name = type(model).__name__.lower()
    assert np.isfinite(
        piped.set_params(**{f"{name}__alpha": params["alpha"]}).fit(X, y).score(X, y)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_unchanged(features, targets, model_of, kind):
    X, y, params = features(), targets(kind), learned(kind)
    s = np.linspace(0, 1, len(X))
    arrays = [X, y, s, *params["alpha"], params["momentum"], params["learning_rate_init"]]
    for array in arrays:
        array.setflags(write=False)
    model_of(kind, **params).fit(X, y, sample_weight=s).predict(X)


@pytest.mark.parametrize("kind", KINDS)
def test_frames(features, targets, model_of, kind):
    X, y = features(), targets(kind)
    frame = pd.DataFrame(X, columns=list("abcd"))
    momentum = pd.Series(LEARNED["momentum"], index=list("gfedcba"))
    model = model_of(kind, momentum=momentum).fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == list("abcd")
    bare = model_of(kind, momentum=LEARNED["momentum"]).fit(X, y)
    np.testing.assert_array_equal(model.predict(frame), bare.predict(X))


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_routing(features, targets, model_of, kind):
    X, y, s = features(), targets(kind), np.linspace(0.1, 3, 40)
    with config_context(enable_metadata_routing=True):
        model = model_of(kind).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        done = cross_validate(model, X, y, cv=3, params={"sample_weight": s}, return_estimator=True)
        bare = cross_validate(model, X, y, cv=3, return_estimator=True)
    assert np.abs(done["estimator"][0].coefs_[0] - bare["estimator"][0].coefs_[0]).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_columns_as_targets(features, targets, model_of, kind):
    X, y = features(), targets(kind)
    with pytest.warns(DataConversionWarning):
        model = model_of(kind).fit(X, y[:, None])
    assert model.predict(X).shape == (len(X),)


def test_shapes(features, targets, model_of):
    X = features()
    expected = {"multilabel": (40, 3), "two targets": (40, 2), "squared": (40,), "binary": (40,)}
    for kind, shape in expected.items():
        assert model_of(kind).fit(X, targets(kind)).predict(X).shape == shape
    probabilities = {"multilabel": (40, 3), "binary": (40, 2), "classes": (40, 3)}
    for kind, shape in probabilities.items():
        assert model_of(kind).fit(X, targets(kind)).predict_proba(X).shape == shape


def test_multilabel_is_learned(features, model_of):
    X = features()
    y = (X[:, :3] > 0).astype(int)
    model = model_of("multilabel", n_steps=300).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), y)
    assert model.predict(X).dtype == int
    assert model.out_activation_ == "logistic"
    assert model.n_outputs_ == 3


def test_no_hidden_layer_is_a_linear_model(features, targets, model_of):
    X, y = features(), targets("squared")
    model = model_of("squared", hidden_layer_sizes=(), n_steps=2000, alpha=[0.0], batch_size=100)
    model.set_params(learning_rate_init=0.1).fit(X, y)
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(40)]), y, rcond=None)[0]
    np.testing.assert_allclose(model.coefs_[0][:, 0], expected[:-1], atol=1e-8)
    assert model.n_layers_ == 2


def test_fits_before_predictions(features, targets, model_of):
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError):
            getattr(model_of("classes"), method)(features())
    failed = model_of("classes", hidden_layer_sizes=(3, 0))
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        failed.fit(features(), targets("classes"))
    with pytest.raises(NotFittedError):
        failed.predict(features())
