"""Systems of kernels: work arrays, factors that are not kept, and rows that are used twice."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.problems.kernel import kernel_systems
from sklearn_hypergrad.problems.kernel import scratch as kernel_scratch
from sklearn_hypergrad.problems.kernel.kernel_systems import KernelSystems, rows_used_once
from sklearn_hypergrad.problems.kernel.scratch import Scratch


@pytest.fixture
def systems(make_block):
    """``(systems, K)``."""
    block = make_block(weighted=True)
    return KernelSystems(block), block.X @ block.X.T


def test_solutions_that_are_alive_keep_their_arrays(systems):
    systems, K = systems
    g = np.random.default_rng(0).normal(size=(len(K), 1))
    first = systems.solve(K, 0.3)
    expected = first.pull(g)
    others = [systems.solve(K, alpha) for alpha in (0.5, 2.0)]
    assert_array_equal(first.pull(g)[1][0], expected[1][0])
    del others
    again = systems.solve(K, 0.3)
    assert_array_equal(again.pull(g)[0], expected[0])


def test_arrays_are_used_again(systems, monkeypatch):
    systems, K = systems
    made, take = [], np.empty
    monkeypatch.setattr(np, "empty", lambda shape: made.append(shape) or take(shape))
    systems.solve(K, 0.3)
    assert made
    made.clear()
    systems.solve(K, 0.5)
    assert made == []


def test_factors_that_are_too_large_are_computed_once_more(systems, monkeypatch):
    systems, K = systems
    g = np.random.default_rng(0).normal(size=(len(K), 1))
    expected = systems.solve(K, 0.3).pull(g)
    monkeypatch.setattr(kernel_systems, "MOST_NUMBERS", 10)
    found = systems.solve(K, 0.3)
    assert_array_equal(found.pull(g)[0], expected[0])
    assert_array_equal(found.pull(g)[1], expected[1])


def test_a_scratch_gives_no_array_twice(monkeypatch):
    scratch = Scratch()
    first, second = scratch.take((2, 3)), scratch.take((2, 3))
    assert first is not second
    scratch.give_back(first)
    assert scratch.take((2, 3)) is first
    assert scratch.take((3, 2)).shape == (3, 2)
    monkeypatch.setattr(kernel_scratch, "MOST_NUMBERS", 5)
    scratch.give_back(second)
    assert scratch.take((2, 3)) is not second


def test_rows_that_are_used_twice_are_copied(make_block):
    block = make_block()
    assert rows_used_once(block) is block
    train, test = np.array([3, 3, 5, 3]), np.array([5, 6])
    block = dataclasses.replace(block, trains=[train], tests=[test], weights=[np.ones(4)])
    found = rows_used_once(block)
    used = np.concatenate([*found.trains, *found.tests])
    assert len(set(used)) == len(used)
    assert_allclose(found.X[used], block.X[np.concatenate([train, test])])
    assert_allclose(found.y[used], block.y[np.concatenate([train, test])])
