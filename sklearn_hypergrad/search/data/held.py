"""Features whose penalty is held at zero or infinity while the others are searched.

They are named by ``fixed`` of a Continuous, or are the zeros and infinities of the estimator's own
array or dict of penalties.
"""

from collections.abc import Mapping

import numpy as np

from sklearn_hypergrad.search.candidates.refusals import UnsupportedRange
from sklearn_hypergrad.search.data.features import listed

# What may have a penalty of its own, where features are told apart; first for each output.
OF_OUTPUTS = ("coefficient", ("feature", "target"), ("group", "target"))
PER = ("feature", "group", "column", *OF_OUTPUTS)


def held_values(span, family, final, columns, n_outputs, n_samples):
    """The values that are held, in the hyperparameter's own units.

    Parameters
    ----------
    span : Range
    family : Family
    final : estimator
        The final step, with its own penalties.
    columns : Columns
        Features of the refit.
    n_outputs, n_samples : int

    Returns
    -------
    ndarray of shape (n_features, 1) or (n_features, n_outputs), or None
        0 or infinity where a penalty is held, nan where it is searched; None if all are searched.

    Raises
    ------
    UnsupportedRange
        If what is fixed is no feature, or nothing is left to search.
    """
    continuous = span.continuous
    direction = family.hyperparameters[span.leaf].regularizes
    if continuous.per not in PER or not direction:
        if continuous.fixed:
            raise UnsupportedRange("fixed is for penalties of features, groups or coefficients")
        return None
    held = _own(span, family, final, columns, n_outputs)
    for key, value in (continuous.fixed or {}).items():
        held[_positions(key, continuous.per, columns)] = value
    if np.isnan(held).all():
        return None
    held = _common(held)
    if held.shape[1] > 1 and continuous.per not in OF_OUTPUTS:
        raise UnsupportedRange(
            f"{span.leaf} of the estimator is 0 or infinite for some outputs of a feature and not "
            f"for others. Use per='coefficient', or the same value for all outputs"
        )
    free = np.inf if direction < 0 else 0.0
    _check(held, free, n_samples)
    return held


def _common(held):
    """One column, if all outputs hold the same."""
    same = (held == held[:, :1]) | (np.isnan(held) & np.isnan(held[:, :1]))
    return held[:, :1] if same.all() else held


def _own(span, family, final, columns, n_outputs):
    """The zeros and infinities of the estimator's own array or dict, else nan."""
    own, n_features = getattr(final, span.leaf, None), columns.count
    nothing = np.full((n_features, 1), np.nan)
    if isinstance(own, Mapping):
        if columns.names is None:
            return nothing
        own = np.broadcast_arrays(*(own.get(n, own.get(None, np.nan)) for n in columns.names))
        own = np.stack(own).reshape(n_features, -1).astype(float)
    else:
        kinds = "feature", "coefficient"
        shapes = [family.vector_shape(kind, n_features, n_outputs) for kind in kinds]
        if np.ndim(own) == 0 or np.shape(own) not in shapes:
            return nothing
        own = np.asarray(own, dtype=float).reshape(-1, n_features).T
    if own.shape[1] not in (1, n_outputs):
        return nothing
    return np.where((own == 0) | np.isinf(own), own, np.nan)


def _positions(key, per, columns):
    """Positions of the features that a key of ``fixed`` means."""
    names = columns.sources if per == "column" else columns.names
    if names is not None and key in names:
        return [position for position, name in enumerate(names) if name == key]
    # A name comes first; numbers are positions.
    if isinstance(key, int) and 0 <= key < columns.count and per != "column":
        return [key]
    known = f"{columns.count} features" if names is None else listed({*names} - {None})
    raise UnsupportedRange(f"fixed names {key!r}, which is none of the data: they have {known}")


def _check(held, free, n_samples):
    if not np.isnan(held).any():
        raise UnsupportedRange("all penalties are fixed, and none is left to search")
    most = np.count_nonzero(held == free, axis=0).max()
    if most >= n_samples - 1:
        raise UnsupportedRange(
            f"{most} features without a penalty fit {n_samples} rows exactly. Fix fewer"
        )
