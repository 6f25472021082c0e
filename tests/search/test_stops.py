"""A search that is stopped, by Ctrl-C, by ``max_time`` or by a callback, keeps all that is done."""

import collections

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from test_interrupts import After

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, linear_model
from sklearn_hypergrad.search import rows, search_cv
from sklearn_hypergrad.search.strategies import run_candidate
from sklearn_hypergrad.training import Run
from sklearn_hypergrad.tuning import Stopped, deadline

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_hypergrad.HypergradWarning",
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:One or more of the t",
)
COMPONENTS = "pca__n_components"
PIPELINE = make_pipeline(PCA(), Ridge())
MANY = {COMPONENTS: [2, 4, 8], "ridge__alpha": [0.1, 10.0]}


def many(**options):
    return HypergradSearchCV(PIPELINE, MANY, cv=3, **options)


@pytest.fixture(scope="module")
def diabetes(data):
    X, y = data("diabetes")
    return X[::4], (y[::4] - y.mean()) / y.std()


@pytest.fixture
def interrupt_fits(monkeypatch):
    """``interrupt_fits(k)``: the k-th fit of a row is interrupted; all later ones are again."""

    def interrupt(k, error=KeyboardInterrupt):
        calls, fit_and_score = [], rows.fit_and_score

        def interrupted(*args, **kwargs):
            calls.append(1)
            if len(calls) >= k:
                raise error
            return fit_and_score(*args, **kwargs)

        monkeypatch.setattr(rows, "fit_and_score", interrupted)

    return interrupt


class Raising(After):
    """A callback that raises something in a hook of a task."""

    def __init__(self, error, n=1, task="step", hook="end"):
        super().__init__(n)
        self.error, self.task, self.hook = error, task, hook

    def _at(self, hook, context):
        if (hook, context.task_name) == (self.hook, self.task):
            self.n -= 1
            if self.n == 0:
                raise self.error

    def on_fit_task_begin(self, estimator, context):
        self._at("begin", context)

    def on_fit_task_end(self, estimator, context):
        self._at("end", context)


def n_by_setting(search):
    """Evaluations of every setting of a whole search."""
    return list(collections.Counter(search.history_["candidate"]).values())


class TestManySettings:
    def test_what_is_done_counts_and_the_rest_is_left_out(self, diabetes):
        whole = many().fit(*diabetes)
        n_first = n_by_setting(whole)[0]
        search = many().set_callbacks(After(n_first + 1))
        with pytest.warns(HypergradWarning, match="stopped.*1 setting was not begun") as caught:
            search.fit(*diabetes)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert search.cv_results_["params"][0] == whole.cv_results_["params"][0]
        assert [row[COMPONENTS] for row in search.cv_results_["params"]] == [2, 4, 4]
        assert search.stopping_reason_.endswith("interrupted after 1 of at most 50 evaluations")
        assert search.remarks_[0] in str(caught[0].message)
        assert search.remarks_[0] in str(search.report())
        assert n_by_setting(search) == [n_first, 1]

    def test_between_settings(self, diabetes, monkeypatch):
        prepare, calls = run_candidate.PreparedCandidate, []

        def interrupted(*args):
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return prepare(*args)

        monkeypatch.setattr(run_candidate, "PreparedCandidate", interrupted)
        search = many().fit(*diabetes)
        assert [row[COMPONENTS] for row in search.cv_results_["params"]] == [2]
        assert "(interrupted): it gives its best point so far, and 2 settings" in search.remarks_[0]

    def test_the_estimator_as_it_was_is_judged(self, diabetes):
        own = make_pipeline(PCA(8), Ridge(0.5))
        search = HypergradSearchCV(own, MANY, cv=3).set_callbacks(After(1)).fit(*diabetes)
        assert {COMPONENTS: 8, "ridge__alpha": 0.5} in search.cv_results_["params"]
        assert search.best_score_ >= cross_val_score(own, *diabetes, cv=3).mean()

    def test_enumerated_settings_before_it_are_judged(self, diabetes):
        grid = {"alpha": [0, 1e-3, 1e3]}
        search = HypergradSearchCV(Ridge(), grid, cv=3).set_callbacks(After(2)).fit(*diabetes)
        assert search.cv_results_["params"][0] == {"alpha": 0}
        assert search.cv_results_["params"][-1] == {"alpha": 1.0}


def fitted_cold(**options):
    """The same with rows that are fits from the beginning."""
    return many(judge="cold", **options)


