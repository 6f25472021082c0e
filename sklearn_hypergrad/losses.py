"""Losses as functions of the prediction: one list for both levels.

Every loss takes targets ``y`` and predictions ``z`` with outputs on the last axis, of shape
``(..., n_outputs)``, and works pointwise on the leading axes, which broadcast. ``value`` is one
loss per output, except for losses that couple the outputs (multinomial ones): there the last axis
has length one. A loss that can be trained has more. ``factor`` holds the parts of its Hessian in
``z``; from it ``hvp`` multiplies the Hessian by a vector, and ``diagonal`` is its diagonal.
``evaluate`` is value, gradient and factor at once. ``shift_invariant`` says whether adding the same
number to all outputs changes nothing. For targets with some mean, ``base(mean)`` is where training
starts, and ``precision(mean)`` times a squared difference of targets is a difference of losses.
"""

import numpy as np
from scipy.special import expit, log_softmax, softmax, xlogy

# Linear predictors of a log link beyond this count as this: exp(300) can be squared in floating
# point, and no data have such a mean.
FARTHEST = 300.0
# Factors in a product of numbers between 1 and 2.
MOST_FACTORS = 255
# Mean of logarithms of 1 + e up to which each is computed for itself. Reason: 1 + e has an error of
# 1e-16, and sums are to have 13 digits.
SMALL = 1e-3


class TrainedFromZero:
    """Losses whose training starts at predictions of zero."""

    def base(self, mean):
        return np.zeros((1, 1, mean.shape[-1]))

    def precision(self, mean):
        return self.diagonal(self.factor(mean, self.base(mean)))


class HalfSquaredError(TrainedFromZero):
    """``(z - y)^2 / 2``."""

    shift_invariant = False

    def value(self, y, z):
        return 0.5 * (z - y) ** 2

    def gradient(self, y, z):
        return z - y

    def factor(self, y, z):
        return np.ones_like(z)

    def evaluate(self, y, z):
        residual = z - y
        return 0.5 * residual**2, residual, np.ones_like(z)

    def hvp(self, factor, v):
        return v

    def diagonal(self, factor):
        return factor


class AbsoluteError:
    """``|z - y|``, with the subgradient 0 at the kink."""

    def value(self, y, z):
        return np.abs(z - y)

    def gradient(self, y, z):
        return np.sign(z - y)


class PoissonDeviance:
    """``2 (y log(y / z) - y + z)``; infinite where ``z <= 0``."""

    def value(self, y, z):
        positive = np.where(z > 0, z, 1.0)
        return np.where(z > 0, 2 * (xlogy(y, y / positive) - y + z), np.inf)

    def gradient(self, y, z):
        return 2 * (1 - y / z)


class GammaDeviance:
    """``2 (log(z / y) + y / z - 1)``; infinite where ``z <= 0``."""

    def value(self, y, z):
        positive = np.where(z > 0, z, 1.0)
        return np.where(z > 0, 2 * (np.log(positive / y) + y / positive - 1), np.inf)

    def gradient(self, y, z):
        return 2 * (z - y) / z**2


class TweedieDeviance:
    """Deviance of the Tweedie distribution with a power in (1, 2); infinite where ``z <= 0``.

    Parameters
    ----------
    power : float
        The variance is proportional to this power of the mean.
    """

    def __init__(self, power):
        self.power = power

    def value(self, y, z):
        p, positive = self.power, np.where(z > 0, z, 1.0)
        halves = y ** (2 - p) / ((1 - p) * (2 - p))
        halves = halves - y * positive ** (1 - p) / (1 - p) + positive ** (2 - p) / (2 - p)
        return np.where(z > 0, 2 * halves, np.inf)

    def gradient(self, y, z):
        return 2 * (z - y) / z**self.power


class LogLinkTweedieLoss:
    """Half the Tweedie deviance of the mean ``exp(z)``: Poisson's for power 1, gamma's for 2.

    Convex in ``z`` for powers in [1, 2].

    Parameters
    ----------
    power : float
        The variance is proportional to this power of the mean.
    """

    shift_invariant = False

    def __init__(self, power):
        self.power = power

    def value(self, y, z):
        return self.evaluate(y, z)[0]

    def gradient(self, y, z):
        return self.evaluate(y, z)[1]

    def factor(self, y, z):
        return self.evaluate(y, z)[2]

    def evaluate(self, y, z):
        p = self.power
        z = np.clip(z, -FARTHEST, FARTHEST)
        # mu^(2 - p) and y mu^(1 - p).
        own, crossed = np.exp((2 - p) * z), y * np.exp((1 - p) * z)
        if p == 1:
            value = own - y * z + (xlogy(y, y) - y)
        elif p == 2:
            value = crossed + z - (1 + np.log(y))
        else:
            least = y ** (2 - p) / ((1 - p) * (2 - p))
            value = own / (2 - p) - crossed / (1 - p) + least
        return value, own - crossed, (2 - p) * own - (1 - p) * crossed

    def hvp(self, factor, v):
        return factor * v

    def diagonal(self, factor):
        return factor

    def base(self, mean):
        return np.log(mean)

    def precision(self, mean):
        return mean**-self.power


