"""The asked score of predictions: without fitted estimators, so that many points can be judged."""

import functools

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score
from sklearn.multioutput import MultiOutputClassifier

from sklearn_hypergrad._sklearn import PassthroughScorer, metric_of
from sklearn_hypergrad.problems.outer.validation_loss import NUMBERS
from sklearn_hypergrad.search.strategies.contest import Round
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.tuning import COARSE, FINE
from sklearn_hypergrad.tuning.events import StorageError

# Largest number of classes of which a sample is changed, to see what a sample is worth. Chosen by
# hand: the score of a split is computed once for each of them.
MOST_CHANGED = 5

# Inner tolerances of the rounds in which points are judged by predicted classes, and how many held
# out samples exact solutions may predict otherwise, at least and as a share of all. Measured with
# LogisticRegression on twelve data sets, at 17 values each: the numbers of right predictions of
# exact solutions differed from those of solutions to 1e-2 by at most seven (of 150 samples) and ten
# (of 10,000), from those to 5e-3 by seven and four. Solutions of a scan are known to the latter.
LOOSE = 1e-2
ITERATIVE = (LOOSE, 15, 2e-3), (COARSE, 10, 1e-3)
# Predictions in closed form are those of fitted estimators but for their rounding, by which one
# sample may change.
CLOSED_FORM = ((FINE, 1, 0.0),)
# Difference of the two largest decision values, in units of the largest of all samples, up to which
# rounding might change the predicted class. Chosen by hand: the accuracy of exact solutions.
DOUBTFUL = FINE
# Relative difference of two scores that may be rounding. Chosen by hand: far above that of sums
# over a million samples.
SAME = 1e-9
# Methods of scikit-learn that score by the share of samples whose labels are all right.
ACCURACIES = ClassifierMixin.score, MultiOutputClassifier.score


class StandIn:
    """What a scorer sees of a fitted estimator that is judged by its predictions alone.

    Parameters
    ----------
    final : estimator
        The estimator that it stands for.
    classes : ndarray or None
        Its classes; None for a regressor.
    z : ndarray of shape (n_samples, n_outputs)
        Predictions of a Model.
    shape : tuple of int
        Shape of the target of a sample.
    """

    def __init__(self, final, classes, z, shape):
        self._final = final
        if classes is None:
            self._predicted = z.reshape(len(z), *shape)
        else:
            self.classes_, self._predicted = classes, classes[decided(z, shape)]

    def predict(self, X):
        """The predictions, whatever X is."""
        return self._predicted

    def score(self, *args, **kwargs):
        """The score that the class of the estimator computes from predictions."""
        return type(self._final).score(self, *args, **kwargs)

    def __sklearn_tags__(self):
        return self._final.__sklearn_tags__()


# Columns of predictions are those of several classes, of which a sample has one; or each of them is
# for two classes, where there are no more or where a sample has several labels.
def decided(z, shape):
    """The numbers of the classes that are predicted, of shape (n_samples, *shape)."""
    if _are_apart(z, shape):
        return (z > 0).astype(int).reshape(len(z), *shape)
    return np.argmax(z, axis=1)


def _are_apart(z, shape):
    return z.shape[1] == 1 or len(shape) == 1


