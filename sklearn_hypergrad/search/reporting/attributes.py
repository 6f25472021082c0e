"""Fitted attributes that describe a search: ``history_``, ``hyperparameters_`` and messages."""

import importlib.util
import itertools

import narwhals
import numpy as np

from sklearn_hypergrad.search.results.candidate_result import with_rows

# Relative difference between the score of scikit-learn's fits and that of converged models above
# which there is a message. Chosen by hand: below it, no ranking of candidates is likely to change.
UNCONVERGED = 1e-3
# The remedies, by whether the model is trained step by step.
REMEDIES = {
    False: "the converged model {:.6g}. Raise max_iter or lower tol of the estimator.",
    True: "the training of the search {:.6g}. It is at the limits of its precision: lower "
    "learning_rate_init, or standardise X and pass it in float64.",
}
# Largest number of entries of the vectors in ``history_``; beyond, they are thinned. Chosen by
# hand: 64 MiB in double precision, which a pickled search can carry.
MOST_NUMBERS = 2**23
# Types of columns, by the type of their values.
TYPES = {int: narwhals.Int64(), float: narwhals.Float64(), str: narwhals.String()}


def history(results):
    """One row per evaluation of a validation loss: ``history_``."""
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
    columns |= {
        "inner_tol": [r.tol for _, _, r in records],
        "seconds": [r.seconds for _, _, r in records],
        "inner_solves": [r.n_solves for _, _, r in records],
        "linear_iterations": [r.linear_iterations for _, _, r in records],
        "linear_residual": [r.linear_residual for _, _, r in records],
    }
    return table(columns)


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
    """One row per entry of every hyperparameter that was searched: ``hyperparameters_``.

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
    return table({name: list(chain(part[name] for part in parts)) for name in parts[0]})


def models_of(results):
    """The EffectiveModel of every vector that was found, by the number of its row."""
    return {
        number: result.describe(result.values[0])
        for number, result in _searched(results)
        if result.describe is not None
    }


def row(results, number):
    """The result that a row of ``cv_results_`` belongs to, and for a vector its value there."""
    rows, result = next(pair for pair in with_rows(results) if number in pair[0])
    return result, result.values[number - rows.start] if result.values else None


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


def unconverged_fits(results, cv_results, metric):
    """Messages about fits of scikit-learn that score differently from the converged model."""
    messages, scores = [], cv_results.get(f"mean_test_{metric}")
    for rows, result in with_rows(results):
        if result.is_searched and result.expected is not None and scores is not None:
            loss = result.expected
            expected = result.choice.loss.offset - loss
            score = scores[rows.start]
            difference = abs(score - expected)
            if difference > UNCONVERGED * max(abs(expected), abs(loss)):
                shown = ", ".join(
                    f"{span.key}={result.rows[0][span.key]}"
                    if np.ndim(result.rows[0][span.key]) == 0
                    else span.key
                    for span in result.candidate.ranges
                )
                remedy = REMEDIES[result.trained].format(expected)
                messages.append(f"{shown}: the fits score {score:.6g}, {remedy}")
    return messages


def _searched(results):
    """Yield ``(row of the point found in cv_results_, result)`` of every searched candidate."""
    for rows, result in with_rows(results):
        if result.is_searched:
            yield rows.start, result


def _entries(number, result, model):
    """Yield the columns of ``hyperparameters_`` for one hyperparameter after the other."""
    record, end_statuses, stop = result.found.record, result.found.end_statuses, 0
    for searched in result.searched:
        dimension, size = searched.dimension, searched.dimension.size
        entries = slice(stop, stop := stop + size)
        names = [f"{searched.key}[{_text(label)}]" for label in searched.labels]
        yield {
            "candidate": [number] * size,
            "name": names or [searched.key],
            "value": np.ravel(record.h[dimension.name]).tolist(),
            "before": np.ravel(searched.before).tolist(),
            "start": dimension.starts.tolist(),
            "low": [dimension.low] * size,
            "high": [dimension.high] * size,
            "gradient": np.ravel(record.gradient)[entries].tolist(),
            "status": [end_status.label for end_status in end_statuses[entries]],
            "effective_dof": [np.nan] * size if model is None else np.ravel(model.dof).tolist(),
        }


def _text(label):
    return ", ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _plain(value):
    return float(value) if np.ndim(value) == 0 else np.asarray(value).tolist()


def metric_name(search):
    """The name in ``cv_results_`` of the score that decides."""
    return search.refit if search.multimetric_ and isinstance(search.refit, str) else "score"


def table(columns):
    """A data frame of pandas or polars, the first that is installed; else the dict of lists."""
    if importlib.util.find_spec("pandas"):
        return narwhals.from_dict(columns, backend="pandas").to_native()
    if importlib.util.find_spec("polars"):
        schema = {name: _type(values) for name, values in columns.items()}
        return narwhals.from_dict(columns, schema, backend="polars").to_native()
    return columns


def _type(values):
    """The type of a column for polars; a column of mixed types has the type Object."""
    kinds = set(map(type, values))
    return TYPES.get(kinds.pop(), narwhals.Object()) if len(kinds) == 1 else narwhals.Object()
