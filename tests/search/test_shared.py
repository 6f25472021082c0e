"""Searches that are shared with workers: the same result, told in the same order, stopped alike."""

import os
import pickle
import re
import threading
import time
import warnings

import joblib
import narwhals
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from test_interrupts import After

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model, workers
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.search.data.fingerprint import fingerprint
from sklearn_hypergrad.search.strategies.shared import InOrder
from sklearn_hypergrad.tuning import Deadline, Objective, Stopped

pytestmark = pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
ANY, VECTOR = Continuous(), Continuous(per="feature")
PIPELINE = make_pipeline(PCA(8), Ridge())
SEARCHES = {
    "pipeline": HypergradSearchCV(
        PIPELINE, {"pca__n_components": [2, 4, 6, 8], "ridge__alpha": ANY}, cv=3
    ),
    "objects": HypergradSearchCV(
        make_pipeline(StandardScaler(), Ridge()),
        [
            {"standardscaler": [StandardScaler(), PCA(3)], "ridge__alpha": [0, 0.1, 10.0]},
            {"ridge": [Ridge(fit_intercept=False)], "standardscaler__with_mean": [True, False]},
        ],
    ),
    "network": HypergradSearchCV(
        MLPClassifier((3,), n_steps=8, random_state=0),
        {"hidden_layer_sizes": [(2,), (3,), (4,)], "alpha": ANY},
        scoring="neg_log_loss",
        cv=2,
        max_iter=3,
    ),
    "vectors": HypergradSearchCV(
        linear_model.Ridge(), {"alpha": VECTOR, "fit_intercept": [True, False]}, cv=3, max_iter=4
    ),
    "guard": HypergradSearchCV(
        linear_model.Ridge(), {"alpha": VECTOR}, guard=True, cv=3, max_iter=4, shrinkage=0.0
    ),
}


@pytest.fixture
def shared(monkeypatch):
    """Searches are shared at once: the caller does the first one, and workers the others."""
    take, begun = workers.Crew.take, set()

    def take_one(self):
        if self not in begun:
            begun.add(self)
            return take(self)
        deadline = time.perf_counter() + 30
        while self._n_workers > 1 and self._left and time.perf_counter() < deadline:
            time.sleep(1e-3)
        return take(self)

    monkeypatch.setattr(workers, "WORTH", 0.0)
    monkeypatch.setattr(workers.Crew, "take", take_one)


@pytest.fixture
def sets(data):
    X, y = data("diabetes")
    wine = load_wine(return_X_y=True)
    small = scale(X[::4]), scale(y[::4])
    return {name: wine if name == "network" else small for name in SEARCHES} | {
        "network": (scale(wine[0]), wine[1])
    }


def search_for(name, n_jobs=1, **options):
    return clone(SEARCHES[name]).set_params(n_jobs=n_jobs, **options)


def bits(search):
    """All bits of a result, but how long it took."""
    history = narwhals.from_native(search.history_).drop("seconds").to_native()
    costs = search._costs.n_evaluations, search._costs.n_inner_fits
    rows = [repr(row) for row in search.cv_results_["params"]]
    said = search.remarks_, search.stopping_reason_, search.hypergradient_
    return fingerprint(
        rows=rows, scores=search.cv_results_["mean_test_score"], h=history, costs=costs, said=said
    )


def with_workers(name, sets, backend="threading", **options):
    with joblib.parallel_config(backend=backend):
        return search_for(name, n_jobs=2, **options).fit(*sets[name])


# Processes take seconds to start: ``pytest -m thorough`` has them.
BY_PROCESSES = [pytest.param(name, "loky", marks=pytest.mark.thorough) for name in SEARCHES]


@pytest.mark.parametrize(
    ("name", "backend"), [*((name, "threading") for name in SEARCHES), *BY_PROCESSES]
)
def test_the_same_bits(sets, shared, name, backend):
    alone = search_for(name).fit(*sets[name])
    search = with_workers(name, sets, backend)
    assert bits(search) == bits(alone)
    if name in ("vectors", "guard"):
        np.testing.assert_array_equal(search.feature_regularization_, alone.feature_regularization_)
    if name == "guard":
        assert search.guard_ == alone.guard_


