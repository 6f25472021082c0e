"""Which settings of a searched candidate scikit-learn gets to judge."""

import warnings

import numpy as np


def proposals(candidate, objective, found, choice, inputs):
    """Values of the searched hyperparameter that become rows, the point found first.

    For a vector the best level that all its entries share is the second. If the asked score has no
    gradient, the best listed value and the best other iterate under that score follow, both judged
    on converged inner solutions. Equal values are merged.
    """
    dimension = objective.space.dimensions[0]
    values = [found.record.hyperparams[dimension.name]]
    if dimension.shape:
        values.append(objective.space.to_hyperparams(found.level)[dimension.name])
    if not choice.exact:
        listed = [np.full(dimension.shape, value, dtype=float) for value in candidate.range.listed]
        visited = [record.hyperparams[dimension.name] for record in objective.records]
        for group in (listed, visited):
            values += _best(group, objective, dimension.name, candidate, inputs)
    return [_plain(value) for value in _distinct(values)]


def _best(values, objective, name, candidate, inputs):
    """The first of the best values under the asked score, in a list; empty if it cannot be told."""
    # In the order of their size each solution starts the next one warm.
    order = sorted(range(len(values)), key=lambda index: np.max(values[index]))
    scores = {i: _score(objective, {name: values[i]}, candidate, inputs) for i in order}
    told = [index for index, score in scores.items() if np.isfinite(score)]
    return [values[max(told, key=lambda index: (scores[index], -index))]] if told else []


def _score(objective, hyperparams, candidate, inputs):
    """Mean of the asked score over splits, of estimators with converged coefficients."""
    if inputs.scorer is None:
        return np.nan
    scores = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for term, w in objective.solutions(hyperparams):
                coef, intercept = term.problem.coefficients(w)
                for split, test in enumerate(term.block.tests):
                    labels = term.block.labels
                    fitted = candidate.family.install(
                        candidate.final, coef[split], intercept[split], labels
                    )
                    metadata = _metadata(term.block, test, inputs)
                    scores.append(
                        inputs.scorer(fitted, term.block.X[test], labels[test], **metadata)
                    )
        return np.mean(scores)
    # A scorer is the user's code. What it cannot score here, the real fits will show.
    except Exception:
        return np.nan


def _metadata(block, test, inputs):
    return {"sample_weight": block.score_weight[test]} if inputs.score_params else {}


def _distinct(values):
    kept = []
    for value in values:
        if not any(np.array_equal(value, other) for other in kept):
            kept.append(value)
    return kept


def _plain(value):
    """A Python float for a scalar: what people put into param_grid, print and pickle."""
    return float(value) if np.ndim(value) == 0 else value