class LogisticLoss(TrainedFromZero):
    """``log(1 + exp(z)) - y z`` for ``y`` in {0, 1}: minus log probability of the true class."""

    shift_invariant = False

    def value(self, y, z):
        # log(1 + exp(z)) without overflow or lost digits, and five times faster than logaddexp.
        return np.log1p(np.exp(-np.abs(z))) + (np.maximum(z, 0) - y * z)

    def gradient(self, y, z):
        return expit(z) - y

    def factor(self, y, z):
        probability = expit(z)
        return probability * (1 - probability)

    def evaluate(self, y, z):
        # One exponential serves all three. With the sign of the true class, small losses and slopes
        # keep their digits.
        margin, e, slope, curvature = self._parts(y, z)
        value = np.log1p(e)
        value -= np.minimum(margin, 0)
        return value, slope, curvature

    def evaluate_sums(self, y, z, counts):
        """Like ``evaluate``, with the sums of values in place of the values.

        Parameters
        ----------
        y, z : ndarray of shape (n_samples, 1 or n_splits, 1) and (n_samples, n_splits, 1)
        counts : ndarray of shape (n_samples, n_splits, 1)
            1.0 for samples that count, else 0.0.

        Returns
        -------
        sums : ndarray of shape (n_splits,)
        gradient, factor : ndarray like ``z``
        """
        margin, e, slope, curvature = self._parts(y, z)
        e *= counts
        sums = _sums_of_logs(e)
        sums -= np.einsum("isk,isk->s", np.minimum(margin, 0), counts)
        return sums, slope, curvature

    @staticmethod
    def _parts(y, z):
        """The margin, ``exp(-abs(margin))``, the gradient and the factor."""
        sign = 2 * y - 1
        margin = sign * z
        e = np.exp(-np.abs(margin))
        larger = 1 / (1 + e)
        smaller = e * larger
        return margin, e, -sign * np.where(margin > 0, smaller, larger), smaller * larger

    def hvp(self, factor, v):
        return factor * v

    def diagonal(self, factor):
        return factor

    def third(self, z):
        """The third derivative in ``z``."""
        probability = expit(z)
        return probability * (1 - probability) * (1 - 2 * probability)


# A sum of logarithms is the logarithm of a product, and a product of numbers from 1 to 2 is finite
# as long as there are fewer than a thousand.
def _sums_of_logs(e):
    """Sums of ``log(1 + e)`` over the first axis of an array between 0 and 1, by split."""
    product, n_factors = 1 + e, 1
    while len(product) > 1 and n_factors < MOST_FACTORS:
        half, odd = divmod(len(product), 2)
        last = product[-1]
        product = product[:half] * product[half : 2 * half]
        if odd:
            product[0] *= last
        n_factors = 2 * n_factors + 1
    sums = np.einsum("isk->s", np.log(product))
    # 1 + e has lost digits of small e.
    if (sums < SMALL * len(e)).any():
        sums = np.einsum("isk->s", np.log1p(e))
    return sums


class MultinomialLoss(TrainedFromZero):
    """Minus the log probability of the true class under softmax; ``y`` is one-hot."""

    shift_invariant = True

    def value(self, y, z):
        return -np.sum(y * log_softmax(z, axis=-1), axis=-1, keepdims=True)

    def gradient(self, y, z):
        return softmax(z, axis=-1) - y

    def factor(self, y, z):
        return softmax(z, axis=-1)

    def evaluate(self, y, z):
        shifted = z - z.max(axis=-1, keepdims=True)
        probability = np.exp(shifted)
        total = np.einsum("...k->...", probability)[..., None]
        value = np.log(total) - _inner(y, shifted)
        probability /= total
        return value, probability - y, probability

    def hvp(self, factor, v):
        # That is factor * v - factor * (factor' v).
        product = v - _inner(factor, v)
        product *= factor
        return product

    def diagonal(self, factor):
        return factor * (1 - factor)


class BinaryBrierLoss:
    """``(sigmoid(z) - y)^2`` for ``y`` in {0, 1}."""

    def value(self, y, z):
        return (expit(z) - y) ** 2

    def gradient(self, y, z):
        probability = expit(z)
        return 2 * (probability - y) * probability * (1 - probability)


class MultinomialBrierLoss:
    """``sum over classes of (softmax(z) - y)^2``; ``y`` is one-hot."""

    def value(self, y, z):
        return np.sum((softmax(z, axis=-1) - y) ** 2, axis=-1, keepdims=True)

    def gradient(self, y, z):
        probability = softmax(z, axis=-1)
        weighted = 2 * probability * (probability - y)
        return weighted - probability * weighted.sum(axis=-1, keepdims=True)


class MarginLogLoss:
    """``log(1 + exp(-2 y z))`` for ``y`` in {-1, 1}: the log loss of twice the decision value."""

    def value(self, y, z):
        return np.logaddexp(0, -2 * y * z)

    def gradient(self, y, z):
        return -2 * y * expit(-2 * y * z)


class MultinomialMarginLogLoss:
    """Minus the log probability of the true class under softmax of twice the decision values.

    ``y`` is 1 for the true class and -1 for the others.
    """

    def value(self, y, z):
        member = (1 + y) / 2
        return -np.sum(member * log_softmax(2 * z, axis=-1), axis=-1, keepdims=True)

    def gradient(self, y, z):
        return 2 * softmax(2 * z, axis=-1) - (1 + y)


def _inner(a, b):
    """Sums of products over outputs; NumPy's sums over few numbers take several times as long."""
    return np.einsum("...k,...k->...", a, b)[..., None]
