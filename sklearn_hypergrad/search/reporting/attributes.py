"""The fitted attributes that tell how a search went."""

import itertools

import numpy as np

from sklearn_hypergrad.search.reporting.table import table
from sklearn_hypergrad.search.results.candidate_result import with_rows

# Relative difference between the score of real fits and that of converged models worth saying.
UNCONVERGED = 1e-3
# What to do about it, of models that are solved and of those that are trained.
REMEDIES = {
    False: "the converged model {:.6g}. Raise max_iter or lower tol of the estimator.",
    True: "the training of the search {:.6g}. It is at the limits of its precision: lower "
    "learning_rate_init, or standardise X and pass it in float64.",
}
# Numbers that the vectors in ``history_`` may have: 64 MiB.
MOST_NUMBERS = 2**23


def history(outcomes):
    """One row per evaluation of a validation loss: ``history_``."""
    records = [
        (number, outcome.candidate.key, record)
        for number, outcome in _searched(outcomes)
        for record in outcome.records
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
    """Values of all records while they fit in memory, then of evenly thinned ones."""
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


def hyperparameters(outcomes, models):
    """One row per entry of every hyperparameter that was searched: ``hyperparameters_``.

    ``models`` are those of the point found, by the number of its row.
    """
    parts = [
        part
        for number, outcome in _searched(outcomes)
        for part in _entries(number, outcome, models.get(number))
    ]
    chain = itertools.chain.from_iterable
    return table({name: list(chain(part[name] for part in parts)) for name in parts[0]})


def models_of(outcomes):
    """The Model of every vector that was found, by the number of its row."""
    return {
        number: outcome.describe(outcome.values[0])
        for number, outcome in _searched(outcomes)
        if outcome.describe is not None
    }


def row(outcomes, number):
    """The CandidateResult of a row of ``cv_results_``, and its value of a vector."""
    rows, outcome = next(pair for pair in with_rows(outcomes) if number in pair[0])
    return outcome, outcome.values[number - rows.start] if outcome.values else None


def explanation(outcomes):
    """Which hyperparameters were differentiated, how, and why the others were not."""
    lines = []
    for outcome in outcomes:
        reason = outcome.candidate.reason
        if outcome.found is not None:
            lines.append(f"{outcome.candidate.key}: {outcome.how}")
        elif outcome.fallback:
            lines.append(outcome.fallback)
        if reason:
            lines.append(f"enumerated: {reason}")
    return "\n".join(dict.fromkeys(lines)) or "enumerated: no list of numbers to search in"


def unconverged_fits(outcomes, results, metric):
    """Messages about real fits that score differently from the converged model."""
    messages, scores = [], results.get(f"mean_test_{metric}")
    for rows, outcome in with_rows(outcomes):
        if outcome.expected is not None and scores is not None:
            loss = outcome.expected
            expected = outcome.choice.loss.offset - loss
            score = scores[rows.start]
            difference = abs(score - expected)
            if difference > UNCONVERGED * max(abs(expected), abs(loss)):
                shown = ", ".join(
                    f"{span.key}={outcome.rows[0][span.key]}"
                    if np.ndim(outcome.rows[0][span.key]) == 0
                    else span.key
                    for span in outcome.candidate.ranges
                )
                remedy = REMEDIES[outcome.candidate.family.trained].format(expected)
                messages.append(f"{shown}: the fits score {score:.6g}, {remedy}")
    return messages


def _searched(outcomes):
    """``(row of the point found in cv_results_, outcome)`` of every searched candidate."""
    for rows, outcome in with_rows(outcomes):
        if outcome.found is not None:
            yield rows.start, outcome


def _entries(number, outcome, model):
    """Columns of the entries of one hyperparameter after the other."""
    record, end_statuses, stop = outcome.found.record, outcome.found.end_statuses, 0
    for searched in outcome.searched:
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
