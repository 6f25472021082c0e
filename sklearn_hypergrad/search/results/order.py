"""The order of rows: that in which GridSearchCV has the listed values."""

import dataclasses
import itertools
import numbers


def in_grid_order(results):
    """The results of all candidates in the order of ParameterGrid, grid after grid.

    A range stands where its first listed value does. The rows of a range that was enumerated
    become results of their own, as values from beside the range may be listed between them.
    """
    return [
        result
        for _, own in itertools.groupby(results, lambda result: id(result.candidate.grid))
        for result in sorted(itertools.chain.from_iterable(map(_split, own)), key=_position)
    ]


def _split(result):
    if result.is_searched or len(result.rows) == 1:
        return [result]
    return [dataclasses.replace(result, rows=[row]) for row in result.rows]


def _position(result):
    """Positions of the values in their lists; names are sorted, as those of ParameterGrid."""
    candidate = result.candidate
    values = {**result.rows[0]}
    if result.is_searched:
        values |= {span.key: span.listed[0] for span in candidate.ranges if span.listed}
    return tuple(_index(candidate.grid[key], values[key]) for key in sorted(candidate.grid))


def _index(listed, value):
    """The position of a value in its list, 0 for a Continuous; values may be arrays or models."""
    # Of equal numbers each is itself.
    same = [index for index, other in enumerate(listed) if other is value]
    same += [index for index, other in enumerate(listed) if _equal_numbers(other, value)]
    return same[0] if same else 0


def _equal_numbers(one, other):
    return isinstance(one, numbers.Real) and isinstance(other, numbers.Real) and one == other
