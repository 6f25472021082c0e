"""Steps of a pipeline that draw anew in every fit, because they have no seed."""

import dataclasses
import numbers

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.search.data.blocks import whole
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.transformers.fixed import fit_transform


def drawing_steps(candidate, inputs):
    """Names of the steps before the model whose output depends on a seed that is not fixed.

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
    names, within = _without_seed(candidate), "".join(f"{name}__" for name in candidate.step.path)
    if not names:
        return []

    def features(**seeds):
        seeded = clone(candidate.step.pipeline).set_params(**dict.fromkeys(names, 0) | seeds)
        step = dataclasses.replace(candidate.step, pipeline=seeded)
        block = whole(dataclasses.replace(candidate, step=step), inputs)
        return _through(seeded.get_params().get("__".join(step.path)), block)

    first = features()
    return [
        name.removeprefix(within).removesuffix("__random_state")
        for name in names
        if not _equal(first, features(**{name: 1}))
    ]


def _through(final, block):
    """The rows of a block behind the steps that are tuned through the model, if there are any."""
    X = block.X
    with warnings_here("ignore"):
        for _, step in final.steps[:-1] if isinstance(final, Pipeline) else []:
            if step not in (None, "passthrough"):
                X = fit_transform(clone(step), X, block.labels)
    return X


def _without_seed(candidate):
    """The parameters ``random_state`` of steps before the model that are no integers."""
    path, final = candidate.step.path, candidate.final
    while isinstance(final, Pipeline):
        path, final = [*path, final.steps[-1][0]], final.steps[-1][1]
    model = "".join(f"{name}__" for name in path)
    return [
        name
        for name, value in candidate.step.pipeline.get_params().items()
        if name.endswith("__random_state")
        and path
        and not name.startswith(model)
        and not isinstance(value, numbers.Integral)
    ]


def _equal(one, other):
    if one.shape != other.shape:
        return False
    if issparse(one):
        return (one != other).nnz == 0
    return np.array_equal(one, other)
