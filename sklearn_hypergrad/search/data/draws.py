"""Steps of a pipeline that draw anew in every fit, because they have no seed."""

import dataclasses
import numbers

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.search.data.blocks import whole


def drawing_steps(candidate, inputs):
    """Names of the steps before the final one whose output depends on a seed that is not fixed.

    It is tried, not guessed: many transformers have a ``random_state`` and rarely draw. Each step
    without a seed costs one more fit of the transformers.

    Parameters
    ----------
    candidate : Candidate
        A candidate with a range.
    inputs : FitInputs

    Returns
    -------
    list of str
        Empty if there is no such step.
    """
    within, names = _of_chain(candidate), _without_seed(candidate)
    if not names:
        return within

    def features(**seeds):
        seeded = clone(candidate.step.pipeline).set_params(**dict.fromkeys(names, 0) | seeds)
        step = dataclasses.replace(candidate.step, pipeline=seeded)
        return whole(dataclasses.replace(candidate, step=step), inputs).X

    first = features()
    return within + [
        name.removesuffix("__random_state")
        for name in names
        if not _equal(first, features(**{name: 1}))
    ]


def _of_chain(candidate):
    """Names of the steps without a seed that are tuned through the model."""
    steps = candidate.final.steps[:-1] if isinstance(candidate.final, Pipeline) else []
    seeds = {name: getattr(step, "random_state", 0) for name, step in steps}
    return [name for name, seed in seeds.items() if not isinstance(seed, numbers.Integral)]


def _without_seed(candidate):
    """The parameters ``random_state`` of steps before the final one that are no integers."""
    path = candidate.step.path
    final = "".join(f"{name}__" for name in path)
    return [
        name
        for name, value in candidate.step.pipeline.get_params().items()
        if name.endswith("__random_state")
        and path
        and not name.startswith(final)
        and not isinstance(value, numbers.Integral)
    ]


def _equal(one, other):
    if one.shape != other.shape:
        return False
    if issparse(one):
        return (one != other).nnz == 0
    return np.array_equal(one, other)
