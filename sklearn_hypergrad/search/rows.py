"""Which settings of a searched candidate scikit-learn gets to judge."""

import warnings

import numpy as np


def best_values(values, objective, name, candidate, inputs):
    """The first of the best values under the asked score, in a list; empty if it cannot be told.

    Parameters
    ----------
    values : list
        Of the hyperparameter ``name``, each a scalar or an array of its shape.
    objective : Objective
        On the user's cv; solutions are converged to its inner tolerance.
    candidate : Candidate
    inputs : FitInputs
    """
    # In the order of their size each solution starts the next one warm.
    order = sorted(range(len(values)), key=lambda index: np.max(values[index]))
    scores = {}
    for index in order:
        hyperparams = {name: np.asarray(values[index], dtype=float)}
        scores[index] = _score(objective, hyperparams, candidate, inputs)
    told = [index for index, score in scores.items() if np.isfinite(score)]
    return [values[max(told, key=lambda index: (scores[index], -index))]] if told else []


def distinct(values):
    """Values without those that equal an earlier one."""
    kept = []
    for value in values:
        if not any(np.array_equal(value, other) for other in kept):
            kept.append(value)
    return kept


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
