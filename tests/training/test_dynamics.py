"""Steps against formulas written down again, and their two derivatives against each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.training import Adam, Momentum, Nesterov, RMSprop, State
from sklearn_hypergrad.training.groups import Groups

N = 6
EPSILON = 1e-3


# One weight at a time, from state, gradient, rates and the number of the step from 1.
def classical(w, v, g, rate, momentum, n):
    v = momentum * v - rate * g
    return w + v, v


def averaged(w, v, g, rate, momentum, n):
    v = momentum * v - (1 - momentum) * g
    return w + rate * v, v


def nesterov(w, v, g, rate, momentum, n):
    v = momentum * v - rate * g
    return w + momentum * v - rate * g, v


def adam(w, m, s, g, rate, b1, b2, n):
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    # In the paper epsilon is added after the correction of s; scikit-learn adds it before.
    step = rate * np.sqrt(1 - b2**n) / (1 - b1**n) * m / (np.sqrt(s) + EPSILON)
    return w - step, m, s


def rmsprop(w, v, s, g, rate, momentum, decay, n):
    s = decay * s + (1 - decay) * g**2
    v = momentum * v - rate * g / (np.sqrt(s) + EPSILON)
    return w + v, v, s


DYNAMICS = {
    "classical": (Momentum(), classical),
    "averaged": (Momentum(averaged=True), averaged),
    "nesterov": (Nesterov(), nesterov),
    "adam": (Adam(EPSILON), adam),
    "rmsprop": (RMSprop(EPSILON), rmsprop),
}
each_dynamics = pytest.mark.parametrize("name", DYNAMICS)
each_kind = pytest.mark.parametrize("kind", ["number", "per weight", "per group"])
each_t = pytest.mark.parametrize("t", [0, 1, 9])
GROUPS = Groups((2, N - 2))
SHAPES = {"number": (), "per weight": (N,), "per group": (2,)}


class Case:
    """A step at a random point, and random directions."""

    def __init__(self, name, kind, t, seed=0):
        self.rng, self.t, self.kind = np.random.default_rng(seed), t, kind
        self.dynamics, self.formula = DYNAMICS[name]
        self.rates = {n: self.rng.uniform(0.3, 0.9, SHAPES[kind]) for n in self.dynamics.names}
        self.before, self.g = self.state(), self.rng.normal(size=N)
        if name in ("adam", "rmsprop"):
            # A mean of squares; of the second weight none were seen yet, nor is there one now.
            self.before.slots[1][...] **= 2
            self.before.slots[1][1] = self.g[1] = 0
        self.after = self.step(self.before, self.g, self.rates)

    def state(self):
        return State.of_rows(self.rng.normal(size=(1 + self.dynamics.n_slots, N)))

    def spread(self, rates):
        if self.kind == "per group":
            return {name: GROUPS.spread(value, float) for name, value in rates.items()}
        return {n: float(v) if np.ndim(v) == 0 else v for n, v in rates.items()}

    def step(self, before, g, rates):
        out = State.of_rows(np.full((1 + self.dynamics.n_slots, N), np.nan))
        self.dynamics.step(before, g, self.spread(rates), self.t, out)
        return out

    def direction(self):
        rates = {n: self.rng.normal(size=SHAPES[self.kind]) for n in self.dynamics.names}
        direction = self.state(), self.rng.normal(size=N), rates
        if self.dynamics.n_slots == 2:
            # Where there is no mean of squares, only its other side is smooth.
            direction[0].slots[1][1] = direction[1][1] = 0
        return direction

    def push(self, direction):
        tangent, g_tangent, rate_tangents = direction
        return self.dynamics.push(
            self.before,
            self.after,
            self.g,
            self.spread(self.rates),
            self.t,
            tangent,
            g_tangent,
            self.spread(rate_tangents),
        )

    def pull(self, adjoint):
        """Derivatives in the state before, the gradient and the rates."""
        sums = {name: np.zeros(SHAPES[self.kind]) for name in self.rates}

        def add(name, x, y, factor=1.0):
            products = factor * x * y
            if self.kind == "per group":
                products = np.add.reduceat(products, (0, 2))
            sums[name] += products if self.kind != "number" else products.sum()

        rates = self.spread(self.rates)
        slope = self.dynamics.pull(self.before, self.after, self.g, rates, self.t, adjoint, add)
        return adjoint, slope, sums

    def moved(self, direction, size):
        tangent, g_tangent, rate_tangents = direction
        pairs = zip(self.before.arrays, tangent.arrays, strict=True)
        before = State.of_rows([a + size * b for a, b in pairs])
        rates = {n: self.rates[n] + size * rate_tangents[n] for n in self.rates}
        return np.stack(self.step(before, self.g + size * g_tangent, rates).arrays)


@each_t
@each_kind
@each_dynamics
def test_steps_are_those_of_the_formula(name, kind, t):
    case = Case(name, kind, t)
    rates = [np.broadcast_to(rate, N) for rate in case.spread(case.rates).values()]
    for i in range(N):
        state = [array[i] for array in case.before.arrays]
        new = case.formula(*state, case.g[i], *[rate[i] for rate in rates], t + 1)
        assert_allclose([array[i] for array in case.after.arrays], new, rtol=1e-13)


@each_t
@each_kind
@each_dynamics
def test_pull_is_the_transpose_of_push(name, kind, t):
    for seed in range(5):
        case = Case(name, kind, t, seed)
        (tangent, g_tangent, rate_tangents), adjoint = case.direction(), case.state()
        pushed = case.push((tangent, g_tangent, rate_tangents))
        expected = np.vdot(np.stack(pushed.arrays), np.stack(adjoint.arrays))
        before, slope, sums = case.pull(adjoint)
        total = np.vdot(np.stack(tangent.arrays), np.stack(before.arrays)) + g_tangent @ slope
        total += sum(np.sum(sums[n] * rate_tangents[n]) for n in sums)
        assert_allclose(total, expected, rtol=1e-12)


@each_t
@each_kind
@each_dynamics
def test_push_agrees_with_finite_differences(name, kind, t, five_point):
    case = Case(name, kind, t)
    direction = case.direction()
    expected = five_point(lambda size: case.moved(direction, size), 1e-4)
    assert_allclose(np.stack(case.push(direction).arrays), expected, rtol=1e-8, atol=1e-9)


@each_dynamics
def test_what_does_not_move_is_zero(name):
    case = Case(name, "number", 3)
    still = State.of_rows(np.zeros((1 + case.dynamics.n_slots, N)))
    pushed = case.push((still, np.zeros(N), {}))
    assert not np.any(np.stack(pushed.arrays))


@each_dynamics
def test_inputs_stay(name):
    case = Case(name, "per weight", 3)
    given = [*case.before.arrays, *case.after.arrays, case.g, *case.rates.values()]
    before = [array.copy() for array in given]
    case.push(case.direction())
    case.pull(case.state())
    assert all(map(np.array_equal, before, given))


@pytest.mark.parametrize("values", [0.5, np.array([0.5, 0.6])], ids=["number", "per group"])
@each_dynamics
def test_single_precision_stays(name, values):
    dynamics, _ = DYNAMICS[name]
    rates = {n: GROUPS.spread(values, np.float32) for n in dynamics.names}
    rows = np.ones((4, 1 + dynamics.n_slots, N), np.float32)
    before, after, adjoint, tangent = map(State.of_rows, rows)
    g = np.ones(N, np.float32)
    dynamics.step(before, g, rates, 0, after)
    pushed = dynamics.push(before, after, g, rates, 0, tangent, g, rates)
    slope = dynamics.pull(before, after, g, rates, 0, adjoint, lambda *args: None)
    assert {array.dtype for array in (*pushed.arrays, slope)} == {np.dtype(np.float32)}


def test_reprs():
    dynamics = (Momentum(), Momentum(averaged=True), Nesterov(), Adam(), RMSprop(0.1))
    shown = "Momentum() Momentum(averaged=True) Nesterov() Adam(epsilon=1e-08) RMSprop(epsilon=0.1)"
    assert " ".join(map(repr, dynamics)) == shown
