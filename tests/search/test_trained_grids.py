"""Grids of searches through training: ranges, settings beside them, bounds and starts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.optimizers import Adam

N_STEPS, N_LAYERS = 10, 2
GRID = {
    "learning_rate_init": Continuous(per=("step", "layer")),
    "alpha": Continuous(per="layer"),
    "momentum": [0.5, 0.99],
}


def model_of(**params):
    small = {"hidden_layer_sizes": 4, "activation": "tanh", "n_steps": N_STEPS, "random_state": 0}
    return MLPClassifier(**{**small, **params})


def search_of(grid=GRID, model=None, **options):
    model = model_of() if model is None else model
    return HypergradSearchCV(model, grid, **{"cv": 2, "max_iter": 4, **options})


def found(search):
    return search.cv_results_["params"][0]


@pytest.fixture
def wine(data):
    X, y = data("wine")
    rows = np.random.default_rng(0).permutation(len(y))[:90]
    return X[rows], y[rows]


def test_lists_are_ranges_and_zeros_are_enumerated(wine):
    grid = {"alpha": [0, 1e-4, 1e-1], "momentum": [0.5, 0.9]}
    rows = search_of(grid).fit(*wine).cv_results_["params"]
    assert {row["alpha"] == 0 for row in rows} == {True, False}
    searched = np.array([row["alpha"] for row in rows if row["alpha"]])
    assert np.all((searched >= 1e-4) & (searched <= 1e-1))
    assert all(0.5 <= row["momentum"] <= 0.9 for row in rows)


def test_enumerated_settings_beside(wine):
    grid = {**GRID, "activation": ["tanh", "relu"], "n_steps": [5, N_STEPS]}
    search = search_of(grid).fit(*wine)
    rows = search.cv_results_["params"]
    assert len({(row["activation"], row["n_steps"]) for row in rows}) == 4
    assert all(len(row["learning_rate_init"]) == row["n_steps"] for row in rows)
    assert "enumerated: n_steps: n_steps of MLPClassifier is not diff" in search.hypergradient_


def test_a_list_of_grids_and_names_in_pipelines(wine):
    grids = [GRID, {"alpha": [0.0], "learning_rate_init": [0.01, 1]}]
    grids = [{f"mlpclassifier__{k}": v for k, v in grid.items()} for grid in grids]
    pipeline = make_pipeline(StandardScaler(), model_of())
    search = search_of(grids, pipeline, scoring="neg_log_loss").fit(*wine)
    assert set(search.history_["candidate"]) == {0, 2}
    alone = search_of(grids[0], pipeline, scoring="neg_log_loss").fit(*wine)
    assert search.cv_results_["mean_test_score"][0] == alone.cv_results_["mean_test_score"][0]


@pytest.mark.parametrize("scale", ["auto", "log", "linear"])
def test_bounds_hold(wine, scale):
    grid = {"learning_rate_init": Continuous(0.099, 0.101, scale=scale)}
    with pytest.warns(match="at bound. Widen the bound"):
        search = search_of(grid).fit(*wine)
    assert search.best_params_["learning_rate_init"] in (0.099, 0.1, 0.101)
    assert set(search.hyperparameters_["status"]) == {"at bound"}


@pytest.mark.parametrize("scale", ["auto", "log", "logit"])
def test_momenta_stay_below_one(wine, scale):
    search = search_of({"momentum": Continuous(scale=scale)}, optimizer=Adam(10.0)).fit(*wine)
    values = np.asarray(search.history_["value"])
    assert np.all((values > 0) & (values < 1))
    assert search.hyperparameters_["high"][0] < 1


@pytest.mark.parametrize(
    ("own", "per", "start"),
    [
        (0.3, None, 0.3),
        ([0.1, 0.3], "layer", [0.1, 0.3]),
        ([0.1, 0.3], ("step", "layer"), [[0.1, 0.3]] * N_STEPS),
        (np.arange(1, 11), ("step", "layer"), np.repeat(np.arange(1.0, 11), 2).reshape(10, 2)),
        (np.linspace(0.9, 0, N_STEPS), "step", [*np.linspace(0.9, 0, N_STEPS)[:-1], 0.1]),
        ([0.1, 0.9], None, 0.3),
        (0, "layer", [0.1, 0.1]),
    ],
)
def test_the_search_starts_at_the_own_value(wine, own, per, start):
    grid, model = {"learning_rate_init": Continuous(per=per)}, model_of(learning_rate_init=own)
    search = search_of(grid, model, max_iter=1).fit(*wine)
    assert_allclose(search.history_["value"][0], start, rtol=1e-12)
    assert_allclose(search.hyperparameters_["start"], np.ravel(start), rtol=1e-12)


def test_a_list_of_penalties_is_a_start(wine):
    alpha = [np.full((13, 4), 0.1), np.full((4, 3), 0.01)]
    search = search_of({"alpha": Continuous(per="coefficient")}, model_of(alpha=alpha))
    search.fit(*wine)
    assert_array_equal(search.hyperparameters_["start"], [0.1] * 52 + [0.01] * 12)
    assert search.hyperparameters_["name"][52] == "alpha[1, 0, 0]"


def test_as_many_steps_as_layers(wine):
    grid = {"alpha": Continuous(per="step"), "momentum": Continuous(per="layer")}
    search = search_of(grid, model_of(n_steps=2)).fit(*wine)
    assert found(search)["alpha"].shape == (2, 1)
    assert found(search)["momentum"].shape == (1, 2)
