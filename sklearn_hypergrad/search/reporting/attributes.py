"""Fitted attributes that describe a search: ``history_``, ``hyperparameters_``, ``remarks_``."""

import itertools

import numpy as np
from sklearn.base import RegressorMixin

from sklearn_hypergrad.search.candidates.expand import as_array, model_in, spread
from sklearn_hypergrad.search.data.draws import drawing_steps, drawing_steps_of_few
from sklearn_hypergrad.search.results.candidate_result import (
    ABSURD,
    place_of,
    remarks_of,
    with_rows,
)
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.spaces.continuous import is_number

# Relative difference between the score of scikit-learn's fits and that of converged models above
# which there is a message. Chosen by hand: below it, no ranking of candidates is likely to change.
UNCONVERGED = 1e-3
# What fits are compared with, and the remedy, by whether the model is trained step by step.
REMEDIES = {
    False: (
        "the converged model",
        "The solver of the estimator stops early, which regularises, too, and no search of minima "
        "sees it. Raise max_iter or lower tol of the estimator.",
    ),
    True: (
        "the training of the search",
        "It is at the limits of its precision: lower learning_rate_init, or standardise X and pass "
        "it in float64.",
    ),
}
# The same if steps before the model have no seed.
OF_DRAWS = "the model of the search"
DRAWS = (
    "{} without a seed: every fit draws anew, so that each split, row of cv_results_ and the refit "
    "has features of its own, and scores differ by luck. Set random_state to an integer."
)
REDRAWN = (
    "{} without a seed: rows of cv_results_ are those of the draws of this search, and the refit "
    "has drawn anew, as another search would. Set random_state to an integer."
)
UNDEFINED = (
    "The mean {0} of the best row is {1}: it is not defined for this model and these data, or fits "
    "fail. The warnings of scikit-learn say which; give another scoring, or other values."
)
BELOW = (
    "The score {:.3g} is below zero: the mean of the target predicts better. Look at the scale of "
    "X and y, and at the range."
)
FAR_BELOW = (
    "The score {:.3g} is far below zero: the mean of the target predicts better. Fits diverge, or "
    "X and y are far from the scale of the model: standardise both, and lower the learning rates "
    "of a network."
)
OF_RANGES = "Continuous() finds the range."
OF_LISTS = "A wider list may have a better one."
# Fewest enumerated numbers of which one is said to be the end. Chosen by hand: of two numbers each
# is one.
FEWEST = 3
# Largest number of entries of the vectors in ``history_``; beyond, they are thinned. Chosen by
# hand: 64 MiB in double precision, which a pickled search can carry.
MOST_NUMBERS = 2**23


def history(results):
    """The columns of ``history_``: one row per evaluation of a validation loss."""
    records = [
        (number, result.candidate.key, record)
        for number, result in _searched(results)
        for record in result.records
    ]
    n_splits = max(len(record.losses) for _, _, record in records)
    columns = {
        "candidate": [number for number, _, _ in records],
        "hyperparameter": [key for _, key, _ in records],
        "value": _values([record for _, _, record in records]),
        "purpose": [r.stage.purpose for _, _, r in records],
        "splits": [r.stage.splits for _, _, r in records],
        "loss_name": [r.stage.loss for _, _, r in records],
        "loss": [r.value for _, _, r in records],
        "gradient_norm": [float(np.linalg.norm(r.gradient)) for _, _, r in records],
    }
    for split in range(n_splits):
        columns[f"split{split}_loss"] = [
            float(r.losses[split]) if split < len(r.losses) else np.nan for _, _, r in records
        ]
    if any(not np.isnan(r.log_evidence) for _, _, r in records):
        columns["log_evidence"] = [r.log_evidence for _, _, r in records]
    columns |= {
        "inner_tol": [r.tol for _, _, r in records],
        "seconds": [r.seconds for _, _, r in records],
        "inner_solves": [r.n_solves for _, _, r in records],
        "linear_iterations": [r.linear_iterations for _, _, r in records],
        "linear_residual": [r.linear_residual for _, _, r in records],
    }
    return columns


