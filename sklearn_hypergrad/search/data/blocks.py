"""Blocks: the data that the final step of a candidate is trained and judged on.

The transformers before the final step are fitted on the training part of every split, by
scikit-learn's own code. Splits whose transformed data are the same up to scales share one block.
"""

import functools

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad._sklearn import (
    check_sample_weight,
    feature_names,
    rows_of_params,
    safe_split,
)
from sklearn_hypergrad.problems import SplitData
from sklearn_hypergrad.problems.split_data import column_means, numbers_of, row_numbers, stacked
from sklearn_hypergrad.search.data.capture import steps_before, with_capture
from sklearn_hypergrad.search.data.features import Columns
from sklearn_hypergrad.search.data.fitted_steps import FittedSteps
from sklearn_hypergrad.search.data.moved_steps import check_that_targets_are_ignored
from sklearn_hypergrad.search.data.scalers import are_scalers, fitted_scalers
from sklearn_hypergrad.search.data.shared_design import shared
from sklearn_hypergrad.threads import one_blas_thread, warnings_here
from sklearn_hypergrad.workers import Crew

# Largest size of the arrays of a block, over its splits; very many splits make several blocks.
# Chosen by hand: 800 MB in double precision, a bound of memory that hardly any data set reaches.
MOST_NUMBERS = 100_000_000


def blocks(candidate, inputs, splits=None, kept=None, *, means=False):
    """The blocks of a candidate: one of many splits if these share X, else one for each split.

    Parameters
    ----------
    candidate : Candidate
    inputs : FitInputs
    splits : list of (train, test), default=None
        None is the splits of ``inputs``.
    kept : list, default=None
        The FittedSteps of every split are appended to it.
    means : bool, default=False
        Whether these have the means of the features.

    Returns
    -------
    list of SplitData

    Raises
    ------
    ValueError, TypeError
        If these data cannot be used by the family; scikit-learn's fits then report it in their
        words.
    """
    if inputs.y is None:
        raise ValueError("y is None")
    labels = candidate.family.labels(inputs.y)
    descended = splits is not None and _told_apart(candidate)
    splits = inputs.splits if splits is None else splits
    splits = [(row_numbers(train), row_numbers(test)) for train, test in splits]
    if not splits or not all(len(test) for _, test in splits):
        raise ValueError("there is no held-out part")
    candidate.family.check_parts(labels, [train for train, _ in splits])
    y = candidate.family.encode(labels)
    if not np.isfinite(y).all():
        raise ValueError("y is not finite")
    # Other metadata of the score are known to the scorer only.
    score_weight = inputs.score_params.get("sample_weight")
    score_weight = check_sample_weight(score_weight, np.empty((len(y), 1)))
    targets = labels, y, score_weight
    path = candidate.step.path
    if not path:
        found = [_shared(candidate, inputs, splits, *targets)]
        if kept is not None:
            own = feature_names(inputs.X), column_means(found[0].X) if means else None
            kept += [FittedSteps(*own, _params_of_fit(inputs, train)) for train, _ in splits]
    elif read := _read_scalers(candidate, inputs, path, splits, vector=descended):
        X, scalers = read
        found = [_scaled(candidate, X, scalers, splits, targets)]
        if kept is not None:
            own = scalers[0].names, column_means(X) if means else None
            kept += [each.steps(*own) for each in scalers]
    else:
        if candidate.step.moved and kept is not None:
            check_that_targets_are_ignored(candidate, inputs, splits[0][0])
        parts = _all_transformed(candidate, inputs, path, splits, targets, means=means)
        found = shared(
            _kept_apart(parts, kept),
            intercept=_has_intercept(candidate),
            wanted=lambda block: (
                not candidate.family.needs_offsets
                and _worth_sharing(candidate, block.X, vector=descended)
            ),
        )
    return [part for block in found for part in _divided(candidate, block)]


def _worth_sharing(candidate, X, *, vector):
    """Whether to look for a shared X: not for one penalty on wide data, tuned in row spaces."""
    return candidate.family.knows_scales and (vector or X.shape[1] <= X.shape[0])


def _has_intercept(candidate):
    return candidate.family.has_intercept(candidate.final)


def one_split(family, final, X, labels, weight):
    """SplitData of one split that trains on these rows, and holds them out.

    Parameters
    ----------
    family : Family
    final : estimator
        The final step.
    X : ndarray or CSR matrix of shape (n_rows, n_features)
    labels : ndarray of shape (n_rows, ...)
        Targets as the user gave them.
    weight : ndarray of shape (n_rows,) or None
        The user's weights in training.
    """
    rows, ones = np.arange(len(labels)), np.ones(len(labels))
    weight = ones if weight is None else weight
    return SplitData(
        X=X,
        y=family.encode(labels),
        trains=[rows],
        tests=[rows],
        weights=[family.training_weight(final, labels, weight)],
        score_weight=ones,
        labels=labels,
    )


