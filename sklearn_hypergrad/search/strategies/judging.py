"""Judge visited points by the asked score, if it has no gradient and a surrogate was descended."""

import warnings

import numpy as np

# Number of visited points that are judged by a score without gradient: the best by the descended
# loss. Chosen by hand: each costs a fit per split, and points with a larger loss rarely score best.
N_JUDGED = 5


def best_values(values, objective, name, prepared):
    """The value with the best asked score, in a list; of equal ones the first.

    Parameters
    ----------
    values : list
        Values of the hyperparameter ``name``, each a scalar or an array of its shape.
    objective : Objective
        The objective on the user's cv; solutions are converged to its inner tolerance.
    name : str
    prepared : PreparedCandidate

    Returns
    -------
    list
        One value, or none if no score is known.
    """
    # In the order of size, each solution is a good start for the next one.
    order = sorted(range(len(values)), key=lambda index: np.max(values[index]))
    scores = {}
    for index in order:
        h = {name: np.asarray(values[index], dtype=float)}
        scores[index] = score_at(h, objective, prepared)
    return best(values, [scores[index] for index in range(len(values))])


def best(values, scores):
    """A list of the value with the best score, the first of equal ones; empty without scores."""
    known = [index for index, score in enumerate(scores) if np.isfinite(score)]
    return [values[max(known, key=lambda index: (scores[index], -index))]] if known else []


def score_at(h, objective, prepared):
    """Mean over splits of the asked score at hyperparameters ``h``; nan if that fails."""
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
    # A scorer is user code. If it fails here, scikit-learn's scoring reports it.
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
