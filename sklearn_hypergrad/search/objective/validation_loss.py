"""Which validation loss is descended for which score."""

import dataclasses

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

from sklearn_hypergrad._sklearn import PassthroughScorer, metric_of
from sklearn_hypergrad.problems import VALIDATION_LOSSES, ValidationLoss

# Metric -> (loss, sign with which a scorer turns the metric into a score).
EXACT = {
    mean_squared_error: ("squared_error", -1),
    root_mean_squared_error: ("root_squared_error", -1),
    r2_score: ("r2", 1),
    mean_absolute_error: ("absolute_error", -1),
    mean_poisson_deviance: ("poisson_deviance", -1),
    mean_gamma_deviance: ("gamma_deviance", -1),
    log_loss: ("log_loss", -1),
    brier_score_loss: ("brier_score", -1),
}
PROBABILISTIC = {"log_loss", "brier_score"}
BALANCED = {balanced_accuracy_score}


@dataclasses.dataclass(frozen=True)
class Choice:
    """A validation loss and whether minus its value is the asked score."""

    loss: ValidationLoss
    exact: bool


def choose(requested, scorer, estimator, family, y):
    """The validation loss to descend.

    Parameters
    ----------
    requested : str
        The search's ``validation_loss``.
    scorer : callable or None
        The scorer that decides; None where only the scores will tell.
    estimator : estimator
        The final step of the candidate.
    family : Family
    y : ndarray
        Labels; only a binary Brier score depends on them.

    Raises
    ------
    ValueError
        If the requested loss is not one that the predictions of this family allow.
    """
    name = _exact_name(scorer, estimator, y)
    if requested != "auto":
        if requested not in family.losses:
            raise ValueError(
                f"validation_loss={requested!r} does not apply to {type(estimator).__name__}. "
                f"Allowed are 'auto' and {sorted(family.losses)}."
            )
        return Choice(VALIDATION_LOSSES[requested], exact=requested == name)
    if name in family.losses:
        return Choice(VALIDATION_LOSSES[name], exact=True)
    metric = metric_of(scorer)
    balanced = metric is not None and metric[0] in BALANCED
    return Choice(VALIDATION_LOSSES[family.surrogates[balanced]], exact=False)


def defined(choice, blocks):
    """The choice, or squared error where r2 is not defined on every held-out part."""
    if choice.loss.name != "r2":
        return choice
    for block in blocks:
        for test in block.tests:
            weighted = test[block.score_weight[test] > 0]
            if len(weighted) < 2 or np.any(np.ptp(block.y[weighted], axis=0) == 0):
                return Choice(VALIDATION_LOSSES["squared_error"], exact=False)
    return choice


def _exact_name(scorer, estimator, y):
    if isinstance(scorer, PassthroughScorer):
        standard = type(estimator).score is getattr(RegressorMixin, "score", None)
        return "r2" if standard else None
    metric = metric_of(scorer)
    if metric is None:
        return None
    function, sign, options, methods = metric
    name, expected = EXACT.get(function, (None, None))
    # Of several labels these metrics are other ones, or not defined.
    if name in PROBABILISTIC and np.ndim(y) == 2 and np.shape(y)[1] > 1:
        return None
    # Options may change the metric; those of the ready-made scorers do not.
    harmless = {"labels", "zero_division"} if name == "log_loss" else set()
    if name == "brier_score" and len(np.unique(y)) == 2 and options.get("pos_label") is not None:
        harmless = {"pos_label"}
    # Scored on labels, a loss of probabilities has no gradient.
    method = "predict_proba" if name in PROBABILISTIC else "predict"
    fits = sign == expected and set(options) <= harmless and methods == {method}
    return name if fits else None
