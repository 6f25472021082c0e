"""The fitted attributes that tell how a search went."""

import numpy as np

from sklearn_hypergrad.search.table import table

# Relative difference between the score of real fits and that of converged models worth saying.
UNCONVERGED = 1e-3


def history(outcomes):
    """One row per evaluation of a validation loss: ``history_``."""
    records = [
        (number, outcome.candidate.range.key, record)
        for number, outcome in _searched(outcomes)
        for record in outcome.objective.records
    ]
    n_splits = max(len(record.losses) for _, _, record in records)
    columns = {
        "candidate": [number for number, _, _ in records],
        "hyperparameter": [key for _, key, _ in records],
        "value": [_plain(next(iter(r.hyperparams.values()))) for _, _, r in records],
        "loss": [r.value for _, _, r in records],
        "gradient_norm": [float(np.linalg.norm(r.gradient)) for _, _, r in records],
    }
    for split in range(n_splits):
        columns[f"split{split}_loss"] = [
            float(r.losses[split]) if split < len(r.losses) else np.inf for _, _, r in records
        ]
    columns |= {
        "inner_tol": [r.tol for _, _, r in records],
        "seconds": [r.seconds for _, _, r in records],
        "inner_solves": [r.n_solves for _, _, r in records],
    }
    return table(columns)


def hyperparameters(outcomes):
    """One row per entry of every hyperparameter that was searched: ``hyperparameters_``."""
    rows = [row for number, outcome in _searched(outcomes) for row in _entries(number, outcome)]
    return table({name: [row[name] for row in rows] for name in rows[0]})


def explanation(outcomes, method):
    """Which hyperparameters were differentiated, how, and why the others were not."""
    lines = []
    for outcome in outcomes:
        span, reason = outcome.candidate.range, outcome.candidate.reason
        if outcome.found is not None:
            final = type(outcome.candidate.final).__name__
            lines.append(
                f"{span.key}: {method!r}, because the fit of {final} minimises a smooth objective"
            )
        elif outcome.fallback or reason:
            lines.append(outcome.fallback or f"enumerated: {reason}")
    return "\n".join(dict.fromkeys(lines)) or "enumerated: no list of numbers to search in"


def unconverged_fits(outcomes, results, metric):
    """Messages about real fits that score differently from the converged model."""
    messages, row = [], 0
    scores = results.get(f"mean_test_{metric}")
    for outcome in outcomes:
        if outcome.found is not None and outcome.choice.exact and scores is not None:
            loss = outcome.found.record.value
            expected = outcome.choice.loss.offset - loss
            difference = abs(scores[row] - expected)
            if difference > UNCONVERGED * max(abs(expected), abs(loss)):
                key, value = outcome.candidate.range.key, outcome.rows[0]
                messages.append(
                    f"{key}={value[key]}: the fits score {scores[row]:.6g}, the converged model "
                    f"{expected:.6g}. Raise max_iter or lower tol of the estimator."
                )
        row += len(outcome.rows)
    return messages


def _searched(outcomes):
    """``(row of the point found in cv_results_, outcome)`` of every searched candidate."""
    row = 0
    for outcome in outcomes:
        if outcome.found is not None:
            yield row, outcome
        row += len(outcome.rows)


def _entries(number, outcome):
    key = outcome.candidate.range.key
    found, (dimension,) = outcome.found, outcome.objective.space.dimensions
    values = np.ravel(found.record.hyperparams[dimension.name])
    gradient = np.ravel(found.record.gradient)
    for entry, (value, slope, ending) in enumerate(
        zip(values, gradient, found.endings, strict=True)
    ):
        yield {
            "candidate": number,
            "name": f"{key}[{entry}]" if dimension.shape else key,
            "value": float(value),
            "start": dimension.start,
            "low": dimension.low,
            "high": dimension.high,
            "gradient": float(slope),
            "status": ending.label,
        }


def _plain(value):
    return float(value) if np.ndim(value) == 0 else value.tolist()
