"""The order of rows: that in which GridSearchCV has the listed values."""

import collections
import dataclasses
import itertools
import numbers

import numpy as np


def in_grid_order(results):
    """The results of all candidates in the order of ParameterGrid, grid after grid.

    A range stands where its first listed value does. The rows of a range that was enumerated
    become results of their own, as values from beside the range may be listed between them.
    """
    ordered = []
    for _, own in itertools.groupby(results, lambda result: id(result.candidate.grid)):
        seen = collections.Counter()
        parts = itertools.chain.from_iterable(map(_split, own))
        ordered += sorted(parts, key=lambda result: _place(result, seen))  # noqa: B023
    return ordered


def listed_first(results):
    """The results with numbers of their rows: listed settings as ParameterGrid has them, first.

    Other rows, such as the points that were found, follow in the order of the results.
    """
    places = []
    by_grid = itertools.groupby(results, lambda result: id(result.candidate.grid))
    for grid, (_, own) in enumerate(by_grid):
        seen = collections.Counter()
        for result in own:
            known = [_position(result.candidate, row, seen) for row in result.rows]
            places += [None if place is None else (grid, *place) for place in known]
    # Found points have no place in any grid: they come after all of them.
    order = sorted(range(len(places)), key=lambda row: (places[row] is None, places[row] or ()))
    numbered = iter(np.argsort(order).tolist())
    return [
        dataclasses.replace(result, numbers=tuple(itertools.islice(numbered, len(result.rows))))
        for result in results
    ]


def _split(result):
    if result.is_searched or len(result.rows) == 1:
        return [result]
    return [dataclasses.replace(result, rows=[row]) for row in result.rows]


def _place(result, seen):
    """The place of the first row of a result, or of the first listed values of its ranges."""
    row, candidate = result.rows[0], result.candidate
    if result.is_searched:
        row = row | {span.key: span.listed[0] for span in candidate.ranges if span.listed}
    return _position(candidate, row, seen, among_listed=False)


def _position(candidate, row, seen, *, among_listed=True):
    """Positions of the values in their lists; names are sorted, as those of ParameterGrid.

    Of settings that are listed more than once, each time that they are met is a position. None if
    a value is not listed; otherwise ``among_listed=False`` counts it as the first.
    """
    keys = sorted(candidate.grid)
    found = [_indices(candidate.grid[key], row[key]) for key in keys]
    if among_listed and not all(found):
        return None
    places = list(itertools.product(*(each or [0] for each in found)))
    seen[places[0]] += 1
    return places[min(seen[places[0]], len(places)) - 1]


def _indices(listed, value):
    """The positions of a value in its list; values may be arrays or models."""
    return [i for i, other in enumerate(listed) if other is value or _equal_numbers(other, value)]


def _equal_numbers(one, other):
    return isinstance(one, numbers.Real) and isinstance(other, numbers.Real) and one == other
