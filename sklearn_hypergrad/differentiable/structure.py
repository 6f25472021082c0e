"""Weights as nested structures, and as one array."""

from autograd.misc.flatten import flatten


def flat(w):
    """All weights of a nested structure as one array, in the order of their ``coefficient`` values.

    Parts of a dict come in the order of their sorted names, those of a list as they are. May be
    used in a loss: autograd differentiates through it.

    Parameters
    ----------
    w : dict, list, tuple, ndarray or float
        The weights.

    Returns
    -------
    ndarray of shape (n_weights,)
        The same numbers.
    """
    return flatten(w)[0]


def n_parts(w):
    """Number of the parts of the outermost dict, list or tuple, which are its layers."""
    return len(w) if isinstance(w, dict | list | tuple) else 1
