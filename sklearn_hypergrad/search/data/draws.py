"""Steps of a pipeline that draw anew in every fit, because they have no seed."""

import dataclasses
import numbers

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from sklearn_hypergrad._sklearn import num_samples
from sklearn_hypergrad.search.data.blocks import whole
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.transformers.fixed import fit_transform

# Number of rows on which steps are tried where nothing but a quiet remark depends on it. Chosen by
# hand: two fits of two steps on them take a few milliseconds.
FEW = 200


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


def drawing_steps_of_few(candidate, inputs):
    """The same by fits on a few rows; empty if these are too few for the steps, too."""
    params = candidate.step.pipeline.get_params()
    steps = [params[name.removesuffix("__random_state")] for name in _without_seed(candidate)]
    # PCA that may choose draws for large data only.
    if all(isinstance(step, PCA) and step.svd_solver == "auto" for step in steps):
        return []
    n_rows = num_samples(inputs.X)
    rows = np.unique(np.linspace(0, n_rows - 1, FEW).astype(int))
    few = inputs.of_rows(rows, candidate.estimator)
    try:
        return drawing_steps(candidate, few)
    # Steps may want more rows than these, all classes, or whatever else.
    except Exception:
        return []


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
