"""The cases that the default run takes hold every pair of values."""

import itertools

import pytest
from covering import covering


def pairs(rows):
    return {pair for row in rows for pair in itertools.combinations(enumerate(row), 2)}


@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 2, 5), (4, 4, 4, 4), (2,) * 7, (6, 1, 3)])
def test_every_pair_of_values_occurs(sizes):
    rows = list(itertools.product(*map(range, sizes)))
    chosen = covering(rows)
    assert pairs(rows[i] for i in chosen) == pairs(rows)
    assert len(chosen) < len(rows) or 1 in sizes


def test_it_is_small():
    """As many rows as the two longest parameters have pairs, or a few more."""
    rows = list(itertools.product(range(6), range(5), *[range(2)] * 4))
    assert len(covering(rows)) <= 33


def test_pairs_that_never_occur_are_not_missed():
    rows = [row for row in itertools.product(range(3), repeat=4) if row[0] != row[1]]
    assert pairs(rows[i] for i in covering(rows)) == pairs(rows)


def test_two_parameters_keep_all_rows():
    rows = list(itertools.product(range(3), range(4)))
    assert covering(rows) == [*range(12)]
