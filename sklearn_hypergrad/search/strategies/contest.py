"""A contest of points: rough scores tell which of them deserve an exact one."""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Round:
    """A round of a contest.

    Attributes
    ----------
    score : callable
        ``score(number) -> float``, the rough score of a point; nan if it is not known.
    margin : callable
        ``margin(number) -> float``, how far a rough score may be from the exact one, as judged at
        the point with the best rough score.
    """

    score: Callable
    margin: Callable


def exact_scores(numbers, exact, rounds):
    """Exact scores of all points that may have the best one.

    A point leaves in a round if its rough score is below the best one by more than the margin. The
    exact scores of those that stay show whether the margin was wide enough: if one of them differs
    from its rough score by more than half of it, the others come back.

    Parameters
    ----------
    numbers : list of int
        The points.
    exact : callable
        ``exact(number) -> float``; nan where there is no score.
    rounds : list of Round
        From the roughest one; without a round all scores are exact ones.

    Returns
    -------
    dict of int -> float
    """
    if not rounds or len(numbers) < 2:
        return {number: exact(number) for number in numbers}
    now, *later = rounds
    rough = {number: now.score(number) for number in numbers}
    known = [number for number in numbers if not np.isnan(rough[number])]
    if not known:
        return exact_scores(numbers, exact, later)
    best = max(known, key=rough.get)
    margin = now.margin(best)
    # Points whose rough score is unknown stay.
    near = [number for number in numbers if not rough[number] < rough[best] - margin]
    found = exact_scores(near, exact, later)
    if not all(_agree(rough[number], found[number], margin / 2) for number in found):
        found |= exact_scores([n for n in numbers if n not in near], exact, later)
    return found


def _agree(rough, exact, most):
    return np.isnan(rough) or abs(rough - exact) <= most
