"""scikit-learn's callbacks see the tree of tasks that GridSearchCV makes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV


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


def test_a_range_gives_one_search_with_a_leaf_per_row_and_split(data):
    X, y = data("diabetes")
    tasks = recorded(HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=3), X, y)
    assert tasks.count(("search", 0)) == 1
    leaves = [number for name, number in tasks if name == "candidate-split-evaluation"]
    assert sorted(leaves) == [0, 1, 2]
    assert sum(name == "refit-with-best-params" for name, _ in tasks) == 1


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