@pytest.mark.parametrize("name", ["pipeline", "guard"])
def test_workers_take_part(sets, shared, monkeypatch, name):
    threads, evaluate = set(), Objective._evaluate

    def _evaluate(self, theta):
        threads.add(threading.get_ident())
        return evaluate(self, theta)

    monkeypatch.setattr(Objective, "_evaluate", _evaluate)
    with_workers(name, sets)
    assert len(threads) > 1


def test_settings_that_take_no_time_start_no_workers(sets, monkeypatch):
    monkeypatch.setattr(workers.Crew, "_share", lambda self, *args: self._over.wait())
    alone, search = search_for("pipeline"), search_for("pipeline", n_jobs=2)
    assert bits(search.fit(*sets["pipeline"])) == bits(alone.fit(*sets["pipeline"]))


class Told(After):
    """A callback that notes the tasks that it is told of, and their thread."""

    def __init__(self):
        super().__init__(np.inf)
        self.tasks = []

    def on_fit_task_begin(self, estimator, context):
        self.tasks.append((context.task_name, context.task_id, threading.get_ident()))


@pytest.mark.parametrize("name", ["pipeline", "vectors", "guard"])
def test_callbacks_are_told_the_same_in_the_calling_thread(sets, shared, name):
    told = []
    for n_jobs in (1, 2):
        callback = Told()
        search = search_for(name, n_jobs).set_callbacks(callback)
        # Fits of rows are told of where they are made.
        with joblib.parallel_config(backend="threading"):
            search.set_params(refit=False).fit(*sets[name])
        told.append([task for task in callback.tasks if "evaluation" not in task[0]])
    assert told[0] == told[1]
    assert len(told[0]) > 10


def test_lines_are_printed_in_the_same_order(sets, shared, capsys):
    printed = []
    for n_jobs in (1, 2):
        with joblib.parallel_config(backend="threading"):
            search_for("vectors", n_jobs, verbose=1, refit=False).fit(*sets["vectors"])
        lines = capsys.readouterr().out.splitlines()
        printed.append([re.sub(r"<?\d+\.\d s", "", line).rstrip() for line in lines])
    assert printed[0] == printed[1]


@pytest.mark.parametrize("name", ["pipeline", "guard"])
def test_ctrl_c_at_any_evaluation_leaves_a_fitted_search(sets, shared, name):
    total = search_for(name).fit(*sets[name])._costs.n_evaluations
    for n in range(1, total, 7):
        with joblib.parallel_config(backend="threading"):
            search = search_for(name, n_jobs=2).set_callbacks(After(n)).fit(*sets[name])
        assert np.isfinite(search.best_score_), n
        assert "interrupted" in " ".join(search.remarks_)
        assert "Cost" in str(search.report())
        # More may be known than was told when it was pressed.
        assert search._costs.n_evaluations >= n


def test_ctrl_c_while_the_caller_waits(sets, shared, monkeypatch):
    """Searches that run on workers give what they have; a second Ctrl-C is raised."""
    wait, presses = workers.Crew.wait, [1]

    def interrupted(self):
        if presses:
            presses.pop()
            raise KeyboardInterrupt
        return wait(self)

    monkeypatch.setattr(workers.Crew, "wait", interrupted)
    search = with_workers("pipeline", sets)
    assert len(search.cv_results_["params"]) >= 2
    assert "interrupted" in search.remarks_[0]
    presses += [1, 1]
    with pytest.raises(KeyboardInterrupt):
        with_workers("pipeline", sets)


def test_before_the_first_evaluation_it_is_raised(sets, shared, monkeypatch):
    def interrupted(self, theta):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "_evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        with_workers("pipeline", sets)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_max_time_holds_on_workers(sets, shared, backend):
    search = with_workers("pipeline", sets, backend, max_time=1e-6)
    assert "max_time" in search.remarks_[0]
    assert np.isfinite(search.best_score_)
    # One evaluation of each search that was begun, and the comparison with the own value.
    assert search._costs.n_evaluations <= 2 * 4


def test_a_deadline_is_the_same_in_another_process():
    deadline = Deadline(1000.0)
    there = pickle.loads(pickle.dumps(deadline))
    assert there._end == pytest.approx(deadline._end, abs=1.0)
    assert there.reason == deadline.reason
    assert not there.has_passed
    assert pickle.loads(pickle.dumps(Deadline(1e-9))).has_passed


