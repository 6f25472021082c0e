"""Validation losses that are functions of one's own, with derivatives from autograd or JAX."""

import dataclasses
import inspect
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.problems.autograd.backends import (
    derivatives_of,
    detected,
    numpy_of,
    special_of,
)
from sklearn_hypergrad.problems.autograd.identity import identity_of
from sklearn_hypergrad.problems.autograd.loaded_jax import doubles
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.autograd.trace import check_number, gradients
from sklearn_hypergrad.problems.outer.held_out import sample_weights
from sklearn_hypergrad.problems.outer.validation_loss import (
    PROBABILITIES,
    LogLoss,
    LogOfLoss,
    ValidationLoss,
)

# Groups of samples that are left out of a part, one after the other, to learn how much losses of
# samples differ. Chosen by hand: each takes a call, and 200 determine a variance to ten per cent.
MOST_LEFT_OUT = 200
# Share of the mean loss at the start below which a logarithm goes on as its tangent, which crosses
# zero. Chosen by hand: no descent makes a loss that is far from zero ten times smaller.
SMALL = 0.1


@dataclasses.dataclass(frozen=True)
class OfPredictions:
    """A validation loss as a function of what models predict, in the place of weights.

    Attributes
    ----------
    function : callable
        Of the targets and predictions that the user knows.
    predictions : callable
        From those of a model to these.
    weighted : bool
        Whether the function takes the weights of samples.
    """

    function: Callable
    predictions: Callable
    weighted: bool

    def __call__(self, z, h, y, weight):
        more = {"sample_weight": weight} if self.weighted else {}
        return self.function(y, self.predictions(z), **more)

    def compile_key(self):
        """It is what its functions are."""
        return identity_of(self.function), identity_of(self.predictions), self.weighted


class HeldOutFunction:
    """Values of a function on the held-out parts of all splits; used as a HeldOutLoss.

    Parameters
    ----------
    block : SplitData
    loss : FunctionLoss
    """

    null = None

    def __init__(self, block, loss):
        self._name, self._backend = loss.name, None
        self._shares = sample_weights(block, False)
        self._stops = np.cumsum([len(test) for test in block.tests])[:-1]
        y, self._predictions = _as_known(block, loss.takes)
        weighted = takes_weights(loss.function)
        self._loss = OfPredictions(loss.function, self._predictions, weighted)
        self._parts = [(y[test], block.score_weight[test]) for test in block.tests]

    def __call__(self, predictions):
        """``(values, gradient)`` as of a HeldOutLoss."""
        parts = np.split(np.asarray(predictions, float), self._stops)
        pairs = [self._evaluated(z, *part) for z, part in zip(parts, self._parts, strict=True)]
        values, slopes = zip(*pairs, strict=True)
        return np.array(values), np.concatenate(slopes)

    def values(self, predictions):
        """The values alone; like them, a function without derivatives is refused."""
        return self(predictions)[0]

    # A mean of losses over samples is what it is without one of them, times their share, plus that
    # one's loss times its share. For other functions these are pseudo-values of the jackknife.
    def samples(self, predictions):
        """Losses of held-out samples and their weights, split after split."""
        parts = np.split(np.asarray(predictions, float), self._stops)
        shares = np.split(self._shares, self._stops)
        losses = [
            self._sample_losses(z, share, *part)
            for z, share, part in zip(parts, shares, self._parts, strict=True)
        ]
        return np.concatenate(losses), self._shares

    def _sample_losses(self, z, share, y, weight):
        whole, n_groups = self._value(z, y, weight), min(len(z), MOST_LEFT_OUT)
        losses, member = np.full(len(z), whole), np.arange(len(z)) % n_groups
        for group in range(n_groups if n_groups > 1 else 0):
            rest = member != group
            own = share[~rest].sum()
            if 0 < own < 1:
                without = self._value(z[rest], y[rest], weight[rest])
                # The mean of a group varies less than its samples do.
                spread = np.sqrt(np.sum(~rest))
                if np.isfinite(without):
                    losses[~rest] += spread * (1 - own) / own * (whole - without)
        return losses

    def _value(self, z, y, weight):
        try:
            with doubles():
                value = self._loss(z, {}, y, weight)
            check_number(value)
            return float(value)
        except Exception as error:
            raise self._explained(error, z, y) from error

    def _evaluated(self, z, y, weight):
        try:
            value, slope = self._gradient(z, y, weight)
        except Exception as error:
            raise self._explained(error, z, y) from error
        if slope is None:
            raise TypeError(
                f"validation_loss={self._name} has no derivative in the predictions. Compute it "
                f"from them by functions of autograd.numpy or jax.numpy that have one: not by "
                f"comparing, rounding, or float()."
            )
        return float(value), slope

    def _gradient(self, z, y, weight):
        """The loss, and its derivative in the predictions or None."""
        data = y, weight
        if self._backend is None:
            self._backend = detected(self._loss, [z], Nested(z), {}, data)
        if self._backend == "autograd":
            value, (slope,) = gradients(lambda z: self._loss(z, {}, *data), [z])
            return value, slope
        derivatives = derivatives_of(self._loss, Nested(z), self._backend)
        value, slope = derivatives.gradient(z.ravel(), {}, *data)
        return value, slope.reshape(z.shape) if derivatives.moved(z.ravel(), {}, *data) else None

    def _explained(self, error, z, y):
        """An error that says what the function was given; no ValueError, which data may raise."""
        given = f"y of shape {y.shape} and predictions of shape {self._predictions(z).shape}"
        return TypeError(
            f"validation_loss={self._name} failed for {given}: {type(error).__name__}: {error}"
        )