def _values(records):
    """The values of all records; of long vectors, those of evenly spaced records."""
    total = sum(np.size(value) for record in records for value in record.h.values())
    every = max(1, -(-total // MOST_NUMBERS))
    last = len(records) - 1
    return [
        _value(record) if record.theta.size == 1 or (last - index) % every == 0 else None
        for index, record in enumerate(records)
    ]


def _value(record):
    """The value of the only hyperparameter, or a dict of those of several."""
    values = {name: _plain(value) for name, value in record.h.items()}
    return values if len(values) > 1 else next(iter(values.values()))


def hyperparameters(results, models):
    """The columns of ``hyperparameters_``: one row per entry of what was searched.

    Parameters
    ----------
    results : list of SearchedResult or EnumeratedResult
    models : dict of int -> EffectiveModel
        The models of vectors that were found, by the number of their row.
    """
    parts = [
        part
        for number, result in _searched(results)
        for part in _entries(number, result, models.get(number))
    ]
    chain = itertools.chain.from_iterable
    return {name: list(chain(part[name] for part in parts)) for name in parts[0]}


def models_of(results):
    """The EffectiveModel of every vector that was found, by the number of its row."""
    return {
        number: result.describe(result.points[0])
        for number, result in _searched(results)
        if result.describe is not None
    }


def row(results, number):
    """The result that a row of ``cv_results_`` belongs to, and the point of this row, if known."""
    result, position = place_of(results, number)
    return result, result.points[position] if result.points else None


def is_point_found(results, number):
    """Whether a row of ``cv_results_`` is the point that a search has found."""
    result, position = place_of(results, number)
    return result.is_searched and position == 0


def starts_of(results, number):
    """Where an equal search may begin: ``(labels, value)`` of what was searched, by its name.

    Parameters
    ----------
    results : list of SearchedResult or EnumeratedResult
    number : int
        A row of ``cv_results_``.
    """
    result, position = place_of(results, number)
    if not result.is_searched:
        return {}
    settings, found = result.rows[position], result.found.record.h
    starts = {}
    for searched in result.searched:
        name = searched.dimension.name
        if result.points:
            value = result.points[position][name]
        else:
            value = as_array(settings[searched.key]) if position else found[name]
        starts[searched.key] = searched.labels, spread(np.asarray(value), searched.dimension.shape)
    return starts


def features_of(results, number):
    """``(names or None, statuses)`` of the features in a row, or None without a value for each.

    The statuses are an array of str of shape (n_features, 1) or (n_features, n_outputs): those of
    the entries of a vector, spread over its features. If the row is not the point found, but has
    one value for all, they are "pooled". Features whose penalty is fixed are "unpenalised" or
    "dropped".
    """
    result, position = place_of(results, number)
    if not result.is_searched or result.features is None:
        return None
    names, entries, held = result.features
    statuses = np.full(len(entries), "pooled", dtype=object)[:, None]
    if position == 0:
        stop = 0
        for searched in result.searched:
            stop, start = stop + searched.dimension.size, stop
            if searched.key == result.candidate.vector.key:
                labels = [each.label for each in result.found.end_statuses[start:stop]]
                statuses = np.array(labels, dtype=object)[entries]
    if held is not None:
        span = result.candidate.vector
        inverse = result.candidate.family.hyperparameters[span.leaf].regularizes < 0
        free = np.inf if inverse else 0.0
        kinds = np.where(held == free, EndStatus.UNPENALISED.label, EndStatus.DROPPED.label)
        statuses = np.where(np.isnan(held), statuses, kinds)
    return names, statuses.astype(str)


def plain_start(labels, value):
    """A value without arrays: a float, a dict by names of entries, or else nested lists."""
    if labels and all(isinstance(label, str) for label in labels):
        return dict(zip(labels, np.ravel(value).tolist(), strict=True))
    return np.asarray(value, dtype=float).tolist()


def explanation(results):
    """Which hyperparameters were differentiated, how, and why the others were not."""
    lines = []
    for result in results:
        reason = result.candidate.reason
        if result.is_searched:
            lines.append(f"{result.candidate.key}: {result.how}")
        elif result.fallback:
            lines.append(result.fallback)
        if reason:
            lines.append(f"enumerated: {reason}")
    return "\n".join(dict.fromkeys(lines)) or "enumerated: no list of numbers to search in"


def remarks(search, results, metric, inputs):
    """Remarks about the candidate of the best row, and those that all searched candidates share.

    Without a best row (``refit=False`` and several metrics) all candidates count. A ``Continuous``
    that could not be searched is always told of: that may be why its candidate is not the best.

    Parameters
    ----------
    search : HypergradSearchCV
        During its fit, after the rows were scored.
    results : list of SearchedResult or EnumeratedResult
    metric : str
        The name of the score that decides.
    inputs : FitInputs

    Returns
    -------
    list of Remark
    """
    scores, best = search.cv_results_.get(f"mean_test_{metric}"), _best(search)
    found = []
    for rows, result in with_rows(results):
        scored = best not in rows or scores is None or np.isfinite(scores[best])
        own = remarks_of(result, (rows.index(best) if best in rows else 0) if scored else None)
        if result.is_searched and result.expected is not None and scores is not None:
            own += _unconverged(result, scores[rows[0]], inputs) or _redrawn(result, inputs)
        found.append((best is None or best in rows, result, own))
    ranged = [own for _, result, own in found if result.candidate.ranges]
    first, *others = ranged or [[]]
    shared = [one for one in first if others and all(one in other for other in others)]
    told = [Remark(f"all {len(ranged)} settings: {one.text}", one.warns) for one in shared]
    for returned, result, own in found:
        place = result.candidate.place
        place = f"{place}, " if len(found) > 1 and place else ""
        told += [
            Remark(place + (one.detail or one.text), one.warns)
            for one in own
            if (returned or (one.warns and not result.is_searched)) and one not in shared
        ]
    return list(dict.fromkeys(told))


def _unconverged(result, score, inputs):
    """A Remark, in a list, if fits of scikit-learn score differently from the converged model."""
    loss = result.expected
    expected = result.choice.loss.offset - loss
    if not abs(score - expected) > UNCONVERGED * max(abs(expected), abs(loss)):
        return []
    row, keys = result.rows[0], [span.key for span in result.candidate.ranges]
    shown = ", ".join(f"{key}={row[key]}" if np.ndim(row[key]) == 0 else key for key in keys)
    drawing = drawing_steps(result.candidate, inputs)
    other, remedy = REMEDIES[result.trained]
    if drawing:
        other, remedy = OF_DRAWS, DRAWS.format(" and ".join(drawing))
    return [
        Remark(
            f"{', '.join(keys)}: the fits do not score as {other} does. {remedy}",
            detail=f"{shown}: the fits score {score:.6g}, {other} {expected:.6g}. {remedy}",
        )
    ]


def _redrawn(result, inputs):
    """A Remark, in a list, if the refit has features that no row has seen, drawn without a seed."""
    has_steps = bool(result.candidate.step.path)
    drawing = drawing_steps_of_few(result.candidate, inputs) if has_steps else []
    return [Remark(REDRAWN.format(" and ".join(drawing)), warns=False)] if drawing else []


def score_remarks(search, results, metric):
    """Remarks about the best row: why a list was enumerated, and what its score is worth.

    The parameters are those of ``remarks``.
    """
    best, scores = _best(search), search.cv_results_.get(f"mean_test_{metric}")
    chosen = results if best is None else [row(results, best)[0]]
    reasons = dict.fromkeys(result.candidate.reason for result in chosen)
    found = [Remark(f"Enumerated, not searched. {reason}.", False) for reason in reasons if reason]
    if best is None or scores is None:
        return found
    if not np.isfinite(scores[best]):
        # scikit-learn has warned of it.
        return [Remark(UNDEFINED.format(metric, scores[best]), warns=False), *found]
    if scores[best] < 0 and _is_relative(search, chosen[0]):
        absurd = -scores[best] > ABSURD
        found.append(Remark((FAR_BELOW if absurd else BELOW).format(scores[best]), absurd))
    return found + _ends_of_enumerated(search.cv_results_["params"], scores, best, results)


def _best(search):
    return getattr(search, "best_index_", None)


def _is_relative(search, result):
    """Whether the score is zero for the mean of the target, as r2 is."""
    if result.is_searched:
        return result.choice.exact and result.choice.loss.offset == 1
    score = getattr(type(model_in(search.estimator)), "score", None)
    own = search.scoring is None and score is RegressorMixin.score
    return own or search.scoring == "r2"


def _ends_of_enumerated(params, scores, best, results):
    """Remarks about numbers that were enumerated and of which the smallest or largest is best."""
    found, settings = [], row(results, best)[0].candidate.settings
    for key, value in settings.items():
        if not is_number(value):
            continue
        pairs = [(setting.get(key), score) for setting, score in zip(params, scores, strict=True)]
        # Beside a range, the values of its list count, too.
        spans = [span for r in results for span in r.candidate.ranges if span.key == key]
        values = {other for other, _ in pairs if is_number(other)}
        values = values.union(*(span.listed for span in spans))
        # Equal scores prefer no end.
        equal = any(s >= scores[best] for v, s in pairs if is_number(v) and v != value)
        if len(values) >= FEWEST and value in (min(values), max(values)) and not equal:
            side = "smallest" if value == min(values) else "largest"
            remedy = OF_RANGES if spans else OF_LISTS
            seen = f"{key}={value}: the {side} value of its list is the best. {remedy}"
            found.append(Remark(seen, warns=False))
    return found


def _searched(results):
    """Yield ``(row of the point found in cv_results_, result)`` of every searched candidate."""
    for rows, result in with_rows(results):
        if result.is_searched:
            yield rows[0], result


def _entries(number, result, model):
    """Yield the columns of ``hyperparameters_`` for one hyperparameter after the other."""
    record, end_statuses, stop = result.found.record, result.found.end_statuses, 0
    for searched in result.searched:
        dimension, size = searched.dimension, searched.dimension.size
        described = model is not None and searched.labels
        entries = slice(stop, stop := stop + size)
        names = [f"{searched.key}[{_text(label)}]" for label in searched.labels]
        yield {
            "candidate": [number] * size,
            "name": names or [searched.key],
            "value": searched.with_held(record.h[dimension.name]).tolist(),
            "before": np.ravel(searched.before).tolist(),
            "start": searched.with_held(dimension.starts).tolist(),
            "low": searched.with_held([dimension.low] * size).tolist(),
            "high": searched.with_held([dimension.high] * size).tolist(),
            "gradient": np.ravel(record.gradient)[entries].tolist(),
            "status": [end_status.label for end_status in end_statuses[entries]],
            "effective_dof": np.ravel(model.dof).tolist() if described else [np.nan] * size,
        }


def _text(label):
    return ", ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _plain(value):
    return float(value) if np.ndim(value) == 0 else np.asarray(value).tolist()


def metric_name(search):
    """The name in ``cv_results_`` of the score that decides."""
    return search.refit if search.multimetric_ and isinstance(search.refit, str) else "score"