def test_errors_of_workers_are_those_of_the_search(sets, shared):
    X, y = sets["pipeline"]
    grid = {"n_components": [2, 3], "alpha": Continuous(per="feature")}
    model = make_pipeline(PCA(8), Ridge())
    grid = {"pca__n_components": [2, 3], "ridge__alpha": Continuous(low=5, init=7)}
    search = HypergradSearchCV(model, grid, n_jobs=2, validation_loss="log_loss")
    with pytest.raises(ValueError, match="'log_loss' does not apply"):
        search.fit(X, y)


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("pipeline", "loky"),
        pytest.param("guard", "loky", marks=pytest.mark.thorough),
        ("pipeline", "threading"),
        ("guard", "threading"),
    ],
)
@pytest.mark.thorough
def test_a_checkpoint_has_what_workers_did(sets, shared, tmp_path, monkeypatch, name, backend):
    alone = search_for(name, checkpoint=tmp_path / "alone").fit(*sets[name])
    folder = tmp_path / "shared"
    search = with_workers(name, sets, backend, checkpoint=folder)
    assert bits(search) == bits(alone)
    # Their own files have been taken over.
    assert len(os.listdir(folder)) == 1

    def _evaluate(self, theta):
        raise AssertionError("it is known")

    monkeypatch.setattr(Objective, "_evaluate", _evaluate)
    for n_jobs in (1, 2):
        again = search_for(name, n_jobs, checkpoint=folder)
        with joblib.parallel_config(backend=backend):
            assert bits(again.fit(*sets[name])) == bits(alone)


def test_stopped_with_workers_and_continued(sets, shared, tmp_path):
    alone = search_for("pipeline", checkpoint=tmp_path / "alone").fit(*sets["pipeline"])
    interrupted = search_for("pipeline", 2, checkpoint=tmp_path).set_callbacks(After(15))
    with joblib.parallel_config(backend="threading"):
        interrupted.fit(*sets["pipeline"])
    assert interrupted._costs.n_evaluations < alone._costs.n_evaluations
    search = search_for("pipeline", checkpoint=tmp_path).fit(*sets["pipeline"])
    assert bits(search) == bits(alone)


def test_large_arrays_reach_workers_as_files(shared):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 80))
    y = X[:, 0] + rng.normal(size=2000)
    grid = {"alpha": ANY, "fit_intercept": [True, False, True]}
    searches = [
        HypergradSearchCV(Ridge(), grid, n_jobs=n_jobs, cv=2).fit(X, y) for n_jobs in (1, 2)
    ]
    assert bits(searches[0]) == bits(searches[1])


def test_transformers_of_splits(shared, monkeypatch):
    """Of one candidate, workers fit the transformers of the splits."""
    texts = [f"{'good' if n % 3 else 'bad'} word{n % 7} word{n % 5}" for n in range(60)]
    y = [n % 3 > 0 for n in range(60)]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    grid, threads = {"logisticregression__C": [0.1, 10.0]}, set()
    fit_transform = TfidfVectorizer.fit_transform

    def counted(self, *args):
        threads.add(threading.get_ident())
        return fit_transform(self, *args)

    monkeypatch.setattr(TfidfVectorizer, "fit_transform", counted)
    found = []
    for n_jobs in (1, 2):
        with joblib.parallel_config(backend="threading"):
            search = HypergradSearchCV(model, grid, scoring="neg_log_loss", n_jobs=n_jobs, cv=3)
            found.append(bits(search.fit(texts, y)))
    assert found[0] == found[1]
    assert len(threads) > 1


class TestInOrder:
    def test_events_wait_for_their_turn(self):
        heard = []
        told = InOrder((heard.append,))
        second = told.listener(1)
        second("b1")
        told.listener(0)("a1")
        assert heard == ["a1"]
        told.end(1)
        told.listener(0)("a2")
        told.end(0)
        told.listener(2)("c1")
        assert heard == ["a1", "a2", "b1", "c1"]

    def test_a_listener_that_raises_is_told_once(self):
        heard = []

        def listen(event):
            heard.append(event)
            if event == "b1":
                raise Stopped("enough")

        told = InOrder((listen,))
        told.add(1, [("b1",), ("b2",)])
        told.end(1)
        told.listener(2)("c1")
        with pytest.raises(Stopped):
            told.end(0)
        told.rest()
        assert heard == ["b1", "b2", "c1"]


def test_warnings_are_those_of_the_caller(sets, shared):
    """One warning, in its place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with_workers("pipeline", sets, "loky", max_time=1e-6)
    assert [each.filename for each in caught if "max_time" in str(each.message)] == [__file__]
