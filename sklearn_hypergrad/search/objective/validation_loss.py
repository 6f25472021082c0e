"""Choose the validation loss that is descended, from the score that decides."""

import dataclasses

import numpy as np

from sklearn_hypergrad._sklearn import PassthroughScorer, metric_of
from sklearn_hypergrad.problems import VALIDATION_LOSSES, ValidationLoss, losses_of
from sklearn_hypergrad.problems.autograd.function_loss import (
    FunctionLoss,
    function_name,
    takes_weights,
)
from sklearn_hypergrad.problems.outer.held_out import is_relative
from sklearn_hypergrad.problems.outer.validation_loss import PROBABILITIES

# Values of ``search_cv`` that go with squared errors only, in words.
OF_SQUARED_ERRORS = {
    "loo": "the closed form of the squared error",
    "evidence": "squared errors and the evidence of Gaussian ones",
}


@dataclasses.dataclass(frozen=True)
class Choice:
    """A validation loss, and whether it is the asked score up to sign and offset.

    Attributes
    ----------
    loss : ValidationLoss
    exact : bool
        Whether ``loss.offset`` minus its value is the asked score.
    """

    loss: ValidationLoss
    exact: bool


def choose(requested, scorer, estimator, family, y):
    """The validation loss to descend.

    Parameters
    ----------
    requested : str or callable
        The search's ``validation_loss``.
    scorer : callable or None
        The scorer that decides; None if it is known only after the rows are scored.
    estimator : estimator
        The final step of the candidate.
    family : Family
    y : ndarray
        Labels; only a binary Brier score depends on them.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        If the requested loss takes other predictions than those of this family.
    """
    exact = _exact(scorer, estimator, family, y) if family.predicts_the_same else None
    name = None if exact is None else exact.name
    if callable(requested):
        if not family.predicts_the_same:
            raise ValueError(
                f"validation_loss={function_name(requested)} does not apply to "
                f"{type(estimator).__name__}: the models that are differentiated predict something "
                f"else than it does. Allowed are 'auto' and {sorted(family.losses)}."
            )
        return Choice(FunctionLoss.of(requested, family.takes), exact=False)
    if requested == "own":
        loss = family.own_loss(estimator)
        if loss is None:
            raise ValueError(
                f"validation_loss='own' does not apply to {type(estimator).__name__}: its fit "
                f"minimises no sum of losses of samples. Allowed are 'auto', "
                f"{sorted(family.losses)} and functions."
            )
        return Choice(loss, exact=loss.name == name)
    if requested != "auto":
        if requested not in family.losses:
            raise ValueError(
                f"validation_loss={requested!r} does not apply to {type(estimator).__name__}. "
                f"Allowed are 'auto' and {sorted(family.losses)}."
            )
        return Choice(VALIDATION_LOSSES[requested], exact=requested == name)
    if exact is not None and exact.takes == family.takes:
        return Choice(exact, exact=True)
    return Choice(surrogate(family.takes, scorer), exact=False)


def check_function(function, inputs, search_cv):
    """Raise ValueError if a function of the user does not do for the weights or the splits."""
    name = function_name(function)
    weighted = inputs.score_params.get("sample_weight") is not None
    if weighted and not takes_weights(function):
        raise ValueError(
            f"The score has weights, which validation_loss={name} does not take. Give it an "
            f"argument of that name, {name}(y, prediction, sample_weight), or a score without "
            f"sample_weight."
        )
    if isinstance(search_cv, str) and search_cv in OF_SQUARED_ERRORS:
        raise ValueError(
            f"search_cv={search_cv!r} descends {OF_SQUARED_ERRORS[search_cv]}, not "
            f"validation_loss={name}. Leave search_cv='auto', or give a number or a splitter."
        )


def defined(choice, blocks):
    """The choice itself, or the plain loss if its relative form is undefined on a held-out part."""
    if not is_relative(choice.loss):
        return choice
    for block in blocks:
        for test in block.tests:
            weighted = test[block.score_weight[test] > 0]
            if len(weighted) < 2 or np.any(np.ptp(block.y[weighted], axis=0) == 0):
                steady = choice.loss.steady or "squared_error"
                return Choice(VALIDATION_LOSSES[steady], exact=False)
    return choice


def _exact(scorer, estimator, family, y):
    """The validation loss that equals the asked score, or None."""
    if isinstance(scorer, PassthroughScorer):
        return family.score_loss(estimator)
    metric = metric_of(scorer)
    if metric is None:
        return None
    function, sign, options, methods = metric
    loss = loss_of_metric(function)
    if loss is None:
        return None
    # With several labels per sample these metrics mean something else, or are undefined.
    if loss.takes == PROBABILITIES and np.ndim(y) == 2 and np.shape(y)[1] > 1:
        return None
    # Options may change the metric; the options of scikit-learn's named scorers do not.
    harmless, pos_label = loss.options, options.get("pos_label")
    if loss.name == "brier_score" and pos_label is not None and len(np.unique(y)) == 2:
        harmless = harmless | {"pos_label"}
    # A loss of probabilities that is scored on predicted labels has no gradient.
    method = "predict_proba" if loss.takes == PROBABILITIES else "predict"
    fits = sign == sign_of(loss) and set(options) <= harmless and methods == {method}
    return loss if fits else None


def sign_of(loss):
    """The sign with which a scorer turns the metric of a loss into a score."""
    return 1 if loss.offset else -1


def surrogate(takes, scorer):
    """The loss that is descended for a score without gradient: the first one if none is for it."""
    known, metric = losses_of(takes), metric_of(scorer)
    own = () if metric is None else (loss for loss in known if metric[0] in loss.stands_for)
    return next(iter(own), known[0])


def loss_of_metric(metric):
    """The validation loss that equals a metric of scikit-learn, or None."""
    known = (loss for loss in VALIDATION_LOSSES.values() if loss.metric is not None)
    return next((loss for loss in known if loss.metric is metric), None)
