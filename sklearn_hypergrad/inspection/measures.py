"""Losses as they are written on axes, and scorers as losses."""

import dataclasses
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import check_scoring

from sklearn_hypergrad._sklearn import PassthroughScorer, metric_of, single_scorer
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.search.objective.validation_loss import loss_of_metric, sign_of

# What ``estimator.score`` is, by the class that defines it.
SCORES = {
    RegressorMixin.score: ("r2", VALIDATION_LOSSES["r2"].label),
    ClassifierMixin.score: ("", "1 - accuracy"),
}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A scorer as a loss: smaller is better.

    Attributes
    ----------
    scorer : callable
    label : str
        Label for an axis.
    offset : float
        The loss is this minus the score.
    name : str
        Name of the validation loss that is equal to it, or "".
    """

    scorer: Any
    label: str
    offset: float = 0.0
    name: str = ""

    def __call__(self, estimator, X, y):
        """The loss of a fitted estimator."""
        return self.offset - float(self.scorer(estimator, X, y))


def measure_of(scorer, final):
    """The Measure of a scorer for estimators whose last step is ``final``."""
    if isinstance(scorer, PassthroughScorer):
        known = family(final)
        loss = None if known is None else known.score_loss(final)
        if loss is not None:
            return Measure(scorer, loss.label, loss.offset, loss.name)
        name, label = SCORES.get(getattr(type(final), "score", None), ("", ""))
        return Measure(scorer, label, 1.0, name) if label else Measure(scorer, "minus score")
    metric = metric_of(scorer)
    if metric is None:
        return Measure(scorer, f"minus {getattr(scorer, '__name__', 'score')}")
    function, sign, _, _ = metric
    loss = loss_of_metric(function)
    if loss is not None and sign == sign_of(loss):
        return Measure(scorer, loss.label, loss.offset, loss.name)
    return _other(scorer, function, sign)


def measure_for(search, final, scoring=None, followed=""):
    """The Measure of the score that decides in a search, or of ``scoring``.

    ``final`` is the last step of the estimator; its class determines its ``score`` method.

    Where the search has followed the squared error in place of R² or of its root, which say the
    same of one set of rows, it is the squared error: so both have one unit.

    Raises
    ------
    ValueError
        If there are several scorers, and none is that of the refit.
    """
    if scoring is not None:
        return measure_of(check_scoring(search.estimator, scoring=scoring), final)
    found = _asked(search, final)
    known = VALIDATION_LOSSES.get(found.name)
    if known is not None and known.steady == followed != found.name:
        return measure_for(search, final, VALIDATION_LOSSES[followed].scoring)
    return found


def _asked(search, final):
    """The Measure that decides on the refit."""
    scorer, refit = search.scorer_, search.refit
    if not search.multimetric_:
        return measure_of(scorer, final)
    prefix = "mean_test_"
    names = [key.removeprefix(prefix) for key in search.cv_results_ if key.startswith(prefix)]
    if refit not in names:
        raise ValueError(
            f"This search has the scorers {', '.join(names)}, and refit={refit!r} is none of "
            f"them. Pass scoring=... to say which one is drawn."
        )
    if isinstance(scorer, dict):
        return measure_of(scorer[refit], final)
    # A function that returns all of them in a dict.
    return Measure(single_scorer(scorer, refit), f"minus {refit}")


def _other(scorer, function, sign):
    """A metric without a validation loss; scores of scikit-learn are 1 at best."""
    label = function.__name__.removesuffix("_score").replace("_", " ")
    if sign < 0:
        return Measure(scorer, label)
    own = function.__module__.startswith("sklearn.")
    return Measure(scorer, f"1 - {label}" if own else f"minus {label}", float(own))