class TestFits:
    """The fits of scikit-learn are interrupted."""

    def test_complete_rows_are_kept_and_others_have_the_scores_of_the_search(
        self, diabetes, interrupt_fits
    ):
        whole = fitted_cold(return_train_score=True).fit(*diabetes)
        interrupt_fits(3 + 2)
        search = fitted_cold(return_train_score=True).fit(*diabetes)
        assert search.cv_results_["params"] == whole.cv_results_["params"]
        np.testing.assert_allclose(
            search.cv_results_["split2_test_score"], whole.cv_results_["split2_test_score"]
        )
        assert np.isfinite(search.cv_results_["mean_fit_time"]).tolist() == [True, False, False]
        assert search.best_params_ == whole.best_params_
        assert search.best_estimator_.predict(diabetes[0]).shape == diabetes[1].shape
        assert search.stopping_reason_.endswith("interrupted after the fits of 1 of 3 rows")
        assert "1 of 3 rows of cv_results_ were fitted; 2 not fitted, with" in search.remarks_[0]
        assert " 3 fits of scikit-learn and a refit" in str(search.report())

    def test_several_metrics(self, diabetes, interrupt_fits):
        interrupt_fits(1)
        search = fitted_cold(scoring=["r2", "neg_mean_absolute_error"], refit="r2").fit(*diabetes)
        assert np.isfinite(search.cv_results_["mean_test_r2"]).all()
        assert np.isnan(search.cv_results_["mean_test_neg_mean_absolute_error"]).all()
        assert search.best_score_ == max(search.cv_results_["mean_test_r2"])

    def test_without_scores_the_descended_loss_decides(self, diabetes, interrupt_fits):
        interrupt_fits(1)
        search = fitted_cold(scoring="neg_median_absolute_error").fit(*diabetes)
        found = search.history_["loss"][search.history_["purpose"] == "search"]
        best = int(search.history_["candidate"][np.argmin(found)])
        assert np.isnan(search.best_score_)
        assert search.best_index_ == best
        assert "3 not fitted, without scores" in search.remarks_[0]

    def test_a_row_with_a_score_beats_those_without(self, diabetes, interrupt_fits):
        interrupt_fits(3 + 1)
        search = fitted_cold(scoring="neg_median_absolute_error").fit(*diabetes)
        assert search.best_index_ == 0
        assert np.isfinite(search.best_score_)

    def test_enumerated_rows(self, diabetes, interrupt_fits):
        interrupt_fits(3 + 1)
        search = HypergradSearchCV(PIPELINE, {COMPONENTS: [2, 4]}, cv=3).fit(*diabetes)
        assert search.cv_results_["params"] == [{COMPONENTS: 2}]
        interrupt_fits(1)
        with pytest.raises(KeyboardInterrupt):
            search.fit(*diabetes)

    def test_a_vector_keeps_its_description(self, diabetes, interrupt_fits):
        interrupt_fits(1)
        grid = {"alpha": Continuous(per="feature")}
        options = {"cv": 3, "max_iter": 3, "shrinkage": 0}
        search = HypergradSearchCV(linear_model.Ridge(), grid, **options).fit(*diabetes)
        # The vector and the best value for all were both evaluated on cv.
        assert np.isfinite(search.cv_results_["mean_test_score"]).tolist() == [True, True]
        assert np.isnan(search.cv_results_["mean_fit_time"]).all()
        assert search.feature_regularization_.shape == (10,)

    def test_a_second_interrupt_is_raised(self, diabetes, interrupt_fits):
        interrupt_fits(1)
        with pytest.raises(KeyboardInterrupt):
            fitted_cold().set_callbacks(After(3)).fit(*diabetes)

    def test_a_network_of_scikit_learn_swallows_no_interrupt(self, diabetes, monkeypatch):
        def interrupted(self, *args):
            raise KeyboardInterrupt

        monkeypatch.setattr(MLPRegressor, "_update_no_improvement_count", interrupted)
        network = MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, random_state=0)
        search = HypergradSearchCV(network, {"alpha": [1e-4, 1e-2]}, cv=2, max_iter=1)
        with pytest.raises(KeyboardInterrupt, match="The refit"):
            search.fit(*diabetes)
        assert "0 of 1 rows" in search.remarks_[0]
        assert np.isfinite(search.best_score_)

    def test_while_the_search_is_described(self, diabetes, monkeypatch):
        describe, calls = search_cv.attributes.hyperparameters, []

        def interrupted(*args):
            calls.append(1)
            if len(calls) == 1:
                raise KeyboardInterrupt
            return describe(*args)

        monkeypatch.setattr(search_cv.attributes, "hyperparameters", interrupted)
        assert fitted_cold().fit(*diabetes).predict(diabetes[0]).shape == diabetes[1].shape


class TestRefit:
    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    def test_all_but_the_model_is_kept(self, diabetes, monkeypatch, error):
        search, fit, n_rows = many().fit(*diabetes), PCA.fit_transform, len(diabetes[1])

        def interrupted(self, X, y=None):
            if len(X) == n_rows:
                raise error
            return fit(self, X, y)

        monkeypatch.setattr(PCA, "fit_transform", interrupted)
        with pytest.raises(error):
            search.fit(*diabetes)
        assert search.best_params_ in search.cv_results_["params"]
        assert len(search.history_) > 0
        assert not hasattr(search, "best_estimator_")
        assert any("refit" in remark for remark in search.remarks_) == (error is KeyboardInterrupt)
        assert str(search.report())


