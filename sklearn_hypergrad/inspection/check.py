"""Hypergradients against finite differences."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.search import HypergradSearchCV
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives
from sklearn_hypergrad.tuning import OnlineObjective

# Inner tolerance. Reason: errors of inner solutions, divided by the step, must stay below the 1e-6
# of the comparison.
TIGHT = 1e-11
# Distance in theta from the level of the data to the settings that are compared. Chosen by hand:
# three decades, as a search without bounds scans.
REACH = 3 * math.log(10)
# The same for a search from own values. Chosen by hand: training diverges at much larger rates.
NEAR = 0.1
# Steps of the differences. The error of the formula is about step^4, 1e-8; a smaller step near a
# start, where all entries move at once. Chosen by hand, against rounding errors of 1e-11 / step.
STEP, SMALL_STEP = 1e-2, 1e-3
# The five-point central difference: f'(t) = sum of weight * f(t + offset * step) / step, with an
# error of order step^4 (Abramowitz, Stegun 1964, table 25.2).
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
# Differences to both sides, of an error of order step^2, that differ from each other by at most
# order step^3 unless there is a kink: f'(t) = side * sum of weight * f(t + side * offset * step) /
# step. They must differ by the share KINK, by more for long steps, and by more than rounding errors
# of that many units in the loss would make. Chosen by hand: at the usual steps smooth losses differ
# by about 1e-6.
SIDE = ((0, -1.5), (1, 2.0), (2, -0.5))
KINK, ROUNDING = 1e-4, 1e4
KINKS = (
    "{} A difference across a kink is no derivative: where an error is large it proves nothing "
    "against the hypergradient, and a small one shows only the stretch where it was taken. Check "
    "the same search with {}, or take a smaller step, such as step=1e-5, and more points."
)
OF_UNITS = "Units of 'relu' have a kink wherever they switch.", "activation='tanh'"
OF_LOSS = (
    "The validation loss has kinks at {} of {} points: its differences to both sides disagree.",
    "a smooth loss and model in place of absolute values, maxima and the like",
)
ONLINE = (
    "hypergradient={!r} moves hyperparameters while training runs, so that no loss is a function "
    "of them alone, of which there were differences. Check hypergradient='forward' in its place."
)


def check_hypergradient(
    search: HypergradSearchCV,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    n_points: int = 5,
    step: float | None = None,
    random_state: int | np.random.RandomState | None = 0,
    **fit_params: Any,
) -> np.ndarray:
    """Compare hypergradients with finite differences of tightly solved inner problems.

    For every range in ``search.param_grid`` the derivative of the validation loss is computed
    twice, at ``n_points`` settings between its bounds: from the hypergradient, and by a five-point
    central difference. It is the derivative along a random direction of unit length, on the scale
    on which the search moves. Inner problems are solved to a tolerance of 1e-11. Nothing is fitted.

    The ranges of a network, or of your own model, are searched together, so they are one:
    directions are in all entries of all its hyperparameters, and settings are within ten per cent
    of where the search starts, since training diverges far from there. Differences are of training
    in floating point with the same initial weights and batches, also for "reversible", whose own
    losses are rounded otherwise; "truncated" is wrong by the steps that it leaves out.

    Parameters
    ----------
    search : HypergradSearchCV
        Need not be fitted, and is not modified.
    X, y : array-like
        Data as for ``search.fit``.
    n_points : int, default=5
        Settings that are compared, spread over the range: at one point a wrong formula can be right
        by chance.
    step : float, default=None
        Step of the differences, in nats on a logarithmic scale: smaller steps lose digits, larger
        ones leave the straight part. None is 1e-2, and 1e-3 near a start. For absolute errors,
        which have kinks, take 1e-5 or so. Networks of "relu" have kinks wherever a unit switches,
        so that single points fail at any step: check them with "tanh".
    random_state : int, default=0
        Seed of the directions, and of settings near a start.
    **fit_params : dict
        Metadata as for ``search.fit``.

    Returns
    -------
    errors : ndarray of shape (n_ranges, n_points)
        ``|derivative - difference| / |difference|``; a row for every range, or for all that are
        searched together. Where both are right it is below 1e-6, except where the loss is flat and
        both are rounding errors, and for networks of float32.

    Raises
    ------
    ValueError
        If no range of the grid can be searched, training diverges where a search would start, or
        hyperparameters are to be moved while training runs.

    Warns
    -----
    HypergradWarning
        If the network is one of "relu", or differences to both sides of a point disagree, as they
        do at a kink of the loss.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_hypergrad import HypergradSearchCV, check_hypergradient
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]})
    >>> bool(check_hypergradient(search, X, y).max() < 1e-6)
    True
    """
    rng = np.random.default_rng(random_state)
    errors, kinks, switching = [], [], False
    with np.errstate(all="ignore"):
        for objective in build_objectives(clone(search), X, y, **fit_params):
            if isinstance(objective, OnlineObjective):
                raise ValueError(ONLINE.format(search.hypergradient))
            objective.tol = TIGHT
            # Of several values, or from own values, all entries move at once.
            together = len(objective.space.dimensions) > 1 or objective.from_own_values
            errors_of = _errors_near_start if together else _errors
            compared = errors_of(objective, n_points, step, rng)
            errors.append([error for error, _ in compared])
            kinks += [kinked for _, kinked in compared]
            switching |= any(map(_switches, objective.terms))
    if not errors:
        raise ValueError("No range of param_grid can be searched, so there is no hypergradient.")
    _warn(switching, kinks)
    return np.array(errors)


def _warn(switching, kinks):
    """Warn of kinks: those of a network's units, or those that differences show."""
    if not switching and not any(kinks):
        return
    what, instead = OF_UNITS if switching else OF_LOSS
    what = what.format(sum(kinks), len(kinks))
    warnings.warn(KINKS.format(what, instead), HypergradWarning, stacklevel=3)


