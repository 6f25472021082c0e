"""Tuning without scikit-learn."""

import itertools
import pickle
import types

import autograd.numpy as anp
import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import Implicit, Reverse
from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.problems import AutogradLoss, AutogradProblem
from sklearn_hypergrad.spaces import Dimension, Space
from sklearn_hypergrad.training import GradientDescent
from sklearn_hypergrad.tuning import INTERRUPTED, Stopped, deadline, minimize

TARGETS = np.array([[1.0, 2.0, -1.0], [2.0, 1.0, 0.5]])
HELD_OUT = 0.6 * TARGETS
SPACE = Space([Dimension("alpha", (3,), "log", 1e-3, 1e3, 5.0)])


def split(target, held_out):
    """``(problem, outer)``: weights drawn towards zero, so that ``w = target / (1 + alpha)``."""
    problem = AutogradProblem(
        lambda w, h: 0.5 * anp.sum((w - target) ** 2) + 0.5 * anp.sum(h["alpha"] * w**2),
        np.zeros(3),
    )
    outer = AutogradLoss(lambda w, h: anp.sum((w - held_out) ** 2), problem.structure)
    return problem, outer


PROBLEMS, OUTERS = zip(*map(split, TARGETS, HELD_OUT), strict=True)


@pytest.mark.parametrize(
    ("method", "optimizer", "rtol"),
    [
        (Implicit(), LBFGS(), 1e-3),
        (Implicit("cg"), LBFGS(), 1e-3),
        # Steps enough for the weights to arrive.
        (Reverse(descent=GradientDescent(15, momentum=0.25)), LBFGS(), 1e-3),
        (Implicit(), Adam(0.3), 0.05),
    ],
    ids=repr,
)
@pytest.mark.thorough
def test_the_minimum_is_found(method, optimizer, rtol):
    found = minimize(PROBLEMS, OUTERS, SPACE, method, optimizer, tol=1e-3, max_iter=60)
    # 1 / (1 + alpha) = 0.6 for every entry of both splits.
    np.testing.assert_allclose(found.h["alpha"], 2 / 3, rtol=rtol)
    assert found.record.value < 1e-2 * found.records[0].value
    assert found.records[0].h["alpha"].tolist() == pytest.approx([5.0] * 3)


def test_it_starts_where_it_is_told():
    start = {"alpha": np.array([0.1, 1.0, 10.0])}
    found = minimize(PROBLEMS, OUTERS, SPACE, Implicit(), LBFGS(), start=start, max_iter=1)
    np.testing.assert_allclose(found.records[0].h["alpha"], start["alpha"])


@pytest.mark.parametrize(("error", "reason"), [(KeyboardInterrupt(), INTERRUPTED), (None, "late")])
def test_a_listener_stops_it_and_the_best_point_is_kept(error, reason):
    seen = []

    def listener(stage, record, settings):
        seen.append(record)
        if len(seen) == 4:
            raise Stopped("late") if error is None else error

    found = minimize(PROBLEMS, OUTERS, SPACE, Implicit(), LBFGS(), listeners=[listener])
    assert (found.message, found.converged, len(found.records)) == (reason, False, 4)
    assert found.record.value == min(record.value for record in seen)


def test_nothing_swallows_a_stop():
    def listener(stage, record, settings):
        try:
            raise Stopped("now")
        except Exception:
            pytest.fail("a stop is no error")

    found = minimize(PROBLEMS, OUTERS, SPACE, Implicit(), LBFGS(), listeners=[listener])
    assert found.message == "now"


def test_records_are_plain_data():
    found = minimize(PROBLEMS, OUTERS, SPACE, Implicit(), LBFGS(), max_iter=3)
    for record in pickle.loads(pickle.dumps(found.records)):
        assert np.isfinite(record.value)
        assert record.stage.purpose == "search"


class TestMaxTime:
    @pytest.mark.parametrize("method", [Implicit(), Reverse(descent=GradientDescent(20))], ids=repr)
    def test_the_best_evaluation_until_then_is_returned(self, monkeypatch, method):
        clock = itertools.count()
        monkeypatch.setattr(deadline, "time", types.SimpleNamespace(perf_counter=clock.__next__))
        # It looks at the clock when it is made, and before each evaluation but the first.
        found = minimize(PROBLEMS, OUTERS, SPACE, method, LBFGS(), max_time=2.5)
        assert (found.message, found.converged) == ("max_time=2.5 s reached", False)
        assert len(found.records) == 3
        assert found.record.value == min(record.value for record in found.records)

    def test_the_first_evaluation_is_made(self):
        found = minimize(PROBLEMS, OUTERS, SPACE, Implicit(), LBFGS(), max_time=1e-9)
        assert len(found.records) == 1

    def test_training_ends_between_its_steps(self, monkeypatch):
        clock = itertools.count()
        monkeypatch.setattr(deadline, "time", types.SimpleNamespace(perf_counter=clock.__next__))
        descent, n_steps = GradientDescent(20), 20
        trained = [descent.training(problem, {"alpha": np.ones(3)}) for problem in PROBLEMS]
        found = minimize(trained, OUTERS, SPACE, Reverse(), LBFGS(), max_time=n_steps / 2)
        assert len(found.records) == 1
        assert next(clock) <= n_steps

    @pytest.mark.parametrize("max_time", [0, -1.0, np.nan])
    def test_it_is_positive(self, max_time):
        with pytest.raises(ValueError, match="positive number of seconds"):
            minimize(PROBLEMS, OUTERS, SPACE, Implicit(), LBFGS(), max_time=max_time)
