"""The space of hyperparameters, from where they start and their bounds."""

import numpy as np

from sklearn_hypergrad.spaces import Continuous, Dimension, Path, Space
from sklearn_hypergrad.spaces.continuous import LOG_RATIO
from sklearn_hypergrad.training import OF_TRAINING, Training
from sklearn_hypergrad.wording import suggestion

# Factor from the start at which logarithmic scales end without a bound, and distance from 0 and 1
# at which logit scales do. Chosen by hand: far from anything that is reached, and finite.
FAR = 1e12
NEAR = 1e-9


def space_of(h, bounds, problem):
    """The Space of hyperparameters, with a scale for each of them.

    Parameters
    ----------
    h : dict
        Where they start, flat.
    bounds : dict or None
        As :func:`tune` takes them.
    problem : InnerProblem or Training
        A Training whose dynamics have momenta and decays gives these a scale from 0 to 1.

    Returns
    -------
    Space

    Raises
    ------
    TypeError, ValueError
        If bounds are no pairs of numbers, are those of unknown hyperparameters, or leave no room.
    """
    bounds = {} if bounds is None else bounds
    _check_names(bounds, h)
    rates = problem.dynamics.names if isinstance(problem, Training) else ()
    known = {name: OF_TRAINING[name].scale for name in rates if name in OF_TRAINING}
    return Space(_dimension(name, h[name], _of(bounds, name), known.get(name)) for name in h)


def _dimension(name, value, asked, known):
    value = np.asarray(value, dtype=float)
    low, high, scale = _ends(name, asked)
    if value.size and not (
        (low is None or low <= value.min()) and (high is None or value.max() <= high)
    ):
        raise ValueError(f"h[{str(name)!r}] = {value} is not within its bounds ({low}, {high}).")
    if scale == "auto":
        scale = known or _scale(value, low, high)
    low, high = {"log": _log, "logit": _logit, "linear": _linear}[scale](name, value, low, high)
    return Dimension(name, value.shape, scale, low, high, value)


def _scale(value, low, high):
    """Logarithmic for what is positive, unless bounds say otherwise."""
    positive = bool((value > 0).all()) and (low is None or low >= 0)
    if low is None or high is None or np.isinf(high):
        return "log" if positive else "linear"
    return "log" if positive and low > 0 and high >= LOG_RATIO * low else "linear"


def _log(name, value, low, high):
    if not (value > 0).all():
        raise ValueError(f"h[{str(name)!r}] must be positive on a logarithmic scale, got {value}.")
    smallest, largest = value.min(initial=1.0), value.max(initial=1.0)
    low = smallest / FAR if low is None or low <= 0 else low
    return low, largest * FAR if high is None or np.isinf(high) else high


def _logit(name, value, low, high):
    low, high = max(low or 0.0, NEAR), min(1.0 if high is None else high, 1 - NEAR)
    if not ((low <= value) & (value <= high)).all():
        raise ValueError(f"h[{str(name)!r}] must be between 0 and 1, got {value}.")
    return low, high


def _linear(name, value, low, high):
    return -np.inf if low is None else low, np.inf if high is None else high


def _ends(name, asked):
    """``(low, high, scale)`` of what was asked for; ends are floats or None."""
    if asked is None:
        return None, None, "auto"
    if isinstance(asked, Continuous):
        if asked.per is not None or asked.init is not None:
            raise ValueError(
                f"bounds[{str(name)!r}] has per or init: shape and start are those of h."
            )
        return asked.low, asked.high, asked.scale
    try:
        low, high = asked
        ends = [None if end is None else float(end) for end in (low, high)]
    except (TypeError, ValueError):
        raise TypeError(
            f"bounds[{str(name)!r}] must be a pair (low, high), each a number or None, or a "
            f"Continuous, got {asked!r}."
        ) from None
    if None not in ends and not ends[0] < ends[1]:
        raise ValueError(f"bounds[{str(name)!r}] must be in increasing order, got {asked!r}.")
    return *ends, "auto"


def _of(bounds, name):
    """The bounds of a hyperparameter: its own, or those of what it is inside of."""
    for key in name.keys if isinstance(name, Path) else (name,):
        if not isinstance(bounds, dict):
            break
        bounds = bounds.get(key)
    return bounds


def _check_names(bounds, h):
    if not isinstance(bounds, dict):
        raise TypeError(f"bounds must be a dict from names to pairs (low, high), got {bounds!r}.")
    places = [name.keys if isinstance(name, Path) else (name,) for name in h]
    known = {keys[:n] for keys in places for n in range(1, len(keys) + 1)}
    for keys in _keys((), bounds):
        if keys not in known:
            names = [other[-1] for other in known if other[:-1] == keys[:-1]]
            raise ValueError(
                f"bounds has {'.'.join(map(str, keys))!r}, which is not in h."
                f"{suggestion(keys[-1], names)}"
            )


def _keys(keys, bounds):
    """Keys of all bounds, and of dicts of them."""
    for key, asked in bounds.items():
        yield (*keys, key)
        if isinstance(asked, dict):
            yield from _keys((*keys, key), asked)
