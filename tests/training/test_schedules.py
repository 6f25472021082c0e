import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_hypergrad.training.schedules import Schedule, Whole

N_STEPS, N_GROUPS, N_COEFS = 5, 3, 7
WIDTHS = N_GROUPS, N_COEFS
LEGAL = [
    (),
    (N_STEPS,),
    (N_GROUPS,),
    (N_COEFS,),
    (N_STEPS, 1),
    (1, N_GROUPS),
    (1, N_COEFS),
    (1, 1),
    (N_STEPS, N_GROUPS),
    (N_STEPS, N_COEFS),
]


@pytest.mark.parametrize("make", [lambda x: Schedule("h", x, N_STEPS, WIDTHS), Whole])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_floats_are_not_copied(make, dtype):
    value = np.ones(N_COEFS, dtype)
    row = make(value).at(0)
    assert np.shares_memory(row, value) == (dtype != np.int64)
    assert row.dtype == (dtype if dtype != np.int64 else np.float64)


def test_what_varies():
    assert Schedule("h", np.ones(N_STEPS), N_STEPS, WIDTHS).varies
    assert Schedule("h", np.ones((N_STEPS, N_COEFS)), N_STEPS, WIDTHS).varies
    assert not Schedule("h", np.ones(N_COEFS), N_STEPS, WIDTHS).varies
    assert not Schedule("h", 1.0, N_STEPS, WIDTHS).varies
    assert not Whole(np.ones(N_STEPS)).varies


def values(shape):
    return np.random.default_rng(0).normal(size=shape)


def expected(value, t):
    """What every group has at a step."""
    if value.ndim == 2:
        return value[t if len(value) > 1 else 0]
    return value[t] if value.shape == (N_STEPS,) else value


@pytest.mark.parametrize("shape", LEGAL)
def test_legal_shapes(shape):
    value = values(shape)
    schedule = Schedule("rate", value.tolist(), N_STEPS, WIDTHS)
    assert schedule.shape == shape
    for t in range(N_STEPS):
        at = schedule.at(t)
        assert_array_equal(at, np.squeeze(expected(value, t)))
        assert isinstance(at, float) or at.shape in ((N_GROUPS,), (N_COEFS,))


@pytest.mark.parametrize("shape", LEGAL)
def test_adding_is_the_transpose_of_moving(shape):
    rng = np.random.default_rng(1)
    schedule, u = Schedule("rate", values(shape), N_STEPS, WIDTHS), rng.normal(size=shape)
    total, sums = schedule.zeros(), 0.0
    for t in range(N_STEPS):
        width = np.size(schedule.at(t)) if np.ndim(schedule.at(t)) else N_GROUPS
        slope = rng.normal(size=width)
        schedule.add(total, t, slope)
        moved = [(u[i], schedule.direction(i, t)) for i in np.ndindex(shape)]
        sums += sum(np.sum(slope * amount * d) for amount, d in moved if d is not None)
    assert schedule.shaped(total).shape == shape
    np.testing.assert_allclose(np.sum(schedule.shaped(total) * u), sums, rtol=1e-13)


@pytest.mark.parametrize("shape", LEGAL)
def test_values_move_along_directions(shape):
    value = values(shape)
    for index in np.ndindex(shape):
        changed = value.copy()
        changed[index] += 1
        before, after = (Schedule("rate", v, N_STEPS, WIDTHS) for v in (value, changed))
        for t in range(N_STEPS):
            direction = before.direction(index, t)
            change = np.subtract(after.at(t), before.at(t))
            np.testing.assert_allclose(0 if direction is None else direction, change, atol=1e-15)


@pytest.mark.parametrize(
    "shape", [(4,), (1,), (2, N_GROUPS), (N_STEPS, 2), (N_GROUPS, N_STEPS), (N_STEPS, 3, 1), (0,)]
)
def test_other_shapes_are_refused_with_the_legal_ones(shape):
    with pytest.raises(ValueError, match=r"rate has shape") as caught:
        Schedule("rate", np.ones(shape), N_STEPS, WIDTHS)
    message = str(caught.value)
    assert f"rate has shape {shape}. Legal are a number, (5,) per step, (3,), (7,)," in message
    assert message.endswith("(5, 3), (5, 7).")


def test_as_many_steps_as_groups_are_told_apart():
    with pytest.raises(ValueError, match=r"\(3, 1\) for steps or \(1, 3\) for groups"):
        Schedule("rate", [1.0, 2.0, 3.0], 3, (3,))
    steps = Schedule("rate", [[1.0], [2.0], [3.0]], 3, (3,))
    groups = Schedule("rate", [[1.0, 2.0, 3.0]], 3, (3,))
    assert [steps.at(t) for t in range(3)] == [1.0, 2.0, 3.0]
    assert_array_equal(groups.at(2), [1.0, 2.0, 3.0])


@pytest.mark.parametrize("widths", [(1,), (3,)])
def test_one_value_for_one_step_needs_no_telling_apart(widths):
    schedule = Schedule("rate", [2.0], 1, widths)
    assert (schedule.at(0), schedule.shape) == (2.0, (1,))


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_what_is_no_schedule_is_whole_at_every_step(shape):
    value = values(shape)
    whole = Whole(value)
    total = whole.zeros()
    whole.add(total, 0, value)
    whole.add(total, 9, value)
    assert_array_equal(whole.at(9), value)
    assert_array_equal(whole.shaped(total), 2 * value)
    units = [whole.direction(index, 3) for index in np.ndindex(shape)]
    assert_array_equal(np.sum(units, axis=0), np.ones(shape))
    assert all(np.sum(np.abs(unit)) == 1 for unit in units)
