"""Training undone, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.exact import Decay, LatticeOverflow
from sklearn_hypergrad.training import (
    Checkpointed,
    Diverged,
    Momentum,
    NotReversed,
    Reversed,
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


class Watched:
    """A problem that remembers the weights of every visit, and may do something at each."""

    def __init__(self, problem, then=lambda n, linearization: None):
        self._problem, self._then, self.seen = problem, then, []

    def __getattr__(self, name):
        return getattr(self._problem, name)

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
        v = (v - run.dynamics.velocity_update(run.linearize(w, t).gradient, rates)) / rates[
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
