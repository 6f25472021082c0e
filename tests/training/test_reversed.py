"""Training undone, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.exact import Decay, LatticeOverflow
from sklearn_hypergrad.training import (
    Adam,
    Checkpointed,
    Diverged,
    Dynamics,
    Momentum,
    NotReversed,
    Reversed,
    RMSprop,
    Stored,
)

FORMS = [Momentum(), Momentum(averaged=True)]
# So many that accumulators spill at a momentum of 0.9: 450 log2(10 / 9) bits are more than 64.
N_STEPS = 450
RNG = np.random.default_rng(5)
SCHEDULES = {
    "0.9": np.array(0.9),
    "0": np.array(0.0),
    "1": np.array(1.0),
    "rising": np.linspace(0.5, 0.999, N_STEPS),
    "with 0 and 1": RNG.choice([0.0, 0.3, 0.9, 1.0], N_STEPS),
    "per group": np.array([0.2, 0.97]),
    "all": RNG.choice([0.0, 0.5, 0.77, 1.0], (N_STEPS, 2)),
}


# With the share of every step that its decays leave.
OTHERS = [
    (Adam(), {"beta_1": SCHEDULES["0.9"], "beta_2": np.array(0.999)}),
    (Adam(), {"beta_1": SCHEDULES["all"], "beta_2": np.linspace(0.9, 0.9995, N_STEPS)}),
    (RMSprop(), {"momentum": SCHEDULES["0.9"], "decay": np.array(0.99)}),
    (RMSprop(), {"momentum": SCHEDULES["with 0 and 1"], "decay": np.array([0.5, 0.97])}),
]


class Accumulated(Dynamics):
    """Momentum in units of the root of the sum of all squares, which never decays."""

    names = ("learning_rate_init", "momentum")
    n_slots = 2
    irreversible = None
    decays = ("momentum", None)
    order = (1, 0)

    def slot_update(self, number, g, slots, rates, t):
        return g**2 if number == 1 else -rates["learning_rate_init"] * g / np.sqrt(slots[1])

    def weight_update(self, slots, rates, t):
        return slots[0]

    def pull(self, before, after, g, rates, t, adjoint, add):
        raise NotImplementedError

    push = pull


class Watched:
    """A problem that remembers the weights of every visit, and may do something at each."""

    def __init__(self, problem, then=lambda n, linearization: None):
        self._problem, self._then, self.seen = problem, then, []

    def __getattr__(self, name):
        return getattr(self._problem, name)

    def at_step(self, t):
        return self

    def linearize(self, w, h, rows):
        linearization = self._problem.linearize(w, h, rows)
        self.seen.append(w.copy())
        self._then(len(self.seen), linearization)
        return linearization


def reverse(trajectory):
    """The first step, which is reached last."""
    *_, first = trajectory.backwards()
    return first


@pytest.mark.parametrize(
    ("dynamics", "kind"),
    [
        *((FORMS[0], kind) for kind in SCHEDULES),
        # The decay is the same, and so is what it stores.
        *((FORMS[1], kind) for kind in ("0.9", "1", "all")),
    ],
)
def test_training_is_undone_bit_for_bit(make_training, bowl, dynamics, kind):
    problem = Watched(bowl(5))
    settings = {"momentum": SCHEDULES[kind], "learning_rate_init": 0.05}
    run = make_training(dynamics, N_STEPS, problem=problem, **settings).run({})
    trajectory = Reversed(run)
    moved = np.abs(trajectory.final.w - problem.origin)
    first = reverse(trajectory)
    # The averaged form takes nothing in then.
    stands_still = dynamics.averaged and kind == "1"
    assert np.all(moved < 1e-15) if stands_still else np.all(moved > 1e-3)
    assert first.t == 0
    assert_array_equal(first.before.w, problem.origin)
    assert not first.before.slots[0].any()
    assert len(problem.seen) == 2 * N_STEPS
    assert_array_equal(problem.seen[:N_STEPS], problem.seen[N_STEPS:][::-1])


@pytest.mark.parametrize(("dynamics", "decays"), OTHERS)
def test_steps_in_units_of_the_gradient_are_undone_too(make_training, bowl, dynamics, decays):
    problem = Watched(bowl(5))
    if "beta_1" in decays and decays["beta_1"].ndim:
        # At 1 nothing enters the mean, whose correction for the start is then 0 / 0.
        decays = {**decays, "beta_1": np.minimum(decays["beta_1"], 0.95)}
    settings = {**decays, "learning_rate_init": 0.01}
    run = make_training(dynamics, N_STEPS, problem=problem, **settings).run({})
    trajectory = Reversed(run)
    assert np.abs(trajectory.final.w - problem.origin).min() > 1e-3
    first = reverse(trajectory)
    assert_array_equal(first.before.w, problem.origin)
    assert not np.any(first.before.slots)
    assert_array_equal(problem.seen[:N_STEPS], problem.seen[N_STEPS:][::-1])


@pytest.mark.parametrize(
    "dynamics", [Adam(), RMSprop(), Accumulated()], ids=lambda d: type(d).__name__
)
def test_the_path_in_units_of_the_gradient_is_that_of_floats(make_training, dynamics):
    run = make_training(dynamics, 60, learning_rate_init=0.01).run({})
    exact, stored = Reversed(run), Stored(run)
    for one, other in zip(exact.backwards(), stored.backwards(), strict=True):
        for a, b in zip(one.before.arrays, other.before.arrays, strict=True):
            assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert one.t == 0


def test_weights_without_a_gradient_stay(make_training, bowl):
    """Their mean of squares is zero, until a gradient comes, however small it is."""

    def shape(n, linearization):
        t = min(n - 1, 60 - n)
        linearization.gradient = linearization.gradient * [1, 0, t > 9, 1e-9 * (t > 9), 1e-150]

    problem = Watched(bowl(5), shape)
    run = make_training(Adam(), 30, problem=problem, learning_rate_init=0.01).run({})
    trajectory = Reversed(run)
    problem.seen.clear()
    stored = Stored(run)
    pairs = zip(trajectory.final.arrays, stored.final.arrays, strict=True)
    assert all(np.allclose(a, b, rtol=1e-9, atol=0) for a, b in pairs)
    assert trajectory.final.w[1] == problem.origin[1]
    assert trajectory.final.slots[1][3] > 0
    problem.seen[:] = [None] * 30
    assert reverse(trajectory).t == 0


def per_weight_and_step(dynamics, n_steps, make_training, **settings):
    """Bits that reversal holds, and those that are lost."""
    size = 300
    run = make_training(dynamics, n_steps, size=size, **settings).run({})
    limit = sum(-np.log2(settings[name]) for name in dynamics.decays)
    return Reversed(run).n_bits / (size * n_steps), limit


USUAL = [
    (Adam(), {"beta_1": 0.9, "beta_2": 0.999, "learning_rate_init": 1e-3}),
    (RMSprop(), {"momentum": 0.9, "decay": 0.99, "learning_rate_init": 1e-3}),
]


@pytest.mark.parametrize(("dynamics", "settings"), USUAL, ids=["Adam", "RMSprop"])
def test_bits_are_those_lost_and_a_few_to_begin_with(make_training, dynamics, settings):
    held, limit = per_weight_and_step(dynamics, 600, make_training, **settings)
    # Reciprocals of 1 - decay, and what is kept of numbers that outgrow their units.
    assert limit <= held < limit + 30 / 600


@pytest.mark.thorough
@pytest.mark.parametrize(("dynamics", "settings"), USUAL, ids=["Adam", "RMSprop"])
def test_bits_of_long_runs_are_near_the_limit(make_training, dynamics, settings):
    held, limit = per_weight_and_step(dynamics, 10_000, make_training, **settings)
    assert limit <= held < 1.05 * limit


def test_thousands_of_steps(make_training):
    run = make_training(n_steps=2000).run({"momentum": np.array(0.98)})
    assert reverse(Reversed(run)).t == 0


def test_control_floats_do_not_reverse(make_training):
    run = make_training(n_steps=300, momentum=0.5).run({})
    state = run.final()
    w, v = state.w, state.slots[0]
    for t in reversed(range(300)):
        w = w - v
        rates = run.rates(t)
        v = (v - run.dynamics.slot_update(0, run.linearize(w, t).gradient, (), rates, t)) / rates[
            "momentum"
        ]
    assert not np.allclose(w, run.start().w, atol=1)


@pytest.mark.parametrize("dynamics", FORMS, ids=repr)
def test_the_path_is_that_of_floats_with_the_same_fractions(make_training, dynamics):
    momentum = 0.9 + 1e-7
    training = make_training(dynamics, 100)
    exact = Reversed(training.run({"momentum": np.array(momentum)}))
    used = Decay.of(momentum).value
    assert used != momentum
    stored = Stored(training.run({"momentum": np.array(used)}))
    for one, other in zip(exact.backwards(), stored.backwards(), strict=True):
        assert one.rates["momentum"] == used
        pairs = zip(one.before.arrays, other.before.arrays, strict=True)
        for a, b in pairs:
            assert_allclose(a, b, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1e5, 1e8, 1e150])
def test_weights_of_any_size(make_training, scale):
    training = make_training(n_steps=50)
    h = {"init_scale": np.array(scale)}
    trajectory = Reversed(training.run(h))
    # What is left of the largest ones has lost digits, in floats, too.
    size = np.abs(trajectory.final.w).max()
    assert_allclose(trajectory.final.w, training.run(h).final().w, rtol=0, atol=1e-12 * size)
    assert_array_equal(reverse(trajectory).before.w, scale * training.problem.origin)


@pytest.mark.parametrize("step", [0, 7, 19])
def test_another_gradient_on_the_way_back_names_the_step(make_training, bowl, step):
    def disturb(n, linearization):
        if n == 20 + (20 - step):
            linearization.gradient = linearization.gradient + 1e-9

    problem = Watched(bowl(5), disturb)
    trajectory = Reversed(make_training(n_steps=20, problem=problem).run({}))
    with pytest.raises(NotReversed, match=rf"Step {step} of 20 .* hypergradient='reverse'"):
        reverse(trajectory)


def test_what_was_changed_after_training_does_not_lead_to_the_start(make_training):
    run = make_training(n_steps=20).run({})
    trajectory, start = Reversed(run), run.start()
    start.w += 1e-9
    run.start = lambda: start
    with pytest.raises(NotReversed, match="another start"):
        reverse(trajectory)


@pytest.mark.parametrize("dynamics", [Adam(), RMSprop()], ids=repr)
@pytest.mark.parametrize("step", [0, 7])
def test_another_gradient_is_noticed_in_any_units(make_training, bowl, dynamics, step):
    def disturb(n, linearization):
        if n == 20 + (20 - step):
            linearization.gradient = linearization.gradient * (1 + 1e-9)

    problem = Watched(bowl(5), disturb)
    trajectory = Reversed(make_training(dynamics, 20, problem=problem).run({}))
    with pytest.raises(NotReversed, match=rf"Step {step} of 20"):
        reverse(trajectory)


@pytest.mark.parametrize("dynamics", FORMS, ids=repr)
def test_divergence_names_a_remedy(make_training, dynamics):
    run = make_training(dynamics, 300, alpha=500.0).run({})
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises((LatticeOverflow, Diverged), match="smaller learning rate or momentum"),
    ):
        Reversed(run)


def test_a_gradient_that_is_not_finite_is_an_overflow(make_training, bowl):
    def spoil(n, linearization):
        linearization.gradient = np.full(5, np.nan)

    run = make_training(problem=Watched(bowl(5), spoil)).run({})
    with pytest.raises(LatticeOverflow, match="not finite"):
        Reversed(run)


def test_a_gradient_where_there_was_none_names_the_step(make_training, bowl):
    def spoil(n, linearization):
        linearization.gradient = np.full(5, 0.0 if n <= 20 else 1e-3)

    trajectory = Reversed(make_training(n_steps=20, problem=Watched(bowl(5), spoil)).run({}))
    with pytest.raises(NotReversed, match="Step 19 of 20"):
        reverse(trajectory)


@pytest.mark.parametrize("momentum", [1.5, -0.1])
def test_momenta_beyond_fractions_are_refused(make_training, momentum):
    with pytest.raises(ValueError, match="A momentum must be from 0 to 1"):
        Reversed(make_training(momentum=momentum).run({}))


def test_memory(make_training):
    size, n_steps = 4000, 1000
    run = make_training(n_steps=n_steps, size=size, momentum=0.9).run({})
    trajectory = Reversed(run)
    few = Checkpointed(run)
    # Two numbers with exponents and accumulators, of which those of weights hold nothing, and
    # log2(10/9) bits a step with what room they leave.
    short = Reversed(make_training(n_steps=10, size=size, momentum=0.9).run({}))
    assert 24 * size < short.nbytes < trajectory.nbytes < 70 * size
    assert trajectory.nbytes < 0.15 * few.nbytes
    assert trajectory.nbytes < 0.004 * n_steps * size * 2 * 8
    assert n_steps * size * np.log2(10 / 9) <= trajectory.n_bits < 1.1 * 8 * trajectory.nbytes
