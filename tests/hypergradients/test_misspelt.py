"""A hyperparameter that nothing reads is an error, and so is one that is not there."""

import autograd.numpy as anp
import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import (
    Forward,
    Implicit,
    Online,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
    hypergradient,
)
from sklearn_hypergrad.problems import AutogradLoss, AutogradTraining
from sklearn_hypergrad.training import GradientDescent, Listed, Momentum, Training

# "alpha" with its last two letters swapped, and so on: what users type.
WRONG = "alpha"[:3] + "ah"
WRONG_RATE = "learning_rate_init"[:-5]
DESCENT = GradientDescent(4)
SETTINGS = {"learning_rate_init": 0.1, "momentum": 0.5}


def lenient(w, h, rows=None):
    """Does without a penalty that is not given."""
    return anp.sum((w - 1) ** 2) + h.get("alpha", 0.0) * anp.sum(w**2)


def strict(w, h, rows=None):
    return anp.sum((w - 1) ** 2) + h["alpha"] * anp.sum(w**2)


def outer(w, h):
    return anp.sum(w**2)


def training(loss=lenient, settings=SETTINGS):
    problem = AutogradTraining(loss, np.full(2, 0.5))
    return Training(problem, Momentum(), Listed([None]), 6, settings)


METHODS = [Implicit(), Reverse(), Reversible(), Forward(), Truncated(3)]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_by_every_method(method):
    method.descent = DESCENT
    with pytest.raises(ValueError, match=f"Cannot tune '{WRONG}'"):
        hypergradient(lenient, outer, {WRONG: 0.1}, np.zeros(2), method=method)
    if method.through_training:
        with pytest.raises(ValueError, match=f"Cannot tune '{WRONG}': neither training"):
            hypergradient(training(), outer, {WRONG: 0.1}, method=method)


@pytest.mark.parametrize("method", [Online(n_steps=2), RealTime(n_steps=2)], ids=repr)
def test_in_sessions(method):
    session = method.begin(training(), {WRONG: 0.1}, 3)
    with pytest.raises(ValueError, match=f"Cannot tune '{WRONG}' with"):
        session.advance({WRONG: 0.1}, AutogradLoss(outer, training().problem.structure))


@pytest.mark.parametrize("backend", ["autograd", "jax"])
def test_by_every_backend(backend):
    if backend == "jax":
        pytest.importorskip("jax")

    def inner(w, h):
        return ((w - 1) ** 2).sum() + h.get("alpha", 0.0) * (w**2).sum()

    start, options = np.zeros(2), {"backend": backend}
    right = hypergradient(inner, lambda w, h: (w**2).sum(), {"alpha": 0.1}, start, **options)
    assert right.gradient["alpha"] < 0
    with pytest.raises(ValueError, match=f"Cannot tune '{WRONG}'"):
        hypergradient(inner, lambda w, h: (w**2).sum(), {WRONG: 0.1}, start, **options)


def test_the_right_name_is_suggested():
    h = {WRONG_RATE: 0.1}
    with pytest.raises(ValueError, match="Did you mean 'learning_rate_init'"):
        hypergradient(training(), outer, h, method=Reverse())
    with pytest.raises(ValueError, match="needs learning_rate_init. Did you mean"):
        training(settings={WRONG_RATE: 0.1, "momentum": 0.5}).run({"alpha": 0.1})
    with pytest.raises(ValueError, match=f"reads 'alpha' .* Did you mean '{WRONG}'"):
        hypergradient(strict, outer, {WRONG: 0.1}, np.zeros(2))


def test_an_error_of_the_loss_stays_what_it_is():
    with pytest.raises(KeyError, match="coef"):
        hypergradient(lambda w, h: anp.sum({}["coef"]), outer, {"alpha": 0.1}, np.zeros(2))


class TestReadAndYetWithoutEffect:
    """Hyperparameters that are read have a derivative, which may be zero."""

    def test_a_term_without_weights(self):
        def loss(w, h, rows=None):
            return strict(w, h) + h["constant"]

        h = {"alpha": 0.1, "constant": 1.0}
        assert hypergradient(loss, outer, h, np.zeros(2)).gradient["constant"] == 0
        for method in (Reverse(), Forward(), Reversible()):
            found = hypergradient(training(loss), outer, h, method=method)
            assert found.gradient["constant"] == 0

    @pytest.mark.parametrize("method", [Reverse(), Forward(), Reversible()], ids=repr)
    def test_only_in_some_batches(self, method):
        def loss(w, h, rows):
            return lenient(w, h if rows == 2 else {})

        problem = AutogradTraining(loss, np.full(2, 0.5))
        listed = Training(problem, Momentum(), Listed([0, 1, 2]), 6, SETTINGS)
        found = hypergradient(listed, outer, {"alpha": 0.1}, method=method)
        assert found.gradient["alpha"] < 0

    @pytest.mark.parametrize("method", [Online(n_steps=1), RealTime(n_steps=1)], ids=repr)
    def test_only_in_later_batches_of_a_session(self, method):
        def loss(w, h, rows):
            return lenient(w, h if rows == 2 else {})

        problem = AutogradTraining(loss, np.full(2, 0.5))
        listed = Training(problem, Momentum(), Listed([0, 1, 2]), 6, SETTINGS)
        session = method.begin(listed, {"alpha": np.array(0.1)}, 6)
        held_out = AutogradLoss(outer, problem.structure)
        found = [session.advance({"alpha": np.array(0.1)}, held_out) for _ in range(5)]
        slopes = [float(evaluation.gradient["alpha"]) for evaluation in found]
        assert slopes[0] == 0
        assert min(slopes) < 0