class TestStopped:
    """Callbacks may end a search."""

    @pytest.mark.parametrize("n", [1, 4])
    def test_the_best_so_far_is_the_result(self, diabetes, n):
        callback = Raising(Stopped("good enough"), n)
        search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3).set_callbacks(callback)
        assert search.fit(*diabetes).n_iter_ == n
        unit = f"good enough after {n} of at most 50 evaluations"
        assert search.stopping_reason_ == unit

    @pytest.mark.parametrize(
        ("task", "hook"),
        [
            ("descent", "end"),
            ("evaluation", "begin"),
            ("evaluation", "end"),
            ("candidate-split-evaluation", "begin"),
            ("search", "end"),
            ("refit-with-best-params", "end"),
            ("fit", "end"),
        ],
    )
    def test_in_any_hook_after_the_first_evaluation(self, diabetes, task, hook):
        search = many().set_callbacks(Raising(Stopped("now"), 1, task, hook))
        assert np.isfinite(search.fit(*diabetes).best_score_)
        assert search.predict(diabetes[0]).shape == diabetes[1].shape

    def test_before_the_first_evaluation_there_is_nothing_to_return(self, diabetes):
        search = many().set_callbacks(Raising(Stopped("now"), 1, "search", "begin"))
        with pytest.raises(Stopped, match="now"):
            search.fit(*diabetes)


class Clock:
    """Time that a deadline looks at: a second passes at every look, or when a test says so."""

    def __init__(self, tick):
        self.now, self.tick = 0.0, tick

    def perf_counter(self):
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch):
    def install(tick):
        made = Clock(tick)
        monkeypatch.setattr(deadline, "time", made)
        return made

    return install


class TestMaxTime:
    def test_the_first_evaluation_is_always_made(self, diabetes):
        search = many(max_time=1e-9).fit(*diabetes)
        reason = "max_time=1e-09 s reached after 1 of at most 50 evaluations"
        assert search.stopping_reason_ == reason
        assert search.cv_results_["params"][-1] == {COMPONENTS: 2, "ridge__alpha": 1.0}
        assert "Raise max_time" in search.remarks_[0]

    @pytest.mark.parametrize("max_time", [np.inf, 1e6, None])
    def test_enough_time_changes_nothing(self, diabetes, max_time):
        whole, search = many().fit(*diabetes), many(max_time=max_time).fit(*diabetes)
        assert search.best_params_ == whole.best_params_
        assert search.stopping_reason_ == whole.stopping_reason_

    @pytest.mark.parametrize("max_time", [0, -1, np.nan, "1 s"])
    def test_what_is_no_time_is_refused(self, diabetes, max_time):
        with pytest.raises(ValueError, match="max_time"):
            many(max_time=max_time).fit(*diabetes)

    def test_no_evaluation_begins_after_it(self, diabetes, clock):
        clock(1.0)
        # Looks: when it is made, before each evaluation but the first.
        search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3, max_time=2.5)
        assert search.fit(*diabetes).n_iter_ == 3

    def test_training_ends_between_steps(self, diabetes, clock, monkeypatch):
        steps, linearize = [], Run.linearize

        def counted(self, *args):
            steps.append(1)
            return linearize(self, *args)

        monkeypatch.setattr(Run, "linearize", counted)
        network = MLPRegressor(hidden_layer_sizes=(2,), max_iter=10, random_state=0)
        search = HypergradSearchCV(network, {"alpha": Continuous()}, cv=2, max_iter=3)
        n_steps = len(steps) if search.fit(*diabetes) is None else len(steps) // search.n_iter_
        steps.clear()
        clock(1.0)
        search.set_params(max_time=n_steps // 2).fit(*diabetes)
        assert search.n_iter_ == 1
        assert n_steps < len(steps) < 2 * n_steps
        assert search.stopping_reason_.startswith(f"max_time={n_steps // 2} s reached after 1 of")

    def test_only_urgent_rows_are_fitted_after_it(self, diabetes, clock, monkeypatch):
        now, fit_and_score = clock(0.0), rows.fit_and_score

        def late(*args, **kwargs):
            now.now = 10.0
            return fit_and_score(*args, **kwargs)

        monkeypatch.setattr(rows, "fit_and_score", late)
        whole = fitted_cold(scoring="neg_median_absolute_error").fit(*diabetes)
        now.now = 0.0
        search = fitted_cold(scoring="neg_median_absolute_error", max_time=5).fit(*diabetes)
        n_rows = len(whole.cv_results_["params"])
        assert len(search.cv_results_["params"]) == 3 < n_rows
        assert np.isfinite(search.cv_results_["mean_fit_time"]).all()
        assert search.stopping_reason_.endswith(f"after the fits of 3 of {n_rows} rows")
        now.now = 0.0
        listed = HypergradSearchCV(PIPELINE, {COMPONENTS: [2, 4]}, cv=3, max_time=5)
        assert len(listed.fit(*diabetes).cv_results_["params"]) == 1


def test_interrupts_of_a_classifier_are_not_worse_than_its_default(data):
    X, y = data("breast_cancer")
    own = LogisticRegression(max_iter=1000)
    grid, scoring = {"C": Continuous()}, "accuracy"
    default = cross_val_score(own, X, y, scoring=scoring).mean()
    for n in (1, 3):
        search = HypergradSearchCV(own, grid, scoring=scoring).set_callbacks(After(n)).fit(X, y)
        assert search.best_score_ >= default
