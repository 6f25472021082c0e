"""scikit-learn's callbacks see the tree of tasks that GridSearchCV makes."""

import os

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import Ridge as VectorRidge
from sklearn_hypergrad.neural_network import MLPRegressor


class Recorder:
    """Counts hooks by the names of their tasks."""

    def __init__(self):
        self.begun, self.ended, self.torn_down = [], [], 0

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        self.begun.append((context.task_name, context.task_id, type(estimator).__name__))

    def on_fit_task_end(self, estimator, context, **data):
        self.ended.append((context.task_name, context.task_id, type(estimator).__name__))

    def teardown(self, estimator, context):
        self.torn_down += 1


def recorded(search, X, y):
    recorder = Recorder()
    search.set_callbacks(recorder).fit(X, y)
    assert sorted(recorder.begun, key=str) == sorted(recorder.ended, key=str)
    assert recorder.torn_down == 1
    return [task[:2] for task in recorder.begun]


def test_enumeration_gives_the_tree_of_grid_search(data):
    X, y = data("diabetes")
    grid = {"fit_intercept": [True, False]}
    expected = recorded(GridSearchCV(Ridge(), grid, cv=3), X, y)
    assert recorded(HypergradSearchCV(Ridge(), grid, cv=3), X, y) == expected


def paths_class():
    """Of this function, so that workers, which cannot import tests, get the class itself."""

    class Paths:
        """Remembers the names on the way to every task that has ended, and its process."""

        def __init__(self):
            self.tasks = []

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
            names, at = [], context
            while at is not None:
                names.insert(0, at.task_name)
                at = at.parent
            self.tasks.append((tuple(names), os.getpid(), fitted_estimator))

        def teardown(self, estimator, context):
            pass

        def named(self, *names):
            return [task for task in self.tasks if task[0] == names]

    return Paths


Paths = paths_class()
STEP = "fit", "search", "descent", "step"
LEAF = "fit", "search", "evaluation", "candidate-split-evaluation"


def test_a_range_gives_a_step_per_evaluation_and_a_leaf_per_row_and_split(data):
    X, y = data("diabetes")
    paths = Paths()
    search = HypergradSearchCV(Ridge(alpha=30), {"alpha": [0.1, 10]}, cv=3)
    search.set_callbacks(paths).fit(X, y)
    # The value that the estimator has is outside, and was none of those on the way.
    assert len(paths.named(*STEP)) == search.n_iter_ - 1
    assert len(paths.named("fit", "search", "comparison", "step")) == 1
    assert len(paths.named(*STEP[:3])) == len(paths.named(*STEP[:2])) == 1
    assert len(paths.named(*LEAF)) == 3
    assert len(paths.named("fit", "refit-with-best-params")) == 1


def test_stages_are_descents_of_their_own(data):
    X, y = data("diabetes")
    paths = Paths()
    grid = {"alpha": Continuous(per="feature"), "fit_intercept": [True, False]}
    search = HypergradSearchCV(VectorRidge(), grid, cv=2, max_iter=3, search_cv="halves")
    search.set_callbacks(paths)
    # One value for all on cv, then the vector on halves, then the vector on cv.
    search.fit(X, y)
    assert len([task for task in paths.tasks if task[0][-1] == "step"]) == search.n_iter_
    assert len(paths.named(*STEP)) == list(search.history_["purpose"]).count("search")
    assert len(paths.named(*STEP[:3])) == 2 * 2


def test_a_budget_of_steps_is_known(data):
    X, y = data("diabetes")
    bounds = []

    class Bounds(Paths):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "descent":
                bounds.append(context.max_subtasks)

    network = MLPRegressor((3,), n_steps=3, random_state=0)
    search = HypergradSearchCV(network, {"alpha": [1e-4, 1e-2]}, cv=2, max_iter=4)
    search.set_callbacks(Bounds()).fit(X, y / y.std())
    assert len(bounds) == 1
    assert search.n_iter_ <= bounds[0] <= 4 + 2 + 2


def test_steps_are_told_in_the_calling_process(data):
    X, y = data("diabetes")
    paths = Paths()
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=3, n_jobs=2).set_callbacks(paths)
    search.fit(X, y)
    assert {pid for _, pid, _ in paths.named(*STEP)} == {os.getpid()}


def test_steps_come_with_the_model_that_they_would_end_with(data):
    X, y = data("diabetes")
    paths = Paths()
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}).set_callbacks(paths).fit(X, y)
    values = search.history_["value"][search.history_["purpose"] == "search"]
    for (_, _, fitted), value in zip(paths.named(*STEP), values, strict=True):
        assert_allclose(fitted.predict(X), Ridge(alpha=value).fit(X, y).predict(X))
    search.set_params(refit=False).set_callbacks(paths := Paths()).fit(X, y)
    assert {fitted for _, _, fitted in paths.named(*STEP)} == {None}


def test_scoring_monitor(data):
    from sklearn.callback import ScoringMonitor

    X, y = data("diabetes")
    monitor = ScoringMonitor(scoring="neg_mean_squared_error")
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}).set_callbacks(monitor).fit(X, y)
    steps = [row for row in monitor.get_logs().data if row["task_name"] == "step"]
    assert len(steps) == search.n_iter_
    for row, value in zip(steps, search.history_["value"], strict=True):
        expected = -mean_squared_error(y, Ridge(alpha=value).fit(X, y).predict(X))
        assert row["neg_mean_squared_error"] == pytest.approx(expected, rel=1e-12)


def test_own_fits_of_transformers_are_not_tasks(data):
    X, y = data("wine")
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8, max_iter=1000))
    recorder = Recorder()
    pipeline.set_callbacks(recorder)
    search = HypergradSearchCV(pipeline, {"logisticregression__C": [0.1, 10]}, cv=2)
    search.set_params(scoring="neg_log_loss").fit(X, y)
    fits = [task for task in recorder.begun if task[0] == "fit" and task[2] == "Pipeline"]
    assert len(fits) == 2 + 1
    assert np.isfinite(search.best_score_)


def test_progress_bar(data):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    X, y = data("wine")
    search = HypergradSearchCV(LogisticRegression(), {"C": [0.1, 10]}).set_callbacks(ProgressBar())
    assert search.fit(X, y).n_iter_ > 0
