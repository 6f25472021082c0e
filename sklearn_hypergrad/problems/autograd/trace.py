"""Traces: a function of several arrays is run once by autograd, and pulled back many times."""

import threading

import numpy as np

from sklearn_hypergrad._autograd import (
    VJPNode,
    add_outgrads,
    getval,
    isbox,
    new_box,
    toposort,
    trace_stack,
)
from sklearn_hypergrad.problems.autograd.loaded_jax import is_of_jax

# Autograd counts open traces over all threads, so only one thread traces at a time. A reentrant
# lock allows nested traces of one thread.
TRACING = threading.RLock()
# Errors of functions that are written with numpy instead of autograd.numpy.
FAILURES = AttributeError, TypeError, ValueError


class Trace:
    """A function at one point, with the graph that its derivatives need.

    Traces can be nested: inputs may be traced variables of an outer Trace.

    Parameters
    ----------
    function : callable
        Takes the inputs and returns a sequence of arrays.
    inputs : sequence of arrays or floats
        The point.

    Attributes
    ----------
    values : list
        The arrays that the function returned.

    Raises
    ------
    TypeError
        If the function cannot be differentiated, though it can be evaluated.
    """

    def __init__(self, function, inputs):
        self._roots = [VJPNode.new_root() for _ in inputs]
        with TRACING, trace_stack.new_trace() as level:
            pairs = zip(inputs, self._roots, strict=True)
            outputs = _called(function, [new_box(x, level, root) for x, root in pairs])
        traced = [isbox(z) and z._trace == level for z in outputs]
        pairs = list(zip(outputs, traced, strict=True))
        self.values = [z._value if mine else z for z, mine in pairs]
        self._ends = [z._node if mine else None for z, mine in pairs]

    def pull(self, cotangents):
        """Transposed derivative.

        Parameters
        ----------
        cotangents : sequence
            One for each output, shaped like it; None is zero.

        Returns
        -------
        list
            One for each input, shaped like it; None where these outputs do not depend on it. They
            may share memory with what the function uses.
        """
        pairs = zip(self._ends, cotangents, strict=True)
        pairs = [(end, g) for end, g in pairs if end is not None and g is not None]
        # One more node, whose parents are the outputs.
        top = VJPNode.new_root()
        top.parents, top.vjp = [end for end, _ in pairs], lambda gs: gs
        sums = {top: ([g for _, g in pairs], False)}
        found = dict.fromkeys(self._roots)
        for node in toposort(top):
            total, _ = sums.pop(node)
            if node in found:
                found[node] = total
            for parent, part in zip(node.parents, node.vjp(total), strict=False):
                sums[parent] = add_outgrads(sums.get(parent), part)
        return [found[root] for root in self._roots]


def is_traceable(function, inputs):
    """Whether autograd can trace a function at a point.

    Parameters
    ----------
    function : callable
        Takes the inputs.
    inputs : sequence of arrays or floats
    """
    with TRACING, trace_stack.new_trace() as level:
        try:
            function(*(new_box(x, level, VJPNode.new_root()) for x in inputs))
        except Exception:
            return False
    return True


def gradients(function, inputs):
    """Value and derivatives of a function that returns one number.

    Parameters
    ----------
    function : callable
    inputs : sequence of arrays or floats

    Returns
    -------
    value : float
    slopes : list
        A derivative for each input; None if the function does not depend on it.

    Raises
    ------
    ValueError
        If the function returns anything else.
    """
    trace = Trace(lambda *boxes: (function(*boxes),), inputs)
    (value,) = trace.values
    check_number(getval(value))
    return value, trace.pull([1.0])


def check_number(value):
    """Raise ValueError unless the value of a loss is one real number."""
    array = np.asarray(value)
    if array.shape != ():
        raise ValueError(
            f"A loss is one number, and this one returns an array of shape {array.shape}. Sum or "
            f"average it."
        )
    if array.dtype.kind not in "fiu":
        raise ValueError(f"A loss is one real number, and this one returns {value!r}.")


def _called(function, boxes):
    try:
        return function(*boxes)
    except FAILURES as error:
        failure = error
    # If the function fails without autograd, too, this call raises its own error.
    returned = function(*map(getval, boxes))
    if any(map(is_of_jax, returned)):
        raise TypeError(
            "This function is written with jax.numpy, and autograd is to differentiate it. Set "
            "backend='jax', or write it with autograd.numpy."
        ) from failure
    raise TypeError(
        f"Autograd cannot differentiate a function that can be evaluated ({failure}). Write it "
        f"with autograd.numpy and autograd.scipy in place of numpy and scipy, 'import "
        f"autograd.numpy as np', and do not assign to entries of arrays."
    ) from failure
