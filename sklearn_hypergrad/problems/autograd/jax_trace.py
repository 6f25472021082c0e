"""Traces by JAX: a function of several arrays is run once, and pulled back many times."""

import numpy as np

from sklearn_hypergrad import _jax
from sklearn_hypergrad.problems.autograd.jax_tracing import explained, with_slopes


class JaxTrace:
    """A function at one point, with what its derivatives need; as Trace by autograd.

    It is not compiled as a whole: for functions that are pulled back a few times per point.

    Parameters
    ----------
    function : callable
        Takes the inputs and returns a sequence of arrays.
    inputs : sequence of arrays or floats
        The point.

    Attributes
    ----------
    values : list of ndarray
        The arrays that the function returned.

    Raises
    ------
    TypeError
        If JAX cannot trace the function.
    """

    def __init__(self, function, inputs):
        inputs = [np.asarray(x, np.float64) for x in inputs]
        with explained(), _jax.doubles():
            self._moved = with_slopes(_jax.make_jaxpr(function)(*inputs).jaxpr)
            values, self._pull = _jax.vjp(lambda *moving: tuple(function(*moving)), *inputs)
        self.values = [np.array(value) for value in values]

    def pull(self, cotangents):
        """Transposed derivative.

        Parameters
        ----------
        cotangents : sequence of ndarray
            One for each output, shaped like it.

        Returns
        -------
        list
            One for each input, shaped like it; None where the outputs do not depend on it.
        """
        with _jax.doubles():
            slopes = self._pull(tuple(np.asarray(g, np.float64) for g in cotangents))
        pairs = zip(slopes, self._moved, strict=True)
        return [np.array(slope)[()] if moved else None for slope, moved in pairs]
