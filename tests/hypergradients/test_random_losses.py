"""Losses that draw random numbers whenever they are called cannot be differentiated."""

import autograd.numpy as anp
import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible, Truncated, hypergradient
from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import Momentum, NotRepeated, Training
from sklearn_hypergrad.training.batches import Listed

METHODS = [Reverse(), Reverse(2), Reverse(dtype="float32"), Truncated(3), Forward(), Reversible()]
X = np.random.default_rng(0).normal(size=(12, 3))


def evaluated(method, drawn):
    def loss(w, h, rows):
        return anp.mean((anp.dot(X * drawn(), w) - 1) ** 2) + h["alpha"] * anp.sum(w**2)

    problem = AutogradTraining(loss, np.full(3, 0.1))
    training = Training(problem, Momentum(), Listed([None]), 6, {"momentum": 0.5})
    h = {"alpha": 0.1, "learning_rate_init": 0.1}
    return hypergradient(training, lambda w, h: anp.sum(w**2), h, method=method)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_every_method_notices_it(method):
    rng = np.random.default_rng(1)
    # Of normal numbers, and of a few units that drop out.
    for drawn in (lambda: 1 + 1e-3 * rng.normal(size=X.shape), lambda: rng.random(X.shape) > 0.2):
        with pytest.raises(NotRepeated, match="must not draw random numbers"):
            evaluated(method, drawn)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_seed_makes_it_a_function(method):
    evaluation = evaluated(method, lambda: np.random.default_rng(2).random(X.shape) > 0.2)
    expected = evaluated(Reverse(), lambda: np.random.default_rng(2).random(X.shape) > 0.2)
    if not isinstance(method, Truncated):
        for name, slope in expected.gradient.items():
            np.testing.assert_allclose(evaluation.gradient[name], slope, rtol=1e-5)
