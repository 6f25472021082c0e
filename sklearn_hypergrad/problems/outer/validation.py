"""The validation losses that can be descended, by name."""

import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad import losses


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
        The one for several coupled outputs (classes).
    factor : float
        What turns the pointwise loss into the metric (2 for half the squared error).
    reduce : callable
        ``(errors, variance) -> (value, derivative in errors)``, from errors of shape
        (n_splits, n_outputs) and the variance of the held-out targets.
    balanced : bool
        Whether samples are weighted so that every class counts the same.
    offset : float
        What is subtracted from the value to get minus the score.
    """

    name: str
    pointwise: Any
    pointwise_multi: Any = None
    factor: float = 1.0
    reduce: Any = mean
    balanced: bool = False
    offset: float = 0.0

    def loss(self, n_outputs):
        """The pointwise loss for that many outputs."""
        coupled = n_outputs > 1 and self.pointwise_multi is not None
        return self.pointwise_multi if coupled else self.pointwise


_HALF = losses.HalfSquaredError()
_LOG = (losses.LogisticLoss(), losses.MultinomialLoss())

VALIDATION_LOSSES = {
    loss.name: loss
    for loss in (
        ValidationLoss("squared_error", _HALF, factor=2.0),
        ValidationLoss("root_squared_error", _HALF, factor=2.0, reduce=root_mean),
        ValidationLoss("r2", _HALF, factor=2.0, reduce=relative_mean, offset=1.0),
        ValidationLoss("absolute_error", losses.AbsoluteError()),
        ValidationLoss("poisson_deviance", losses.PoissonDeviance()),
        ValidationLoss("gamma_deviance", losses.GammaDeviance()),
        ValidationLoss("log_loss", *_LOG),
        ValidationLoss("balanced_log_loss", *_LOG, balanced=True),
        ValidationLoss("brier_score", losses.BinaryBrierLoss(), losses.MultinomialBrierLoss()),
        ValidationLoss("coded_squared_error", _HALF, factor=2.0),
        ValidationLoss("balanced_coded_squared_error", _HALF, factor=2.0, balanced=True),
    )
}
