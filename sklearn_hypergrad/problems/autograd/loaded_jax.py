"""JAX, if there is a reason to import it: the user has, or asks for it."""

import contextlib
import sys

import numpy as np


def load_jax():
    """The module with all that is used of JAX.

    Raises
    ------
    ImportError
        If it is not installed, or too old.
    """
    try:
        from sklearn_hypergrad import _jax
    except ImportError as error:
        raise ImportError(
            f"backend='jax' needs JAX of at least version 0.10 ({error}). Install it by pip "
            f"install 'sklearn-hypergrad[jax]', or write the loss with autograd.numpy."
        ) from error
    return _jax


def loaded_jax():
    """The same if the user has imported a version that can be used, else None."""
    if "jax" not in sys.modules:
        return None
    try:
        return load_jax()
    except ImportError:
        return None


def is_of_jax(array):
    """Whether this is an array of JAX, or stands for one."""
    jax = loaded_jax()
    return jax is not None and isinstance(array, jax.Array)


def in_numpy(tree):
    """Nested arrays, those of JAX among them as arrays of NumPy."""
    jax = loaded_jax()
    if jax is None:
        return tree
    return jax.tree_map(lambda leaf: np.array(leaf) if is_of_jax(leaf) else leaf, tree)


def doubles():
    """A context for calls of the user's functions: JAX, if it is there, computes in float64."""
    jax = loaded_jax()
    return contextlib.nullcontext() if jax is None else jax.doubles()
