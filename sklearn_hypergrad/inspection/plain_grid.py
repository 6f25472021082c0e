"""The grid that somebody without gradients would have typed in place of a search."""

import numbers

import numpy as np

from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.reporting.summary import usual_count
from sklearn_hypergrad.spaces.continuous import level_of
from sklearn_hypergrad.spaces.space import TRANSFORMS

# Distance in theta from the middle to an end: four decades of a positive value of a model that is
# solved, two of one that is trained, since larger rates diverge; of a momentum, half of that.
SOLVED, TRAINED = 4 * np.log(10), 2 * np.log(10)
SHARE = {"log": 1.0, "logit": 0.5}


def plain_grid(param_grid, estimator):
    """``param_grid`` for GridSearchCV, with values in place of every ``Continuous``.

    Values are at equal distances on the scale on which the range is searched: 10 of one range, 5 of
    each of two, 3 of each of more. They go from ``low`` to ``high``; where a bound is None, as far
    as four decades (two, of models that are trained step by step) from the middle: ``init``, else
    the estimator's own value, else where the hyperparameter usually is. The entries of a vector
    share such a value. Lists stay as they are.

    Raises
    ------
    ValueError
        If a range on a linear scale has no bounds.
    """
    candidates = expand(param_grid, estimator)
    if all(span.listed for candidate in candidates for span in candidate.ranges):
        return param_grid
    return [_listed(candidate) for candidate in candidates]


def _listed(candidate):
    """The grid of one candidate."""
    count = usual_count(sum(not span.listed for span in candidate.ranges))
    grid = {key: [value] for key, value in candidate.settings.items()}
    for span in candidate.ranges:
        grid[span.key] = list(span.listed) or _values(span, candidate, count)
    return grid


def _values(span, candidate, count):
    continuous, hyperparameter = span.continuous, candidate.family.hyperparameters[span.leaf]
    scale, (lowest, highest) = span.scale_of(hyperparameter), hyperparameter.limits
    bounds = [
        limit if bound is None and np.isfinite(limit) and scale not in SHARE else bound
        for bound, limit in ((continuous.low, lowest), (continuous.high, highest))
    ]
    if scale not in SHARE and None in bounds:
        raise ValueError(
            f"There is no plain grid for {span.key!r}: a range on a linear scale needs both "
            f"bounds, got {continuous!r}. Pass grid={{{span.key!r}: [...]}} with values, or "
            f"grid=False."
        )
    transform = TRANSFORMS[scale]
    middle = transform.to_theta(_middle(span, candidate, transform))
    reach = SHARE.get(scale, 0.0) * (TRAINED if candidate.family.trained else SOLVED)
    low, high = (
        middle + side * reach if bound is None else transform.to_theta(bound)
        for side, bound in zip((-1, 1), bounds, strict=True)
    )
    least, most = hyperparameter.open_limits
    values = transform.to_constrained(np.linspace(low, high, count))
    # Nobody types 9.999999999999991e-05.
    values = [float(f"{value:.12g}") for value in values]
    return [value for value in values if least < value < most]


def _middle(span, candidate, transform):
    """A value between the bounds."""
    continuous, hyperparameter = span.continuous, candidate.family.hyperparameters[span.leaf]
    lowest, highest = hyperparameter.limits
    low = lowest if continuous.low is None else continuous.low
    high = highest if continuous.high is None else continuous.high
    own = candidate.final.get_params()[span.leaf]
    usual = float(transform.to_constrained(0.0))
    init = None if continuous.init is None else level_of(continuous.init)
    for value in (init, own, hyperparameter.start, usual):
        if isinstance(value, numbers.Real) and lowest < value < highest:
            return float(np.clip(value, low, high))
    return usual
