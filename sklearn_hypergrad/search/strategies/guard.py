"""The guard: a vector, a sparse alternative or one value for all, by data that none was tuned on.

The whole search is repeated inside each training part of the user's cv, as in nested
cross-validation, and what it finds is compared on the held-out parts. A simpler model is kept
unless another one is better by more than one standard error. Measured on 108 variants of 27 data
sets, with half splits: the guard reduces the number of variants in which the vector is worse than
one value from 14 to 5, keeps about three quarters of the gain, and costs six times as much with
five folds.
"""

import dataclasses
import functools

import numpy as np
from sklearn.base import clone

from sklearn_hypergrad._sklearn import fit_and_score, without_callbacks
from sklearn_hypergrad.problems.split_data import mean_over_rows, overlap_of, row_numbers
from sklearn_hypergrad.search.strategies.shared import Shared
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.tuning import Stopped
from sklearn_hypergrad.tuning.objective import standard_error

COMMON, VECTOR, SPARSE = "one value for all", "the vector", "the sparse vector"


@dataclasses.dataclass(frozen=True)
class Guard:
    """The verdict of the outer folds.

    Attributes
    ----------
    chosen : {"one value for all", "the vector", "the sparse vector"}
        What is kept.
    reason : str
        Why, with the differences that decided and their standard errors.
    nested_score : float or None
        Mean over the splits of ``cv`` of the asked score of what is kept, fitted and tuned on the
        training part alone. Nearly unbiased: only the choice between two or three models has seen
        the held-out parts. None if no single scorer decides.
    nested_score_std_error : float or None
        Its standard error over splits, corrected if they hold rows out more than once.
    vector_loss, common_loss : float
        Mean validation loss of held-out samples, with the vector and with one value for all.
    sparse_loss : float or None
        The same with the sparse vector; None where there is none, as without an evidence.
    difference : float
        Mean over samples (or groups) of the loss of one value for all minus that of the vector, or
        of the sparse one if that is better than the vector by more than one standard error.
    standard_error : float
        Standard error of the difference.
    sparse_difference, sparse_standard_error : float or None
        The same for the loss of the vector minus that of the sparse one.
    kept : bool
        Whether the difference is larger than its standard error: a vector is kept.
    n_evaluations : int
        Number of evaluations of the searches that it has repeated.
    """

    chosen: str
    reason: str
    nested_score: float | None
    nested_score_std_error: float | None
    vector_loss: float
    common_loss: float
    sparse_loss: float | None
    difference: float
    standard_error: float
    sparse_difference: float | None
    sparse_standard_error: float | None
    kept: bool
    n_evaluations: int


