"""Errors for ranges that cannot be searched; their texts say why and what to do instead."""

import difflib
import math

from sklearn.base import clone

from sklearn_hypergrad.adapters import family

# Similarity (of difflib, between 0 and 1) from which on another name is suggested. Chosen by hand:
# one wrong letter in a name of seven still suggests it, unrelated names do not.
ALIKE = 0.85


class CannotSearch(Exception):
    """The data give no objective, or it is nowhere finite: the values are enumerated instead."""


class NowhereFinite(CannotSearch):
    """The validation loss is not finite at any point, or where the search starts."""


class UnsupportedRange(ValueError):
    """A range asks for something that the data or the estimator do not have."""


def refuse_mixed(key):
    """Raise ValueError for a list that mixes a Continuous with other values."""
    raise ValueError(
        f"Parameter grid for {key!r} mixes Continuous with other values. Give "
        f"{key}=Continuous(low, high) alone, and other values in a dict of their own in a "
        f"list of grids."
    )


def refuse_continuous(key, values, reason, estimator):
    """Raise ValueError for a Continuous that cannot be searched: a list would be enumerated."""
    _refuse_unknown(key, estimator)
    raise ValueError(
        f"Cannot tune {key!r} with {values[0]!r}. This is because {reason}. Give a list of "
        f"values to enumerate instead."
    )


def _refuse_unknown(key, estimator):
    """Raise scikit-learn's error for an unknown name, with a similar name as a suggestion."""
    try:
        clone(estimator).set_params(**{key: None})
    except ValueError as error:
        meant = _meant(key, list(estimator.get_params()))
        hint = f" Did you mean {meant!r}?" if meant else ""
        raise ValueError(f"{error}{hint}") from None


def _meant(key, names):
    """The existing name that is nearest to an unknown one, or None."""
    inside = [name for name in names if name.rpartition("__")[2] == key]
    path, _, leaf = key.rpartition("__")
    beside = [name for name in names if name.rpartition("__")[0] == path]
    leaves = difflib.get_close_matches(leaf, [name.rpartition("__")[2] for name in beside], n=1)
    close = [name for name in beside if leaves and name.rpartition("__")[2] == leaves[0]]
    alike = difflib.get_close_matches(key, names, n=1, cutoff=ALIKE)
    return next(iter(inside + alike + close), None)


def described(low, high):
    """Words for a value between these limits."""
    above = f"a value above {low:g}" if low else "a positive value"
    return above if high == math.inf else f"a value between {low} and {high}"


def remedy(span, found):
    """A sentence that names the class of this package that supports ``per``, or ""."""
    if found.vector_class is None:
        return ""
    other = family(found.vector_class()).hyperparameters[span.leaf]
    if span.continuous.per not in other.per:
        return ""
    name, package = found.vector_class.__name__, found.vector_class.__module__.rpartition(".")[0]
    return f" Use the {name} that takes arrays: {package}.{name}."
