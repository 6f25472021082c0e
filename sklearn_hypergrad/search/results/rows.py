"""Which settings of a searched candidate scikit-learn gets to judge."""

import warnings

import numpy as np

# Iterates of a search that are judged by a score without gradient.
N_JUDGED = 5
# Relative difference that is none.
SAME = 1e-12


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
        h = {name: np.asarray(values[index], dtype=float)}
        scores[index] = score_of(_solved(objective, h, candidate), inputs)
    return best(values, [scores[index] for index in range(len(values))])


def best(values, scores):
    """The first of the values with the best score, in a list; empty if no score tells."""
    told = [index for index, score in enumerate(scores) if np.isfinite(score)]
    return [values[max(told, key=lambda index: (scores[index], -index))]] if told else []


def close(one, other):
    """Whether two values are the same but for rounding, as of a logarithm and back."""
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=SAME, atol=0)


def distinct(values, same=close):
    """Values without those that are the same as an earlier one."""
    kept = []
    for value in values:
        if not any(same(value, other) for other in kept):
            kept.append(value)
    return kept


def same_settings(one, other):
    """Whether two dicts of the same names have equal values."""
    return all(np.array_equal(one[name], other[name]) for name in one)


def plain(value):
    """A float, or an array of its own."""
    return float(value) if np.ndim(value) == 0 else np.array(value)


def score_of(models, inputs):
    """Mean of the asked score over splits, of fitted models with their blocks and rows."""
    if inputs.scorer is None:
        return np.nan
    scores = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for fitted, block, test in models:
                metadata = (
                    {"sample_weight": block.score_weight[test]} if inputs.score_params else {}
                )
                scores.append(inputs.scorer(fitted, block.X[test], block.labels[test], **metadata))
        return np.mean(scores)
    # A scorer is the user's code. What it cannot score here, the real fits will show.
    except Exception:
        return np.nan


def _solved(objective, h, candidate):
    """Estimators with converged coefficients, of all splits."""
    for term, w in objective.solutions(h):
        coef, intercept = term.problem.coefficients(w)
        labels = term.block.labels
        for split, test in enumerate(term.block.tests):
            fitted = candidate.family.install(
                candidate.final, coef[split], intercept[split], labels
            )
            yield fitted, term.block, test
