"""What a trace by JAX shows of a function, and what its errors mean."""

import contextlib
import dataclasses
import warnings

import numpy as np

from sklearn_hypergrad import _jax
from sklearn_hypergrad.exceptions import HypergradWarning

# What JAX says, and what to do about it: the first that applies, so that special ones stand first.
REMEDIES = (
    (
        _jax.errors.TracerBoolConversionError,
        "it branches in Python ('if', 'while', 'and', max) on a number that is differentiated or "
        "is data. Write jnp.where(condition, a, b)",
    ),
    (
        _jax.errors.NonConcreteBooleanIndexError,
        "it selects entries by a mask, X[X > 0], whose number is not known when the function is "
        "compiled. Write jnp.where(mask, X, 0) and sum",
    ),
    (
        _jax.errors.TracerArrayConversionError,
        "it calls numpy or autograd.numpy with arrays of JAX, or indexes an array of NumPy with "
        "them. Write it with jax.numpy ('import jax.numpy as jnp'), pass the arrays as data, "
        "data=(X, y), or set backend='autograd'",
    ),
    (
        _jax.errors.TracerIntegerConversionError,
        "it uses a number that is data as a size or as an index of a list. Take sizes from shapes, "
        "which are known, and index arrays of jax.numpy",
    ),
    (
        _jax.errors.ConcretizationTypeError,
        "it turns an array into a number of Python by float(), int() or item(). Leave that out: "
        "arrays of shape () count as numbers",
    ),
    (
        _jax.errors.UnexpectedTracerError,
        "it keeps arrays between calls, on self or in a module. Return them instead",
    ),
)
# Primitives whose derivative is zero.
FLAT = {"ceil", "floor", "round", "sign", "stop_gradient"}
# Said by a TypeError.
ASSIGNMENT = "item assignment"


@dataclasses.dataclass(frozen=True)
class Inspected:
    """What a trace shows.

    Attributes
    ----------
    used : frozenset of str
        Hyperparameters that the result is computed from.
    reached : frozenset of str
        Those of them that it has a derivative in: not those that are only compared or rounded.
    moved : bool
        Whether it has a derivative in the weights.
    number : bool
        Whether the result is one real number.
    """

    used: frozenset
    reached: frozenset
    moved: bool
    number: bool


@contextlib.contextmanager
def explained():
    """Say what to do about errors of JAX.

    Raises
    ------
    TypeError
        With what is wrong with the function, and the remedy.
    """
    try:
        yield
    except _KNOWN as error:
        remedy = _remedy(error)
        if remedy is None:
            raise
        raise TypeError(f"JAX cannot compile this function: {remedy}.") from error


def inspected(function, w, h, data):
    """Trace a function twice, and refuse it if it is not the same.

    Parameters
    ----------
    function : callable
        ``function(w, h, *data)``, with flat weights.
    w : ndarray
    h : dict
    data : tuple

    Returns
    -------
    Inspected

    Raises
    ------
    TypeError
        If it cannot be traced, or draws random numbers.
    """

    def traced():
        # A new function each time, as JAX remembers what it has traced.
        return _jax.make_jaxpr(lambda *args: function(*args))(w, h, *data)

    with explained(), _jax.doubles():
        first, again = traced(), traced()
    if not _equal(first, again):
        raise TypeError(
            "JAX cannot compile this function: it is another one when it is called again, and as "
            "it is when it is compiled it would stay. If it draws random numbers, draw them in "
            "initial() or before and pass them as data, or use jax.random with a key that is data; "
            "if it keeps arrays between calls, return them instead."
        )
    if any(_is_single(constant) for constant in first.consts):
        warnings.warn(
            "The loss reads arrays of JAX that were made in float32, so it is right to seven "
            "digits only. Leave them as arrays of NumPy, or call "
            "jax.config.update('jax_enable_x64', True) before they are made.",
            HypergradWarning,
            stacklevel=2,
        )
    shapes = [output.shape for output in first.out_avals]
    number = shapes == [()] and _is(first.out_avals[0], np.floating, np.integer)
    used, _ = _named(h, _sources(first.jaxpr, lambda equation: True))
    reached, moved = _named(h, with_slopes(first.jaxpr))
    return Inspected(used, reached, moved, number)


def _equal(one, other):
    # Numbers stand in the text, arrays beside it.
    pairs = zip(one.consts, other.consts, strict=False)
    return str(one) == str(other) and all(
        a is b or np.array_equal(a, b, equal_nan=_has_nan(a)) for a, b in pairs
    )


def _has_nan(array):
    return _is(array, np.floating)


def _is_single(constant):
    return isinstance(constant, _jax.Array) and constant.dtype == np.float32


def with_slopes(jaxpr):
    """For each input of a trace, whether its outputs have a derivative in it."""
    return _sources(jaxpr, _has_slope)


def _named(h, sources):
    """Hyperparameters that the outputs are computed from, and whether the weights are, too."""
    # JAX flattens a dict in the order of its sorted names, after the weights.
    weights, *others = sources
    return frozenset(name for name, is_in in zip(sorted(h), others, strict=False) if is_in), weights


def _sources(jaxpr, follow):
    """For each input, whether the outputs are computed from it, by equations of some kind."""
    needed = {id(variable) for variable in jaxpr.outvars}
    for equation in reversed(jaxpr.eqns):
        if follow(equation) and any(id(variable) in needed for variable in equation.outvars):
            needed.update(map(id, equation.invars))
    return [id(variable) in needed for variable in jaxpr.invars]


def _has_slope(equation):
    steps = equation.primitive.name in FLAT
    return not steps and any(_is(variable.aval, np.floating) for variable in equation.outvars)


def _is(array, *kinds):
    # Keys of jax.random have a dtype that NumPy does not know.
    return any(_jax.numpy.issubdtype(array.dtype, kind) for kind in kinds)


def _remedy(error):
    for kind, remedy in REMEDIES:
        if isinstance(error, kind):
            return remedy
    if ASSIGNMENT in str(error):
        return "it assigns to entries of an array. Write w = w.at[i].set(value)"
    return None


_KNOWN = *(kind for kind, _ in REMEDIES), TypeError
