"""Objectives of candidates: a space for what is searched, and a term for every model."""

import numpy as np

from sklearn_hypergrad.search.data.layout import Common
from sklearn_hypergrad.spaces import MOST_DEVIATION, Dimension, Space
from sklearn_hypergrad.tuning import Objective, Term
from sklearn_hypergrad.tuning.events import Events

# A search without bounds ends this far away from the level of the data: beyond, penalties of
# linear models have changed nothing in any data set that was tried.
FARTHEST = 1e12
# Levels beyond this are rounding or overflow, and say nothing.
EXTREME = 1e200


def objective_on(prepared, models, loss, layouts=None, splits="cv"):
    """The mean of a validation loss over the splits of some models whose levels are known.

    Parameters
    ----------
    prepared : PreparedCandidate
    models : list of Model
    loss : ValidationLoss or None
        None: the closed-form leave-one-out loss.
    layouts : dict of str -> Layout, default=None
        How vectors spread over coefficients; one value for all without.
    splits : str
        Which argument of the search the splits are from.

    Returns
    -------
    Objective
    """
    layouts = {span.leaf: _common(prepared, span) for span in prepared.ranges} | (layouts or {})
    models = [model.differentiated(prepared.options.method) for model in models]
    levels = levels_of(prepared, models)
    space = Space(
        [
            _dimension(prepared, span, levels[span.leaf], layouts[span.leaf].shape)
            for span in prepared.ranges
        ]
    )
    return Objective(
        space,
        [Term(model, loss) for model in models],
        stage_of(prepared, loss, splits),
        Events(prepared.options.listeners, settings_of(prepared, layouts)),
    )


def stage_of(prepared, loss, splits):
    """The Stage of a search on some splits; without a loss, that of leave-one-out."""
    if loss is None:
        return prepared.options.stage(splits=splits, loss="squared_error", shown="squared_error")
    return prepared.options.stage(splits=splits, loss=loss.name, shown=loss.shown)


def settings_of(prepared, layouts):
    """``settings(h)``: parameters for ``set_params`` of the estimator."""
    fixed = prepared.candidate.settings

    def settings(h):
        found = dict(fixed)
        for leaf, layout in layouts.items():
            found |= layout.settings(h[leaf])
        return found

    return settings


def levels_of(prepared, models):
    """Where a scan without bounds is centred, per hyperparameter: the mean over models.

    Of the strength of a penalty, whatever the hyperparameter; so a C is averaged by its inverse.
    """
    levels, found = [model.levels() for model in models], {}
    for span, direction in zip(prepared.ranges, prepared.directions, strict=True):
        power = direction or 1
        mean = np.mean([np.float64(level[span.leaf]) ** power for level in levels])
        usable = 1 / EXTREME < mean < EXTREME
        found[span.leaf] = float(mean) ** power if usable else 1.0
    return found


def _common(prepared, span):
    return Common(span, prepared.family, None, None)


def _dimension(prepared, span, level, shape):
    continuous = span.continuous
    # Bounds are those of the common level; entries deviate from it.
    reach = np.exp(MOST_DEVIATION) if shape and prepared.shrinkage else 1.0
    lowest, highest = prepared.hyperparameter(span).limits
    low, high = continuous.low, continuous.high
    low = max(level / FARTHEST, lowest) if low is None else low / reach
    high = min(level * FARTHEST, highest) if high is None else high * reach
    start = level if continuous.init is None else continuous.init
    return Dimension(
        name=span.leaf,
        shape=shape,
        scale=span.scale_of(prepared.hyperparameter(span)),
        low=low,
        high=high,
        start=float(np.clip(start, low, high)),
    )
