"""Trajectories that keep states: all of them, or checkpoints."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_hypergrad.training import Adam, Checkpointed, Momentum, RMSprop, Stored
from sklearn_hypergrad.training.trajectories import stored

N_STEPS = 12


def snapshot(step):
    """All there is to a step, as bytes."""
    arrays = *step.before.arrays, *step.after.arrays, step.linearization.gradient
    return step.t, *(array.tobytes() for array in arrays), step.linearization.value


@pytest.fixture(params=[Momentum(), Adam(), RMSprop()], ids=repr)
def run(make_training, request):
    return make_training(request.param, N_STEPS).run({})


@pytest.fixture
def walked(run):
    """Steps as they were on the way there, the last one first."""
    steps = []
    for t, before, after, linearization in run.walk():
        arrays = *before.arrays, *after.arrays, linearization.gradient
        steps.append((t, *(array.tobytes() for array in arrays), linearization.value))
    return steps[::-1]


def test_stored_steps_are_those_of_training(run, walked):
    trajectory = Stored(run)
    assert_array_equal(trajectory.final.w, run.final().w)
    assert [snapshot(step) for step in trajectory.backwards()] == walked
    assert trajectory.n_gradients == N_STEPS


@pytest.mark.parametrize("n_checkpoints", [None, 1, 2, 5, N_STEPS - 1, N_STEPS, 99])
def test_checkpointed_steps_are_those_of_training(run, walked, n_checkpoints):
    trajectory = Checkpointed(run, n_checkpoints)
    assert_array_equal(trajectory.final.w, run.final().w)
    assert [snapshot(step) for step in trajectory.backwards()] == walked
    assert trajectory.n_gradients == 2 * N_STEPS


def test_what_does_not_fit_is_computed_again(run, walked, monkeypatch):
    monkeypatch.setattr(stored, "MOST_BYTES", 0)
    trajectory = Stored(run)
    monkeypatch.setattr(type(next(run.walk())[3]), "nbytes", 1)
    trajectory = Stored(run)
    assert [snapshot(step) for step in trajectory.backwards()] == walked
    assert trajectory.n_gradients == 2 * N_STEPS


def test_a_part_of_a_run(run, walked):
    for _, _, after, _ in run.walk(last=5):
        state = after
    trajectory = Stored(run, state, 5, 9)
    assert [snapshot(step) for step in trajectory.backwards()] == walked[3:7]
    assert trajectory.n_gradients == 4


def test_rounded_states_are_near(run):
    rounded, exact = Stored(run, dtype="float32"), Stored(run)
    assert_array_equal(rounded.final.w, exact.final.w)
    for one, other in zip(rounded.backwards(), exact.backwards(), strict=True):
        assert one.before.w.dtype == np.float64
        pairs = zip(one.before.arrays, other.before.arrays, strict=True)
        assert all(np.allclose(a, b, rtol=1e-7, atol=0) for a, b in pairs)
        if one.t:
            assert not np.array_equal(one.before.w, other.before.w)


def test_memory(make_training):
    run = make_training(n_steps=400, size=50).run({})
    every, half, few = Stored(run), Stored(run, dtype="float32"), Checkpointed(run)
    for trajectory in (every, half, few):
        assert len(list(trajectory.backwards())) == 400
    # Two arrays in each state, and a gradient that is kept with it.
    assert every.nbytes >= 400 * 50 * 3 * 8
    assert half.nbytes < 0.6 * every.nbytes
    assert few.nbytes < 0.12 * every.nbytes
    # Twenty checkpoints, and a stretch of as many steps.
    assert few.nbytes >= 20 * 50 * (2 + 2) * 8
