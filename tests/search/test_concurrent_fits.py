"""Fits in several threads of one process."""

import signal
import threading
import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.threads import ThisThread


class Meeting(StandardScaler):
    """A scaler that waits in the first fits of a search until another thread is in one, too."""

    N_FIRST = 5
    barrier, own = None, threading.local()

    def fit(self, X, y=None):
        super().fit(X, y)
        if self.barrier is not None:
            self.own.count = getattr(self.own, "count", 0) + 1
            if self.own.count <= self.N_FIRST:
                self.barrier.wait(timeout=60)
        return self


SEARCHES = {
    "ridge": HypergradSearchCV(make_pipeline(Meeting(), Ridge()), {"ridge__alpha": Continuous()}),
    "logistic": HypergradSearchCV(
        make_pipeline(Meeting(), LogisticRegression()),
        {"logisticregression__C": Continuous()},
        scoring="neg_log_loss",
    ),
    "vector": HypergradSearchCV(
        make_pipeline(Meeting(), linear_model.Ridge()),
        {"ridge__alpha": Continuous(per="feature")},
        max_iter=3,
    ),
}


def fitted(search, data):
    found = HypergradSearchCV(**search.get_params(deep=False)).fit(*data)
    scores = np.array([found.cv_results_[f"split{split}_test_score"] for split in range(5)])
    settings = [list(map(np.ravel, row.values())) for row in found.cv_results_["params"]]
    history = found.history_.drop(columns=["seconds", "value"])
    return scores, np.array(settings), history, found.best_estimator_[-1].coef_


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize("name", SEARCHES)
def test_two_fits_at_a_time_give_the_bits_of_one_after_the_other(monkeypatch, name):
    def install(*args):
        raise AssertionError("a signal handler was installed")

    monkeypatch.setattr(signal, "signal", install)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, 60, 5)) * np.logspace(-1, 1, 5)
    signals = X[:, :, 0] + rng.normal(size=(2, 60)) / 10
    y = signals if name != "logistic" else (signals > 0).astype(int)
    expected = [fitted(SEARCHES[name], data) for data in zip(X, y, strict=True)]
    monkeypatch.setattr(Meeting, "barrier", threading.Barrier(2))
    found = {}

    def fit(number):
        found[number] = fitted(SEARCHES[name], (X[number], y[number]))

    with threadpool_limits(2, user_api="blas"):
        threads = [threading.Thread(target=fit, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        blas = {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}
    assert blas == {2}
    # scikit-learn uses warnings.catch_warnings, which may bring back what has ended.
    own = [added[1] for added in warnings.filters if isinstance(added[1], ThisThread)]
    assert all(here.has_ended for here in own)
    for number, (*arrays, history, coef) in enumerate(expected):
        *own_arrays, own_history, own_coef = found[number]
        np.testing.assert_equal(own_arrays, arrays)
        assert own_history.equals(history)
        np.testing.assert_array_equal(own_coef, coef)
