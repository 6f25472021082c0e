import functools

import numpy as np
import pytest

from sklearn_hypergrad.losses import LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    GramRidge,
    L2Penalty,
    LinearProblem,
    Network,
    NetworkProblem,
    PredictionLoss,
)
from sklearn_hypergrad.training import Epochs, GradientDescent, Momentum, Training

N_SAMPLES, N_STEPS = 20, 12
# Fractions, which reversal takes as they are.
VALUES = {
    "learning_rate_init": [0.1, 0.125, 0.15],
    "momentum": [0.5, 0.625, 0.75],
    "beta_1": [0.5, 0.625, 0.75],
    "beta_2": [0.75, 0.875],
    "decay": [0.75, 0.875],
    "alpha": [0.1, 0.2, 0.3],
}


class Case:
    """The training of a network, its validation loss, and hyperparameters."""

    def __init__(self, dynamics=None, shape=(), activation="tanh", n_steps=N_STEPS, **more):
        rng, dtype = np.random.default_rng(0), more.get("dtype", float)
        X, y = rng.normal(size=(N_SAMPLES, 3)), np.eye(2)[rng.integers(2, size=N_SAMPLES)]
        self.network = Network(
            (3, *more.get("hidden", (4,)), 2), activation, MultinomialLoss(), dtype
        )
        start = 0.5 * rng.normal(size=self.network.n_weights)
        problem = NetworkProblem(self.network, more.get("wrap", np.array)(X), y, start=start)
        self.X, self.y = (rng.normal(size=X.shape) + 0.2).astype(dtype), np.roll(y, 3, axis=0)
        self.dynamics = dynamics or Momentum()
        names = *self.dynamics.names, "alpha"
        self.h = {name: rng.choice(VALUES[name], shape) for name in names}
        self.h = {name: np.asarray(value) for name, value in self.h.items()}
        batches = Epochs(N_SAMPLES, more.get("batch_size", 7), seed=1)
        self.training = Training(problem, self.dynamics, batches, n_steps, {})
        self.data = {"X": X, "sample_weight": rng.uniform(0.5, 2, N_SAMPLES)}

    def outer(self, w, h):
        z, pullback = self.network.predictions(w, self.X)
        values, gradient, _ = MultinomialLoss().evaluate(self.y, z)
        return np.array([values.mean()]), pullback((gradient / len(z)).astype(w.dtype)), {}

    def evaluate(self, method, h=None):
        h = self.h if h is None else h
        return method.evaluate(self.training, self.outer, h, None, None)


class Linear(Case):
    """A linear model of all splits, by gradient descent."""

    def __init__(self, make_block, family, entries=None):
        kind = {"ridge": "regression", "logistic": "binary"}.get(family, family)
        block, penalty = make_block(kind, weighted=True), L2Penalty("h", entries=entries)
        if family == "ridge":
            problem, loss = GramRidge(block, penalty, fit_intercept=True), "squared_error"
        else:
            inner = {"logistic": LogisticLoss(), "multinomial": MultinomialLoss()}[family]
            problem, loss = LinearProblem(block, penalty, inner, fit_intercept=True), "log_loss"
        self.outer = PredictionLoss(problem, block, VALIDATION_LOSSES[loss])
        self.h = {"h": np.array(2.0) if entries is None else np.linspace(1, 3, 5)}
        self.training = GradientDescent(N_STEPS, 1.0, 0.75).training(problem, self.h)
        rate = self.training.settings["learning_rate_init"]
        self.h |= {"learning_rate_init": np.array(rate), "momentum": np.full(N_STEPS, 0.75)}


@pytest.fixture
def network_run():
    """``network_run(dynamics, shape, activation, n_steps, ...)``: a small network in training."""
    return Case


@pytest.fixture
def linear_run(make_block):
    """``linear_run(family, entries)``: "ridge", "logistic" or "multinomial" in training."""
    return functools.partial(Linear, make_block)


@pytest.fixture
def assert_agree():
    """``assert_agree(actual, expected, rtol)``: evaluations, none of whose derivatives is zero."""

    def compare(actual, expected, rtol):
        np.testing.assert_allclose(actual.values, expected.values, rtol=max(rtol, 1e-12))
        assert actual.gradient.keys() == expected.gradient.keys()
        for name, part in expected.gradient.items():
            assert np.abs(part).max() > 0
            assert np.shape(actual.gradient[name]) == part.shape
            error = np.abs(actual.gradient[name] - part).max() / np.abs(part).max()
            assert error <= rtol, f"{name}: {error:.1e}"

    return compare


@pytest.fixture
def check(five_point):
    """``check(evaluation, case, rtol)``: against finite differences of the outer objective."""

    def compare(evaluation, case, rtol=1e-6):
        for name, value in case.h.items():
            u = np.random.default_rng(2).uniform(0.5, 1, value.shape)

            def moved(s, name=name, u=u):
                w = case.training.run({**case.h, name: case.h[name] + s * u}).final().w
                return case.outer(case.training.problem.shaped(w), case.h)[0].sum()

            slope = np.sum(evaluation.gradient[name] * u)
            expected = five_point(moved, 3e-4 * min(1.0, np.abs(value).max()))
            # Relative to its own size only.
            np.testing.assert_allclose(slope, expected, rtol=rtol, err_msg=name)

    return compare
