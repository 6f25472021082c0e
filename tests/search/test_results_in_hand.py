"""What people take away from a search: features, values, logs, models."""

import json
import logging
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model, params_from_json
from sklearn_hypergrad.search.reporting.params_json import to_json

pytestmark = pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
NAMES = [f"x{number}" for number in range(12)]


@pytest.fixture(scope="module")
def noisy():
    """Two features among ten of noise, as a frame."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12))
    return pd.DataFrame(X, columns=NAMES), X[:, 0] * 3 - X[:, 1] + rng.normal(size=120)


@pytest.fixture(scope="module")
def vector(noisy):
    model = make_pipeline(StandardScaler(), linear_model.Ridge())
    return HypergradSearchCV(model, {"ridge__alpha": Continuous(per="feature")}).fit(*noisy)


# Features


def test_features_are_those_of_the_statuses(vector):
    table = vector.hyperparameters_
    for status, statuses in {
        "apart": ["below pool", "above pool", "unpenalised", "dropped"],
        "pooled": ["pooled", "flat"],
        "dropped": ["dropped"],
        "below pool": ["below pool", "unpenalised"],
    }.items():
        names = table["name"][table["status"].isin(statuses)]
        expected = [name.removeprefix("ridge__alpha[").removesuffix("]") for name in names]
        assert vector.get_features(status).tolist() == expected
        places = vector.get_features(status, indices=True)
        assert [NAMES[place] for place in places] == expected
    kept = {*vector.get_features()}
    assert kept == {*NAMES} - {*vector.get_features("dropped")}
    assert {"x0", "x1"} <= {*vector.get_features("below pool")}


def test_features_of_groups_and_of_classes(noisy):
    X, y = noisy
    groups = ["signal"] * 2 + ["noise"] * 10
    grid = {"alpha": Continuous(per="group", groups=groups)}
    search = HypergradSearchCV(linear_model.Ridge(), grid).fit(X, y)
    assert {*search.get_features("apart")} in ({"x0", "x1"}, {*NAMES[2:]}, {*NAMES})
    labels = np.digitize(X["x0"], [-0.5, 0.5])
    grid = {"C": Continuous(per="coefficient")}
    model = linear_model.LogisticRegression(max_iter=1000)
    search = HypergradSearchCV(model, grid, cv=2, scoring="neg_log_loss", tol=0.1)
    search.set_params(search_cv="cv").fit(X, labels)
    table = search.hyperparameters_
    apart = ~table["status"].isin(["pooled", "flat"])
    by_feature = apart.to_numpy().reshape(3, 12).any(axis=0)
    assert (
        search.get_features("apart", indices=True).tolist() == np.flatnonzero(by_feature).tolist()
    )
    pooled = {*search.get_features("pooled")}
    assert pooled == {*NAMES} - {*search.get_features("apart")}


def test_features_without_names_are_positions(noisy):
    X, y = noisy
    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(linear_model.Ridge(), grid).fit(X.to_numpy(), y)
    assert {0, 1} <= {*search.get_features("below pool").tolist()}


def test_a_row_with_one_value_for_all_has_nothing_apart(noisy):
    def last(results):
        return len(results["params"]) - 1

    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(linear_model.Ridge(), grid, refit=last, cv=3).fit(*noisy)
    assert search.best_index_ == 1
    assert len(np.unique(search.best_params_["alpha"])) == 1
    assert search.get_features("apart").size == 0
    assert search.get_features().tolist() == search.get_features("pooled").tolist() == NAMES


def test_there_may_be_no_value_per_feature(noisy, vector):
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}).fit(*noisy)
    with pytest.raises(ValueError, match=r"no value per feature. Search one with Continuous\(per="):
        search.get_features()
    with pytest.raises(ValueError, match="got 'drop'. Did you mean 'dropped'"):
        vector.get_features("drop")


# JSON


def test_params_come_back_bit_for_bit(vector):
    text = vector.params_to_json()
    stored = json.loads(text)["params"]["ridge__alpha"]["array by feature"]
    assert list(stored) == NAMES
    assert np.array_equal(
        params_from_json(text)["ridge__alpha"], vector.best_params_["ridge__alpha"]
    )
    turned = params_from_json(text, feature_names=NAMES[::-1])["ridge__alpha"]
    assert np.array_equal(turned[::-1], vector.best_params_["ridge__alpha"])
    with pytest.raises(ValueError, match="ridge__alpha has no value for the feature 'y'; it has"):
        params_from_json(text, feature_names=["x0", "y"])


VALUES = {
    "numbers": {"a": 1, "b": 0.1 + 0.2, "c": np.float32(0.1), "d": np.int64(2)},
    "words": {"a": "auto", "b": None, "c": True, "d": np.bool_(False), "e": np.str_("x")},
    "not finite": {"a": math.inf, "b": -math.inf},
    "arrays": {"a": np.array([[0.1, np.inf], [3, 4]]), "b": np.arange(3)},
    "sizes": {"hidden_layer_sizes": (50, 2), "steps": [1, 2.5]},
    "dicts": {"weights": {"num": 1.0, "cat": 0.5}, "alpha": {"x": 1.0, None: 2.0}},
}


@pytest.mark.parametrize("case", VALUES)
def test_all_kinds_of_values(case):
    values = VALUES[case]
    found = params_from_json(to_json(values, lambda key: ()))
    assert found.keys() == values.keys()
    for key, value in values.items():
        assert np.array_equal(found[key], value)
        assert isinstance(found[key], tuple | list | dict | np.ndarray) == isinstance(
            value, tuple | list | dict | np.ndarray
        )


def test_nan_is_a_number_of_its_own():
    assert math.isnan(params_from_json(to_json({"a": np.nan}, lambda key: ()))["a"])


def test_what_is_no_plain_value_is_refused(noisy):
    grid = {"model": [Ridge(), Lasso()], "model__alpha": [0.1, 1.0]}
    search = HypergradSearchCV(Pipeline([("model", Ridge())]), grid, cv=2).fit(*noisy)
    with pytest.raises(TypeError, match="model is .* no class is made when it is read. Store"):
        search.params_to_json()
    for value in (np.array(["a"]), {1}, b"bytes", 1j):
        with pytest.raises(TypeError, match="JSON has numbers"):
            to_json({"a": value}, lambda key: ())


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "no JSON"),
        ("[]", "its format is not 'sklearn_hypergrad params 1'"),
        ('{"format": "another"}', "Write it by search.params_to_json"),
        ('{"format": "%s", "params": {"a": {"class": "os.system"}}}', "does not write"),
        ('{"format": "%s", "params": {"a": {"array": ["x"]}}}', "a is no array of numbers"),
        ('{"format": "%s", "params": {"a": {"array": [[1], [1, 2]]}}}', "is no array"),
        ('{"format": "%s", "params": {"a": {"number": "__import__"}}}', "does not write"),
    ],
    ids=str,
)
def test_reading_makes_nothing_but_plain_values(text, match):
    text = text % "sklearn_hypergrad params 1" if "%s" in text else text
    with pytest.raises(ValueError, match=match):
        params_from_json(text)


# Logs


def test_one_record_for_every_evaluation(noisy, caplog):
    X, y = noisy
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3)
    quiet = search.fit(X, y)
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, logger="sklearn_hypergrad"):
        search.fit(X, y)
    history = search.history_
    records = [r for r in caplog.records if r.name == "sklearn_hypergrad"]
    assert len(records) == len(history) == quiet.n_iter_
    assert [r.loss for r in records] == history["loss"].tolist()
    assert [r.values["alpha"] for r in records] == history["value"].tolist()
    assert [r.purpose for r in records] == history["purpose"].tolist()
    levels = {"search": logging.INFO, "comparison": logging.DEBUG}
    assert [r.levelno for r in records] == [levels[purpose] for purpose in history["purpose"]]
    message = records[0].getMessage()
    assert message.startswith("evaluation 1 (search on cv): r2 ")
    assert f"alpha={history['value'][0]:.4g}" in message
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="sklearn_hypergrad"):
        search.fit(X, y)
    assert {r.purpose for r in caplog.records} == {"search"}


def test_records_of_vectors_say_where_they_are(noisy, caplog):
    grid = {"alpha": Continuous(per="feature"), "fit_intercept": [True, False]}
    with caplog.at_level(logging.INFO, logger="sklearn_hypergrad"):
        HypergradSearchCV(linear_model.Ridge(), grid, cv=2, max_iter=2).fit(*noisy)
    texts = [record.getMessage() for record in caplog.records]
    assert any("(fit_intercept=False, search on cv)" in text for text in texts)
    assert any(" to " in text for text in texts)


# Other programs


def test_a_pickle_keeps_tables_that_were_made(vector):
    table = vector.hyperparameters_
    copy = pickle.loads(pickle.dumps(vector))
    assert "hyperparameters_" not in vars(copy)
    pd.testing.assert_frame_equal(copy.hyperparameters_, table)
    assert list(copy.history_["loss"]) == list(vector.history_["loss"])
    assert vector.hyperparameters_ is table


def test_a_fitted_search_goes_through_skops(vector, noisy):
    io = pytest.importorskip("skops.io")
    X, y = noisy
    vector = clone(vector).set_params(cv=2, max_iter=2, guard=False).fit(X, y)
    for made in (False, True):
        if made:
            assert len(vector.history_)
        stored = io.dumps(vector)
        types = io.get_untrusted_types(data=stored)
        assert not [name for name in types if "pandas" in name or "function" in name]
        loaded = io.loads(stored, trusted=types)
        assert np.array_equal(loaded.predict(X), vector.predict(X))
        assert str(loaded.report()) == str(vector.report())
        assert loaded.as_start() == vector.as_start()
        assert loaded.get_features("apart").tolist() == vector.get_features("apart").tolist()
        assert list(loaded.history_["loss"]) == list(vector.history_["loss"])
    best = io.dumps(vector.best_estimator_)
    types = io.get_untrusted_types(data=best)
    assert types == ["sklearn_hypergrad.linear_model.ridge.Ridge"]
    assert np.array_equal(io.loads(best, trusted=types).predict(X), vector.predict(X))


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("classes", [False, True])
def test_the_best_estimator_goes_to_onnx(noisy, per, classes):
    to_onnx = pytest.importorskip("skl2onnx").to_onnx
    runtime = pytest.importorskip("onnxruntime")
    X, y = noisy[0].to_numpy(dtype=np.float32), noisy[1]
    package = linear_model if per else None
    name = "LogisticRegression" if classes else "Ridge"
    plain = {"LogisticRegression": LogisticRegression, "Ridge": Ridge}[name]
    model = getattr(package, name, plain)()
    grid = {f"{name.lower()}__{'C' if classes else 'alpha'}": Continuous(per=per)}
    search = HypergradSearchCV(make_pipeline(StandardScaler(), model), grid, cv=2, max_iter=3)
    search.fit(X, y > 0 if classes else y)
    best = search.best_estimator_
    if per:
        best = Pipeline([*best.steps[:-1], ("model", best[-1].to_sklearn())])
    session = runtime.InferenceSession(to_onnx(best, X[:1]).SerializeToString())
    (found, *_) = session.run(None, {"X": X})
    assert np.allclose(found.ravel(), search.predict(X), rtol=1e-4, atol=1e-4)
