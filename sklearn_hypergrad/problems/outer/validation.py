"""The validation losses that can be descended: one row each."""

from sklearn import metrics

from sklearn_hypergrad import losses
from sklearn_hypergrad.problems.outer.held_out import relative_mean, root_mean
from sklearn_hypergrad.problems.outer.platt import HeldOutPlatt
from sklearn_hypergrad.problems.outer.validation_loss import (
    CODES,
    LINEAR,
    MARGINS,
    PROBABILITIES,
    ValidationLoss,
)

_SQUARED = {"factor": 2.0, "likelihood": 0.5}
_D2 = {"reduce": relative_mean, "offset": 1.0, "label": "1 - D²"}
_LOG = (losses.LogisticLoss(), losses.MultinomialLoss())
_MARGIN = (losses.MarginLogLoss(), losses.MultinomialMarginLogLoss())
_BALANCED = {"balanced": True, "stands_for": frozenset({metrics.balanced_accuracy_score})}

VALIDATION_LOSSES = {
    loss.name: loss
    for loss in (
        ValidationLoss(
            "squared_error",
            losses.HalfSquaredError(),
            **_SQUARED,
            label="mean squared error",
            metric=metrics.mean_squared_error,
            scoring="neg_mean_squared_error",
        ),
        ValidationLoss(
            "root_squared_error",
            losses.HalfSquaredError(),
            factor=2.0,
            likelihood=1.0,
            reduce=root_mean,
            label="root mean squared error",
            metric=metrics.root_mean_squared_error,
            scoring="neg_root_mean_squared_error",
            steady="squared_error",
        ),
        ValidationLoss(
            "r2",
            losses.HalfSquaredError(),
            **_SQUARED,
            reduce=relative_mean,
            offset=1.0,
            label="1 - R²",
            shown="1 - r2",
            metric=metrics.r2_score,
            scoring="r2",
            steady="squared_error",
        ),
        ValidationLoss(
            "absolute_error",
            losses.AbsoluteError(),
            smooth=False,
            label="mean absolute error",
            metric=metrics.mean_absolute_error,
            scoring="neg_mean_absolute_error",
        ),
        ValidationLoss(
            "poisson_deviance",
            losses.PoissonDeviance(),
            label="mean Poisson deviance",
            metric=metrics.mean_poisson_deviance,
            scoring="neg_mean_poisson_deviance",
        ),
        ValidationLoss(
            "gamma_deviance",
            losses.GammaDeviance(),
            label="mean gamma deviance",
            metric=metrics.mean_gamma_deviance,
            scoring="neg_mean_gamma_deviance",
        ),
        ValidationLoss(
            "d2_poisson_deviance",
            losses.PoissonDeviance(),
            **_D2,
            shown="1 - d2_poisson_deviance",
            steady="poisson_deviance",
        ),
        ValidationLoss(
            "d2_gamma_deviance",
            losses.GammaDeviance(),
            **_D2,
            shown="1 - d2_gamma_deviance",
            steady="gamma_deviance",
        ),
        ValidationLoss(
            "log_loss",
            *_LOG,
            takes=PROBABILITIES,
            likelihood=LINEAR,
            label="log loss (nats)",
            metric=metrics.log_loss,
            scoring="neg_log_loss",
            options=frozenset({"labels", "zero_division"}),
        ),
        ValidationLoss(
            "balanced_log_loss",
            *_LOG,
            takes=PROBABILITIES,
            likelihood=LINEAR,
            **_BALANCED,
            label="log loss, classes balanced (nats)",
        ),
        ValidationLoss(
            "brier_score",
            losses.BinaryBrierLoss(),
            losses.MultinomialBrierLoss(),
            takes=PROBABILITIES,
            label="Brier score",
            metric=metrics.brier_score_loss,
            scoring="neg_brier_score",
        ),
        ValidationLoss(
            "coded_squared_error",
            losses.HalfSquaredError(),
            **_SQUARED,
            takes=CODES,
            label="squared error of coded classes",
        ),
        ValidationLoss(
            "balanced_coded_squared_error",
            losses.HalfSquaredError(),
            **_SQUARED,
            takes=CODES,
            **_BALANCED,
            label="squared error of coded classes, balanced",
        ),
        ValidationLoss(
            "margin_log_loss",
            *_MARGIN,
            takes=MARGINS,
            likelihood=LINEAR,
            label="log loss of decision values (nats)",
        ),
        ValidationLoss(
            "balanced_margin_log_loss",
            *_MARGIN,
            takes=MARGINS,
            likelihood=LINEAR,
            **_BALANCED,
            label="log loss of decision values, classes balanced (nats)",
        ),
        ValidationLoss(
            "platt_log_loss",
            None,
            held_out=HeldOutPlatt,
            takes=MARGINS,
            likelihood=LINEAR,
            label="log loss of calibrated decision values (nats)",
            stands_for=frozenset(
                {
                    metrics.roc_auc_score,
                    metrics.average_precision_score,
                    metrics.log_loss,
                    metrics.brier_score_loss,
                }
            ),
        ),
    )
}


def deviance(power):
    """The mean Tweedie deviance of some power, as a loss."""
    named = {1: "poisson_deviance", 2: "gamma_deviance"}
    if power in named:
        return VALIDATION_LOSSES[named[power]]
    label = f"mean Tweedie deviance, power {power:g}"
    return ValidationLoss("tweedie_deviance", losses.TweedieDeviance(power), label=label)


def d2_deviance(power):
    """The loss of which 1 minus is D², the share of the Tweedie deviance that is explained."""
    named = {1: "d2_poisson_deviance", 2: "d2_gamma_deviance"}
    if power in named:
        return VALIDATION_LOSSES[named[power]]
    name = "d2_tweedie_deviance"
    return ValidationLoss(name, losses.TweedieDeviance(power), **_D2, shown=f"1 - {name}")


def losses_of(takes):
    """The validation losses of these predictions, in the order of the table."""
    return [loss for loss in VALIDATION_LOSSES.values() if loss.takes == takes]
