"""Hypergradients that are not finite say so, and do not win a search."""

import autograd.numpy as anp
import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import (
    Evaluation,
    Forward,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
    hypergradient,
)
from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.problems import AutogradLoss, AutogradTraining, Status
from sklearn_hypergrad.spaces import Dimension, Space
from sklearn_hypergrad.training import Momentum, Training
from sklearn_hypergrad.training.batches import Listed
from sklearn_hypergrad.tuning import Objective, minimize

# At the first rate every step multiplies derivatives by up to the rate: those of 70 steps are
# beyond the largest float, while the weights move by at most the rate in each step.
CHAOTIC, CALM = 1e6, 0.1
METHODS = [
    Forward(),
    Reverse(),
    Reverse(3),
    Reverse(dtype="float32"),
    Reversible(),
    Truncated(65),
]
PROBLEM = AutogradTraining(lambda w, h, rows: h["a"] * anp.sum(anp.cos(w)), np.array([0.1, 0.3]))
TRAINING = Training(PROBLEM, Momentum(), Listed([None]), 70, {"momentum": 0.5, "a": 1.0})


def outer(w, h):
    return anp.sum(anp.sin(w / 4) ** 2)


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize(("rate", "status"), [(CHAOTIC, "EXPLODED"), (CALM, "CONVERGED")])
def test_every_method_says_it(method, rate, status):
    h = {"a": 1.0, "learning_rate_init": rate}
    evaluation = hypergradient(TRAINING, outer, h, method=method)
    assert np.isfinite(evaluation.w).all()
    assert evaluation.statuses == (Status[status],)
    assert np.isfinite(evaluation.gradient["a"]) == (rate == CALM)


def test_so_do_sessions():
    h = {"a": 1.0, "learning_rate_init": CHAOTIC}
    session = RealTime(n_steps=70).begin(TRAINING, h, 1)
    evaluation = session.advance(h, AutogradLoss(outer, PROBLEM.structure))
    assert np.isfinite(evaluation.w).all()
    assert evaluation.statuses == (Status.EXPLODED,)


@pytest.mark.parametrize(
    ("values", "gradient", "expected"),
    [
        ([1.0, 2.0], {"a": np.ones(2)}, (Status.CONVERGED, Status.INNER_NOT_CONVERGED)),
        ([1.0, np.inf], {"a": np.ones(2)}, (Status.INNER_NOT_CONVERGED, Status.EXPLODED)),
        ([1.0], {"a": 1.0, "b": [0.0, np.nan]}, (Status.INNER_NOT_CONVERGED, Status.EXPLODED)),
    ],
)
def test_so_does_whoever_makes_an_evaluation(values, gradient, expected):
    statuses = Status.CONVERGED, Status.INNER_NOT_CONVERGED
    assert Evaluation(np.array(values), gradient, None, statuses, 1).statuses == expected


def test_so_does_an_objective_in_which_the_change_to_theta_overflows():
    class Steep:
        def evaluate(self, *args):
            return Evaluation(np.ones(1), {"a": 1e200}, None, (Status.CONVERGED,), 1)

    space = Space([Dimension("a", (), "log", 1e-200, 1e200, 1e190)])
    with np.errstate(over="ignore"):
        record = Objective(space, [Steep()]).record(space.to_theta({"a": 1e190}))
    assert record.statuses == (Status.EXPLODED,)
    assert record.value == np.inf


@pytest.mark.parametrize("optimizer", [LBFGS(), Adam()], ids=repr)
def test_a_search_does_not_begin_there(optimizer):
    found = search(CHAOTIC, optimizer)
    assert not found.converged
    assert "not finite at the start" in found.message
    assert found.record.statuses == (Status.EXPLODED,)


@pytest.mark.parametrize("optimizer", [LBFGS(), Adam(20.0)], ids=repr)
def test_a_search_does_not_end_there(optimizer):
    found = search(1e-3, optimizer)
    values = [record.value for record in found.records]
    assert np.inf in values
    assert "steps were taken back" in found.warning
    assert found.record.value < values[0]
    assert found.record.statuses == (Status.CONVERGED,)


def search(start, optimizer):
    space = Space([Dimension("learning_rate_init", (), "log", 1e-9, 1e9, start)])
    outers = [AutogradLoss(lambda w, h: -anp.sum(w**2), PROBLEM.structure)]
    return minimize([TRAINING], outers, space, Reverse(), optimizer, max_iter=4)