def _divided(candidate, block):
    side = min(block.X.shape)
    matrix = side**2 if side <= candidate.family.largest_matrix else 0
    size = max(*block.X.shape, matrix) * block.y.shape[1]
    return block.in_batches(1 if candidate.family.one_split else max(1, MOST_NUMBERS // size))


def whole(candidate, inputs):
    """A block whose one split trains on all rows and holds all rows out."""
    rows = np.arange(len(candidate.family.labels(inputs.y)))
    (block,) = blocks(candidate, inputs, [(rows, rows)])
    return block


def _shared(candidate, inputs, splits, *targets):
    """The block of all splits, without transformers."""
    weight = _weight(inputs.fit_params, len(targets[0]))
    columns = Columns.of_data(inputs.X) if _told_apart(candidate) else None
    weights = [weight[train] for train, _ in splits]
    return _of_rows(
        candidate, candidate.family.as_taken(inputs.X), splits, weights, targets, columns=columns
    )


def _of_rows(candidate, X, splits, weights, targets, **more):
    """The block of splits of all rows; ``weights`` are sample weights of the training parts."""
    labels, y, score_weight = targets
    parts = zip(splits, weights, strict=True)
    return SplitData(
        X=X,
        y=y,
        trains=[train for train, _ in splits],
        tests=[test for _, test in splits],
        weights=[
            candidate.family.training_weight(candidate.final, labels[train], weight)
            for (train, _), weight in parts
        ],
        score_weight=score_weight,
        labels=labels,
        **more,
    )


def _params_of_fit(inputs, train):
    return rows_of_params(inputs.X, inputs.fit_params, train)


def _read_scalers(candidate, inputs, path, splits, *, vector):
    """X as an array and the FittedScalers of all splits, if these features are X up to scales."""
    if len(splits) == 1 or not are_scalers(candidate.step.pipeline, path):
        return None
    try:
        X = numbers_of(inputs.X)
    # Scalers take missing values, which the final step then reports.
    except ValueError:
        return None
    if issparse(X) or not _worth_sharing(candidate, X, vector=vector):
        return None
    scalers, steps = [], steps_before(candidate, path)
    for train, _ in splits:
        fitted = fitted_scalers(steps, inputs, path, train)
        moved = np.any(fitted.affine.offset != 0) and not _has_intercept(candidate)
        if moved or not fitted.affine.is_moderate:
            return None
        scalers.append(fitted)
    return X, scalers


def _scaled(candidate, X, scalers, splits, targets):
    """The block of all splits, with the factors of their scalers."""
    weights = [
        _weight(fitted.fit_params, len(train))
        for fitted, (train, _) in zip(scalers, splits, strict=True)
    ]
    scales = np.stack([fitted.affine.factor for fitted in scalers], axis=1)
    columns = scalers[0].columns() if _told_apart(candidate) else None
    return _of_rows(
        candidate,
        X,
        splits,
        weights,
        targets,
        columns=columns,
        scales=None if np.all(scales == 1) else scales,
        offsets=np.stack([fitted.affine.offset for fitted in scalers], axis=1),
    )


def _all_transformed(candidate, inputs, path, splits, targets, *, means):
    """Yield what ``_transformed`` returns for every split, with the help of workers."""
    of_split = functools.partial(_transformed, candidate, path=path, targets=targets, means=means)
    with Crew(functools.partial(_on_worker, of_split, inputs), splits, inputs.n_jobs) as crew:
        yield from crew.in_order(functools.partial(of_split, inputs))


def _on_worker(of_split, inputs, split, halted):
    with np.errstate(all="ignore"), one_blas_thread():
        return of_split(inputs.as_arrays(), split)


def _kept_apart(parts, kept):
    """Yield parts with the names of their features; steps are added to ``kept`` if it is a list."""
    for block, rows, steps in parts:
        if kept is not None:
            kept.append(steps)
        yield block, rows, steps.all_names


def _transformed(candidate, inputs, split, *, path, targets, means):
    """The block of one split, the rows of the data that it has, and its FittedSteps."""
    (train, test), (labels, y, score_weight) = split, targets
    pipeline, capture = with_capture(candidate, path)
    X_train, y_train = safe_split(pipeline, inputs.X, inputs.y, train)
    # The fits of scikit-learn give the same warnings to the user.
    with warnings_here("ignore"):
        pipeline.fit(X_train, y_train, **_params_of_fit(inputs, train))
        transformed, fit_params = capture.captured_
        columns = None
        if _told_apart(candidate):
            columns = Columns.of_pipeline(pipeline, path, X_train, transformed)
        X = candidate.family.as_taken(transformed)
        rows, held_out = train, np.arange(len(train))
        if test is not train:
            X_test, _ = safe_split(pipeline, inputs.X, inputs.y, test, train)
            X = stacked([X, candidate.family.as_taken(pipeline.predict(X_test))])
            rows = np.concatenate([train, test])
            held_out = np.arange(len(train), len(rows))
    del capture.captured_
    own = feature_names(transformed), column_means(X) if means else None
    steps = FittedSteps(*own, fit_params, pipeline, path)
    weight = _weight(fit_params, len(train))
    block = SplitData(
        X=X,
        y=y[rows],
        trains=[np.arange(len(train))],
        tests=[held_out],
        weights=[candidate.family.training_weight(candidate.final, labels[train], weight)],
        score_weight=score_weight[rows],
        labels=labels[rows],
        columns=columns,
    )
    return block, rows, steps


def _told_apart(candidate):
    """Whether the names of features matter: some range has more than one value."""
    return any(span.continuous.per is not None for span in candidate.ranges)


def _weight(params, n_samples):
    unknown = set(params) - {"sample_weight"}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is metadata that the inner problem does not know")
    return check_sample_weight(params.get("sample_weight"), np.empty((n_samples, 1)))
