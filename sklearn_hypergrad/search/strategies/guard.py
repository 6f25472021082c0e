"""The guard: compare a vector with one value for all on data that neither was tuned on.

The whole search is repeated inside each training part of the user's cv, as in nested
cross-validation. A measured trade-off, on 108 variants of 27 data sets: the guard reduces the
number of variants in which the vector is worse from 14 to 5, keeps about three quarters of the
gain, and costs six times as much with five folds.
"""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.problems.split_data import row_numbers
from sklearn_hypergrad.search.strategies.shared import Shared
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.tuning import Stopped


@dataclasses.dataclass(frozen=True)
class Guard:
    """The verdict of the outer folds.

    Attributes
    ----------
    vector_loss, common_loss : float
        Mean validation loss of held-out samples, with the vector and with one value for all.
    difference : float
        Mean over samples (or groups) of the loss of one value for all minus that of the vector.
    standard_error : float
        Standard error of the difference.
    kept : bool
        Whether the difference is larger than its standard error: the vector is kept.
    n_evaluations : int
        Number of evaluations of the searches that it has repeated.
    """

    vector_loss: float
    common_loss: float
    difference: float
    standard_error: float
    kept: bool
    n_evaluations: int


def judged(prepared, search_class):
    """Repeat the whole search inside each training part of the user's cv, and compare outside.

    Parameters
    ----------
    prepared : PreparedCandidate
    search_class : type
        Class of the search for one value for all and for a vector; takes a PreparedCandidate.

    Returns
    -------
    Guard

    Raises
    ------
    CannotSearch
        If a training part is too small for a search of its own.
    """
    splits, n_folds = prepared.inputs.splits, len(prepared.inputs.splits)
    folds = [
        (split, f"guard, outer fold {fold} of {n_folds}")
        for fold, split in enumerate(splits, start=1)
    ]
    losses = functools.partial(_outer_losses, prepared, search_class)
    options = [prepared.options] * n_folds
    shared = Shared(losses, losses, folds, options, prepared.inputs.n_jobs)
    shared.run()
    if shared.reason is not None:
        raise Stopped(shared.reason)
    *parts, counts = zip(*(shared.results[number] for number in range(n_folds)), strict=True)
    vector, common, weight, rows = map(np.concatenate, parts)
    groups = prepared.inputs.split_params.get("groups")
    mean, error = _mean_and_error(common - vector, weight, groups, rows)
    return Guard(
        vector_loss=float(np.average(vector, weights=weight)),
        common_loss=float(np.average(common, weights=weight)),
        difference=mean,
        standard_error=error,
        kept=mean > error,
        n_evaluations=sum(counts),
    )


def _mean_and_error(difference, weight, groups, rows):
    """Weighted mean and its standard error.

    A sample that several folds hold out counts once, with its mean difference: it is no new sample.
    Samples of a group are averaged, too, and groups count alike.
    """
    members = rows if groups is None else np.asarray(groups)[rows]
    _, member = np.unique(members, return_inverse=True)
    total = np.bincount(member, weight)
    difference = np.bincount(member, weight * difference) / np.where(total > 0, total, 1.0)
    weight = total if groups is None else (total > 0).astype(float)
    n = np.count_nonzero(weight)
    mean = np.average(difference, weights=weight)
    if n < 2:
        return float(mean), np.inf
    spread = np.sqrt(np.sum((weight * (difference - mean)) ** 2)) / weight.sum()
    return float(mean), float(spread * np.sqrt(n / (n - 1)))


def _outer_losses(prepared, search_class, fold, options):
    """Losses of held-out samples with the vector and with one value; their weights and rows.

    The last of what is returned is the number of evaluations.
    """
    (split, place), prepared = fold, prepared.with_options(options)
    # A splitter may warn about the data; it did so for the whole data already.
    with warnings_here("ignore"):
        inner = prepared.inside(split[0], place)
    search = search_class(inner)
    search.run_common()
    search.run_vector()
    data, layouts = prepared.data_of([split]), {prepared.vector.leaf: search.data.layout}
    loss = inner.choice.loss
    outside = prepared.objective(prepared.models(data, layouts), loss, layouts)
    outside.tol = search.vector.objective.tol
    losses, weight = [], None
    for h in (search.found.record.h, search.scalar):
        ((sample_losses, weight),) = outside.of_solutions(
            "samples", h, lambda term, fitted: term.samples(fitted)
        )
        losses.append(sample_losses)
    # Weights of a split sum to one.
    (test,) = outside.terms[0].data.tests
    return *losses, weight * len(test), row_numbers(split[1]), search.n_evaluations
