"""Nested hyperparameters as a flat dict from names to arrays, and back."""

import numpy as np


class Path(str):
    """The name of a hyperparameter inside of others: "layers.0" of ``h["layers"][0]``.

    Parameters
    ----------
    keys : sequence of (str or int)
        Keys of dicts and places in lists, from the outermost one.

    Attributes
    ----------
    keys : tuple
    """

    def __new__(cls, keys):
        path = super().__new__(cls, ".".join(map(str, keys)))
        path.keys = tuple(keys)
        return path

    def __getnewargs__(self):
        return (self.keys,)


def flattened(h):
    """A flat dict of nested hyperparameters: the name of what is inside of others is a Path.

    Parameters
    ----------
    h : dict of str -> float, array-like, or dict and list of these
        Nested to any depth. A list or tuple of numbers is an array; one of arrays, dicts and such
        lists is nested.

    Returns
    -------
    dict
        In the order of ``h``; the same values.

    Raises
    ------
    TypeError
        If ``h`` is not a dict, or the key of a dict is not a string.
    ValueError
        If there is nothing in a dict, or two names are the same.
    """
    if not isinstance(h, dict):
        raise TypeError(f"h must be a dict from names to numbers and arrays, got {h!r}.")
    flat = {}
    for keys, value in _leaves((), h):
        name = keys[0] if len(keys) == 1 else Path(keys)
        if name in flat:
            raise ValueError(f"h has two hyperparameters of the name {str(name)!r}.")
        flat[name] = value
    return flat


def nested(flat):
    """Nested hyperparameters from a flat dict; tuples have become lists. As it is without Paths."""
    if not any(type(name) is Path for name in flat):
        return flat
    h = {}
    for name, value in flat.items():
        keys = name.keys if type(name) is Path else (name,)
        inside = h
        for key, following in zip(keys, keys[1:], strict=False):
            inside = _entered(inside, key, [] if isinstance(following, int) else {})
        _entered(inside, keys[-1], value)
    return h


def _leaves(keys, value):
    if isinstance(value, dict):
        parts = value.items()
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise TypeError(f"Names of hyperparameters must be strings, got {wrong!r}.")
    elif _is_nested(value):
        parts = enumerate(value)
    else:
        yield keys, value
        return
    if keys and not value:
        raise ValueError(f"There is nothing in {str(Path(keys))!r} of h.")
    for key, part in parts:
        yield from _leaves((*keys, key), part)


def _is_nested(value):
    """Whether a list or tuple has more in it than numbers, at any depth."""
    if not isinstance(value, list | tuple):
        return False
    return any(isinstance(v, dict) or np.ndim(v) > 0 and _is_inside(v) for v in value)


def _is_inside(part):
    return isinstance(part, np.ndarray) or _is_nested(part)


def _entered(inside, key, value):
    """The value of a container at a key, which is put there if there is none."""
    if isinstance(inside, dict):
        return inside.setdefault(key, value)
    if key == len(inside):
        inside.append(value)
    return inside[key]
