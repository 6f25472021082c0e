"""The column of X that each feature of the model comes from, through any transformers.

It is tried and not read from names: the rows of some columns are moved by one place, and features
that change come from these. A feature that is made of one column, row by row, changes whenever that
column moves, unless it is constant. So with a binary number for every column, two transforms for
each digit tell all sources, however many columns there are.
"""

import numpy as np
from scipy.sparse import hstack, issparse

from sklearn_hypergrad._sklearn import feature_names, num_samples, rows_of, rows_of_params
from sklearn_hypergrad.adapters.base import Apart
from sklearn_hypergrad.search.data.capture import with_capture
from sklearn_hypergrad.search.data.fitted_steps import names_out
from sklearn_hypergrad.threads import warnings_here

# In place of a position: the feature is constant, or is made of more than one column.
CONSTANT, SEVERAL = -1, -2


def sources_of(candidate, inputs):
    """Labels of the columns that the features of the refit come from.

    Parameters
    ----------
    candidate : Candidate
    inputs : FitInputs

    Returns
    -------
    tuple
        For each feature the name of its column of X, or its number where X has no names; None for
        a constant feature.

    Raises
    ------
    Apart
        If X has no columns, or a feature is made of several.
    """
    X = inputs.X if hasattr(inputs.X, "shape") else np.asarray(inputs.X)
    if len(X.shape) != 2:
        raise Apart("per='column' needs X with columns, such as a data frame")
    names = feature_names(X)
    labels = range(X.shape[1]) if names is None else names
    if not candidate.step.path:
        return tuple(labels)
    pipeline, capture = with_capture(candidate, candidate.step.path)
    everything = np.arange(num_samples(X))
    # The fits of scikit-learn give the same warnings to the user.
    with warnings_here("ignore"):
        pipeline.fit(X, inputs.y, **rows_of_params(inputs.X, inputs.fit_params, everything))
        positions = positions_of(lambda X: candidate.family.as_taken(pipeline.predict(X)), X)
    if SEVERAL in positions:
        first, known = np.flatnonzero(positions == SEVERAL)[0], names_out(pipeline)
        feature = f"number {first}" if known is None else repr(str(known[first]))
        raise Apart(
            f"per='column' needs features that are made of one column of X each, and {feature} is "
            f"made of several. Use per='group' with labels of your own"
        )
    return tuple(None if each == CONSTANT else labels[each] for each in positions)


def positions_of(transform, X):
    """Positions of the columns that the features of ``transform(X)`` come from.

    Parameters
    ----------
    transform : callable
        From X to an ndarray or sparse matrix, row by row.
    X : data frame, ndarray or sparse matrix of shape (n_samples, n_columns)

    Returns
    -------
    ndarray of int of shape (n_features,)
        CONSTANT and SEVERAL where there is no such column, or more than one.
    """
    numbers = np.arange(X.shape[1])
    moved = rows_of(X, np.roll(np.arange(X.shape[0]), 1))
    usual = transform(X)
    n_features = usual.shape[1]
    positions, seen = np.zeros(n_features, dtype=int), np.zeros(n_features, dtype=bool)
    several = np.zeros(n_features, dtype=bool)
    for digit in range(max(1, int(X.shape[1] - 1).bit_length())):
        ones = (numbers >> digit) & 1 == 1
        with_one, with_zero = (
            _changed(usual, transform(_exchanged(X, moved, own))) for own in (ones, ~ones)
        )
        positions += with_one * 2**digit
        seen |= with_one | with_zero
        several |= with_one & with_zero
    return np.where(several, SEVERAL, np.where(seen, positions, CONSTANT))


def _changed(one, other):
    """Whether columns of two results differ."""
    if issparse(one):
        return np.bincount((one != other).tocoo().col, minlength=one.shape[1]) > 0
    return np.any(one != other, axis=0)


def _exchanged(X, other, own):
    """X with some of its columns, where ``own`` is true, from another X of the same kind."""
    if issparse(X):
        chosen = np.arange(len(own)) + len(own) * own
        return hstack([X, other], format="csc")[:, chosen].asformat(X.format)
    if not hasattr(X, "columns"):
        return np.where(own, other, X)
    if type(X).__module__.partition(".")[0] == "polars":
        return X.with_columns(other.get_columns()[number] for number in np.flatnonzero(own))
    changed = X.copy()
    for number in np.flatnonzero(own):
        changed.isetitem(number, other.iloc[:, number].set_axis(X.index))
    return changed
