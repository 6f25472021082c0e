"""Searches through training: rows, reports and options."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neural_network as plain
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_score,
)

from sklearn_hypergrad import (
    Continuous,
    HypergradSearchCV,
    HypergradWarning,
    check_hypergradient,
)
from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible, Truncated
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.search.objective import methods

N_STEPS, N_LAYERS = 10, 2
GRID = {
    "learning_rate_init": Continuous(per=("step", "layer")),
    "alpha": Continuous(per="layer"),
    "momentum": [0.5, 0.99],
}
SCALARS = {"learning_rate_init": Continuous(), "momentum": Continuous()}


def model_of(**params):
    small = {"hidden_layer_sizes": 4, "activation": "tanh", "n_steps": N_STEPS, "random_state": 0}
    return MLPClassifier(**{**small, **params})


def search_of(grid=GRID, model=None, **options):
    model = model_of() if model is None else model
    return HypergradSearchCV(model, grid, **{"cv": 3, "max_iter": 4, **options})


def found(search):
    return search.cv_results_["params"][0]


@pytest.fixture(scope="module")
def wine(data):
    X, y = data("wine")
    rows = np.random.default_rng(0).permutation(len(y))[:90]
    return X[rows], y[rows]


@pytest.fixture(scope="module")
def fitted(wine):
    return search_of(scoring="neg_log_loss").fit(*wine)


class TestReports:
    def test_rows_are_the_point_found_and_the_start(self, fitted):
        point, start = fitted.cv_results_["params"]
        assert_array_equal(start["learning_rate_init"], np.full((N_STEPS, N_LAYERS), 0.1))
        assert_array_equal(start["alpha"], np.full(N_LAYERS, 1e-4))
        assert start["momentum"] == 0.9
        assert not np.array_equal(point["learning_rate_init"], start["learning_rate_init"])
        assert fitted.best_index_ == 0

    def test_a_search_that_ends_where_it_starts_has_one_row(self, wine):
        (row,) = search_of(max_iter=1).fit(*wine).cv_results_["params"]
        assert set(row["learning_rate_init"].ravel()) == {0.1}

    def test_scores_are_those_of_the_search_and_of_cross_validation(self, fitted, wine):
        loss = np.asarray(fitted.history_["loss"])
        assert_allclose(fitted.cv_results_["mean_test_score"], [-loss.min(), -loss[0]], rtol=1e-12)
        again = cross_val_score(fitted.best_estimator_, *wine, cv=3, scoring="neg_log_loss")
        assert fitted.best_score_ == pytest.approx(again.mean(), rel=1e-12)

    def test_history(self, fitted):
        history = fitted.history_
        # The own and two listed momenta are only looked at, then there are four steps.
        assert len(history) == fitted.n_iter_ == 3 + 4
        splits = np.mean([history[f"split{k}_loss"] for k in range(3)], axis=0)
        assert_allclose(splits, history["loss"])
        assert set(history["hyperparameter"]) == {"learning_rate_init, alpha, momentum"}
        assert set(history["splits"]) == {"cv"}
        norms = np.asarray(history["gradient_norm"])
        assert np.isnan(norms[:3]).all()
        assert np.all(norms[3:] > 0)
        assert np.shape(history["value"][0]["learning_rate_init"]) == (N_STEPS, N_LAYERS)

    def test_hyperparameters_have_a_row_for_every_entry(self, fitted):
        table = fitted.hyperparameters_
        names = list(table["name"])
        assert len(names) == N_STEPS * N_LAYERS + N_LAYERS + 1
        assert names[0] == "learning_rate_init[0, 0]"
        assert names[-3:] == ["alpha[0]", "alpha[1]", "momentum"]
        values = np.asarray(table["value"])
        assert_array_equal(values[:20], found(fitted)["learning_rate_init"].ravel())
        assert np.all((table["low"] <= values) & (values <= table["high"]))
        assert set(table["status"]) <= {"interior", "not converged", "at bound"}

    def test_what_was_done_is_told(self, fitted):
        assert fitted.validation_loss_ == "log_loss"
        assert "Adam" in fitted.stopping_reason_
        assert fitted.hypergradient_.startswith("learning_rate_init, alpha, momentum: Reverse()")
        assert "10 steps, whose states fit into memory" in fitted.hypergradient_

    def test_copies(self, fitted, wine):
        again = pickle.loads(pickle.dumps(fitted))
        assert_array_equal(again.predict(wine[0]), fitted.predict(wine[0]))
        assert repr(clone(fitted)) == repr(fitted)
        assert not hasattr(clone(fitted), "history_")

    def test_nothing_of_the_data_stays(self, data):
        X, y = data("digits")
        search = search_of(SCALARS, max_iter=1).fit(X, y)
        assert len(pickle.dumps(search)) < X.nbytes / 10


@pytest.mark.parametrize(
    ("model", "chosen"),
    [
        (plain.MLPClassifier(4, max_iter=3), "Reversible()"),
        (plain.MLPClassifier(4, max_iter=3, beta_1=0.3), "Reverse(n_checkpoints=2)"),
        (plain.MLPClassifier(4, max_iter=3, beta_1=0.0), "Reverse(n_checkpoints=2)"),
        (plain.MLPClassifier(4, max_iter=3, solver="sgd"), "Reverse(n_checkpoints=2)"),
        (model_of(momentum=0.5), "Reversible()"),
        (model_of(momentum=0.4), "Reverse(n_checkpoints=4)"),
    ],
)
def test_what_is_chosen_where_states_do_not_fit(wine, monkeypatch, model, chosen):
    monkeypatch.setattr(methods, "MOST_BYTES", 0)
    grid = {"learning_rate_init": Continuous()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        told = search_of(grid, model, cv=2, max_iter=1).fit(*wine).hypergradient_
    assert f"learning_rate_init: {chosen}, because" in told
    assert "need 0.0 GiB per split" in told


@pytest.mark.parametrize(
    "network",
    [plain.MLPClassifier, pytest.param(plain.MLPRegressor, marks=pytest.mark.thorough)],
)
def test_the_default_solver_of_scikit_learn_is_undone(wine, network):
    X, y = wine
    # Differences want an activation without kinks.
    options = {"activation": "tanh", "batch_size": 20, "max_iter": 6, "random_state": 0}
    model = network(hidden_layer_sizes=4, **options)
    grid = {"learning_rate_init": Continuous(), "alpha": Continuous(), "beta_1": [0.5, 0.99]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        undone, stored = (
            search_of(grid, model, cv=2, hypergradient=method)
            for method in ("reversible", "reverse")
        )
        # Differences are of training with decays that fractions are only near to.
        assert check_hypergradient(undone, X, y, n_points=1).max() < 1e-4
        losses = [search.fit(X, y).history_["loss"] for search in (undone, stored)]
    assert_allclose(*losses, rtol=1e-5)
    assert "Reversible()" in undone.hypergradient_


class TestOptions:
    @pytest.mark.parametrize("method", ["reverse", "reversible", "forward", "truncated"])
    def test_methods_agree(self, wine, method):
        grid = {**SCALARS, "init_scale": Continuous(per="layer"), "alpha": [1e-5, 1e-2]}
        search = search_of(grid, hypergradient=method, cv=2).fit(*wine)
        expected = search_of(grid, cv=2).fit(*wine)
        assert f"{method.title()}(" in search.hypergradient_
        assert "because it was asked for" in search.hypergradient_
        assert_allclose(search.history_["loss"], expected.history_["loss"], rtol=1e-7)

    @pytest.mark.parametrize(
        "method", [Reverse(3), Reverse(dtype="float32"), Truncated(5), Reversible(), Forward()]
    )
    def test_instances_of_methods(self, wine, method):
        search = search_of(hypergradient=method, cv=2).fit(*wine)
        assert repr(method) in search.hypergradient_
        assert min(search.history_["loss"]) < search.history_["loss"][0]

    @pytest.mark.parametrize("optimizer", ["adam", "lbfgs", Adam(0.3), LBFGS()])
    def test_optimizers(self, wine, optimizer):
        search = search_of(optimizer=optimizer, scoring="neg_log_loss").fit(*wine)
        assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-9)
        assert search.best_score_ > -search.history_["loss"][0]

    @pytest.mark.parametrize("resample", ["fixed", "fresh"])
    @pytest.mark.parametrize("seed", [None, 0])
    def test_seeds(self, wine, resample, seed):
        model = model_of(random_state=seed)
        options = {"resample": resample, "model": model, "max_iter": 1, "cv": 2}
        one, same, other = (
            search_of(random_state=state, **options).fit(*wine).history_["loss"]
            for state in (None, 0, 1)
        )
        assert_array_equal(one, same)
        # The estimator's own seed is the one that fits use.
        draws = resample == "fresh" or seed is None
        assert np.array_equal(one, other) != draws

    def test_fresh_draws_are_averaged(self, wine):
        search = search_of(SCALARS, resample="fresh", max_iter=8).fit(*wine)
        path = np.array([list(value.values()) for value in search.history_["value"]])
        mean = np.exp(np.log(path[6:8, 0]).mean())
        assert found(search)["learning_rate_init"] == pytest.approx(mean)
        assert len(path) == 9

    @pytest.mark.parametrize(
        "cv",
        [
            [(np.arange(0, 90, 2), np.arange(1, 90, 2))],
            [(np.arange(90) % 2 == 0, np.arange(90) % 2 == 1)],
            StratifiedKFold(2, shuffle=True, random_state=0),
            GroupKFold(3),
        ],
        ids=["rows", "masks", "shuffled", "groups"],
    )
    def test_splits(self, wine, cv):
        groups = {"groups": np.arange(90) // 9} if isinstance(cv, GroupKFold) else {}
        search = search_of(cv=cv, scoring="neg_log_loss").fit(*wine, **groups)
        assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-9)

    def test_other_splits_to_descend(self, wine):
        search = search_of(search_cv=KFold(2), scoring="neg_log_loss").fit(*wine)
        assert set(search.history_["splits"]) == {"search_cv"}
        losses = cross_val_score(
            model_of(**found(search)), *wine, cv=KFold(2), scoring="neg_log_loss"
        )
        assert min(search.history_["loss"]) == pytest.approx(-losses.mean(), rel=1e-9)

    def test_metrics_and_no_refit(self, wine):
        scoring = ["accuracy", "neg_log_loss"]
        search = search_of(scoring=scoring, refit="neg_log_loss").fit(*wine)
        assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-9)
        search = search_of(scoring=scoring, refit=False).fit(*wine)
        assert search.validation_loss_ == "log_loss"
        assert not hasattr(search, "best_estimator_")

    def test_a_list_is_looked_at_before_it_is_searched(self, wine):
        # From its own rate of 1e-4, five steps of twenty per cent lead nowhere.
        model = model_of(learning_rate_init=1e-4)
        lists = {"learning_rate_init": [1e-3, 1e-1], "alpha": [1e-6, 1e-2]}
        search = search_of(lists, model, scoring="neg_log_loss").fit(*wine)
        assert search.best_params_["learning_rate_init"] > 0.05
        grid = GridSearchCV(model, lists, scoring="neg_log_loss", cv=3).fit(*wine)
        assert search.best_score_ >= grid.best_score_
        table = search.hyperparameters_
        assert list(table["start"])[0] == 0.1

    @pytest.mark.parametrize("optimizer", ["auto", "adam", Adam()])
    def test_fresh_draws_are_averaged_whatever_names_adam(self, wine, optimizer):
        ranges = {"learning_rate_init": Continuous()}
        options = {"resample": "fresh", "optimizer": optimizer, "max_iter": 12, "cv": 2}
        search = search_of(ranges, model_of(random_state=None), **options).fit(*wine)
        rates = list(search.history_["value"])
        mean = np.exp(np.mean(np.log(rates[9:12])))
        assert_allclose(np.asarray(search.hyperparameters_["value"])[0], mean, rtol=1e-9)

    def test_an_interrupt_keeps_the_best_so_far(self, wine, monkeypatch):
        evaluate, calls = Reverse.evaluate, []

        def interrupted(self, *args, **kwargs):
            calls.append(1)
            if len(calls) == 8:
                raise KeyboardInterrupt
            return evaluate(self, *args, **kwargs)

        monkeypatch.setattr(Reverse, "evaluate", interrupted)
        with pytest.warns(HypergradWarning, match="The search was stopped"):
            search = search_of(scoring="neg_log_loss").fit(*wine)
        assert search.stopping_reason_ == "interrupted after 5 of at most 8 evaluations"
        assert search.n_iter_ == 3 + 2
        assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-9)
