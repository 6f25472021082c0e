"""Whether a vector beats one value for all on data that neither was tuned on."""

import dataclasses
import warnings

import numpy as np

from sklearn_hypergrad.search.build import descent, objective_on, prepared
from sklearn_hypergrad.search.data import blocks
from sklearn_hypergrad.search.descent import INTERRUPTED
from sklearn_hypergrad.search.gather import gather, layout_of
from sklearn_hypergrad.search.vector import VectorDescent


@dataclasses.dataclass(frozen=True)
class Guard:
    """The verdict of the outer folds.

    Attributes
    ----------
    vector_loss, common_loss : float
        Mean validation loss of held-out samples.
    difference : float
        Mean over samples (or groups) of the loss of one value for all minus that of the vector.
    standard_error : float
        Of the difference.
    kept : bool
        Whether the difference is larger than its standard error.
    """

    vector_loss: float
    common_loss: float
    difference: float
    standard_error: float
    kept: bool


def judged(candidate, inputs, options):
    """Repeat the whole search inside each training part of the user's cv, and compare outside.

    Parameters
    ----------
    candidate : Candidate
    inputs : FitInputs
    options : Options

    Raises
    ------
    KeyboardInterrupt
        Half a verdict is none.
    """
    vector, common, groups = [], [], []
    for split in inputs.splits:
        losses, rows = _outer_losses(candidate, inputs, options, split)
        vector.append(losses[0])
        common.append(losses[1])
        groups.append(_groups(inputs, rows))
    vector, common, groups = map(np.concatenate, (vector, common, groups))
    _, member = np.unique(groups, return_inverse=True)
    difference = np.bincount(member, common - vector) / np.bincount(member)
    mean = difference.mean()
    error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.inf
    return Guard(
        vector_loss=float(vector.mean()),
        common_loss=float(common.mean()),
        difference=float(mean),
        standard_error=float(error),
        kept=bool(mean > error),
    )


def _outer_losses(candidate, inputs, options, split):
    """Losses of the held-out samples, of the vector and of one value for all; their rows."""
    train, test = split
    with warnings.catch_warnings():
        # What a splitter has to say of the whole data, it has said of them.
        warnings.simplefilter("ignore")
        inner = prepared(inputs.subset, train, candidate.estimator)
    data = gather(candidate, inner, options)
    layout = layout_of(candidate, data, inner)
    asked = objective_on(candidate, data.parts, data.choice.loss, options)
    common = descent(candidate, asked, options).run()
    search = VectorDescent(candidate, data, layout, options)
    found = search.run(common.level[0])
    if INTERRUPTED in (common.message, found.message):
        raise KeyboardInterrupt
    (dimension,) = search.objective.space.dimensions
    (part,) = prepared(blocks, candidate, inputs, [split])
    outside = objective_on(candidate, [part], data.choice.loss, options, layout)
    outside.tol = search.objective.tol
    losses = []
    for value in (found.record.hyperparams[dimension.name], search.common(common.level[0])):
        ((term, w),) = outside.solutions({dimension.name: value})
        losses.append(term.outer.samples(w)[0])
    return losses, test


def _groups(inputs, rows):
    """What the held-out samples belong to: themselves, unless groups are given."""
    groups = inputs.split_params.get("groups")
    return rows if groups is None else np.asarray(groups)[rows]
