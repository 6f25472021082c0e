"""Parameters as JSON: numbers, strings, booleans, None, and arrays by the names of features.

Reading makes numbers, strings, lists, dicts and arrays of floats, and nothing else: no class is
named in a file, so that files of unknown origin can be read.
"""

import json
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_hypergrad.wording import shortened

FORMAT = "sklearn_hypergrad params 1"
# Keys of objects that stand for what JSON does not have.
ARRAY, NAMED, NUMBER, TUPLE, DICT = "array", "array by feature", "number", "tuple", "dict"
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_json(params, names_of):
    """JSON text of parameters.

    Parameters
    ----------
    params : dict
        As ``set_params`` takes them.
    names_of : callable
        ``names_of(key)`` returns the names of the entries along the last axis of an array, or ().

    Raises
    ------
    TypeError
        For values that are something else, such as estimators.
    """
    encoded = {}
    for key, value in params.items():
        try:
            encoded[key] = _encoded(value, names_of(key))
        except TypeError:
            raise TypeError(
                f"{key} is {shortened(value)}, and JSON has numbers, strings, booleans, None and "
                f"arrays of numbers here, so that no class is made when it is read. Store such "
                f"values by skops or joblib, or leave {key} out of best_params_."
            ) from None
    return json.dumps({"format": FORMAT, "params": encoded}, indent=2, allow_nan=False)


def params_from_json(text: str, feature_names: Sequence[str] | None = None) -> dict[str, Any]:
    """Read parameters that ``params_to_json`` of a search has written.

    Parameters
    ----------
    text : str
        JSON text.
    feature_names : sequence of str, default=None
        Names of the features in the order in which arrays are wanted; None is the order in which
        they were written. Arrays without names stay as they are.

    Returns
    -------
    params : dict
        For ``set_params`` of the estimator that was searched.

    Raises
    ------
    ValueError
        If the text was written by something else, or an array has no value for a feature.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV, params_from_json
    >>> from sklearn_hypergrad.linear_model import Ridge
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}).fit(X, y)
    >>> params = params_from_json(search.params_to_json(), feature_names=X.columns)
    >>> bool((params["alpha"] == search.best_params_["alpha"]).all())
    True
    """
    try:
        stored = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"This is no JSON: {error}.") from None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise ValueError(
            f"This is no JSON of parameters: its format is not {FORMAT!r}. Write it by "
            f"search.params_to_json()."
        )
    names = None if feature_names is None else [str(name) for name in feature_names]
    return {key: _decoded(value, names, key) for key, value in stored["params"].items()}


def _encoded(value, names=()):
    if value is None:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return _number(float(value))
    if isinstance(value, np.ndarray):
        return _array(value, names)
    if isinstance(value, tuple):
        return {TUPLE: [_encoded(each) for each in value]}
    if isinstance(value, list):
        return [_encoded(each) for each in value]
    if isinstance(value, dict):
        return {DICT: [[_encoded(key), _encoded(each)] for key, each in value.items()]}
    raise TypeError


def _number(value):
    return value if math.isfinite(value) else {NUMBER: str(value)}


def _array(value, names):
    """An array of numbers, by names where there is one for each entry along its last axis."""
    if value.dtype.kind not in "fiu":
        raise TypeError
    rows = np.asarray(value, dtype=float)
    if value.ndim and len(names) == len(set(names)) == value.shape[-1]:
        columns = np.moveaxis(rows, -1, 0)
        return {NAMED: {name: _entries(row) for name, row in zip(names, columns, strict=True)}}
    return {ARRAY: _entries(rows)}


def _entries(rows):
    return _number(float(rows)) if rows.ndim == 0 else [_entries(row) for row in rows]


def _decoded(value, names, key):
    if isinstance(value, list):
        return [_decoded(each, names, key) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items() if len(value) == 1 else (("", None),)
    if kind == NUMBER and inside in NOT_FINITE:
        return NOT_FINITE[inside]
    if kind == TUPLE:
        return tuple(_decoded(each, names, key) for each in inside)
    if kind == DICT:
        return {_decoded(k, names, key): _decoded(v, names, key) for k, v in inside}
    if kind == ARRAY:
        return _as_array(_decoded(inside, names, key), key)
    if kind == NAMED:
        missing = [name for name in names or () if name not in inside]
        if missing:
            raise ValueError(
                f"{key} has no value for the feature {missing[0]!r}; it has values for "
                f"{shortened(list(inside))}."
            )
        ordered = [_decoded(inside[name], names, key) for name in names or inside]
        return np.moveaxis(_as_array(ordered, key), 0, -1)
    raise ValueError(f"{key} has {shortened(value)}, which params_to_json does not write.")


def _as_array(values, key):
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{key} is no array of numbers: {shortened(values)}.") from None
