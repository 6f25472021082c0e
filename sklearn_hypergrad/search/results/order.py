"""The order of rows: that in which GridSearchCV has the listed values."""

import collections
import dataclasses
import itertools
import numbers


def in_grid_order(results):
    """The results of all candidates in the order of ParameterGrid, grid after grid.

    A range stands where its first listed value does. The rows of a range that was enumerated
    become results of their own, as values from beside the range may be listed between them.
    """
    ordered = []
    for _, own in itertools.groupby(results, lambda result: id(result.candidate.grid)):
        seen = collections.Counter()
        parts = itertools.chain.from_iterable(map(_split, own))
        ordered += sorted(parts, key=lambda result: _position(result, seen))  # noqa: B023
    return ordered


def _split(result):
    if result.is_searched or len(result.rows) == 1:
        return [result]
    return [dataclasses.replace(result, rows=[row]) for row in result.rows]


def _position(result, seen):
    """Positions of the values in their lists; names are sorted, as those of ParameterGrid.

    Of settings that are listed more than once, each time that they are met is a position.
    """
    candidate = result.candidate
    values = {**result.rows[0]}
    if result.is_searched:
        values |= {span.key: span.listed[0] for span in candidate.ranges if span.listed}
    keys = sorted(candidate.grid)
    places = list(itertools.product(*(_indices(candidate.grid[key], values[key]) for key in keys)))
    seen[places[0]] += 1
    return places[min(seen[places[0]], len(places)) - 1]


def _indices(listed, value):
    """The positions of a value in its list, 0 for a Continuous; values may be arrays or models."""
    same = [i for i, other in enumerate(listed) if other is value or _equal_numbers(other, value)]
    return same or [0]


def _equal_numbers(one, other):
    return isinstance(one, numbers.Real) and isinstance(other, numbers.Real) and one == other
