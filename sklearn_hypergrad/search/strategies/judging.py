"""Scores of solutions that the search has found, where the asked score has no gradient."""

import warnings

import numpy as np

# Iterates of a search that are judged by a score without gradient: the best by the descended loss.
N_JUDGED = 5


def best_values(values, objective, name, prepared):
    """The first of the best values under the asked score, in a list; empty if it cannot be told.

    Parameters
    ----------
    values : list
        Values of the hyperparameter ``name``, each a scalar or an array of its shape.
    objective : Objective
        On the user's cv; solutions are converged to its inner tolerance.
    name : str
    prepared : PreparedCandidate
    """
    # In the order of their size each solution starts the next one warm.
    order = sorted(range(len(values)), key=lambda index: np.max(values[index]))
    scores = {}
    for index in order:
        h = {name: np.asarray(values[index], dtype=float)}
        scores[index] = score_at(h, objective, prepared)
    return best(values, [scores[index] for index in range(len(values))])


def best(values, scores):
    """The first of the values with the best score, in a list; empty if no score is known."""
    known = [index for index, score in enumerate(scores) if np.isfinite(score)]
    return [values[max(known, key=lambda index: (scores[index], -index))]] if known else []


def score_at(h, objective, prepared):
    """Mean of the asked score over splits of the solutions at some hyperparameters; else nan."""
    inputs = prepared.inputs
    if inputs.scorer is None:
        return np.nan
    scores = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for term, fitted in objective.solutions(h):
                scores += _scores(term, fitted, h, prepared)
        return np.mean(scores)
    # A scorer is the user's code. What it cannot score here, the real fits will show.
    except Exception:
        return np.nan


def _scores(model, fitted, h, prepared):
    """The asked score of every split of a model."""
    data, inputs, scores = model.data, prepared.inputs, []
    estimators = prepared.family.install(prepared.final, model, fitted, h)
    for estimator, test in zip(estimators, data.tests, strict=True):
        metadata = {"sample_weight": data.score_weight[test]} if inputs.score_params else {}
        scores.append(inputs.scorer(estimator, data.X[test], data.labels[test], **metadata))
    return scores
