"""Whether a vector beats one value for all on data that neither was tuned on."""

import dataclasses
import warnings

import numpy as np

from sklearn_hypergrad.search.data.blocks import blocks, row_numbers
from sklearn_hypergrad.search.objective.build import descent, objective_on, prepared, regularizes
from sklearn_hypergrad.search.objective.vector_data import gather, layout_of
from sklearn_hypergrad.search.strategies.line_search import INTERRUPTED
from sklearn_hypergrad.search.strategies.one_se import selected
from sklearn_hypergrad.search.strategies.vector_descent import VectorDescent


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
    parts = [
        _outer_losses(candidate, inputs, _inside(options, fold, len(inputs.splits)), split)
        for fold, split in enumerate(inputs.splits, start=1)
    ]
    vector, common, weight, rows = map(np.concatenate, zip(*parts, strict=True))
    mean, error = _mean_and_error(common - vector, weight, inputs.split_params.get("groups"), rows)
    return Guard(
        vector_loss=float(np.average(vector, weights=weight)),
        common_loss=float(np.average(common, weights=weight)),
        difference=mean,
        standard_error=error,
        kept=mean > error,
    )


def _inside(options, fold, n_folds):
    place = f"guard, outer fold {fold} of {n_folds}"
    place = ", ".join(filter(None, (options.stage.place, place)))
    return dataclasses.replace(options, stage=dataclasses.replace(options.stage, place=place))


def _mean_and_error(difference, weight, groups, rows):
    """Weighted mean and its standard error; samples of a group are one, and groups count alike."""
    if groups is not None:
        _, member = np.unique(np.asarray(groups)[rows], return_inverse=True)
        total = np.bincount(member, weight)
        difference = np.bincount(member, weight * difference) / np.where(total > 0, total, 1.0)
        weight = (total > 0).astype(float)
    n = np.count_nonzero(weight)
    mean = np.average(difference, weights=weight)
    if n < 2:
        return float(mean), np.inf
    spread = np.sqrt(np.sum((weight * (difference - mean)) ** 2)) / weight.sum()
    return float(mean), float(spread * np.sqrt(n / (n - 1)))


def _outer_losses(candidate, inputs, options, split):
    """Losses of the held-out samples, of the vector and of one value for all; weights and rows."""
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
    found = search.selected(search.run(common.record.theta[0]))
    simple = selected(asked, common, np.array([regularizes(candidate)]), options)
    if INTERRUPTED in (common.message, simple.message, found.message):
        raise KeyboardInterrupt
    (dimension,) = search.objective.space.dimensions
    (part,) = prepared(blocks, candidate, inputs, [split])
    outside = objective_on(candidate, [part], data.choice.loss, options, layout)
    outside.tol = search.objective.tol
    losses, weight = [], None
    for value in (found.record.h[dimension.name], search.common(simple.record.theta[0])):
        ((term, w),) = outside.solutions({dimension.name: value})
        loss, weight = term.outer.samples(w)
        losses.append(loss)
    # Weights of a split sum to one.
    (test,) = term.block.tests
    return *losses, weight * len(test), row_numbers(split[1])
