"""Losses of one's own, tuned."""

import itertools
import types

import autograd.numpy as anp
import numpy as np
import pytest

from sklearn_hypergrad import Continuous, HypergradWarning
from sklearn_hypergrad.hypergradients import (
    Forward,
    Implicit,
    Online,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
)
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.optimizers import LBFGS, Adam
from sklearn_hypergrad.problems import (
    AutogradProblem,
    AutogradTraining,
    MeanLoss,
    Network,
    NetworkProblem,
    Status,
)
from sklearn_hypergrad.training import Epochs, GradientDescent, Listed, Momentum, Training
from sklearn_hypergrad.tuning import Draws, Stopped, deadline, trail, tune
from sklearn_hypergrad.tuning.bounds import space_of

TARGET = np.array([1.0, 2.0, -1.0])
DESCENT = GradientDescent(8, momentum=0.25)
H = {"alpha": np.full(3, 2.0)}
BOUNDS = {"alpha": (1e-3, 1e3)}


def inner(w, h, rows=None):
    """Weights are drawn towards zero: ``w = target / (1 + alpha)``."""
    return 0.5 * anp.sum((w - TARGET) ** 2) + 0.5 * anp.sum(h["alpha"] * w**2)


def outer(w, h):
    """Smallest for ``alpha = 2 / 3``."""
    return anp.sum((w - 0.6 * TARGET) ** 2)


def training(n_steps=20, **settings):
    problem = AutogradTraining(inner, np.zeros(3))
    rates = {"learning_rate_init": 0.1, "momentum": 0.5}
    return Training(problem, Momentum(), Listed([None]), n_steps, rates | settings)


@pytest.mark.parametrize(
    ("method", "rtol"),
    [
        (None, 1e-3),
        (Implicit("cg"), 1e-3),
        (Implicit("neumann"), 0.05),
        (Reverse(descent=DESCENT), 0.05),
        (Reversible(descent=DESCENT), 0.05),
        (Forward(descent=DESCENT), 0.05),
        (Truncated(8, descent=DESCENT), 0.05),
        # These follow weights that have not arrived yet.
        (Online(n_steps=5), 0.2),
        (Online("identity", n_steps=5), 0.4),
        (RealTime(n_steps=5), 0.5),
    ],
    ids=repr,
)
def test_two_functions_by_every_method(method, rtol):
    tuned = tune(inner, outer, H, np.zeros(3), method=method, bounds=BOUNDS, n_outer=15)
    np.testing.assert_allclose(tuned.h["alpha"], 2 / 3, rtol=rtol)
    np.testing.assert_allclose(outer(tuned.w, {}), tuned.value, rtol=1e-12)
    assert tuned.value == tuned.values.min() == tuned.values[tuned.kept]
    assert len(tuned.values) == len(tuned.path) == len(tuned.statuses)
    np.testing.assert_allclose(tuned.path[0]["alpha"], 2.0)
    np.testing.assert_array_equal(tuned.path[tuned.kept]["alpha"], tuned.h["alpha"])


@pytest.mark.parametrize("method", [None, Reversible(), Forward(), Online(), RealTime()], ids=repr)
def test_a_training_by_every_method(method):
    asked = training(30)
    tuned = tune(asked, outer, H, method=method, bounds=BOUNDS, n_outer=15)
    assert tuned.value < 0.2 * tuned.values[0]
    if not isinstance(method, Online | RealTime):
        # Deterministic and exact: by L-BFGS, and the weights are those of a training with h.
        w = asked.run(tuned.h).weights()
        np.testing.assert_allclose(tuned.w, w, rtol=1e-5, atol=1e-6)
        assert tuned.message.startswith("converged")
        assert tuned.converged


def test_nested_weights_and_hyperparameters():
    def loss(w, h):
        (W, b), pen = w["layers"], h["penalties"]
        fit = anp.sum((W - TARGET) ** 2) + (b - 1) ** 2
        return fit + anp.sum(pen["W"][0] * W**2) + pen["b"] * b**2 + 0 * h["shift"]

    def held_out(w, h):
        (W, b) = w["layers"]
        return anp.sum((W - 0.5 * TARGET) ** 2) + (b - 0.25) ** 2 + (h["shift"] + 2) ** 2

    h = {"penalties": {"W": [np.full(3, 0.1), 3.0], "b": 0.1}, "shift": 0.0}
    h["penalties"]["W"].pop()
    start = {"layers": [np.zeros(3), 0.0]}
    tuned = tune(loss, held_out, h, start, bounds={"penalties": (1e-4, 1e4)}, n_outer=100, tol=1e-5)
    assert tuned.h.keys() == h.keys()
    np.testing.assert_allclose(tuned.h["penalties"]["W"][0], 1.0, rtol=1e-2)
    assert tuned.h["penalties"]["b"] == pytest.approx(3.0, rel=1e-2)
    assert tuned.h["shift"] == pytest.approx(-2, abs=1e-2)
    np.testing.assert_allclose(tuned.w["layers"][0], 0.5 * TARGET, atol=1e-2)


