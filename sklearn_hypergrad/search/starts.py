"""Where the search for hyperparameters of a training run begins, and how far it may go."""

import numpy as np

from sklearn_hypergrad.spaces import Dimension
from sklearn_hypergrad.spaces.transforms import TRANSFORMS

# Distance in theta from the start at which a search without bounds ends: six decades of a positive
# value; for a momentum, half of that.
FARTHEST = {"log": 6 * np.log(10), "logit": 3 * np.log(10)}


def dimension_of(span, hyperparameter, own, shape):
    """The Dimension of a range, of this shape.

    The search starts where the user says, else at the estimator's own value if that is in the
    range, else in the middle of the range, else where the hyperparameter usually is.

    Parameters
    ----------
    span : Range
    hyperparameter : Hyperparameter
    own : float or array-like
        The estimator's own value.
    shape : tuple of int
    """
    continuous, scale = span.continuous, span.scale
    if hyperparameter.scale == "logit" and continuous.scale == "auto":
        scale = "logit"
    start = _start(continuous, hyperparameter, _shaped(own, shape), TRANSFORMS[scale])
    low, high = _bounds(continuous, start, TRANSFORMS[scale], FARTHEST.get(scale))
    return Dimension(span.leaf, shape, scale, low, high, start)


def _start(continuous, hyperparameter, own, transform):
    if continuous.init is not None:
        return continuous.init
    low, high = hyperparameter.limits
    low = low if continuous.low is None else continuous.low
    high = high if continuous.high is None else continuous.high
    if np.all((own > hyperparameter.limits[0]) & (own >= low) & (own <= high)):
        return own
    if continuous.low is not None and continuous.high is not None:
        ends = transform.to_theta(np.array([continuous.low, continuous.high]))
        return float(transform.to_constrained(ends.mean()))
    return float(np.clip(hyperparameter.start, low, high))


def _bounds(continuous, start, transform, farthest):
    theta = transform.to_theta(np.asarray(start, dtype=float))
    low, high = continuous.low, continuous.high
    if low is None:
        low = float(transform.to_constrained(theta.min() - farthest))
    if high is None:
        high = float(transform.to_constrained(theta.max() + farthest))
    return low, high


def _shaped(own, shape):
    """The estimator's value in the shape that is searched, or one number for any other shape."""
    own = np.asarray(own, dtype=float)
    try:
        return np.broadcast_to(own, shape) if shape else own.reshape(())[()]
    except ValueError:
        return float(np.exp(np.mean(np.log(own)))) if np.all(own > 0) else np.nan
