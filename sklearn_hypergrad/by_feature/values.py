"""Parameters of estimators that may be one number, an array, or a dict from feature names."""

import numbers
from collections.abc import Mapping

import numpy as np
from sklearn.utils import check_array


def is_number(value):
    """Whether one number is that of all features, as in scikit-learn."""
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def by_name(name, value, model, shape):
    """A dict from feature names to values as an array; anything else as it is.

    A value is a number, or an array of one for each target or class.

    ``model`` has just seen the features. The key None stands for all that the dict does not name.

    Returns
    -------
    value : ndarray of ``shape``, or (n_outputs, n_features) from arrays, or as given

    Raises
    ------
    ValueError
        If the features have no names, or one has no value.
    """
    if not isinstance(value, Mapping):
        return value
    features = getattr(model, "feature_names_in_", None)
    if features is None:
        raise ValueError(
            f"{name} is a dict from feature names, but X has none. Pass a data frame; in a "
            "pipeline call set_output(transform='pandas')."
        )
    missing = [] if None in value else [f for f in features if f not in value]
    if missing:
        raise ValueError(
            f"{name} has no value for the feature {missing[0]!r}. Name it, or give one for all "
            "others with the key None."
        )
    values = np.broadcast_arrays(*(value.get(f, value.get(None)) for f in features))
    values = np.stack(values, axis=-1)
    return values.reshape(shape) if values.ndim == 1 else values


def values_array(name, value, legal, data, *, called="penalties"):
    """The parameter ``name`` as an array of floats from 0 to infinity.

    Parameters
    ----------
    name : str
    value : array-like
    legal : dict
        What the numbers are for, by the shapes that the array may have.
    data : str
        What these shapes follow from, for the message.
    called : str, default="penalties"
        What the numbers are, for the message.

    Raises
    ------
    ValueError
        If a number is negative or nan, or the shape is none of ``legal``.
    """
    values = check_array(
        value,
        dtype=np.float64,
        ensure_2d=False,
        allow_nd=True,
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
        input_name=name,
    )
    if values.shape not in legal:
        shapes = ", ".join(f"{shape} for one {meaning}" for shape, meaning in legal.items())
        raise ValueError(
            f"{name} has shape {values.shape}, but with {data} it must be a number or of shape "
            f"{shapes}."
        )
    wrong = np.argwhere(~(values >= 0))
    if len(wrong):
        position = tuple(wrong[0])
        raise ValueError(
            f"{name}[{', '.join(map(str, position))}] is {values[position]}, but {called} must "
            "not be negative or nan."
        )
    return values