@dataclasses.dataclass(frozen=True)
class FunctionLoss(ValidationLoss):
    """A validation loss ``function(y, prediction)``, one number for a held-out part.

    Attributes
    ----------
    function : callable
        Written with autograd.numpy or jax.numpy. It takes targets and predictions as users know
        them: numbers, of shape (n,) or (n, n_outputs); for classifiers with probabilities, numbers
        of classes and probabilities of shape (n, n_classes); for decision values, codes and
        decision values. If it has an argument ``sample_weight``, it also gets the weights of the
        samples.
    """

    held_out: Callable = HeldOutFunction
    function: Callable = dataclasses.field(kw_only=True)

    @classmethod
    def of(cls, function, takes):
        """The loss of a function, for predictions of this kind."""
        name = function_name(function)
        return cls(name, None, takes=takes, label=name, function=function)

    # As for any loss, but a function may be negative, of which there is no logarithm. Then the
    # slope is that of squared errors of Gaussians, n / sqrt(2 variance), whatever the origin.
    def likelihood_scale(self, n_samples, n_outputs, samples):
        losses, weights = samples()
        mean = np.average(losses, weights=weights)
        variance = np.average((losses - mean) ** 2, weights=weights) or np.finfo(float).tiny
        if mean <= 0:
            return LogLoss(n_samples / np.sqrt(2 * variance))
        return LogOfLoss(n_samples * mean**2 / variance, SMALL * mean)


def function_name(function):
    """The name of a function, of the function of a partial, or of the class of a callable."""
    inner = getattr(function, "func", function)
    return getattr(inner, "__name__", type(inner).__name__)


def takes_weights(function):
    """Whether a function has an argument ``sample_weight``."""
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except ValueError:
        # Some functions of compiled code have no signature.
        return False


def _as_known(block, takes):
    """Targets as the user knows them, and a function from ``z`` to such predictions."""
    if takes != PROBABILITIES:
        return (block.y[:, 0], lambda z: z[:, 0]) if _flat(block) else (block.y, lambda z: z)
    if np.ndim(block.labels) == 2:
        return block.y.astype(int), _expit
    if block.y.shape[1] == 1:
        return block.y[:, 0].astype(int), _both
    return block.y.argmax(axis=1), _softmax


def _flat(block):
    """Whether predictions have one axis: unless y has two, or there are several codes."""
    return block.y.shape[1] == 1 and np.ndim(block.labels) < 2


def _softmax(z):
    return numpy_of(z).exp(z - special_of(z).logsumexp(z, axis=1, keepdims=True))


def _expit(z):
    return special_of(z).expit(z)


def _both(z):
    return numpy_of(z).hstack([_expit(-z), _expit(z)])
