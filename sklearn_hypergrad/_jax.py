"""Everything that is used of JAX, in one place. Import it only where JAX has been chosen."""

import contextlib

import jax
import jax.numpy
from jax import Array, errors, grad, jit, jvp, make_jaxpr, value_and_grad, vjp
from jax.scipy.special import expit, logsumexp
from jax.tree_util import tree_leaves, tree_map

numpy = jax.numpy

__all__ = [
    "Array",
    "doubles",
    "errors",
    "expit",
    "grad",
    "jit",
    "jvp",
    "logsumexp",
    "make_jaxpr",
    "numpy",
    "on_device",
    "tree_leaves",
    "tree_map",
    "value_and_grad",
    "vjp",
]


def doubles():
    """A context in which JAX computes in float64 and on the CPU, whatever its settings are."""
    # A context takes microseconds, which is as long as a step of a small model.
    precise = contextlib.nullcontext() if jax.config.jax_enable_x64 else jax.enable_x64(True)
    if jax.default_backend() == "cpu":
        return precise
    # Every step goes back to NumPy: on another device each would pay for two copies.
    both = contextlib.ExitStack()
    both.enter_context(precise)
    both.enter_context(jax.default_device(jax.devices("cpu")[0]))
    return both


def on_device(data):
    """Nested arrays as arrays of JAX, in memory of their own."""
    with doubles():
        return tree_map(numpy.array, data)