class PredictedScores:
    """Scores that a scorer which looks at predictions only gives to those of the search's models.

    Scores of decision values are left to fitted estimators: on data of some hundred rows, computing
    them was measured to take longer than exact solutions, and their values are close together.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective on the user's cv.

    Attributes
    ----------
    is_accuracy : bool
        Whether the score is the accuracy, which takes hardly any time.
    """

    def __init__(self, prepared, objective):
        inputs = prepared.inputs
        self._objective, self._scorer = objective, inputs.scorer
        self._final = prepared.candidate.model
        self._family = prepared.family
        labels = objective.terms[0].data.labels
        self._shape = labels.shape[1:]
        self._classes = None if prepared.family.takes == NUMBERS else np.unique(labels)
        self._targets = [inputs.held_out_targets(n) for n in range(len(inputs.splits))]
        self._first = first_splits(objective.terms)
        self.is_accuracy = _is_accuracy(self._scorer, self._final)
        self._n_held_out = sum(len(test) for term in objective.terms for test in term.data.tests)
        self._known = {}

    @staticmethod
    def apply(prepared, objective):
        """Whether the scorer is known to look at predictions only, and these are cheap to have."""
        # Each training run of a network is dear, and has no tolerance.
        if prepared.scorer_sees_steps or any(term.trained for term in objective.terms):
            return False
        # An error of predicted numbers changes scores by no known amount.
        if prepared.family.takes == NUMBERS and objective.iterative:
            return False
        scorer = prepared.inputs.scorer
        if isinstance(scorer, PassthroughScorer):
            return getattr(type(prepared.candidate.model), "score", None) in (
                *ACCURACIES,
                RegressorMixin.score,
            )
        return metric_of(scorer)[3] == {"predict"}

    def rounds(self, points):
        """The rounds of a contest of points, to whose numbers they are functions."""
        self._objective.solve_together(points)
        tolerances = ITERATIVE if self._objective.iterative else CLOSED_FORM
        return [self._round(points, *each) for each in tolerances]

    def _round(self, points, tol, fewest, share):
        n_samples = max(fewest, share * self._n_held_out)

        @functools.cache
        def score(number):
            return self._solved_to(tol, self.score, points[number])

        def margin(number):
            worth = np.nan_to_num(self._solved_to(tol, self.worth, points[number]))
            return n_samples * worth + SAME * abs(score(number))

        return Round(score, margin)

    def _solved_to(self, tol, function, h):
        """A function of solutions to an inner tolerance; nan if it fails."""
        fine, self._objective.tol = self._objective.tol, tol
        try:
            return nan_if_it_fails(function, h)
        finally:
            self._objective.tol = fine

    def score(self, h):
        """Mean over splits of the asked score at hyperparameters ``h``."""
        parts = self._of_predictions("predicted scores", h, self._scores)
        return float(np.mean(np.concatenate([part for (part,) in parts])))

    def certain(self, h):
        """The score of exact solutions at ``h``; nan if rounding, or a failure, may change it."""
        return float(np.mean(self.certain_of_splits(h)))

    def certain_of_splits(self, h):
        """The same on every split, as an array; nan if it is not certain."""
        # Fits that are rows by themselves differ from solutions by more than rounding.
        known = self._classes is not None or self._objective.terms[0].costs_a_fit
        return self._solved_to(FINE, self._certain, h) if known else np.nan

    def _certain(self, h):
        parts = self._of_predictions("certain scores", h, self._certain_scores)
        return np.concatenate([part for (part,) in parts])

    def _of_predictions(self, name, h, function):
        return self._objective.of_solutions(name, h, function, of_predictions=True)

    def _certain_scores(self, term, fitted):
        z = fitted.z
        if not term.costs_a_fit:
            doubtful = np.min(_margins(z, self._shape)) <= DOUBTFUL * np.max(np.abs(z))
            if doubtful:
                return (np.full(1, np.nan),)
        return self._scores(term, fitted)

    def worth(self, h):
        """The largest change of the score at ``h`` if one held-out sample is predicted otherwise.

        It is measured on the first split, where the least certain sample of every class gets the
        next best one. Zero for regressors.
        """
        if self._classes is None:
            return 0.0
        parts = self._of_predictions("worth of a sample", h, self._changes)
        return float(np.max(np.concatenate([part for (part,) in parts]))) / len(self._targets)

    def _scores(self, term, fitted):
        sizes = [len(test) for test in term.data.tests]
        parts = np.split(fitted.z, np.cumsum(sizes[:-1]))
        return (np.array([self._score(term, n, z) for n, z in enumerate(parts)]),)

    def _changes(self, term, fitted):
        """Changes of the score of the first split, one per class."""
        if self._first[id(term)]:
            return (np.zeros(0),)
        labels = term.data.labels[term.data.tests[0]]
        z = fitted.z[: len(labels)]
        groups = [labels == label for label in self._classes[:MOST_CHANGED]]
        if self._shape:
            groups = [group.any(axis=1) for group in groups]
        changed = [_otherwise(z, self._shape, own) for own in groups]
        before = self._score(term, 0, z)
        return (np.array([abs(self._score(term, 0, other) - before) for other in changed]),)

    def _score(self, term, number, z):
        """The score of predictions for the held-out part of a split of a term."""
        split = self._first[id(term)] + number
        # Other points may have the same predictions.
        key = split, (z if self._classes is None else decided(z, self._shape)).tobytes()
        if key not in self._known:
            right = term.data.labels[term.data.tests[number]]
            self._known[key] = self._computed(split, right, z)
        return self._known[key]

    def _computed(self, split, right, z):
        y, metadata = self._targets[split]
        if self.is_accuracy:
            hits = right == self._classes[decided(z, self._shape)]
            hits = hits.reshape(len(hits), -1).all(axis=1)
            return float(np.average(hits, weights=metadata.get("sample_weight")))
        stand_in = StandIn(self._final, self._classes, self._family.predicted(z), self._shape)
        return float(self._scorer(stand_in, None, y, **metadata))


def first_splits(terms):
    """The number of the first split of every term, by its id."""
    firsts = np.cumsum([0, *(term.n_splits for term in terms)])[:-1].tolist()
    return dict(zip(map(id, terms), firsts, strict=True))


def nan_if_it_fails(function, h):
    """A function of the solutions at ``h``; nan if it fails."""
    try:
        with warnings_here("ignore"):
            return function(h)
    except StorageError:
        raise
    # The point is then judged by a fitted estimator, whose error is told.
    except Exception:
        return np.nan


def _is_accuracy(scorer, final):
    if isinstance(scorer, PassthroughScorer):
        return type(final).score in ACCURACIES
    return metric_of(scorer) == (accuracy_score, 1, {}, {"predict"})


def _otherwise(z, shape, own):
    """Predictions where the least certain sample among some is decided otherwise."""
    changed = z.copy()
    sample = int(np.argmin(np.where(own, _margins(z, shape), np.inf)))
    if _are_apart(z, shape):
        least = np.argmin(np.abs(z[sample]))
        changed[sample, least] = -1.0 if z[sample, least] > 0 else 1.0
    else:
        first, second = np.argsort(z[sample])[:-3:-1]
        changed[sample, [first, second]] = z[sample, [second, first]]
    return changed


def _margins(z, shape):
    """By how much the decision on every sample is ahead of the next best one."""
    if _are_apart(z, shape):
        return np.abs(z).min(axis=1)
    second, first = np.partition(z, -2, axis=1)[:, -2:].T
    return first - second