def test_objects_of_training_with_flat_weights():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 3)), np.eye(2)[rng.integers(2, size=30)]
    network = Network((3, 4, 2), "tanh", MultinomialLoss())
    start = rng.normal(size=network.n_weights)
    problem = NetworkProblem(network, X[:20], Y[:20], start=start)
    settings = {"learning_rate_init": 0.5, "momentum": 0.5}
    asked = Training(problem, Momentum(), Epochs(20, 5, seed=0), 20, settings)
    held_out = MeanLoss(network, X[20:], Y[20:])
    tuned = tune(asked, held_out, {"alpha": 0.01}, bounds={"alpha": (1e-3, 10)}, n_outer=3)
    assert held_out(tuned.w, {})[0] == pytest.approx(tuned.value, rel=1e-12)
    assert tuned.value < tuned.values[0]


def test_what_is_drawn_anew_moves_by_adam():
    drawn = []

    def make(n):
        drawn.append(n)
        target = TARGET + np.random.default_rng(n).normal(scale=0.01, size=3)

        def loss(w, h, rows):
            return 0.5 * anp.sum((w - target) ** 2) + 0.5 * anp.sum(h["alpha"] * w**2)

        problem = AutogradTraining(loss, np.zeros(3))
        return Training(problem, Momentum(), Listed([None]), 20, training().settings)

    tuned = tune(Draws(make), outer, H, bounds=BOUNDS, keep="last", n_outer=15)
    assert drawn == list(range(15))
    assert tuned.kept == 14
    assert tuned.message == "n_outer=15 steps of Adam"
    np.testing.assert_allclose(tuned.h["alpha"], 2 / 3, rtol=0.3)


def test_batches_of_the_outer_loss():
    seen = []

    def of_rows(w, h, rows):
        seen.append(tuple(rows))
        return anp.sum((w[rows] - 0.6 * TARGET[rows]) ** 2)

    options = {"bounds": BOUNDS, "outer_batches": Epochs(3, 2, seed=0), "n_outer": 20}
    tuned = tune(inner, of_rows, H, np.zeros(3), keep="last", **options)
    assert len(set(seen)) > 1
    np.testing.assert_allclose(tuned.h["alpha"], 2 / 3, rtol=0.3)
    with pytest.raises(ValueError, match="not the same at every call. Use Adam"):
        tune(inner, of_rows, H, np.zeros(3), optimizer=LBFGS(), **options)


class TestStops:
    def test_a_callback_stops_it(self):
        points = []

        def callback(point):
            points.append(point)
            if point.value < 1:
                raise Stopped("below 1")

        tuned = tune(inner, outer, H, np.zeros(3), callback=callback)
        assert (tuned.message, tuned.converged) == ("below 1", False)
        assert [point.number for point in points] == list(range(tuned.kept + 1))
        np.testing.assert_array_equal(points[-1].w, tuned.w)
        assert points[-1].statuses == (Status.CONVERGED, Status.CONVERGED)

    @pytest.mark.parametrize("method", [None, Reverse(descent=DESCENT), Online()], ids=repr)
    def test_an_interrupt_loses_nothing(self, method):
        def callback(point):
            if point.number == 3:
                raise KeyboardInterrupt

        with pytest.warns(HypergradWarning, match="interrupted after 4 evaluations"):
            tuned = tune(inner, outer, H, np.zeros(3), method=method, callback=callback)
        assert len(tuned.values) == 4
        assert tuned.value == tuned.values.min()

    def test_an_interrupt_of_an_optimizer_loses_nothing_either(self):
        class Halted(Adam):
            def minimize(self, fun, z0, bounds, **facts):
                fun(z0)
                raise KeyboardInterrupt

        with pytest.warns(HypergradWarning, match="interrupted after 1 evaluation;"):
            tuned = tune(inner, outer, H, np.zeros(3), optimizer=Halted())
        assert len(tuned.values) == 1

    def test_before_the_first_evaluation_there_is_nothing(self):
        def interrupted(w, h):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt, match="before the first evaluation"):
            tune(inner, interrupted, H, np.zeros(3))

    @pytest.mark.parametrize("method", [Reverse(), Online(n_steps=10)], ids=repr)
    def test_time_is_up_in_the_middle_of_a_training(self, monkeypatch, method):
        clock = itertools.count()
        monkeypatch.setattr(deadline, "time", types.SimpleNamespace(perf_counter=clock.__next__))
        # The clock ticks at every step after the first evaluation.
        tuned = tune(training(10), outer, H, method=method, max_time=8)
        assert len(tuned.values) == 1
        assert tuned.message == "max_time=8 s reached"

    def test_the_last_point_is_kept_if_asked_for(self):
        tuned = tune(inner, outer, H, np.zeros(3), keep="last", optimizer=Adam(2.0), n_outer=3)
        assert tuned.kept == 2
        assert tuned.value > tuned.values.min()