def _switches(term):
    """Whether a term trains a network whose hidden units have kinks."""
    training = getattr(term, "problem", None)
    network = getattr(getattr(training, "problem", None), "network", None)
    return network is not None and len(network.shapes) > 1 and network.activation.kinked


def _errors(objective, n_points, step, rng):
    (dimension,) = objective.space.dimensions
    start = dimension.transform.to_theta(dimension.start)
    low, high = dimension.bounds
    if dimension.scale == "log":
        # Far away from the level of the data the loss is flat.
        low, high = max(low, start - REACH), min(high, start + REACH)
    inside = np.linspace(low, high, n_points + 2)[1:-1]
    step = (STEP if step is None else step) * min(1.0, high - low)
    directions = rng.standard_normal((n_points, dimension.size))
    return [
        _error(objective, np.full(dimension.size, theta), step, direction)
        for theta, direction in zip(inside, directions, strict=True)
    ]


def _errors_near_start(objective, n_points, step, rng):
    space = objective.space
    start = space.to_theta({dimension.name: dimension.start for dimension in space.dimensions})
    low, high = space.bounds.T
    if not np.isfinite(objective.record(start).value):
        raise ValueError(
            "The validation loss is not finite where the search starts: if training diverges "
            "there, lower learning_rate_init."
        )
    step = (SMALL_STEP if step is None else step) * min(1.0, np.min(high - low))
    # The stencil stays between the bounds, beyond which values are held.
    low, high = low + 2 * step, high - 2 * step
    return [
        _error(
            objective,
            np.clip(start + rng.uniform(-NEAR, NEAR, space.size), low, high),
            step,
            rng.standard_normal(space.size),
        )
        for _ in range(n_points)
    ]


def _error(objective, theta, step, direction):
    """The relative error at one point, and whether differences to both sides disagree there."""
    direction /= np.linalg.norm(direction)
    derivative = objective(theta)[1] @ direction
    value = {offset: objective.value(theta + offset * step * direction) for offset in range(-2, 3)}
    difference = sum(weight * value[offset] for offset, weight in STENCIL) / step
    right, left = (sum(w * value[side * n] for n, w in SIDE) * side / step for side in (1, -1))
    rounding = ROUNDING * np.finfo(float).eps * abs(value[0]) / step
    kinked = abs(right - left) > max(KINK, step**2) * abs(difference) + rounding
    # Where no weight has left zero the loss is flat, and its differences are rounding errors.
    if derivative == 0 and abs(difference) <= rounding:
        return 0.0, False
    return abs(derivative - difference) / abs(difference), bool(kinked)
