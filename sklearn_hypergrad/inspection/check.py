"""Hypergradients against finite differences."""

import math

import numpy as np
from sklearn.base import clone

from sklearn_hypergrad.search.probe import objectives

# Inner tolerance: what remains must not show in differences.
TIGHT = 1e-11
# Three decades around the level of the data.
REACH = 3 * math.log(10)
# Five points: f'(t) = sum of weight * f(t + offset * step) / step, up to step^4.
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))


def check_hypergradient(search, X, y=None, *, n_points=5, step=1e-2, random_state=0, **fit_params):
    """Compare hypergradients with finite differences of tightly solved inner problems.

    For every range in ``search.param_grid``, at ``n_points`` settings between its bounds, the
    derivative of the validation loss along a random direction of unit length, on the scale on which
    the search moves, is computed twice: from the hypergradient, and by a five-point central
    difference whose inner problems are solved to a tolerance of 1e-11. Nothing is fitted.

    Parameters
    ----------
    search : HypergradSearchCV
        Need not be fitted, and is not modified.
    X, y : array-like
        Data as for ``search.fit``.
    n_points : int, default=5
        Settings that are compared, spread over the range: at one point a wrong formula can be right
        by chance.
    step : float, default=1e-2
        Step of the differences, in nats on a logarithmic scale: smaller steps lose digits, larger
        ones leave the straight part. For absolute errors, which have kinks, take 1e-5 or so.
    random_state : int, default=0
        Seed of the directions.
    **fit_params : dict
        Metadata as for ``search.fit``.

    Returns
    -------
    errors : ndarray of shape (n_ranges, n_points)
        ``|derivative - difference| / |difference|``. Where both are right it is below 1e-6, except
        where the loss is flat and both are rounding errors.

    Raises
    ------
    ValueError
        If no range of the grid can be searched.

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
    errors = []
    with np.errstate(all="ignore"):
        for objective in objectives(clone(search), X, y, **fit_params):
            objective.tol = TIGHT
            errors.append(_errors(objective, n_points, step, rng))
    if not errors:
        raise ValueError("No range of param_grid can be searched, so there is no hypergradient.")
    return np.array(errors)


def _errors(objective, n_points, step, rng):
    (dimension,) = objective.space.dimensions
    start = dimension.transform.to_theta(dimension.start)
    low, high = dimension.bounds
    if dimension.scale == "log":
        # Far away from the level of the data the loss is flat.
        low, high = max(low, start - REACH), min(high, start + REACH)
    inside = np.linspace(low, high, n_points + 2)[1:-1]
    step *= min(1.0, high - low)
    directions = rng.standard_normal((n_points, dimension.size))
    return [
        _error(objective, np.full(dimension.size, theta), step, direction)
        for theta, direction in zip(inside, directions, strict=True)
    ]


def _error(objective, theta, step, direction):
    direction /= np.linalg.norm(direction)
    derivative = objective(theta)[1] @ direction
    difference = sum(
        weight * objective(theta + offset * step * direction)[0] for offset, weight in STENCIL
    )
    difference /= step
    return abs(derivative - difference) / abs(difference)
