"""Validation losses: the facts about one, and its scale as a log likelihood."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad.problems.outer.held_out import HeldOutLoss, mean

NUMBERS, PROBABILITIES, CODES, MARGINS = "numbers", "probabilities", "codes", "margins"
# The value of ``likelihood`` for losses that are minus a mean log likelihood.
LINEAR = "linear"
TINY = np.finfo(float).tiny


@dataclasses.dataclass(frozen=True)
class ValidationLoss:
    """A loss on the held-out part of a split.

    Its value is ``reduce(factor * weighted mean over samples of pointwise(y, z))``.

    Attributes
    ----------
    name : str
        The name that ``validation_loss`` takes.
    pointwise : object
        A loss of :mod:`sklearn_hypergrad.losses` for one output.
    pointwise_multi : object
        The loss for several coupled outputs (classes); None if outputs are not coupled.
    takes : {"numbers", "probabilities", "codes", "margins"}
        Predictions that it takes: numbers; logits, from which probabilities follow; regressions on
        classes coded as -1 and 1; or decision values, whose margin to such codes is what counts.
    label : str
        The loss in words, for the axes of plots.
    shown : str
        The name in reports, where a score is written as a loss; "" is ``name``.
    factor : float
        Factor from the pointwise loss to the metric (2 for half the squared error).
    reduce : callable
        ``(errors, null) -> (value, derivative in errors)``, from errors of shape
        (n_splits, n_outputs) and those of the mean of the held-out targets.
    held_out : callable
        ``held_out(block, loss)``: the loss on the held-out parts of some data, as a function of
        predictions; a HeldOutLoss, or used as one. See ``on_held_out``.
    balanced : bool
        Whether samples are weighted so that every class counts the same.
    smooth : bool
        Whether it has a derivative everywhere; line searches need one.
    offset : float
        The score is this minus the value.
    metric : callable or None
        The metric of scikit-learn that it equals.
    scoring : str or None
        Name of scikit-learn's scorer of this metric.
    options : frozenset of str
        Options of the metric that do not change it.
    stands_for : frozenset of callable
        Metrics of scikit-learn that are not differentiable, for which it is descended. For all
        others it is the first loss of these predictions.
    likelihood : float, "linear" or None
        How a value relates to a log likelihood: the argument of ``likelihood_scale`` in this
        module.
    steady : str or None
        The loss that takes its place on half splits: on halves of different variance it is
        steadier, and it has the same minimum on one set of rows. Also where the targets of a
        held-out part are all the same, so that nothing is relative to their spread.
    """

    name: str
    pointwise: Any
    pointwise_multi: Any = None
    _: dataclasses.KW_ONLY
    takes: str = NUMBERS
    label: str = ""
    shown: str = ""
    factor: float = 1.0
    reduce: Any = mean
    held_out: Callable = HeldOutLoss
    balanced: bool = False
    smooth: bool = True
    offset: float = 0.0
    metric: Callable | None = None
    scoring: str | None = None
    options: frozenset = frozenset()
    stands_for: frozenset = frozenset()
    likelihood: float | str | None = None
    steady: str | None = None

    def likelihood_scale(self, n_samples, n_outputs, samples):
        """The function from values to minus log likelihoods; see ``likelihood_scale``."""
        return likelihood_scale(self.likelihood, n_samples, n_outputs, samples)


class LogLoss:
    """``n loss``, for a loss that is minus a mean log likelihood."""

    def __init__(self, n_samples):
        self.n_samples = n_samples

    def __call__(self, loss):
        """``(value, derivative)``."""
        return self.n_samples * loss, self.n_samples


class LogOfLoss:
    """``weight log(loss)``, as for squared errors; below ``lowest`` the tangent there."""

    def __init__(self, weight, lowest=TINY):
        self.weight = weight
        self.lowest = lowest

    def __call__(self, loss):
        """``(value, derivative)``."""
        touched = max(loss, self.lowest)
        slope = self.weight / touched
        return self.weight * np.log(touched) + slope * (loss - touched), slope


# Derivation. For squared errors, minus the Gaussian log likelihood at the best variance is
# n/2 log(loss), up to a constant (the profile likelihood). For any other loss, take
# (loss0 / error0)^2 log(loss / loss0), with error0 the standard error of the mean loss0 over
# samples at the start of the search: its slope in units of error0 is that of a log likelihood. For
# squared errors of Gaussians, whose variance is 2 loss0^2, it is n/2 log(loss) again.
def likelihood_scale(likelihood, n_samples, n_outputs, samples):
    """The function from a mean validation loss to minus a log likelihood, in nats.

    Parameters
    ----------
    likelihood : float, "linear" or None
        "linear": the loss is minus a mean log likelihood. A number is the weight of ``log(loss)``
        per sample and output. None: the weight follows from the spread of the losses of samples.
    n_samples : float
        Number of samples, or the sum of their weights: a sample of weight w counts as w samples.
    n_outputs : int
        Number of targets.
    samples : callable
        ``samples() -> (losses, weights)`` of all held-out samples at the start of the search;
        called only if ``likelihood`` is None.

    Returns
    -------
    callable
        ``scale(loss) -> (value, derivative)``.
    """
    if likelihood == LINEAR:
        return LogLoss(n_samples)
    if likelihood is not None:
        return LogOfLoss(likelihood * n_samples * n_outputs)
    losses, weights = samples()
    mean = np.average(losses, weights=weights)
    variance = np.average((losses - mean) ** 2, weights=weights)
    return LogOfLoss(n_samples * mean**2 / max(variance, TINY))
