"""Scores of rows of ``cv_results_``: losses that the search knows, or sums of one last pass."""

import numpy as np

from sklearn_hypergrad._sklearn import PassthroughScorer, metric_of, scorers_by_name
from sklearn_hypergrad.problems.outer.validation_loss import NUMBERS
from sklearn_hypergrad.problems.rows.score_pass import ScorePass
from sklearn_hypergrad.search.by_blocks.refusals import refused
from sklearn_hypergrad.search.objective.validation_loss import loss_of_metric
from sklearn_hypergrad.threads import cached_property

ALL_PREDICTIONS = "it needs all predictions at once, and is no sum over rows"
REMEDY = (
    "Take accuracy, log loss or another score that is a sum, or score best_estimator_ on rows "
    "outside of the search"
)


class SumScore:
    """A score that follows from sums over held-out rows.

    Parameters
    ----------
    scorer : callable
        A scorer of scikit-learn.
    prepared : PreparedRows

    Raises
    ------
    ValueError
        If the score is no such sum.
    """

    def __init__(self, scorer, prepared):
        self._scorer, family, final = scorer, prepared.family, prepared.final
        self.loss = self._metric = None
        self._sign, self._options = 1, {}
        if isinstance(scorer, PassthroughScorer):
            self.loss = family.score_loss(final)
            if self.loss is None:
                from sklearn.metrics import accuracy_score

                self._metric = accuracy_score
            return
        found = metric_of(scorer)
        if found is None:
            raise refused("a scorer of your own", ALL_PREDICTIONS, REMEDY)
        function, self._sign, self._options, methods = found
        name = function.__name__
        loss = loss_of_metric(function)
        if loss is not None and loss.takes == family.takes and set(self._options) <= loss.options:
            self.loss = loss
        elif methods == {"predict"} and family.takes != NUMBERS:
            self._metric = function
        else:
            raise refused(f"the score {name}", ALL_PREDICTIONS, REMEDY)

    @property
    def counts_classes(self):
        """Whether it follows from counts of true and predicted classes."""
        return self.loss is None

    def of_errors(self, errors, null):
        """The scores of all splits from mean pointwise losses, of shape (n_splits, n_outputs)."""
        values, _ = self.loss.reduce(self.loss.factor * errors, null)
        return self.loss.offset - values

    def of_counts(self, counts, classes):
        """The score of one split from counts of true (rows) and predicted classes."""
        true, predicted = (each.ravel() for each in np.meshgrid(classes, classes, indexing="ij"))
        weight, some = counts.ravel(), counts.ravel() > 0
        given = {"sample_weight": weight[some], **self._options}
        return float(self._sign * self._metric(true[some], predicted[some], **given))


class Scores:
    """The scores of the rows of one result.

    Parameters
    ----------
    prepared : PreparedRows
    scorers : callable
        The scorer of the search, or that of several metrics.
    """

    def __init__(self, prepared, scorers):
        self._prepared = prepared
        self._several = scorers_by_name(scorers)
        named = {"score": scorers} if self._several is None else self._several
        self._scores = {name: SumScore(scorer, prepared) for name, scorer in named.items()}

    def of(self, result, solutions):
        """The scores of all rows on all splits: a list of lists of numbers or dicts.

        Parameters
        ----------
        result : SearchedResult
        solutions : list of ndarray
            For each row the weights of all splits, as ``coefficients`` of the problem takes them.
        """
        known = [result.scores_of(position) for position in range(len(result.rows))]
        if self._several is None and all(each is not None for each in known):
            return [each.tolist() for each in known]
        table = self._by_pass(solutions)
        rows = range(len(solutions))
        if self._several is None:
            return [table["score"][row].tolist() for row in rows]
        n_splits = next(iter(table.values())).shape[1]
        return [
            [{name: float(table[name][row, split]) for name in table} for split in range(n_splits)]
            for row in rows
        ]

    def _by_pass(self, solutions):
        """Scores by name, of shape (n_rows, n_splits), by one pass."""
        prepared, scores = self._prepared, self._scores
        data, model = prepared.cv_data[0], prepared.cv_models[0]
        n_splits = len(prepared.inputs.splits)
        raw = [_raw(model.problem, w, n_splits) for w in solutions]
        losses = tuple(_pointwise(each.loss, data.n_outputs) for each in self._of_losses)
        members = data.members(data.tests[:n_splits])
        reader = prepared.plain_reader
        confusion = any(each.counts_classes for each in scores.values())
        run = ScorePass(
            reader, data.buckets, members, np.concatenate(raw, axis=1), losses, confusion
        )
        *sums, counts, (n, sy, syy) = data.sums(run)
        shape, found = (len(solutions), n_splits), {}
        null = None if sy is None else (syy - sy**2 / n) / n
        left = iter(sums)
        for name, score in scores.items():
            if score.counts_classes:
                found[name] = np.reshape([score.of_counts(c, data.labels) for c in counts], shape)
                continue
            errors = next(left)
            errors = errors / np.tile(n[:, :1], (len(solutions), 1))
            several = np.tile(null, (len(solutions), 1))
            found[name] = np.reshape(score.of_errors(errors, several), shape)
        return found

    @cached_property
    def _of_losses(self):
        return [each for each in self._scores.values() if not each.counts_classes]


def _pointwise(loss, n_outputs):
    several = n_outputs > 1 and loss.pointwise_multi is not None
    return loss.pointwise_multi if several else loss.pointwise


def _raw(problem, w, n_splits):
    """Coefficients of the rows as they are, with the intercepts last, of the first splits."""
    coef, intercept = problem.coefficients(w)
    return np.concatenate([coef[:n_splits].transpose(2, 0, 1), intercept[None, :n_splits]])
