"""Start and bounds of a search from the estimator's own values (networks, own models)."""

import numpy as np

from sklearn_hypergrad.search.candidates.expand import as_array, spread
from sklearn_hypergrad.search.candidates.refusals import UnsupportedRange
from sklearn_hypergrad.spaces import Dimension
from sklearn_hypergrad.spaces.continuous import level_of
from sklearn_hypergrad.spaces.space import TRANSFORMS
from sklearn_hypergrad.wording import shortened

# Distance in theta from the start at which a search without bounds ends. Chosen by hand, wide
# enough for any sensible start and narrow enough to end a search that drifts: six decades of a
# positive value; for a momentum three decades of its odds, from 0.9 to 0.9999. A value of any sign
# has no natural scale, and no limit.
FARTHEST = {"log": 6 * np.log(10), "logit": 3 * np.log(10), "linear": np.inf}


def init_of(continuous, leaf, shape, labels):
    """``init`` of a Continuous in the shape that is searched.

    Parameters
    ----------
    continuous : Continuous
        With an ``init``.
    leaf : str
        The name of the hyperparameter, for messages.
    shape : tuple of int
    labels : sequence
        The names of the entries; empty if they have none.

    Returns
    -------
    float or ndarray of the shape

    Raises
    ------
    UnsupportedRange
        If it has another shape, or no name in common with the entries.
    """
    init = continuous.init
    if isinstance(init, dict):
        known = [label for label in labels if label in init]
        if not known:
            names = f"they are {shortened(list(labels))}" if labels else "they have none"
            raise UnsupportedRange(
                f"init names {shortened(next(iter(init), ''))!r}, which is no name of a value of "
                f"{leaf}: {names}"
            )
        common = level_of(init)
        return np.array([init.get(label, common) for label in labels], dtype=float).reshape(shape)
    if np.shape(init) not in ((), shape):
        wanted = f"give one of shape {shape}" if shape else "give a number"
        raise UnsupportedRange(
            f"init has the shape {np.shape(init)}, and {leaf} has "
            f"{f'values of shape {shape}' if shape else 'one value'}: {wanted}"
        )
    return np.asarray(init, dtype=float)[()]


def dimension_of(span, hyperparameter, own, shape, labels=()):
    """The Dimension of a range.

    The start is the first of these that exists: ``init`` of the user, the estimator's own value if
    it is in the range, the middle of the range on its scale, the usual start of the hyperparameter.
    If only some entries of an array are in the range, the others start at the nearest of these.

    Parameters
    ----------
    span : Range
    hyperparameter : Hyperparameter
    own : float or array-like
        The estimator's own value.
    shape : tuple of int
        The shape of the hyperparameter as it is searched.
    labels : sequence, default=()
        The names of its entries.

    Returns
    -------
    Dimension

    Raises
    ------
    UnsupportedRange
        If there is no start.
    """
    continuous, scale = span.continuous, span.scale_of(hyperparameter)
    if continuous.init is None:
        start = _start(continuous, hyperparameter, _shaped(own, shape), TRANSFORMS[scale])
    else:
        start = init_of(continuous, span.leaf, shape, labels)
    low, high = _bounds(continuous, start, hyperparameter)
    return Dimension(span.leaf, shape, scale, low, high, start)


def _start(continuous, hyperparameter, own, transform):
    low, high = hyperparameter.limits
    low = low if continuous.low is None else continuous.low
    high = high if continuous.high is None else continuous.high
    inside = (own > hyperparameter.limits[0]) & (own < hyperparameter.limits[1])
    inside &= (own >= low) & (own <= high)
    if np.any(inside):
        return np.clip(own, own[inside].min(), own[inside].max())[()]
    if continuous.low is not None and continuous.high is not None:
        ends = transform.to_theta(np.array([continuous.low, continuous.high]))
        return float(transform.to_constrained(ends.mean()))
    if hyperparameter.start is None:
        raise UnsupportedRange(
            f"the search starts from the value that the estimator has, and {shortened(str(own))} "
            f"is not between {low} and {high}. Give the estimator such a value, or "
            f"Continuous(init=...)"
        )
    return float(np.clip(hyperparameter.start, low, high))


def _bounds(continuous, start, hyperparameter):
    transform, farthest = TRANSFORMS[hyperparameter.scale], FARTHEST[hyperparameter.scale]
    theta = transform.to_theta(np.asarray(start, dtype=float))
    low, high = continuous.low, continuous.high
    lowest, highest = hyperparameter.limits
    if low is None:
        low = max(float(transform.to_constrained(theta.min() - farthest)), lowest)
    if high is None:
        high = min(float(transform.to_constrained(theta.max() + farthest)), highest)
    return low, high


def _shaped(own, shape):
    """The estimator's value in the shape that is searched; its geometric mean if it has another."""
    own = as_array(own)
    try:
        return spread(own, shape)
    except ValueError:
        own = own[own > 0]
        return np.array(np.exp(np.mean(np.log(own))) if own.size else np.nan)