def judged(prepared, search_class):
    """Repeat the whole search inside each training part of the user's cv, and compare outside.

    Parameters
    ----------
    prepared : PreparedCandidate
    search_class : type
        Class of the search for one value for all and for vectors; takes a PreparedCandidate.

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
    look = functools.partial(_outside, prepared, search_class)
    options = [prepared.options] * n_folds
    shared = Shared(look, look, folds, options, prepared.inputs.n_jobs)
    shared.run()
    if shared.reason is not None:
        raise Stopped(shared.reason)
    outside = [shared.results[number] for number in range(n_folds)]
    return _verdict(outside, prepared.inputs)


@dataclasses.dataclass(frozen=True)
class Outside:
    """One outer fold: what was tuned on its training part, on its held-out part.

    Attributes
    ----------
    losses : dict of str -> ndarray
        Losses of held-out samples with each of the models.
    scores : dict of str -> float
        Asked scores of the same; empty without a scorer.
    weight, rows : ndarray
        Weights and numbers of the samples.
    n_evaluations : int
    """

    losses: dict
    scores: dict
    weight: np.ndarray
    rows: np.ndarray
    n_evaluations: int


def _verdict(outside, inputs):
    """The Guard from what was seen outside."""
    names = list(outside[0].losses)
    losses = {name: np.concatenate([each.losses[name] for each in outside]) for name in names}
    weight, rows = (np.concatenate([getattr(o, n) for o in outside]) for n in ("weight", "rows"))
    groups = inputs.split_params.get("groups")

    def gain(before, after):
        return mean_over_rows(losses[before] - losses[after], weight, rows, groups)

    vector, sparse, reasons = VECTOR, (None, None), []
    if SPARSE in names:
        sparse = gain(VECTOR, SPARSE)
        vector = SPARSE if sparse[0] > sparse[1] else VECTOR
        reasons.append(_compared(SPARSE, VECTOR, *sparse))
    difference, error = gain(COMMON, vector)
    reasons.append(_compared(vector, COMMON, difference, error))
    kept = difference > error
    chosen = vector if kept else COMMON
    scores = [each.scores[chosen] for each in outside if each.scores]
    spread = standard_error(scores, overlap_of(inputs.splits)) if scores else None
    means = {name: float(np.average(each, weights=weight)) for name, each in losses.items()}
    return Guard(
        chosen=chosen,
        reason="; ".join(reasons),
        nested_score=float(np.mean(scores)) if scores else None,
        nested_score_std_error=spread,
        vector_loss=means[VECTOR],
        common_loss=means[COMMON],
        sparse_loss=means.get(SPARSE),
        difference=difference,
        standard_error=error,
        sparse_difference=sparse[0],
        sparse_standard_error=sparse[1],
        kept=kept,
        n_evaluations=sum(each.n_evaluations for each in outside),
    )


def _compared(after, before, difference, error):
    """How much lower the loss of one model is than that of another, in words."""
    side = "lower" if difference > 0 else "higher"
    enough = "more than" if difference > error else "no more than"
    if difference <= 0:
        return f"the loss of {after} is {side} than that of {before} by {-difference:.3g}"
    return (
        f"the loss of {after} is {side} than that of {before} by {difference:.3g}, {enough} one "
        f"standard error ({error:.2g})"
    )


def _outside(prepared, search_class, fold, options):
    """The Outside of one fold."""
    (split, place), prepared = fold, prepared.with_options(options)
    # A splitter may warn about the data; it did so for the whole data already.
    with warnings_here("ignore"):
        inner = prepared.inside(split[0], place)
    search = search_class(inner)
    search.run_common()
    search.run_vector()
    search.run_sparse()
    points = {COMMON: search.scalar, VECTOR: search.found.record.h}
    if search.sparse is not None:
        points[SPARSE] = search.sparse.record.h
    layouts = {prepared.vector.leaf: search.data.layout}
    losses, weight = _sample_losses(prepared, search, split, layouts, points)
    settings = {name: prepared.settings(h, layouts) for name, h in points.items()}
    scores = _scores(prepared, split, settings)
    rows = row_numbers(split[1])
    return Outside(losses, scores, weight, rows, search.n_evaluations)


def _sample_losses(prepared, search, split, layouts, points):
    """Losses of held-out samples at each of the points, and weights of the samples."""
    data, loss = prepared.data_of([split]), search.loss
    outside = prepared.objective(prepared.models(data, layouts), loss, layouts)
    outside.tol = search.vector.objective.tol
    losses, weight = {}, None
    for name, h in points.items():
        ((losses[name], weight),) = outside.of_solutions(
            "samples", h, lambda term, fitted: term.samples(fitted)
        )
    # Weights of a split sum to one.
    (test,) = outside.terms[0].data.tests
    return losses, weight * len(test)


def _scores(prepared, split, settings):
    """Asked scores of the held-out part by scikit-learn; none if no single scorer decides."""
    inputs = prepared.inputs
    if inputs.scorer is None:
        return {}
    with warnings_here("ignore"):
        return {name: _score(inputs, split, parameters) for name, parameters in settings.items()}


def _score(inputs, split, parameters):
    results = fit_and_score(
        without_callbacks(clone(inputs.estimator)),
        inputs.X,
        inputs.y,
        scorer=inputs.scorer,
        train=split[0],
        test=split[1],
        verbose=0,
        parameters=parameters,
        fit_params=inputs.fit_params,
        score_params=inputs.score_params,
        error_score=np.nan,
    )
    # A callable may return a dict of scores, of which refit chooses one.
    score = results["test_scores"]
    return np.nan if isinstance(score, dict) else float(score)