def test_a_step_that_diverges_is_taken_back():
    problem = AutogradTraining(lambda w, h, rows: inner(w, h) + anp.sum(w**4), np.zeros(3))
    asked = Training(problem, Momentum(), Listed([None]), 20, {"momentum": 0.5})
    h = {"learning_rate_init": 0.01, **H}
    tuned = tune(asked, outer, h, optimizer=Adam(5.0), bounds=BOUNDS, n_outer=6)
    assert np.isinf(tuned.values).any()
    assert (Status.DIVERGED,) in tuned.statuses
    assert "steps were taken back" in tuned.warning
    assert np.isfinite(tuned.value)


def test_a_path_of_long_vectors_is_thinned(monkeypatch):
    monkeypatch.setattr(trail, "MOST_ENTRIES", 15)
    tuned = tune(training(20), outer, H, method=Online(), n_outer=12)
    known = [n for n, h in enumerate(tuned.path) if h is not None]
    assert known == [0, 4, 8]
    assert len(tuned.values) == 12


@pytest.mark.parametrize(
    ("value", "bounds", "scale", "ends"),
    [
        (2.0, None, "log", (1e-12, 2e12)),
        (2.0, (1e-3, 1e3), "log", (1e-3, 1e3)),
        (2.0, (0.5, None), "log", (0.5, 2e12)),
        (2.0, (0, None), "log", (1e-12, 2e12)),
        (2.0, (1, 5), "linear", (1, 5)),
        (0.5, (0, 1), "linear", (0, 1)),
        (2.0, (-np.inf, np.inf), "linear", (-np.inf, np.inf)),
        (-2.0, None, "linear", (-np.inf, np.inf)),
        (np.array([0.0, 1.0]), None, "linear", (-np.inf, np.inf)),
        (0.5, Continuous(0.1, 0.9, scale="logit"), "logit", (0.1, 0.9)),
        (2.0, Continuous(1, 5, scale="log"), "log", (1, 5)),
    ],
)
def test_scales_follow_from_bounds(value, bounds, scale, ends):
    bounds = None if bounds is None else {"a": bounds}
    (dimension,) = space_of({"a": value}, bounds, AutogradProblem(inner, np.zeros(3))).dimensions
    assert dimension.scale == scale
    assert (dimension.low, dimension.high) == pytest.approx(ends)


def test_momenta_are_between_0_and_1():
    momentum, rate = space_of(
        {"momentum": 0.5, "learning_rate_init": 1.0}, {}, training()
    ).dimensions
    assert (momentum.scale, rate.scale) == ("logit", "log")
    (other,) = space_of({"momentum": 0.5}, {}, AutogradProblem(inner, np.zeros(3))).dimensions
    assert other.scale == "log"


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"keep": "first"}, ValueError, "keep must be 'best' or 'last', got 'first'"),
        ({"n_outer": 0}, ValueError, "n_outer must be at least 1"),
        ({"max_time": 0}, ValueError, "max_time must be a positive number"),
        ({"start": None}, TypeError, "A start is needed"),
        ({"method": "implicit"}, TypeError, "method must be None or such as"),
        ({"h": 1.0}, TypeError, "h must be a dict"),
        ({"h": {"alpha": {}}}, ValueError, "There is nothing in 'alpha' of h"),
        ({"h": {"alpha": {1: 2.0}}}, TypeError, "must be strings, got 1"),
        ({"bounds": (0, 1)}, TypeError, "bounds must be a dict"),
        ({"bounds": {"alpha": 3}}, TypeError, "must be a pair"),
        ({"bounds": {"alpha": (2, 1)}}, ValueError, "in increasing order"),
        ({"bounds": {"alpha": (1e-3, 1)}}, ValueError, "is not within its bounds"),
        ({"bounds": {"alphas": (0, 1)}}, ValueError, "'alphas', which is not in h. Did you mean"),
        ({"bounds": {"alpha": Continuous(per="step")}}, ValueError, "has per or init"),
        ({"outer": lambda w, h: np.inf * anp.sum(w)}, ValueError, "not finite at the start"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_errors_say_what_to_do(change, error, text):
    asked = {"inner": inner, "outer": outer, "h": H, "start": np.zeros(3)} | change
    with pytest.raises(error, match=text):
        tune(asked.pop("inner"), asked.pop("outer"), asked.pop("h"), **asked)


def test_a_training_has_no_minimum():
    with pytest.raises(TypeError, match="Implicit.. differentiates a loss at its minimum"):
        tune(training(), outer, H, method=Implicit())
    with pytest.raises(ValueError, match="trains once, and Draws are for many"):
        tune(Draws(lambda n: training()), outer, H, method=Online())
