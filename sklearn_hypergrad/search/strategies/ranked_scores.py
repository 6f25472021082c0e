"""Scores of rankings: computed from decision values, so that many points can be judged.

Scikit-learn's functions check what they get, which takes longer than to sort some hundred numbers.
They score the points whose order is in doubt, and the rows.
"""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from sklearn_hypergrad._sklearn import metric_of
from sklearn_hypergrad.linalg.systems import ratio
from sklearn_hypergrad.search.strategies.predicted_scores import first_splits, nan_if_it_fails

# Difference of two decision values, relative to the largest one, up to which rounding might change
# their order. Chosen by hand: far above the errors of coefficients in another basis, and so small
# that hardly any two of some thousand samples are as close.
DOUBTFUL = 1e-10


def area(positive, negative):
    """The area under the ROC curve, from weights of positive and negative samples in order."""
    return positive @ np.cumsum(negative) / (positive.sum() * negative.sum())


def average_precision(positive, negative):
    """The average precision, from the same weights."""
    found = np.cumsum(positive[::-1])
    precision = ratio(found, found + np.cumsum(negative[::-1]))
    return positive[::-1] @ precision / found[-1]


RANKINGS = {roc_auc_score: area, average_precision_score: average_precision}


class RankedScores:
    """Scores that a scorer of rankings gives to decision values of the search's models.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective on the user's cv.
    """

    def __init__(self, prepared, objective):
        inputs = prepared.inputs
        self._objective, self._metric = objective, RANKINGS[metric_of(inputs.scorer)[0]]
        # Fits that are rows by themselves differ from solutions by more than rounding.
        self._roughly = all(term.costs_a_fit for term in objective.terms)
        self._positive = np.unique(objective.terms[0].data.labels)[1]
        weights = (inputs.held_out_targets(n)[1] for n in range(len(inputs.splits)))
        self._weights = [each.get("sample_weight") for each in weights]
        self._first = first_splits(objective.terms)

    @staticmethod
    def apply(prepared, objective):
        """Whether the scorer is known to look at the order of two classes only."""
        metric, labels = metric_of(prepared.inputs.scorer), objective.terms[0].data.labels
        if metric is None or labels.ndim > 1 or len(np.unique(labels)) != 2:
            return False
        # Each training run of a network is dear.
        if prepared.scorer_sees_steps or any(term.trained for term in objective.terms):
            return False
        # Other estimators are scored by probabilities, where different values may become equal.
        if not hasattr(prepared.candidate.model, "decision_function"):
            return False
        function, sign, options, methods = metric
        # The class with the number 1 is the positive one, of an area the second.
        positive = function is roc_auc_score or np.unique(labels)[1] == 1
        plain = function in RANKINGS and sign == 1 and not options and "predict" not in methods
        return plain and bool(positive)

    def rounds(self, points):
        """Rounds of a contest of points: none, since scores take hardly any time."""
        self._objective.solve_together(points)
        return []

    def certain(self, h):
        """Mean over splits of the score at ``h``; nan if rounding, or a failure, may change it."""
        return nan_if_it_fails(self._mean, h)

    def _mean(self, h):
        parts = self._objective.of_solutions("ranked scores", h, self._scores, of_predictions=True)
        return float(np.mean(np.concatenate([part for (part,) in parts])))

    def _scores(self, term, fitted):
        tests, first = term.data.tests, self._first[id(term)]
        parts = np.split(fitted.z[:, 0], np.cumsum([len(test) for test in tests[:-1]]))
        weights = self._weights[first : first + len(tests)]
        each = zip((term.data.labels[test] for test in tests), parts, weights, strict=True)
        return (np.array([self._ranked(*part) for part in each]),)

    def _ranked(self, labels, z, weight):
        """The score of decision values of one held-out part; nan if their order is in doubt."""
        order = np.argsort(z)
        z, positive = z[order], labels[order] == self._positive
        apart = positive[1:] != positive[:-1]
        weight = np.ones(len(z)) if weight is None else np.asarray(weight, dtype=float)[order]
        close = DOUBTFUL * np.max(np.abs(z))
        if not np.any(np.diff(z)[apart] <= close):
            return self._scored(weight, positive)
        if not self._roughly:
            return np.nan
        # Ties count as the mean of both orders.
        ties = np.concatenate([[0], np.cumsum(np.diff(z) > close)])
        orders = (np.lexsort((sign * positive, ties)) for sign in (1, -1))
        return np.mean([self._scored(weight[each], positive[each]) for each in orders])

    def _scored(self, weight, positive):
        return self._metric(np.where(positive, weight, 0.0), np.where(positive, 0.0, weight))
