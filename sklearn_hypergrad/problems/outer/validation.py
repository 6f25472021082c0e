"""The validation losses that can be descended: one row each, with all that is known about it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics

from sklearn_hypergrad import losses
from sklearn_hypergrad.problems.outer.likelihood import LINEAR, likelihood_scale

NUMBERS, PROBABILITIES, CODES = "numbers", "probabilities", "codes"


def mean(errors, variance):
    """Mean over outputs."""
    return errors.mean(axis=-1), np.full_like(errors, 1 / errors.shape[-1])


def root_mean(errors, variance):
    """Mean over outputs of the root of each."""
    roots = np.sqrt(np.maximum(errors, np.finfo(float).tiny))
    return roots.mean(axis=-1), 0.5 / roots / errors.shape[-1]


def relative_mean(errors, variance):
    """Mean over outputs of the error relative to the variance of the target."""
    return mean(errors / variance, variance)[0], 1 / variance / errors.shape[-1]


@dataclasses.dataclass(frozen=True)
class ValidationLoss:
    """A loss on the held-out part of a split.

    ``reduce(factor * weighted mean over samples of pointwise(y, z))``.

    Attributes
    ----------
    name : str
    pointwise : object
        A loss of :mod:`sklearn_hypergrad.losses` for one output.
    pointwise_multi : object
        The loss for several coupled outputs (classes); None if outputs are not coupled.
    takes : {"numbers", "probabilities", "codes"}
        Predictions that it takes: numbers; logits, from which probabilities follow; or regressions
        on classes coded as -1 and 1.
    label : str
        The loss in words, for the axes of plots.
    factor : float
        What turns the pointwise loss into the metric (2 for half the squared error).
    reduce : callable
        ``(errors, variance) -> (value, derivative in errors)``, from errors of shape
        (n_splits, n_outputs) and the variance of the held-out targets.
    balanced : bool
        Whether samples are weighted so that every class counts the same.
    smooth : bool
        Whether it has a derivative everywhere, as line searches need it.
    offset : float
        The score is this minus the value.
    metric : callable or None
        The metric of scikit-learn that it equals.
    scoring : str or None
        Name of scikit-learn's scorer of this metric.
    options : frozenset of str
        Options of the metric that change nothing.
    likelihood : float, "linear" or None
        How a value is a log likelihood: see
        :func:`~sklearn_hypergrad.problems.outer.likelihood.likelihood_scale`.
    steady : str or None
        The loss that takes its place on half splits: on halves of different variance it is
        steadier, and it has the same minimum on one set of rows.
    """

    name: str
    pointwise: Any
    pointwise_multi: Any = None
    _: dataclasses.KW_ONLY
    takes: str = NUMBERS
    label: str = ""
    factor: float = 1.0
    reduce: Any = mean
    balanced: bool = False
    smooth: bool = True
    offset: float = 0.0
    metric: Callable | None = None
    scoring: str | None = None
    options: frozenset = frozenset()
    likelihood: float | str | None = None
    steady: str | None = None

    def loss(self, n_outputs):
        """The pointwise loss for that many outputs."""
        coupled = n_outputs > 1 and self.pointwise_multi is not None
        return self.pointwise_multi if coupled else self.pointwise

    @property
    def shown(self):
        """The name in a report: scores are told as losses."""
        return f"{self.offset:g} - {self.name}" if self.offset else self.name

    @property
    def sign(self):
        """The sign with which a scorer turns the metric into a score."""
        return 1 if self.offset else -1

    @property
    def method(self):
        """The method of an estimator whose predictions the metric takes."""
        return "predict_proba" if self.takes == PROBABILITIES else "predict"

    def likelihood_scale(self, n_samples, n_outputs, samples):
        """The function from values to log likelihoods; see there."""
        return likelihood_scale(self.likelihood, n_samples, n_outputs, samples)


_SQUARED = {"factor": 2.0, "likelihood": 0.5}
_LOG = (losses.LogisticLoss(), losses.MultinomialLoss())

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
            balanced=True,
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
            balanced=True,
            label="squared error of coded classes, balanced",
        ),
    )
}


def losses_of(takes):
    """The validation losses of these predictions, in the order of the table."""
    return [loss for loss in VALIDATION_LOSSES.values() if loss.takes == takes]


def surrogate(takes, *, balanced):
    """The loss that is descended for a score without gradient: the first that suits it."""
    known = losses_of(takes)
    return next((loss for loss in known if loss.balanced == balanced), known[0])


def loss_of_metric(metric):
    """The validation loss that equals a metric of scikit-learn, or None."""
    known = (loss for loss in VALIDATION_LOSSES.values() if loss.metric is not None)
    return next((loss for loss in known if loss.metric is metric), None)
